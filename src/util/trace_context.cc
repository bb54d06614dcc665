#include "util/trace_context.h"

#include <fmt/format.h>

#include <algorithm>

namespace todo::util {
namespace {

bool IsLowerHex(std::string_view text) {
  return std::all_of(text.begin(), text.end(),
                     [](char c) { return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f'); });
}

bool IsZero(std::string_view hex) { return hex.find_first_not_of('0') == std::string_view::npos; }

}  // namespace

std::string ParseTraceparent(std::string_view text) {
  // version-trace id-parent id-flags: 2, 32, 16 and 2 hexadecimal digits. Later versions may append
  // more.
  constexpr std::size_t kLength = 55;
  if (text.size() < kLength || text[2] != '-' || text[35] != '-' || text[52] != '-') return "";
  const std::string_view version = text.substr(0, 2);
  const std::string_view trace_id = text.substr(3, 32);
  const std::string_view parent_id = text.substr(36, 16);
  const std::string_view flags = text.substr(53, 2);
  if (!IsLowerHex(version) || !IsLowerHex(trace_id) || !IsLowerHex(parent_id) || !IsLowerHex(flags))
    return "";
  if (version == "ff" || IsZero(trace_id) || IsZero(parent_id)) return "";
  if (text.size() > kLength && (version == "00" || text[kLength] != '-')) return "";
  return fmt::format("00{}", text.substr(2, kLength - 2));
}

}  // namespace todo::util
