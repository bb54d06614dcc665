#include "telemetry/otlp_json.h"

#include <fmt/format.h>

#include <chrono>
#include <cstdint>
#include <nlohmann/json.hpp>
#include <string_view>
#include <type_traits>
#include <utility>
#include <variant>

#include "util/trace_context.h"

namespace todo::telemetry {
namespace {

using Json = nlohmann::ordered_json;
using util::SpanRecord;
using util::SpanValue;

constexpr std::string_view kName = "todo-service";
constexpr int kStatusError = 2;

Json ValueOf(const SpanValue& value) {
  return std::visit(
      [](const auto& held) -> Json {
        using Held = std::remove_cvref_t<decltype(held)>;
        if constexpr (std::is_same_v<Held, bool>) {
          return {{"boolValue", held}};
        } else if constexpr (std::is_same_v<Held, std::int64_t>) {
          return {{"intValue", fmt::to_string(held)}};
        } else {
          return {{"stringValue", held}};
        }
      },
      value);
}

Json Attribute(std::string_view key, const SpanValue& value) {
  return {{"key", key}, {"value", ValueOf(value)}};
}

std::string Nanoseconds(std::chrono::system_clock::time_point time) {
  const auto since_epoch = time.time_since_epoch();
  return fmt::to_string(std::chrono::duration_cast<std::chrono::nanoseconds>(since_epoch).count());
}

Json SpanOf(const SpanRecord& span) {
  Json json = {{"traceId", util::TraceIdOf(span.context)},
               {"spanId", util::SpanIdText(span.context.span)}};
  if (span.parent != 0) json["parentSpanId"] = util::SpanIdText(span.parent);
  json["flags"] = span.context.flags;
  json["name"] = span.name;
  json["kind"] = static_cast<int>(span.kind);
  json["startTimeUnixNano"] = Nanoseconds(span.begin);
  json["endTimeUnixNano"] = Nanoseconds(span.end);
  for (const auto& [key, value] : span.attributes)
    json["attributes"].push_back(Attribute(key, value));
  for (const util::TraceContext& link : span.links) {
    json["links"].push_back({{"traceId", util::TraceIdOf(link)},
                             {"spanId", util::SpanIdText(link.span)},
                             {"flags", link.flags}});
  }
  if (span.failed) json["status"] = {{"code", kStatusError}};
  return json;
}

}  // namespace

std::string OtlpJson(const std::vector<SpanRecord>& spans, const Resource& resource) {
  Json attributes = Json::array({Attribute("service.name", std::string(kName)),
                                 Attribute("service.version", resource.version),
                                 Attribute("service.instance.id", resource.instance)});
  Json list = Json::array();
  for (const SpanRecord& span : spans) list.push_back(SpanOf(span));
  Json scope_spans = {{"scope", {{"name", kName}, {"version", resource.version}}},
                      {"spans", std::move(list)}};
  Json resource_spans = {{"resource", {{"attributes", std::move(attributes)}}},
                         {"scopeSpans", Json::array({std::move(scope_spans)})}};
  const Json request = {{"resourceSpans", Json::array({std::move(resource_spans)})}};
  return request.dump(-1, ' ', false, Json::error_handler_t::replace);
}

}  // namespace todo::telemetry
