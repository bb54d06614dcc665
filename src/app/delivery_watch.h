#pragma once

#include <chrono>
#include <cstdint>
#include <optional>

namespace todo::app {

/// Notices that the sidecar has stopped to deliver events: some are missing, and none has come for
/// a while. It writes a line to the log when that begins (`deliveries_stopped`) and when it ends.
///
/// What is missing is known of all replicas together, so one that has nothing to take may stop
/// another's trouble. Thread safety: one thread only.
class DeliveryWatch {
 public:
  using Clock = std::chrono::steady_clock;

  /// `patience`: for how long no delivery has to come.
  explicit DeliveryWatch(std::chrono::milliseconds patience) : patience_(patience) {}

  /// `deliveries`: how many have come since the start. `missing`: events that were published long
  /// ago and that no replica has taken. Answers whether deliveries have stopped.
  bool Look(std::uint64_t deliveries, std::int64_t missing, Clock::time_point now);

 private:
  const std::chrono::milliseconds patience_;
  std::uint64_t last_count_ = 0;
  std::optional<Clock::time_point> last_news_;  // when a delivery came, or nothing was missing
  bool stopped_ = false;
};

}  // namespace todo::app
