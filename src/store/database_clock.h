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

/// The time of day by the database's clock. All replicas share it, because they compare times that
/// another replica wrote: a due time, the end of a lease, the age of a row. Between two
/// measurements it goes on by this machine's steady clock, so setting the machine's clock changes
/// nothing. Until the first measurement it is the machine's clock.
///
/// A measurement is exact to the length of its round trip. It moves this clock only as far as it
/// proves it wrong. A machine's clock that is proved wrong by more than a second is logged as an
/// error, and again every ten minutes while that lasts.
///
/// `machine` must outlive it.
/// Thread safety: Now may be called from any thread and does not block. Measure and Note may be
/// called from one thread at a time; Measure blocks on the database.
class DatabaseClock final : public ports::Clock {
 public:
  using SteadyTime = std::chrono::steady_clock::time_point;
  using SteadyClock = std::function<SteadyTime()>;

  explicit DatabaseClock(const ports::Clock& machine,
                         SteadyClock steady = std::chrono::steady_clock::now);

  domain::Instant Now() const override;

  /// Asks the database for its time in one round trip, which also proves that it answers. Statuses
  /// as ConnectionPool::Acquire, and kDeadlineExceeded.
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
