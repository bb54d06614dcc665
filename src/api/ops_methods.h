#pragma once

#include <functional>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "api/method.h"
#include "ports/clock.h"
#include "ports/dead_letter_store.h"
#include "ports/service_status.h"
#include "ports/usage_store.h"

namespace todo::api {

/// The sidecar, as GetStatus shows it.
struct SidecarSummary {
  std::vector<std::string> components;     // "kafka-pubsub (pubsub.kafka)"
  std::vector<std::string> subscriptions;  // "task-events on kafka-pubsub"
};
/// Asks the sidecar. May block for a short time. An error means that the sidecar does not answer.
using DescribeSidecar = std::function<absl::StatusOr<SidecarSummary>()>;

/// The methods of `todo.v1.OpsService`. Callers without the role of operator get kPermissionDenied.
/// All ports must outlive the table that is built from them.
ServiceDefinition MakeOpsMethods(ports::DeadLetterStore& letters, ports::ServiceStatus& status,
                                 ports::UsageStore& usage, const ports::Clock& clock,
                                 DescribeSidecar sidecar);

}  // namespace todo::api
