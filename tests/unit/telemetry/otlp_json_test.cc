#include "telemetry/otlp_json.h"

#include <gtest/gtest.h>

#include <chrono>
#include <nlohmann/json.hpp>
#include <string>

#include "util/span.h"

namespace todo::telemetry {
namespace {

using nlohmann::json;
using std::chrono::system_clock;

util::SpanRecord ARecord() {
  util::SpanRecord span;
  span.name = "deliver webhook";
  span.kind = util::SpanKind::kClient;
  span.context = {
      .trace_high = 0x4bf92f3577b34da6, .trace_low = 0xa3ce929d0e0e4736, .span = 0x2a, .flags = 1};
  span.parent = 0xf067aa0ba902b7;
  span.begin = system_clock::time_point(std::chrono::seconds(1'700'000'000));
  span.end = span.begin + std::chrono::milliseconds(5);
  return span;
}

json SpanIn(const std::string& body) {
  return json::parse(body)["resourceSpans"][0]["scopeSpans"][0]["spans"][0];
}

TEST(OtlpJson, WritesIdsAsHexAndLongNumbersAsStrings) {
  util::SpanRecord record = ARecord();
  record.attributes = {
      {"todo.count", std::int64_t{3}}, {"todo.late", true}, {"error.type", std::string("X")}};
  const json span = SpanIn(OtlpJson({record}, {}));
  EXPECT_EQ(span["traceId"], "4bf92f3577b34da6a3ce929d0e0e4736");
  EXPECT_EQ(span["spanId"], "000000000000002a");
  EXPECT_EQ(span["parentSpanId"], "00f067aa0ba902b7");
  EXPECT_EQ(span["kind"], 3);
  EXPECT_EQ(span["startTimeUnixNano"], "1700000000000000000");
  EXPECT_EQ(span["endTimeUnixNano"], "1700000000005000000");
  EXPECT_EQ(span["attributes"], json::parse(R"([{"key":"todo.count","value":{"intValue":"3"}},
                            {"key":"todo.late","value":{"boolValue":true}},
                            {"key":"error.type","value":{"stringValue":"X"}}])"));
  EXPECT_FALSE(span.contains("status"));
  EXPECT_FALSE(span.contains("links"));
}

TEST(OtlpJson, TellsOfLinksAndFailures) {
  util::SpanRecord record = ARecord();
  record.parent = 0;
  record.failed = true;
  record.links = {{.trace_high = 1, .trace_low = 2, .span = 3, .flags = 1}};
  const json span = SpanIn(OtlpJson({record}, {}));
  EXPECT_FALSE(span.contains("parentSpanId"));
  EXPECT_EQ(span["status"], json::parse(R"({"code":2})"));
  ASSERT_EQ(span["links"].size(), 1u);
  EXPECT_EQ(span["links"][0]["traceId"], "00000000000000010000000000000002");
  EXPECT_EQ(span["links"][0]["spanId"], "0000000000000003");
}

TEST(OtlpJson, NamesTheProcess) {
  const json request = json::parse(OtlpJson({ARecord()}, {.version = "1.2", .instance = "pod-7"}));
  const json& attributes = request["resourceSpans"][0]["resource"]["attributes"];
  EXPECT_EQ(attributes[0]["key"], "service.name");
  EXPECT_EQ(attributes[0]["value"]["stringValue"], "todo-service");
  EXPECT_EQ(attributes[1]["value"]["stringValue"], "1.2");
  EXPECT_EQ(attributes[2]["value"]["stringValue"], "pod-7");
}

}  // namespace
}  // namespace todo::telemetry
