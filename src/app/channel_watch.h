#pragma once

#include <optional>
#include <stop_token>
#include <string>
#include <vector>

#include "app/config/channel_settings.h"
#include "app/secret_poll.h"
#include "ports/clock.h"
#include "ports/secret_store.h"
#include "service/notifications/channel_set.h"
#include "util/bell.h"

namespace todo::app {

/// Switches the notification channels on as settings and secrets allow, also when a secret is added
/// later. Thread safety: used by one thread.
class ChannelWatch {
 public:
  using Again = app::Again;  // kLater: a channel is off because its secret is missing or unfit

  /// `settings`, `secrets`, `clock` and `channels` must outlive the watch.
  ChannelWatch(const ChannelSettings& settings, ports::SecretStore& secrets,
               const ports::Clock& clock, service::ChannelSet& channels)
      : settings_(settings), secrets_(secrets), clock_(clock), channels_(channels) {}

  /// Asks the secret store once, sets the channels, and logs changes. Returns when to look again.
  /// If the store does not answer, nothing changes. Blocks.
  Again Look();

  /// Looks for as long as something can change, or until `stop`. Rings `delivery_bell` when a
  /// channel may have been switched on.
  void Run(const std::stop_token& stop, util::Bell& delivery_bell);

 private:
  const ChannelSettings& settings_;
  ports::SecretStore& secrets_;
  const ports::Clock& clock_;
  service::ChannelSet& channels_;
  std::optional<std::vector<std::string>> on_;  // the channels that were switched on last
  std::string failure_;                         // the failure that was logged last
};

}  // namespace todo::app
