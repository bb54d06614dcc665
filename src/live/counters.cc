#include "live/counters.h"

#include <memory>
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
  stats.lag = lag_.Read();
  return stats;
}

}  // namespace todo::live
