#pragma once

#include "absl/status/status.h"

namespace todo::ports {

/// What a failed call to a store or to the sidecar means for the work behind it.
enum class Failure {
  kOutage,      // nobody answers: everything else would fail too
  kContention,  // others were in the way: the same call may succeed when repeated
  kDoubt,       // the outcome is not known: repeat under the same id
  kTimeout,     // it took too long: the work itself may be to blame
  kFault,       // the work itself is to blame
};

/// Precondition: `status` is not OK.
inline Failure Classify(const absl::Status& status) {
  switch (status.code()) {
    case absl::StatusCode::kUnavailable:
    case absl::StatusCode::kResourceExhausted:
    case absl::StatusCode::kCancelled: return Failure::kOutage;
    case absl::StatusCode::kAborted: return Failure::kContention;
    case absl::StatusCode::kUnknown: return Failure::kDoubt;
    case absl::StatusCode::kDeadlineExceeded: return Failure::kTimeout;
    default: return Failure::kFault;
  }
}

/// Whether there is no use in trying other work now. False for OK.
inline bool IsOutage(const absl::Status& status) {
  return !status.ok() && Classify(status) == Failure::kOutage;
}

/// Whether the store cannot do it now, and nothing is known against the work: it must be tried
/// again, and no attempt is counted. False for OK.
inline bool IsTemporary(const absl::Status& status) {
  if (status.ok()) return false;
  const Failure failure = Classify(status);
  return failure == Failure::kOutage || failure == Failure::kContention ||
         failure == Failure::kDoubt;
}

}  // namespace todo::ports
