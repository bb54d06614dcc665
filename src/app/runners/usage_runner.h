#pragma once

#include <stop_token>
#include <thread>

#include "ports/clock.h"
#include "ports/usage_store.h"

namespace todo::app {

/// Packs the events of usage, and does the work of its rebuilds (UsageStore), in a thread of its
/// own. `store` and `clock` must outlive it. Thread safety: Start and Stop from one thread.
class UsageRunner {
 public:
  UsageRunner(ports::UsageStore& store, const ports::Clock& clock) : store_(store), clock_(clock) {}
  UsageRunner(const UsageRunner&) = delete;
  UsageRunner& operator=(const UsageRunner&) = delete;

  /// To be called once.
  void Start();
  /// Waits until the current part is done; the destructor does so too.
  void Stop() { thread_ = {}; }

 private:
  void Run(const std::stop_token& stop);

  ports::UsageStore& store_;
  const ports::Clock& clock_;
  std::jthread thread_;
};

}  // namespace todo::app
