#pragma once

#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <mutex>
#include <stop_token>
#include <thread>
#include <vector>

#include "domain/time.h"
#include "ports/clock.h"
#include "service/consumers/event_processor.h"

namespace todo::app {

/// Threads that try parked events when they are due, from construction until destruction. More than
/// one, so that an event which takes long to fail delays no other. They look when something is due
/// by what they were told or found, every second while one of them is at work, and after `net` at
/// the latest, for what other replicas parked before they died. `processor` and `clock` must
/// outlive it. `clock` says how long it is until something is due; the waiting itself goes by a
/// steady clock, so a clock that is set back holds nothing up. Thread safety: Wake may be called
/// from any thread; it does not block.
class RetryRunner {
 public:
  RetryRunner(service::EventProcessor& processor, const ports::Clock& clock, int thread_count,
              std::chrono::milliseconds net = std::chrono::seconds(10));
  /// Returns when what is being tried is done.
  ~RetryRunner();
  RetryRunner(const RetryRunner&) = delete;
  RetryRunner& operator=(const RetryRunner&) = delete;

  /// Something is due at `due`, perhaps earlier than anything known so far.
  void Wake(domain::Instant due);

 private:
  using SteadyTime = std::chrono::steady_clock::time_point;

  void Run(const std::stop_token& stop);
  /// When to look for what is due at `due`: never later than the next look without it.
  SteadyTime When(domain::Instant due) const;

  service::EventProcessor& processor_;
  const ports::Clock& clock_;
  const std::chrono::milliseconds net_;
  std::mutex mutex_;  // guards the next three
  SteadyTime next_due_ = SteadyTime::max();
  int looking_ = 0;            // threads
  std::uint64_t changes_ = 0;  // of the two above
  std::condition_variable_any changed_;
  std::vector<std::jthread> threads_;  // last: everything else is there before they start
};

}  // namespace todo::app
