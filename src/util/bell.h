#pragma once

#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <mutex>
#include <stop_token>

namespace todo::util {

/// Tells threads that look for work that there may be some. No ring is missed: one that comes while
/// a thread looks ends its next wait. Thread safety: all methods may be called from any thread, and
/// only Wait blocks.
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

  /// How often it has rung. To be asked before looking, and then given to Wait.
  std::uint64_t rings() const {
    const std::lock_guard lock(mutex_);
    return rings_;
  }

  /// Returns when it has rung again since `rings` was `heard`, or `limit` has passed; in any case
  /// not before `at_least` has passed, so that many rings are one look; and at once when `stop` is
  /// requested.
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
