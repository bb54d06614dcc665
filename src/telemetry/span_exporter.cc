#include "telemetry/span_exporter.h"

#include <algorithm>
#include <iterator>
#include <string>
#include <utility>

#include "util/backoff.h"
#include "util/log.h"

namespace todo::telemetry {

using std::chrono::milliseconds;
using std::chrono::steady_clock;
using util::Severity;

SpanExporter::SpanExporter(Options options, Sender sender)
    : options_(std::move(options)),
      sender_(std::move(sender)),
      thread_([this](const std::stop_token& stop) { Run(stop); }) {}

SpanExporter::~SpanExporter() = default;  // the thread ends first: it is the last member

void SpanExporter::Take(util::SpanRecord record) {
  bool wake = false;
  {
    const std::lock_guard lock(mutex_);
    if (queue_.size() >= options_.queue_limit) {
      ++stats_.dropped;
      return;
    }
    queue_.push_back(std::move(record));
    wake = queue_.size() == 1 || queue_.size() == options_.batch_limit;
  }
  if (wake) news_.notify_one();
}

ExportStats SpanExporter::stats() const {
  const std::lock_guard lock(mutex_);
  return stats_;
}

void SpanExporter::Run(const std::stop_token& stop) {
  for (Batch batch = Gather(stop); !batch.empty(); batch = Gather(stop)) {
    if (Export(batch, stop)) continue;
    const std::lock_guard lock(mutex_);
    queue_.insert(queue_.begin(), std::make_move_iterator(batch.begin()),
                  std::make_move_iterator(batch.end()));
  }
  RunToTheEnd();
}

void SpanExporter::RunToTheEnd() {
  const auto deadline = steady_clock::now() + options_.last_time;
  while (true) {
    Batch batch;
    {
      const std::lock_guard lock(mutex_);
      batch = TakeBatch();
    }
    if (batch.empty()) return;
    const auto left = std::chrono::ceil<milliseconds>(deadline - steady_clock::now());
    if (left <= milliseconds(0) ||
        !Attempt(batch, OtlpJson(batch, options_.resource), std::min(left, options_.timeout)))
      Drop(batch.size());
  }
}

SpanExporter::Batch SpanExporter::Gather(const std::stop_token& stop) {
  std::unique_lock lock(mutex_);
  if (!news_.wait(lock, stop, [this] { return !queue_.empty(); })) return {};
  news_.wait_for(lock, stop, options_.gathering_time,
                 [this] { return queue_.size() >= options_.batch_limit; });
  return stop.stop_requested() ? Batch() : TakeBatch();
}

SpanExporter::Batch SpanExporter::TakeBatch() {
  const auto count = static_cast<std::ptrdiff_t>(std::min(queue_.size(), options_.batch_limit));
  Batch batch(std::make_move_iterator(queue_.begin()),
              std::make_move_iterator(queue_.begin() + count));
  queue_.erase(queue_.begin(), queue_.begin() + count);
  return batch;
}

bool SpanExporter::Export(const Batch& batch, const std::stop_token& stop) {
  const std::string body = OtlpJson(batch, options_.resource);
  util::Backoff backoff(options_.first_backoff, options_.last_backoff);
  for (int attempt = 1; !Attempt(batch, body, options_.timeout); ++attempt) {
    if (attempt == options_.attempts) {
      Drop(batch.size());
      return true;
    }
    std::unique_lock lock(mutex_);
    news_.wait_for(lock, stop, backoff.Next(), [] { return false; });
    if (stop.stop_requested()) return false;
  }
  return true;
}

bool SpanExporter::Attempt(const Batch& batch, const std::string& body, milliseconds timeout) {
  const absl::StatusOr<std::uint64_t> refused = sender_(body, timeout);
  if (refused.ok()) {
    if (std::exchange(failing_, false)) util::Log(Severity::kInfo, "traces_exported_again");
    const std::uint64_t count = std::min<std::uint64_t>(*refused, batch.size());
    const std::lock_guard lock(mutex_);
    stats_.exported += batch.size() - count;
    stats_.dropped += count;
    return true;
  }
  if (!std::exchange(failing_, true)) {
    util::Log(Severity::kWarning, "traces_not_exported",
              {{"error", std::string(refused.status().message())}});
  }
  if (absl::IsUnavailable(refused.status())) return false;
  Drop(batch.size());
  return true;
}

void SpanExporter::Drop(std::size_t count) {
  const std::lock_guard lock(mutex_);
  stats_.dropped += count;
}

}  // namespace todo::telemetry
