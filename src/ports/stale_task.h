#pragma once

#include <string>

#include "absl/status/status.h"
#include "domain/ids.h"
#include "util/status.h"

namespace todo::ports {

/// kAborted with reason STALE_ETAG: the task has another version than the call expected.
inline absl::Status StaleTask(domain::TaskId id) {
  const std::string text =
      "task " + std::to_string(id.value) +
      " has changed since: read it again and repeat the call with its new etag";
  return util::WithReason(util::MakeStatus(absl::StatusCode::kAborted, text), "STALE_ETAG");
}

}  // namespace todo::ports
