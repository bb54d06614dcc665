#pragma once

#include <atomic>
#include <chrono>
#include <cstdint>
#include <functional>
#include <limits>
#include <optional>

#include "absl/status/status.h"
#include "domain/time.h"
#include "ports/clock.h"
#include "store/connection_pool.h"

namespace todo::store {

/// The time of day by the database's clock, which is the same for all replicas: what one of them
/// writes down (a due time, the end of a lease, the age of a row) another one compares with its own
/// time. Between two measurements it goes on by this machine's steady clock, so setting the
/// machine's clock changes nothing. Until the first measurement it is the machine's clock.
///
/// A measurement is as exact as its round trip is short, and moves the clock no further than it
/// proves it wrong. When it proves the machine's clock wrong by more than a second, that is logged
/// as an error, and again every ten minutes while it lasts.
///
/// `machine` must outlive it. Thread safety: Now may be called from any thread, Measure and Note
/// from one at a time.
class DatabaseClock final : public ports::Clock {
 public:
  using SteadyTime = std::chrono::steady_clock::time_point;
  using SteadyClock = std::function<SteadyTime()>;

  explicit DatabaseClock(const ports::Clock& machine,
                         SteadyClock steady = std::chrono::steady_clock::now);

  domain::Instant Now() const override;

  /// Asks the database for its time: one round trip, which is a sign of life too. Statuses as
  /// ConnectionPool::Acquire, and kDeadlineExceeded.
  absl::Status Measure(ConnectionPool& pool);

  /// The database's clock showed `database` at a moment between `sent` and now.
  void Note(SteadyTime sent, domain::Instant database);

 private:
  using Duration = std::chrono::microseconds;

  void CompareMachine(Duration least, Duration most);

  const ports::Clock& machine_;
  const SteadyClock steady_;
  static constexpr std::int64_t kUnknown = std::numeric_limits<std::int64_t>::min();
  /// The database's time less the steady one, in microseconds.
  std::atomic<std::int64_t> offset_ = kUnknown;
  std::optional<SteadyTime> complained_at_;  // while the machine's clock is wrong
};

}  // namespace todo::store
