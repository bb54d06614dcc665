#pragma once

#include <map>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "app/config/config.h"
#include "ports/clock.h"
#include "ports/secret_store.h"
#include "service/notifications/channel_set.h"

namespace todo::app {

/// Everything that can be said against the settings of the channels before any secret is known, a
/// sentence each, without quoting what may hold a password.
std::vector<std::string> ChannelFaults(const Config& config);

struct ChannelSetup {
  service::ChannelSet::Known channels;
  std::vector<std::string> on;             // names of channels
  std::map<std::string, std::string> off;  // and why the others are not, for the operator
  bool wants_secret = false;               // one is off for want of a secret
};

/// Makes the senders that the settings and secrets allow. A channel that lacks something is off;
/// the others are not concerned. kUnavailable: the secret store does not answer, ask again. `clock`
/// must outlive what is made.
absl::StatusOr<ChannelSetup> SetUpOutlets(const Config& config, ports::SecretStore& secrets,
                                          const ports::Clock& clock);

}  // namespace todo::app
