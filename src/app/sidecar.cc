#include "app/sidecar.h"

#include <algorithm>
#include <chrono>

namespace todo::app {
namespace {

using std::chrono::milliseconds;

/// The relay asks the sidecar about itself, and its leases must not run out meanwhile.
milliseconds MetadataTimeout(const Config& config) {
  return std::min(milliseconds(2'000), config.relay_lease / 4);
}

}  // namespace

Sidecar::Sidecar(const Config& config)
    : dapr({.endpoint = config.dapr_grpc_endpoint,
            .api_token = config.dapr_api_token,
            .metadata_timeout = MetadataTimeout(config)}),
      publisher(dapr, {.pubsub_name = config.pubsub, .bulk = config.bus == Bus::kKafka}),
      jobs(dapr),
      state(dapr, {.component = config.statestore}),
      secrets(dapr, {.component = config.secretstore, .secret = config.secret}) {}

}  // namespace todo::app
