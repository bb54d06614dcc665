#include "appcallback/job_data.h"

#include <google/protobuf/any.pb.h>
#include <google/protobuf/struct.pb.h>
#include <google/protobuf/wrappers.pb.h>

#include <cmath>
#include <nlohmann/json.hpp>
#include <string>

#include "domain/event.h"

namespace todo::appcallback {
namespace {

namespace pb = google::protobuf;

std::optional<domain::TaskId> PositiveId(std::int64_t id) {
  if (id < 1) return std::nullopt;
  return domain::TaskId{id};
}

std::optional<domain::TaskId> FromJson(const std::string& text) {
  if (domain::NestsTooDeep(text)) return std::nullopt;
  const nlohmann::json json = nlohmann::json::parse(text, nullptr, false);
  if (json.is_string()) return FromJson(json.get<std::string>());  // JSON that was quoted once more
  if (!json.is_object()) return std::nullopt;
  const auto id = json.find("task_id");
  if (id == json.end() || !id->is_number_integer()) return std::nullopt;
  return PositiveId(id->get<std::int64_t>());
}

std::optional<domain::TaskId> FromStruct(const pb::Struct& object) {
  constexpr double kMaxExact = 9007199254740992.0;
  const auto id = object.fields().find("task_id");
  if (id == object.fields().end() || !id->second.has_number_value()) return std::nullopt;
  const double number = id->second.number_value();
  if (!(number >= 1 && number <= kMaxExact) || std::floor(number) != number) return std::nullopt;
  return domain::TaskId{static_cast<std::int64_t>(number)};
}

}  // namespace

std::optional<domain::TaskId> TaskOfJobData(const pb::Any& data) {
  if (pb::Value value; data.UnpackTo(&value)) {
    return value.has_string_value() ? FromJson(value.string_value())
                                    : FromStruct(value.struct_value());
  }
  if (pb::Struct object; data.UnpackTo(&object)) return FromStruct(object);
  if (pb::StringValue text; data.UnpackTo(&text)) return FromJson(text.value());
  if (pb::BytesValue bytes; data.UnpackTo(&bytes)) return FromJson(bytes.value());
  return FromJson(data.value());
}

}  // namespace todo::appcallback
