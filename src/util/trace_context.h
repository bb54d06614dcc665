#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace todo::util {

/// A place in a trace, by W3C Trace Context: the trace, and the span in it under which further
/// spans belong.
struct TraceContext {
  std::uint64_t trace_high = 0;  // the trace id, as two halves
  std::uint64_t trace_low = 0;
  std::uint64_t span = 0;
  std::uint8_t flags = 0;

  /// False: there is no trace.
  bool valid() const { return (trace_high | trace_low) != 0 && span != 0; }
  /// Whether the spans of the trace are recorded.
  bool sampled() const { return (flags & 1) != 0; }

  bool operator==(const TraceContext&) const = default;
};

/// Reads a traceparent of any version. An invalid context when `text` is not a valid one.
TraceContext ParseTraceContext(std::string_view text);

/// `text` as a traceparent of version 00; empty when it is not a valid one.
std::string ParseTraceparent(std::string_view text);

/// The traceparent of version 00; empty when `context` is not valid.
std::string FormatTraceparent(const TraceContext& context);

/// 32 and 16 hexadecimal digits in lower case.
std::string TraceIdOf(const TraceContext& context);
std::string SpanIdText(std::uint64_t span);

}  // namespace todo::util
