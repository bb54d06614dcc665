#pragma once

#include <string>

#include "absl/status/status.h"
#include "domain/ids.h"
#include "util/status.h"

namespace todo::ports {

/// kNotFound with reason TASK_NOT_FOUND: the user has no such task. It says nothing about tasks of
/// other users.
inline absl::Status NoSuchTask(domain::TaskId id) {
  const std::string text = "you have no task " + std::to_string(id.value);
  return util::WithReason(util::MakeStatus(absl::StatusCode::kNotFound, text), "TASK_NOT_FOUND");
}

}  // namespace todo::ports
