#pragma once

#include <map>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "app/config/channel_settings.h"
#include "ports/clock.h"
#include "ports/secret_store.h"
#include "service/notifications/channel_set.h"

namespace todo::app {

/// Every mistake in the settings of the channels that can be seen without the secrets, one sentence
/// each. The sentences quote nothing that may contain a password.
std::vector<std::string> ChannelFaults(const ChannelSettings& settings);

struct ChannelSetup {
  service::ChannelSet::Known channels;
  std::vector<std::string> on;             // names of the channels that can send
  std::map<std::string, std::string> off;  // the other channels, and for the operator: why
  bool wants_secret = false;  // a channel is off because its secret is missing or unfit
};

/// Makes the senders that settings and secrets allow. A channel that lacks something is off; the
/// other channels are not affected. Blocks on the secret store. kUnavailable: the secret store does
/// not answer, repeat later. `clock` must outlive the senders.
absl::StatusOr<ChannelSetup> SetUpChannels(const ChannelSettings& settings,
                                           ports::SecretStore& secrets, const ports::Clock& clock);

}  // namespace todo::app
