#include "appcallback/job_data.h"

#include <google/protobuf/any.pb.h>
#include <google/protobuf/struct.pb.h>
#include <google/protobuf/util/json_util.h>
#include <google/protobuf/wrappers.pb.h>

#include <cmath>
#include <nlohmann/json.hpp>
#include <string>

#include "domain/event/event.h"
#include "domain/event/event_reader.h"

namespace todo::appcallback {
namespace {

namespace pb = google::protobuf;

// JSON has one kind of number: 7.0 and 1e15, as a protobuf Value is written, are integers as well.
std::optional<domain::TaskId> ToTaskId(const nlohmann::json& number) {
  constexpr double kMaxExact = 9007199254740992.0;
  if (number.is_number_float()) {
    const auto value = number.get<double>();
    if (!(value >= 1 && value <= kMaxExact) || std::floor(value) != value) return std::nullopt;
    return domain::TaskId{static_cast<std::int64_t>(value)};
  }
  if (!number.is_number_integer()) return std::nullopt;
  const auto id = number.get<std::int64_t>();
  if (id < 1) return std::nullopt;
  return domain::TaskId{id};
}

std::optional<domain::TaskId> FromJson(const std::string& text) {
  if (domain::NestsTooDeep(text)) return std::nullopt;
  const nlohmann::json json = nlohmann::json::parse(text, nullptr, false);
  if (json.is_string()) return FromJson(json.get<std::string>());  // JSON that was quoted once more
  if (!json.is_object()) return std::nullopt;
  const auto id = json.find("task_id");
  if (id == json.end()) return std::nullopt;
  return ToTaskId(*id);
}

// The library converts to JSON: this code must not look into the map of a Struct itself, because a
// map has another layout under ThreadSanitizer than in the packaged library.
std::optional<domain::TaskId> FromStruct(const pb::Message& value) {
  std::string json;
  if (!pb::util::MessageToJsonString(value, &json).ok()) return std::nullopt;
  return FromJson(json);
}

}  // namespace

std::optional<domain::TaskId> TaskOfJobData(const pb::Any& data) {
  if (pb::Value value; data.UnpackTo(&value)) return FromStruct(value);
  if (pb::Struct object; data.UnpackTo(&object)) return FromStruct(object);
  if (pb::StringValue text; data.UnpackTo(&text)) return FromJson(text.value());
  if (pb::BytesValue bytes; data.UnpackTo(&bytes)) return FromJson(bytes.value());
  return FromJson(data.value());
}

}  // namespace todo::appcallback
