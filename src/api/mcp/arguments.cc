#include "api/mcp/arguments.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstdint>
#include <iterator>
#include <limits>
#include <optional>
#include <utility>

#include "api/mcp/plain_json.h"
#include "google/protobuf/descriptor.h"
#include "util/require.h"
#include "util/utf8.h"

namespace todo::api::mcp {
namespace {

using google::protobuf::FieldDescriptor;
using google::protobuf::Message;

/// Names of a client are repeated in violations up to this length.
constexpr std::size_t kMaxNameBytes = 60;
constexpr int kMaxUnknownNames = 5;

std::string Joined(const Json& values) {
  std::string text;
  for (const Json& value : values) {
    if (!text.empty()) text += ", ";
    text += value.get<std::string>();
  }
  return text;
}

std::string KnownNames(const Json& properties) {
  std::string text;
  for (const auto& [name, schema] : properties.items()) {
    if (!text.empty()) text += ", ";
    text += name;
  }
  return text;
}

bool IsInteger(const Json& value) {
  return value.is_number_integer() &&
         (!value.is_number_unsigned() ||
          value.get<std::uint64_t>() <= std::uint64_t{std::numeric_limits<std::int64_t>::max()});
}

std::string FaultOfNumber(std::int64_t number, const Json& schema) {
  const auto limit = [&](const char* name) {
    const auto found = schema.find(name);
    return found == schema.end() ? std::nullopt : std::optional(found->get<std::int64_t>());
  };
  const std::optional<std::int64_t> min = limit("minimum");
  const std::optional<std::int64_t> max = limit("maximum");
  if ((!min || number >= *min) && (!max || number <= *max)) return "";
  return min && max ? fmt::format("must be a number from {} to {}", *min, *max)
                    : fmt::format("must be at {} {}", min ? "least" : "most", min ? *min : *max);
}

/// What is wrong with `value`; empty: nothing.
std::string FaultOf(const Json& value, const Json& schema) {
  const std::string type = schema.at("type");
  if (type == "string" && !value.is_string()) return "must be a text";
  if (type == "boolean" && !value.is_boolean()) return "must be true or false";
  if (type == "integer" && !IsInteger(value)) return "must be a whole number";
  if (type == "array" && (!value.is_array() || !std::ranges::all_of(value, [](const Json& entry) {
        return entry.is_string();
      }))) {
    return "must be a list of texts";
  }
  if (type == "integer") return FaultOfNumber(value.get<std::int64_t>(), schema);
  if (const auto max = schema.find("maxLength"); max != schema.end()) {
    const auto count = util::CountCharacters(value.get_ref<const std::string&>());
    if (!count || *count > max->get<std::size_t>())
      return fmt::format("must have at most {} characters, none of them NUL",
                         max->get<std::size_t>());
  }
  if (schema.contains("enum") && std::ranges::find(schema["enum"], value) == schema["enum"].end()) {
    return fmt::format("must be one of: {}", Joined(schema["enum"]));
  }
  return "";
}

void PutText(const std::string& text, const FieldDescriptor& field, Message& message) {
  if (text.empty()) return;
  if (field.cpp_type() == FieldDescriptor::CPPTYPE_STRING)
    return message.GetReflection()->SetString(&message, &field, text);
  const auto* value = FindByPlainName(*field.enum_type(), text);
  TODO_REQUIRE(value != nullptr);  // the schema lists the values of the type
  message.GetReflection()->SetEnum(&message, &field, value);
}

void PutNumber(std::int64_t number, const FieldDescriptor& field, Message& message) {
  if (field.cpp_type() == FieldDescriptor::CPPTYPE_INT64)
    return message.GetReflection()->SetInt64(&message, &field, number);
  using Limits = std::numeric_limits<std::int32_t>;
  const auto fitting = std::clamp<std::int64_t>(number, Limits::min(), Limits::max());
  message.GetReflection()->SetInt32(&message, &field, static_cast<std::int32_t>(fitting));
}

}  // namespace

Arguments::Arguments(Json given, const Json& schema) : given_(std::move(given)) {
  for (auto entry = given_.begin(); entry != given_.end();)
    entry = entry->is_null() ? given_.erase(entry) : std::next(entry);
  CheckAgainst(schema);
}

void Arguments::CheckAgainst(const Json& schema) {
  const Json& properties = schema.at("properties");
  for (const auto& name : schema.value("required", Json::array()))
    if (!given_.contains(name)) violations_.Add(name.get<std::string>(), "must be given");
  int unknown = 0;
  for (auto entry = given_.begin(); entry != given_.end();) {
    const auto known = properties.find(entry.key());
    std::string fault;
    if (known != properties.end()) {
      fault = FaultOf(*entry, *known);
    } else if (++unknown <= kMaxUnknownNames) {
      fault = fmt::format("is no argument of this tool, which takes {}", KnownNames(properties));
    }
    if (!fault.empty()) violations_.Add(util::CutText(entry.key(), kMaxNameBytes), fault);
    entry = fault.empty() && known != properties.end() ? std::next(entry) : given_.erase(entry);
  }
}

std::string Arguments::Text(const char* name) const {
  const auto found = given_.find(name);
  return found == given_.end() ? "" : found->get<std::string>();
}

std::int64_t Arguments::Number(const char* name) const {
  return given_.value(name, std::int64_t{0});
}

bool Arguments::Flag(const char* name, bool value_if_absent) const {
  return given_.value(name, value_if_absent);
}

std::string Arguments::Content() const {
  Json content = given_;
  content.erase("request_id");
  return content.dump();
}

void Arguments::Put(const std::vector<const char*>& names, Message& message) const {
  for (const char* name : names) {
    const auto found = given_.find(name);
    if (found == given_.end()) continue;
    const FieldDescriptor* field = message.GetDescriptor()->FindFieldByName(name);
    TODO_REQUIRE(field != nullptr);
    if (found->is_string()) {
      PutText(found->get_ref<const std::string&>(), *field, message);
    } else if (found->is_boolean()) {
      message.GetReflection()->SetBool(&message, field, found->get<bool>());
    } else if (found->is_array()) {
      for (const Json& entry : *found)
        message.GetReflection()->AddString(&message, field, entry.get<std::string>());
    } else {
      PutNumber(found->get<std::int64_t>(), *field, message);
    }
  }
}

}  // namespace todo::api::mcp
