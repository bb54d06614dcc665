#pragma once

#include "absl/status/status.h"
#include "util/status.h"

namespace todo::ports {

/// kResourceExhausted with reason TOO_MANY_OPEN_TASKS: the change would leave the user with more
/// open tasks than a user may have.
inline absl::Status TooManyOpenTasks() {
  return util::WithReason(
      absl::ResourceExhaustedError("you have as many open tasks as a user may have: complete or "
                                   "delete some before you make or open others"),
      "TOO_MANY_OPEN_TASKS");
}

}  // namespace todo::ports
