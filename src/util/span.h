#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "absl/status/status.h"
#include "util/trace_context.h"

// Spans: what the process did, when, for how long, and as a part of what. A span that nobody
// records costs little and hands on the trace that it came from.

namespace todo::util {

/// The numbers are OTLP's.
enum class SpanKind {
  kInternal = 1,
  kServer = 2,    // answers a call
  kClient = 3,    // calls another program, and waits for the answer
  kProducer = 4,  // sends a message
  kConsumer = 5,  // handles a message
};

using SpanValue = std::variant<bool, std::int64_t, std::string>;

/// A span that has ended.
struct SpanRecord {
  std::string name;
  SpanKind kind = SpanKind::kInternal;
  TraceContext context;
  std::uint64_t parent = 0;  // id of a span of the same trace; 0: none
  std::chrono::system_clock::time_point begin;
  std::chrono::system_clock::time_point end;
  std::vector<std::pair<std::string, SpanValue>> attributes;
  std::vector<TraceContext> links;
  bool failed = false;
};

/// Where spans go that have ended.
/// Thread safety: Take is called from many threads at once. It must not block or throw.
class SpanSink {
 public:
  virtual ~SpanSink() = default;
  virtual void Take(SpanRecord record) = 0;
};

/// From now on spans go to `sink`, which must outlive all spans that begin before the next call;
/// nullptr: none is recorded. Of the traces that begin in this process the part `ratio` (0 to 1) is
/// recorded; of others those that their beginner records. Thread safety: may be called from any
/// thread.
void SetSpanSink(SpanSink* sink, double ratio = 1);

/// A span from its construction to End or its destruction. Names and attributes must not contain
/// what users write, or secrets: spans leave the process.
/// Thread safety: none, but it may be moved to and ended on another thread.
class Span {
 public:
  /// Nothing: no span, and no trace.
  Span() = default;
  /// A part of `parent`. If that is not valid, the span begins a trace.
  Span(std::string_view name, SpanKind kind, const TraceContext& parent);
  /// Begins a trace that has `causes` as its links. It is recorded if one of them is.
  static Span Linked(std::string_view name, SpanKind kind, std::span<const TraceContext> causes);
  /// The handling of messages together: a part of the trace of the only message, else a trace of
  /// its own with links.
  static Span OfMessages(std::string_view name, SpanKind kind,
                         std::span<const TraceContext> messages);

  Span(Span&& other) noexcept
      : context_(std::exchange(other.context_, {})),
        record_(std::exchange(other.record_, std::nullopt)) {}
  Span& operator=(Span&& other) noexcept;
  ~Span() { End(); }

  /// The place of further work below this span. If the span is not recorded, that is the place of
  /// its parent.
  const TraceContext& context() const { return context_; }
  bool recorded() const { return record_.has_value(); }

  /// These do nothing when the span is not recorded, or has ended.
  void Set(std::string_view name, SpanValue value);
  void Link(const TraceContext& context);
  void Fail() {
    if (record_) record_->failed = true;
  }
  void End();
  /// Ends the span as failed unless `status` is OK.
  void End(const absl::Status& status);

 private:
  void Record(std::string_view name, SpanKind kind);

  TraceContext context_;
  std::optional<SpanRecord> record_;
};

/// The trace that the calling thread works for; not valid: none. Each line of the log names it.
const TraceContext& CurrentTrace();

/// Makes `context` the current trace of this thread for as long as it lives.
class WithTrace {
 public:
  explicit WithTrace(const TraceContext& context);
  explicit WithTrace(const Span& span) : WithTrace(span.context()) {}
  ~WithTrace();
  WithTrace(const WithTrace&) = delete;
  WithTrace& operator=(const WithTrace&) = delete;

 private:
  const TraceContext before_;
};

}  // namespace todo::util
