// Reads export requests in OTLP's JSON, one on each line, with the parser of the OpenTelemetry Collector. Prints one
// line for each span: trace id, span id, parent's span id, name.
package main

import (
	"bufio"
	"fmt"
	"log"
	"os"

	"go.opentelemetry.io/collector/pdata/ptrace/ptraceotlp"
)

const longestLine = 64 << 20

func main() {
	lines := bufio.NewScanner(os.Stdin)
	lines.Buffer(nil, longestLine)
	for lines.Scan() {
		request := ptraceotlp.NewExportRequest()
		if err := request.UnmarshalJSON(lines.Bytes()); err != nil {
			log.Fatal(err)
		}
		for _, resource := range request.Traces().ResourceSpans().All() {
			for _, scope := range resource.ScopeSpans().All() {
				for _, span := range scope.Spans().All() {
					fmt.Printf("%s %s %s %q\n", span.TraceID(), span.SpanID(), span.ParentSpanID(), span.Name())
				}
			}
		}
	}
	if err := lines.Err(); err != nil {
		log.Fatal(err)
	}
}
