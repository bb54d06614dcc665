#pragma once

#include <chrono>
#include <cstdint>
#include <optional>

namespace todo::app {

/// Notices that the sidecar brings no events any more: some are missing, and none has come for a
/// while. Logs when that begins (`deliveries_stopped`) and when it ends (`deliveries_resumed`).
/// Events that the audit has given up as lost still count as missing.
///
/// The number of missing events is that of all replicas together, so a replica that has no events
/// to take may report the trouble of another replica. Thread safety: used by one thread.
class DeliveryWatch {
 public:
  using Clock = std::chrono::steady_clock;

  /// `patience`: how long the silence must last.
  explicit DeliveryWatch(std::chrono::milliseconds patience) : patience_(patience) {}

  struct Seen {
    std::uint64_t deliveries = 0;  // calls of the sidecar with events since the start
    std::int64_t missing = 0;      // events that were published long ago and no consumer has taken
    std::int64_t lost = 0;         // events that were published again the maximum number of times
  };
  /// Returns whether deliveries have stopped.
  bool Look(const Seen& seen, Clock::time_point now);

 private:
  const std::chrono::milliseconds patience_;
  std::uint64_t last_count_ = 0;
  std::int64_t lost_then_ = 0;                  // `lost` at the last good news
  std::optional<Clock::time_point> last_news_;  // when events came or none was missing
  bool stopped_ = false;
};

}  // namespace todo::app
