#pragma once

#include <stop_token>
#include <thread>

#include "service/notifications/notification_settings.h"

namespace todo::app {

/// The thread that repairs the zones of interrupted updates of preferences, from construction until
/// destruction. `settings` must outlive it.
class ZoneRunner {
 public:
  explicit ZoneRunner(service::NotificationSettings& settings);
  /// Returns when the running repair has ended.
  ~ZoneRunner() = default;
  ZoneRunner(const ZoneRunner&) = delete;
  ZoneRunner& operator=(const ZoneRunner&) = delete;

 private:
  void Run(const std::stop_token& stop);

  service::NotificationSettings& settings_;
  std::jthread thread_;  // last: the thread uses the other members
};

}  // namespace todo::app
