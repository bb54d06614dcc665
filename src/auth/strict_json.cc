#include "auth/strict_json.h"

#include <set>
#include <string>
#include <vector>

#include "absl/strings/escaping.h"
#include "util/status.h"

namespace todo::auth {
namespace {

using nlohmann::json;

constexpr int kMaxDepth = 8;

}  // namespace

std::optional<json> ParseObject(std::string_view text) {
  if (text.empty() || text.front() != '{' || text.back() != '}') return std::nullopt;
  bool strict = true;
  std::vector<std::set<std::string>> names;  // of the objects that are open
  const json::parser_callback_t watch = [&](int depth, json::parse_event_t event, json& value) {
    if (depth > kMaxDepth) strict = false;
    if (event == json::parse_event_t::object_start) names.emplace_back();
    if (event == json::parse_event_t::object_end) names.pop_back();
    if (event == json::parse_event_t::key)
      strict = strict && names.back().insert(value.get<std::string>()).second;
    return strict;
  };
  json object = json::parse(text, watch, /*allow_exceptions=*/false);
  if (!strict || !object.is_object()) return std::nullopt;
  return object;
}

std::optional<std::string> DecodeBase64Url(std::string_view text) {
  std::string bytes;
  if (!absl::WebSafeBase64Unescape(util::ToAbsl(text), &bytes)) return std::nullopt;
  // Abseil takes padding, white space and unused bits; the canonical form has none of them.
  if (absl::WebSafeBase64Escape(bytes) != text) return std::nullopt;
  return bytes;
}

std::optional<std::string> TextIn(const json& object, std::string_view name) {
  const auto found = object.find(std::string(name));
  if (found == object.end() || !found->is_string()) return std::nullopt;
  return found->get<std::string>();
}

}  // namespace todo::auth
