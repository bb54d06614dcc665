#pragma once

#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <mutex>
#include <stop_token>

namespace todo::util {

/// Announces to waiting threads that there may be work:
///
///   const auto heard = bell.rings();
///   LookForWork();
///   bell.Wait(stop, heard, 5s);
///
/// No ring is missed: a ring during LookForWork ends the next wait at once.
/// Thread safety: all methods may be called from any thread; only Wait blocks.
class Bell {
 public:
  using Clock = std::chrono::steady_clock;

  void Ring() {
    {
      const std::lock_guard lock(mutex_);
      ++rings_;
    }
    rung_.notify_all();
  }

  /// The number of rings so far. Read it before looking for work, and pass it to Wait.
  std::uint64_t rings() const {
    const std::lock_guard lock(mutex_);
    return rings_;
  }

  /// Returns when the bell has rung since `rings` was `heard`, or when `limit` has passed. A wait
  /// lasts `at_least` in any case, so that many rings cause one look. A requested stop ends it at
  /// once.
  void Wait(const std::stop_token& stop, std::uint64_t heard, Clock::duration limit,
            Clock::duration at_least = Clock::duration::zero()) {
    const Clock::time_point begin = Clock::now();
    std::unique_lock lock(mutex_);
    rung_.wait_until(lock, stop, begin + at_least, [] { return false; });
    rung_.wait_until(lock, stop, begin + limit, [&] { return rings_ != heard; });
  }

 private:
  mutable std::mutex mutex_;
  std::condition_variable_any rung_;
  std::uint64_t rings_ = 0;
};

}  // namespace todo::util
