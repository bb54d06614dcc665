#include "live/counters.h"

#include <algorithm>
#include <variant>

namespace todo::live {

void Counters::NoteSent(const ports::FeedMessage& message) {
  if (std::holds_alternative<std::shared_ptr<const domain::LiveChange>>(message)) {
    deliveries.fetch_add(1, std::memory_order_relaxed);
  } else if (const auto* resync = std::get_if<ports::FeedResync>(&message)) {
    const bool unknown = resync->reason == ports::FeedResync::Reason::kUnknownCursor;
    ++(unknown ? resyncs_unknown_cursor : resyncs_too_far_behind);
  }
}

void Counters::NoteLag(std::chrono::microseconds lag) {
  // A change may come from a replica whose clock is a little ahead.
  lag = std::max(lag, std::chrono::microseconds::zero());
  const auto& bounds = LagStats::kBoundsSeconds;
  const double seconds = std::chrono::duration<double>(lag).count();
  const auto bucket = std::lower_bound(bounds.begin(), bounds.end(), seconds) - bounds.begin();
  ++lags_[static_cast<std::size_t>(bucket)];
  lag_sum_us_ += lag.count();
}

FeedStats Counters::Read() const {
  FeedStats stats;
  stats.updates = updates;
  stats.deliveries = deliveries;
  stats.reads = reads;
  stats.page_reads = page_reads;
  stats.checks = checks;
  stats.failed_queries = failed_queries;
  stats.resyncs_unknown_cursor = resyncs_unknown_cursor;
  stats.resyncs_too_far_behind = resyncs_too_far_behind;
  stats.lost_sinks = lost_sinks;
  stats.expired = expired;
  std::copy(lags_.begin(), lags_.end(), stats.lag.counts.begin());
  stats.lag.sum_seconds = static_cast<double>(lag_sum_us_) / 1e6;
  return stats;
}

}  // namespace todo::live
