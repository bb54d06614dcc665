#pragma once

#include <atomic>
#include <chrono>
#include <functional>
#include <mutex>
#include <stop_token>
#include <utility>

#include "absl/status/status.h"
#include "util/bell.h"

namespace todo::app {

/// Whether the service can do its work: the database was made ready and has answered within the
/// last five seconds, and the service is not stopping.
/// Thread safety: all methods may be called from any thread; none blocks.
class Health {
 public:
  using SteadyTime = std::chrono::steady_clock::time_point;

  explicit Health(std::function<SteadyTime()> clock = std::chrono::steady_clock::now)
      : clock_(std::move(clock)) {}

  /// The database is up to date and answers.
  void SetReady();
  void SetStopping() { stopping_ = true; }
  /// The database answered at `at`.
  void NoteAnswer(SteadyTime at);

  bool ready() const { return ready_; }
  bool IsHealthy() const;
  /// Whether an API call may be taken. kUnavailable, with a reason and a text for the caller: not
  /// now.
  absl::Status Admit() const;

  /// Rings when SetReady is called, so that it is published at once.
  util::Bell& became_ready() { return became_ready_; }

 private:
  const std::function<SteadyTime()> clock_;
  std::atomic<bool> ready_ = false;
  std::atomic<bool> stopping_ = false;
  std::atomic<SteadyTime> last_answer_{};
  util::Bell became_ready_;
};

/// Tells others about changes of the health, and logs them (`healthy`, `unhealthy`).
/// Thread safety: Publish may be called from any thread; Run by one.
class HealthPublisher {
 public:
  /// `publish` gets whether the service is healthy; calls of it do not overlap. `health` must
  /// outlive the publisher.
  HealthPublisher(Health& health, std::function<void(bool healthy)> publish)
      : health_(health), publish_(std::move(publish)) {}

  void Publish();
  /// Publishes every change, until `stop`.
  void Run(const std::stop_token& stop);

 private:
  Health& health_;
  const std::function<void(bool healthy)> publish_;
  std::mutex mutex_;  // held while publishing: the newest state is published last
};

}  // namespace todo::app
