#pragma once

#include <string>
#include <vector>

#include "app/config/config.h"
#include "client/dapr_client.h"

namespace todo::app {

/// The parts that this service uses and the sidecar lacks, in words for the person who sets the
/// sidecar up.
struct SidecarGaps {
  std::vector<std::string> missing;   // without these no event is published or delivered
  std::vector<std::string> optional;  // without these, parts of the service do not work

  bool operator==(const SidecarGaps&) const = default;
};

/// Compares the sidecar with the settings and the streams (app/streams.h).
SidecarGaps FindGaps(const client::SidecarMetadata& sidecar, const Config& config);

}  // namespace todo::app
