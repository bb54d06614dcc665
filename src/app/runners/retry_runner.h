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

/// Threads that apply the events of the retry queue when they are due. There are several, so that
/// an event which fails slowly delays no other. The threads look when a retry is due as far as they
/// were told or have found, every second while one of them is busy, and after `net` at the latest,
/// because another replica may have crashed. `clock` tells how long it is until a retry is due; the
/// wait itself goes by a steady clock, so that a clock which is set back delays nothing.
/// `processor` and `clock` must outlive the runner.
/// Thread safety: Wake may be called from any thread, also before Start and after Stop, and does
/// not block. Start and Stop from one thread.
class RetryRunner {
 public:
  RetryRunner(service::EventProcessor& processor, const ports::Clock& clock, int thread_count,
              std::chrono::milliseconds net = std::chrono::seconds(10));
  ~RetryRunner() { Stop(); }
  RetryRunner(const RetryRunner&) = delete;
  RetryRunner& operator=(const RetryRunner&) = delete;

  /// To be called once.
  void Start();
  /// Waits until the attempts in progress are done.
  void Stop();

  /// A retry is due at `due`, perhaps earlier than all known so far.
  void Wake(domain::Instant due);

 private:
  using SteadyTime = std::chrono::steady_clock::time_point;

  void Run(const std::stop_token& stop);
  /// When to look for a retry that is due at `due`: after `net_` at the latest.
  SteadyTime When(domain::Instant due) const;

  service::EventProcessor& processor_;
  const ports::Clock& clock_;
  const int thread_count_;
  const std::chrono::milliseconds net_;
  std::mutex mutex_;  // guards the next three
  SteadyTime next_due_ = SteadyTime::max();
  int looking_ = 0;            // number of busy threads
  std::uint64_t changes_ = 0;  // of next_due_ and looking_
  std::condition_variable_any changed_;
  std::vector<std::jthread> threads_;
};

}  // namespace todo::app
