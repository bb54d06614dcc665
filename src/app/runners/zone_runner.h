#pragma once

#include <stop_token>
#include <thread>

#include "service/notifications/notification_settings.h"

namespace todo::app {

/// Repairs the zones of interrupted updates of preferences in a thread of its own. `settings` must
/// outlive it. Thread safety: Start and Stop from one thread.
class ZoneRunner {
 public:
  explicit ZoneRunner(service::NotificationSettings& settings) : settings_(settings) {}
  ZoneRunner(const ZoneRunner&) = delete;
  ZoneRunner& operator=(const ZoneRunner&) = delete;

  /// To be called once.
  void Start();
  /// Waits until the current repair has ended; the destructor does so too.
  void Stop() { thread_ = {}; }

 private:
  void Run(const std::stop_token& stop);

  service::NotificationSettings& settings_;
  std::jthread thread_;
};

}  // namespace todo::app
