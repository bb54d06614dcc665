#pragma once

#include <memory>

#include "app/config/config.h"
#include "client/dapr_client.h"
#include "client/dapr_job_scheduler.h"
#include "client/dapr_language_model.h"
#include "client/dapr_publisher.h"
#include "client/dapr_secret_store.h"
#include "client/dapr_state_store.h"

namespace todo::app {

/// The connection to the sidecar and the ports behind it.
struct Sidecar {
  explicit Sidecar(const Config& config);

  client::DaprClient dapr;
  client::DaprPublisher publisher;
  client::DaprJobScheduler jobs;
  client::DaprStateStore state;
  client::DaprSecretStore secrets;
  std::unique_ptr<client::DaprLanguageModel> model;  // nullptr: none is configured
};

}  // namespace todo::app
