#pragma once

#include <array>
#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>

#include "ports/change_feed.h"
#include "util/histogram.h"

namespace todo::live {

/// The bounds of the histogram of lags, in seconds.
inline constexpr std::array<double, 10> kLagBounds = {0.01, 0.025, 0.05, 0.1, 0.25,
                                                      0.5,  1.0,   2.5,  5.0, 10.0};

/// Figures of the feed. Counts are since the start.
struct FeedStats {
  std::size_t watches = 0;
  std::size_t users = 0;         // with watches
  std::uint64_t updates = 0;     // that came from the bus
  std::uint64_t deliveries = 0;  // of updates, to watchers
  std::uint64_t reads = 0;       // of missed changes or of a head, by a query each
  std::uint64_t page_reads = 0;  // of snapshots, by a query each
  std::uint64_t checks = 0;      // of cursors, by a query each
  std::uint64_t failed_queries = 0;
  std::uint64_t resyncs_unknown_cursor = 0;
  std::uint64_t resyncs_too_far_behind = 0;
  std::uint64_t lost_sinks = 0;  // watches that ended because their sink took no more
  std::uint64_t expired = 0;     // watches that ended with TOKEN_EXPIRED
  util::HistogramValues lag;     // from a change to its arrival at this replica
};

/// Counts for FeedStats. Thread safety: may be used from many threads at once.
class Counters {
 public:
  using Count = std::atomic<std::uint64_t>;

  Count updates = 0;
  Count deliveries = 0;
  Count reads = 0;
  Count page_reads = 0;
  Count checks = 0;
  Count failed_queries = 0;
  Count resyncs_unknown_cursor = 0;
  Count resyncs_too_far_behind = 0;
  Count lost_sinks = 0;
  Count expired = 0;

  void NoteSent(const ports::FeedMessage& message);
  /// A change may come from a replica whose clock is a little ahead: then the lag is below zero.
  void NoteLag(std::chrono::microseconds lag) { lag_.Note(lag); }

  /// All but `watches` and `users`.
  FeedStats Read() const;

 private:
  util::Histogram lag_{kLagBounds};
};

}  // namespace todo::live
