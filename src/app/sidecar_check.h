#pragma once

#include <string>
#include <vector>

#include "app/config/config.h"
#include "appcallback/app_callback.h"
#include "client/dapr_client.h"

namespace todo::app {

/// The topics whose events this service takes.
std::vector<appcallback::Subscription> SubscriptionsOf(const Config& config);

/// What the sidecar lacks of what this service uses, by name, in words for the person who sets it
/// up.
struct SidecarGaps {
  std::vector<std::string> missing;   // without these no event goes anywhere
  std::vector<std::string> optional;  // parts of the service do without these

  bool operator==(const SidecarGaps&) const = default;
};

SidecarGaps FindGaps(const client::SidecarMetadata& sidecar, const Config& config);

}  // namespace todo::app
