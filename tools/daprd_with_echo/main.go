// daprd with the conversation component "echo", which Dapr's own builds have only beside hundreds of others. It answers
// each tool with a call whose arguments make no sense, which is what a test of a careless model needs.
package main

import (
	"github.com/dapr/components-contrib/conversation/echo"
	"github.com/dapr/dapr/cmd/daprd/app"
	"github.com/dapr/dapr/pkg/components/conversation"
)

func main() {
	conversation.DefaultRegistry.RegisterComponent(echo.NewEcho, "echo")
	app.Run()
}
