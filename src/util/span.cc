#include "util/span.h"

#include <algorithm>
#include <array>
#include <atomic>
#include <cmath>
#include <limits>
#include <random>

namespace todo::util {
namespace {

std::atomic<SpanSink*> sink{nullptr};
/// Traces whose id ends with a smaller number are recorded.
std::atomic<std::uint64_t> sample_below{0};

/// Never 0, which means "none".
std::uint64_t NewId() {
  thread_local std::mt19937_64 generator = [] {
    std::random_device device;
    std::array<std::random_device::result_type, 8> words{};
    std::ranges::generate(words, std::ref(device));
    std::seed_seq seed(words.begin(), words.end());
    return std::mt19937_64(seed);
  }();
  std::uint64_t id = 0;
  while (id == 0) id = generator();
  return id;
}

TraceContext NewTrace() {
  return {.trace_high = NewId(), .trace_low = NewId(), .span = NewId(), .flags = 0};
}

bool IsSampled(std::uint64_t trace_low) {
  const std::uint64_t below = sample_below.load(std::memory_order_relaxed);
  return below == std::numeric_limits<std::uint64_t>::max() || trace_low < below;
}

bool IsRecording() { return sink.load(std::memory_order_relaxed) != nullptr; }

thread_local TraceContext current;

}  // namespace

void SetSpanSink(SpanSink* new_sink, double ratio) {
  constexpr double kAll = 18446744073709551616.0;  // 2^64
  sample_below = ratio >= 1   ? std::numeric_limits<std::uint64_t>::max()
                 : ratio <= 0 ? 0
                              : static_cast<std::uint64_t>(std::floor(ratio * kAll));
  sink = new_sink;
}

Span::Span(std::string_view name, SpanKind kind, const TraceContext& parent) : context_(parent) {
  if (!parent.valid()) {
    context_ = NewTrace();
    if (!IsRecording() || !IsSampled(context_.trace_low)) return;
    context_.flags = 1;
    Record(name, kind);
    return;
  }
  if (!parent.sampled() || !IsRecording()) return;
  context_.span = NewId();
  Record(name, kind);
  record_->parent = parent.span;
}

Span Span::Linked(std::string_view name, SpanKind kind, std::span<const TraceContext> causes) {
  Span span;
  if (std::ranges::none_of(causes, &TraceContext::valid)) return {name, kind, TraceContext()};
  if (!IsRecording() || std::ranges::none_of(causes, &TraceContext::sampled)) {
    span.context_ = causes.size() == 1 ? causes.front() : NewTrace();
    return span;
  }
  span.context_ = NewTrace();
  span.context_.flags = 1;
  span.Record(name, kind);
  for (const TraceContext& cause : causes) span.Link(cause);
  return span;
}

Span Span::OfMessages(std::string_view name, SpanKind kind,
                      std::span<const TraceContext> messages) {
  return messages.size() == 1 ? Span(name, kind, messages.front()) : Linked(name, kind, messages);
}

Span& Span::operator=(Span&& other) noexcept {
  if (this == &other) return *this;
  End();
  context_ = std::exchange(other.context_, {});
  record_ = std::exchange(other.record_, std::nullopt);
  return *this;
}

void Span::Record(std::string_view name, SpanKind kind) {
  record_.emplace();
  record_->name = name;
  record_->kind = kind;
  record_->context = context_;
  record_->begin = std::chrono::system_clock::now();
}

void Span::Set(std::string_view name, SpanValue value) {
  if (record_) record_->attributes.emplace_back(name, std::move(value));
}

void Span::Link(const TraceContext& context) {
  if (record_ && context.valid() &&
      std::ranges::find(record_->links, context) == record_->links.end())
    record_->links.push_back(context);
}

void Span::End() {
  if (!record_) return;
  record_->end = std::max(record_->begin, std::chrono::system_clock::now());
  if (SpanSink* const taker = sink.load()) taker->Take(*std::move(record_));
  record_.reset();
}

void Span::End(const absl::Status& status) {
  if (record_ && !status.ok()) {
    Set("error.type", absl::StatusCodeToString(status.code()));
    Fail();
  }
  End();
}

const TraceContext& CurrentTrace() { return current; }

WithTrace::WithTrace(const TraceContext& context) : before_(current) { current = context; }
WithTrace::~WithTrace() { current = before_; }

}  // namespace todo::util
