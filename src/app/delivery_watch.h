#pragma once

#include <chrono>
#include <cstdint>
#include <optional>

namespace todo::app {

/// Notices that the sidecar has stopped to deliver events: some are missing, and none has come for
/// a while. It writes a line to the log when that begins (`deliveries_stopped`) and when it ends.
/// Events that are given up as lost are still missing: the trouble does not end with that.
///
/// What is missing is known of all replicas together, so one that has nothing to take may stop
/// another's trouble. Thread safety: one thread only.
class DeliveryWatch {
 public:
  using Clock = std::chrono::steady_clock;

  /// `patience`: for how long no delivery has to come.
  explicit DeliveryWatch(std::chrono::milliseconds patience) : patience_(patience) {}

  struct Seen {
    std::uint64_t deliveries = 0;  // that have come since the start
    std::int64_t missing = 0;      // events that were published long ago and that nobody has taken
    std::int64_t lost = 0;         // those that were published again as often as allowed
  };
  /// Answers whether deliveries have stopped.
  bool Look(const Seen& seen, Clock::time_point now);

 private:
  const std::chrono::milliseconds patience_;
  std::uint64_t last_count_ = 0;
  std::int64_t lost_then_ = 0;                  // how many were lost at the last news
  std::optional<Clock::time_point> last_news_;  // when a delivery came, or nothing was missing
  bool stopped_ = false;
};

}  // namespace todo::app
