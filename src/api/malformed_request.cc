#include "api/malformed_request.h"

#include <fmt/format.h>

#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "google/protobuf/unknown_field_set.h"
#include "util/status.h"
#include "util/utf8.h"

namespace todo::api {
namespace {

using google::protobuf::Descriptor;
using google::protobuf::FieldDescriptor;
using google::protobuf::UnknownField;
using google::protobuf::UnknownFieldSet;

constexpr std::size_t kMaxViolations = 50;
constexpr int kMaxDepth = 20;

void FindBadText(std::string_view bytes, const Descriptor& type, const std::string& prefix,
                 int depth, std::vector<util::FieldViolation>& violations) {
  UnknownFieldSet fields;
  if (depth > kMaxDepth || !fields.ParseFromArray(bytes.data(), static_cast<int>(bytes.size())))
    return;
  std::map<int, int> seen;  // elements of lists so far, by field number
  for (int i = 0; i < fields.field_count() && violations.size() < kMaxViolations; ++i) {
    const UnknownField& field = fields.field(i);
    const FieldDescriptor* declared = type.FindFieldByNumber(field.number());
    if (declared == nullptr || field.type() != UnknownField::TYPE_LENGTH_DELIMITED) continue;
    std::string path = prefix + declared->name();
    if (declared->is_repeated()) path += fmt::format("[{}]", seen[field.number()]++);
    if (declared->type() == FieldDescriptor::TYPE_STRING) {
      std::string text = field.length_delimited();
      std::erase(text, '\0');  // NUL is valid UTF-8; the use case refuses it
      if (!util::CountCharacters(text).has_value())
        violations.push_back({path, "is not valid UTF-8"});
    } else if (declared->type() == FieldDescriptor::TYPE_MESSAGE) {
      FindBadText(field.length_delimited(), *declared->message_type(), path + ".", depth + 1,
                  violations);
    }
  }
}

}  // namespace

absl::Status ExplainMalformed(std::string_view bytes, const Descriptor& type) {
  std::vector<util::FieldViolation> violations;
  FindBadText(bytes, type, "", 0, violations);
  if (!violations.empty()) return util::InvalidFields(violations);
  return util::WithReason(
      util::MakeStatus(absl::StatusCode::kInvalidArgument,
                       fmt::format("the request is not a message of type {}", type.full_name())),
      "MALFORMED_REQUEST");
}

}  // namespace todo::api
