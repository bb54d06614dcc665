#pragma once

#include <string_view>
#include <utility>
#include <vector>

#include "util/guarded.h"
#include "util/span.h"

namespace todo::support {

/// A sampled place in a trace of another program.
inline constexpr util::TraceContext kCause{
    .trace_high = 0x0af7651916cd43dd, .trace_low = 1, .span = 7, .flags = 1};
inline constexpr util::TraceContext kOtherCause{
    .trace_high = 0x0af7651916cd43dd, .trace_low = 2, .span = 8, .flags = 1};

/// Keeps the spans that end while it lives. Thread safety: as SpanSink.
class KeptSpans final : public util::SpanSink {
 public:
  KeptSpans() { util::SetSpanSink(this); }
  ~KeptSpans() override { util::SetSpanSink(nullptr); }
  KeptSpans(const KeptSpans&) = delete;
  KeptSpans& operator=(const KeptSpans&) = delete;

  void Take(util::SpanRecord record) override { records_.Lock()->push_back(std::move(record)); }
  /// In the order in which they ended.
  std::vector<util::SpanRecord> records() { return *records_.Lock(); }
  std::vector<util::SpanRecord> Named(std::string_view name) {
    std::vector<util::SpanRecord> named = records();
    std::erase_if(named, [name](const util::SpanRecord& record) { return record.name != name; });
    return named;
  }

 private:
  util::Guarded<std::vector<util::SpanRecord>> records_;
};

}  // namespace todo::support
