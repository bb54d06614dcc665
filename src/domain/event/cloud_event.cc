#include "domain/event/cloud_event.h"

#include <fmt/format.h>

#include <cstddef>
#include <string>

#include "absl/strings/ascii.h"
#include "domain/event/event_reader.h"
#include "util/status.h"

namespace todo::domain {
namespace {

constexpr std::size_t kMaxRecordBytes = std::size_t{1} << 20;
constexpr int kMaxNesting = 64;

/// Whether a media type ("application/json; charset=utf-8") is one of JSON. Case and parameters do
/// not count.
bool IsJson(std::string_view media_type) {
  const absl::string_view type = util::ToAbsl(media_type.substr(0, media_type.find(';')));
  const std::string name = absl::AsciiStrToLower(absl::StripAsciiWhitespace(type));
  const std::size_t slash = name.find('/');
  if (slash == std::string::npos) return false;
  const std::string_view subtype = std::string_view(name).substr(slash + 1);
  return subtype == "json" || subtype.ends_with("+json");
}

}  // namespace

Json ParseJson(std::string_view text, std::string_view what) {
  if (text.size() > kMaxRecordBytes) {
    throw Violation{
        fmt::format("{} has {} bytes; the limit is {}", what, text.size(), kMaxRecordBytes)};
  }
  if (NestsTooDeep(text))
    throw Violation{fmt::format("{} nests deeper than {} levels", what, kMaxNesting)};
  try {
    return Json::parse(text);
  } catch (const Json::parse_error& error) {
    throw Violation{fmt::format("{} is not JSON: it goes wrong at byte {}", what, error.byte)};
  } catch (const Json::exception&) {
    throw Violation{fmt::format("{} is not JSON: it holds a number that is too large", what)};
  }
}

Json ReadCloudEvent(std::string_view record, std::string_view what) {
  // The sidecar passes on a record without a value as null.
  if (record.empty() || record == "null") {
    throw Violation{fmt::format(
        "the record has no value: it is a tombstone, as compacted topics have them, and no {}",
        what)};
  }
  Json cloud_event = ParseJson(record, "the record");
  if (!cloud_event.is_object()) throw Violation{"the record is JSON but not an object"};
  if (!cloud_event.contains("specversion")) {
    throw Violation{"the record is not a CloudEvent in structured mode: it has no specversion"};
  }
  const std::string spec = RequireText(cloud_event["specversion"], "specversion");
  if (spec != "1.0" && spec != "0.3") throw Violation{"specversion must be 1.0 or 0.3"};

  if (const Json* type = FindValue(cloud_event, "datacontenttype")) {
    const std::string text = RequireText(*type, "datacontenttype");
    if (!IsJson(text)) {
      throw Violation{fmt::format("datacontenttype must be application/json for a {}", what)};
    }
  }
  const Json* data = FindValue(cloud_event, "data");
  if (data == nullptr && FindValue(cloud_event, "data_base64") != nullptr) {
    throw Violation{fmt::format(
        "the CloudEvent's data is binary (data_base64); a {} is a JSON object in data", what)};
  }
  if (data == nullptr) throw Violation{"the CloudEvent has no data"};
  if (!data->is_object()) {
    throw Violation{
        fmt::format("the CloudEvent's data must be an object, not {}", data->type_name())};
  }
  return cloud_event;
}

bool NestsTooDeep(std::string_view json) {
  int depth = 0;
  bool in_string = false;
  for (std::size_t i = 0; i < json.size(); ++i) {
    const char c = json[i];
    if (in_string) {
      if (c == '\\') ++i;
      if (c == '"') in_string = false;
    } else if (c == '"') {
      in_string = true;
    } else if (c == '{' || c == '[') {
      if (++depth > kMaxNesting) return true;
    } else if (c == '}' || c == ']') {
      --depth;
    }
  }
  return false;
}

}  // namespace todo::domain
