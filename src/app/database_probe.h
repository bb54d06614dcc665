#pragma once

#include <chrono>
#include <functional>
#include <stop_token>

#include "absl/status/status.h"
#include "app/health.h"

namespace todo::app {

/// Finds out whether the database answers, tells Health, and logs changes (`database_lost`,
/// `database_back`). Thread safety: used by one thread.
class DatabaseProbe {
 public:
  using SteadyTime = Health::SteadyTime;

  /// `measure` asks the database for its time; it may block. `last_answer` tells when the database
  /// last answered another part of the program, which saves a question. `health` must outlive the
  /// probe.
  DatabaseProbe(Health& health, std::function<absl::Status()> measure,
                std::function<SteadyTime()> last_answer)
      : health_(health), measure_(std::move(measure)), last_answer_(std::move(last_answer)) {}

  /// Looks every second once Health is ready, until `stop`.
  void Run(const std::stop_token& stop);
  /// One look, at `now`. Blocks if it has to ask.
  void Look(SteadyTime now);

 private:
  Health& health_;
  const std::function<absl::Status()> measure_;
  const std::function<SteadyTime()> last_answer_;
  bool answers_ = true;
  SteadyTime measured_{};
};

}  // namespace todo::app
