#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "api/gate.h"
#include "ports/clock.h"
#include "ports/dead_letter_store.h"
#include "ports/service_status.h"

namespace todo::api {

/// What GetStatus shows of the sidecar.
struct SidecarSummary {
  std::vector<std::string> components;
  std::vector<std::string> subscriptions;
};
using DescribeSidecar =
    std::function<absl::StatusOr<SidecarSummary>()>;  // may block for a short time

/// `todo.v1.OpsService`, for operators only. All arguments must outlive the server.
std::unique_ptr<GatedService> MakeOpsService(ports::DeadLetterStore& letters,
                                             ports::ServiceStatus& status,
                                             const ports::Clock& clock, DescribeSidecar sidecar,
                                             Gate& gate);

}  // namespace todo::api
