#pragma once

#include <chrono>
#include <condition_variable>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <mutex>
#include <stop_token>
#include <thread>
#include <vector>

#include "telemetry/collector.h"
#include "telemetry/otlp_json.h"
#include "util/span.h"

namespace todo::telemetry {

/// The number of spans since the start.
struct ExportStats {
  std::uint64_t exported = 0;  // the collector has them
  std::uint64_t dropped = 0;   // the queue was full, or the collector did not take them
};

/// Brings spans to a collector, in batches, from a thread of its own. While the collector is away
/// the spans wait in a bounded queue; what does not fit is dropped and counted.
/// Thread safety: all methods may be called from many threads at once. Take never blocks.
class SpanExporter final : public util::SpanSink {
 public:
  struct Options {
    Resource resource;
    std::size_t queue_limit = 8'192;  // spans
    std::size_t batch_limit = 512;    // spans of one request
    /// How long spans wait for others, unless there are enough for a batch.
    std::chrono::milliseconds gathering_time{1'000};
    std::chrono::milliseconds timeout{3'000};  // of one request
    int attempts = 5;                          // of one batch, before it is dropped
    std::chrono::milliseconds first_backoff{500};
    std::chrono::milliseconds last_backoff{8'000};
    /// How long the destructor waits for the rest, besides a request in progress.
    std::chrono::milliseconds last_time{2'000};
  };

  SpanExporter(Options options, Sender sender);
  /// Exports what is left, and drops what the collector has not taken when the time is up.
  ~SpanExporter() override;
  SpanExporter(const SpanExporter&) = delete;
  SpanExporter& operator=(const SpanExporter&) = delete;

  void Take(util::SpanRecord record) override;
  ExportStats stats() const;

 private:
  using Batch = std::vector<util::SpanRecord>;

  void Run(const std::stop_token& stop);
  void RunToTheEnd();
  /// Waits for spans. Empty: it is time to stop.
  Batch Gather(const std::stop_token& stop);
  Batch TakeBatch();  // with the lock held
  /// Sends `batch`, again and again while the collector is away. False: asked to stop first.
  bool Export(const Batch& batch, const std::stop_token& stop);
  /// One attempt. True: what became of the batch is decided.
  bool Attempt(const Batch& batch, const std::string& body, std::chrono::milliseconds timeout);
  void Drop(std::size_t count);

  const Options options_;
  const Sender sender_;
  bool failing_ = false;  // of the exporter's thread
  mutable std::mutex mutex_;
  std::condition_variable_any news_;
  std::deque<util::SpanRecord> queue_;
  ExportStats stats_;
  std::jthread thread_;  // last: it uses all parts above
};

}  // namespace todo::telemetry
