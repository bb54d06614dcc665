#include "app/sidecar.h"

#include <algorithm>
#include <chrono>
#include <utility>

namespace todo::app {
namespace {

using std::chrono::milliseconds;

/// The relay asks the sidecar about itself, and its leases must not run out meanwhile.
milliseconds MetadataTimeout(const Config& config) {
  return std::min(milliseconds(2'000), config.relay_lease / 4);
}

std::unique_ptr<client::DaprLanguageModel> ModelOf(const Config& config, client::DaprClient& dapr) {
  if (config.conversation_component.empty()) return nullptr;
  client::DaprLanguageModel::Options options;
  options.component = config.conversation_component;
  return std::make_unique<client::DaprLanguageModel>(dapr, std::move(options));
}

}  // namespace

Sidecar::Sidecar(const Config& config)
    : dapr({.endpoint = config.dapr_grpc_endpoint,
            .api_token = config.dapr_api_token,
            .metadata_timeout = MetadataTimeout(config)}),
      publisher(dapr, {.pubsub_name = config.pubsub, .bulk = config.bus == Bus::kKafka}),
      jobs(dapr),
      state(dapr, {.component = config.statestore}),
      secrets(dapr, {.component = config.secretstore, .secret = config.secret}),
      model(ModelOf(config, dapr)) {}

}  // namespace todo::app
