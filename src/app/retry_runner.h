#pragma once

#include <chrono>
#include <condition_variable>
#include <mutex>
#include <stop_token>
#include <thread>
#include <vector>

#include "domain/time.h"
#include "ports/clock.h"
#include "service/event_processor.h"

namespace todo::app {

/// Threads that try parked events when they are due, from construction until destruction. More than
/// one, so that an event which takes long to fail delays no other. `processor` and `clock` must
/// outlive it. `clock` says how long it is until something is due; the waiting itself goes by a
/// steady clock, so a clock that is set back holds nothing up.
/// Thread safety: Wake may be called from any thread; it does not block.
class RetryRunner {
 public:
  RetryRunner(service::EventProcessor& processor, const ports::Clock& clock, int thread_count);
  /// Returns when what is being tried is done.
  ~RetryRunner();
  RetryRunner(const RetryRunner&) = delete;
  RetryRunner& operator=(const RetryRunner&) = delete;

  /// Something is due at `due`, perhaps earlier than anything known so far.
  void Wake(domain::Instant due);

 private:
  void Run(const std::stop_token& stop);
  /// When to look for what is due at `due`: never later than the next look without it.
  std::chrono::steady_clock::time_point When(domain::Instant due) const;

  service::EventProcessor& processor_;
  const ports::Clock& clock_;
  std::mutex mutex_;
  std::condition_variable_any wake_;
  std::chrono::steady_clock::time_point next_due_ = std::chrono::steady_clock::time_point::max();
  std::vector<std::jthread> threads_;  // last: everything else is there before they start
};

}  // namespace todo::app
