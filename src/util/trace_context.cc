#include "util/trace_context.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>

namespace todo::util {
namespace {

bool IsLowerHex(std::string_view text) {
  return std::all_of(text.begin(), text.end(),
                     [](char c) { return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f'); });
}

/// Precondition: `hex` is at most 16 hexadecimal digits.
std::uint64_t NumberOf(std::string_view hex) {
  std::uint64_t number = 0;
  std::from_chars(hex.data(), hex.data() + hex.size(), number, 16);
  return number;
}

}  // namespace

TraceContext ParseTraceContext(std::string_view text) {
  // version-trace id-parent id-flags: 2, 32, 16 and 2 hexadecimal digits. Later versions may append
  // more.
  constexpr std::size_t kLength = 55;
  if (text.size() < kLength || text[2] != '-' || text[35] != '-' || text[52] != '-') return {};
  const std::string_view version = text.substr(0, 2);
  const std::string_view trace_id = text.substr(3, 32);
  const std::string_view parent_id = text.substr(36, 16);
  const std::string_view flags = text.substr(53, 2);
  if (!IsLowerHex(version) || !IsLowerHex(trace_id) || !IsLowerHex(parent_id) || !IsLowerHex(flags))
    return {};
  if (version == "ff") return {};
  if (text.size() > kLength && (version == "00" || text[kLength] != '-')) return {};
  const TraceContext context{.trace_high = NumberOf(trace_id.substr(0, 16)),
                             .trace_low = NumberOf(trace_id.substr(16)),
                             .span = NumberOf(parent_id),
                             .flags = static_cast<std::uint8_t>(NumberOf(flags))};
  return context.valid() ? context : TraceContext();
}

std::string ParseTraceparent(std::string_view text) {
  return FormatTraceparent(ParseTraceContext(text));
}

std::string FormatTraceparent(const TraceContext& context) {
  if (!context.valid()) return "";
  return fmt::format("00-{:016x}{:016x}-{:016x}-{:02x}", context.trace_high, context.trace_low,
                     context.span, context.flags);
}

std::string TraceIdOf(const TraceContext& context) {
  return fmt::format("{:016x}{:016x}", context.trace_high, context.trace_low);
}

std::string SpanIdText(std::uint64_t span) { return fmt::format("{:016x}", span); }

}  // namespace todo::util
