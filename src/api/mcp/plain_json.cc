#include "api/mcp/plain_json.h"

#include <absl/strings/ascii.h>

#include <chrono>
#include <string_view>

namespace todo::api::mcp {
namespace {

using google::protobuf::EnumDescriptor;
using google::protobuf::EnumValueDescriptor;
using google::protobuf::FieldDescriptor;
using google::protobuf::Message;
using google::protobuf::Reflection;
using google::protobuf::Timestamp;

/// "DUE_KIND_" for the type DueKind.
std::string PrefixOf(const EnumDescriptor& type) {
  std::string prefix;
  for (const char c : type.name()) {
    if (absl::ascii_isupper(static_cast<unsigned char>(c)) && !prefix.empty()) prefix += '_';
    prefix += absl::ascii_toupper(static_cast<unsigned char>(c));
  }
  return prefix + '_';
}

Json OfMessage(const Message& message) {
  if (message.GetDescriptor() != Timestamp::descriptor()) return PlainJson(message);
  return domain::FormatInstant(InstantIn(static_cast<const Timestamp&>(message)));
}

/// The value of a field, or of its element `index`.
Json ValueOf(const Message& message, const FieldDescriptor& field, int index) {
  const Reflection& values = *message.GetReflection();
  const bool repeated = field.is_repeated();
  switch (field.cpp_type()) {
    case FieldDescriptor::CPPTYPE_STRING:
      return repeated ? values.GetRepeatedString(message, &field, index)
                      : values.GetString(message, &field);
    case FieldDescriptor::CPPTYPE_BOOL:
      return repeated ? values.GetRepeatedBool(message, &field, index)
                      : values.GetBool(message, &field);
    case FieldDescriptor::CPPTYPE_INT32:
      return repeated ? values.GetRepeatedInt32(message, &field, index)
                      : values.GetInt32(message, &field);
    case FieldDescriptor::CPPTYPE_INT64:
      return repeated ? values.GetRepeatedInt64(message, &field, index)
                      : values.GetInt64(message, &field);
    case FieldDescriptor::CPPTYPE_DOUBLE:
      return repeated ? values.GetRepeatedDouble(message, &field, index)
                      : values.GetDouble(message, &field);
    case FieldDescriptor::CPPTYPE_ENUM:
      return PlainName(repeated ? *values.GetRepeatedEnum(message, &field, index)
                                : *values.GetEnum(message, &field));
    case FieldDescriptor::CPPTYPE_MESSAGE:
      return OfMessage(repeated ? values.GetRepeatedMessage(message, &field, index)
                                : values.GetMessage(message, &field));
    default: return nullptr;  // no message of the API has others
  }
}

/// Whether a field that is not repeated belongs into the JSON.
bool IsShown(const Message& message, const FieldDescriptor& field) {
  if (message.GetReflection()->HasField(message, &field)) return true;
  return !field.has_presence() && field.cpp_type() != FieldDescriptor::CPPTYPE_STRING &&
         field.cpp_type() != FieldDescriptor::CPPTYPE_ENUM;
}

}  // namespace

domain::Instant InstantIn(const Timestamp& time) {
  return domain::Instant(std::chrono::seconds(time.seconds()) +
                         std::chrono::microseconds(time.nanos() / 1'000));
}

Json PlainJson(const Message& message) {
  Json json = Json::object();
  for (int i = 0; i < message.GetDescriptor()->field_count(); ++i) {
    const FieldDescriptor& field = *message.GetDescriptor()->field(i);
    if (!field.is_repeated()) {
      if (IsShown(message, field)) json[field.name()] = ValueOf(message, field, 0);
      continue;
    }
    for (int index = 0; index < message.GetReflection()->FieldSize(message, &field); ++index)
      json[field.name()].push_back(ValueOf(message, field, index));
  }
  return json;
}

std::string PlainName(const EnumValueDescriptor& value) {
  const std::string prefix = PrefixOf(*value.type());
  std::string_view name = value.name();
  if (name.starts_with(prefix)) name.remove_prefix(prefix.size());
  return absl::AsciiStrToLower(std::string(name));
}

const EnumValueDescriptor* FindByPlainName(const EnumDescriptor& type, const std::string& name) {
  for (int i = 1; i < type.value_count(); ++i)  // the first value is the unspecified one
    if (PlainName(*type.value(i)) == name) return type.value(i);
  return nullptr;
}

}  // namespace todo::api::mcp
