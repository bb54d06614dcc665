#pragma once

#include "absl/status/status.h"
#include "util/require.h"

// The meaning of a failed call for the work behind it. The two functions at the end are for the two
// systems that the service depends on: their codes differ in what they say.

namespace todo::ports {

enum class Failure {
  kOutage,      // the system is away: any other call would fail too
  kContention,  // other transactions were in the way: the same call may succeed when repeated
  kDoubt,       // the outcome is not known: repeat the call under the same id
  kTimeout,     // the call took too long: the system may be slow, or the work itself too large
  kFault,       // the work itself is to blame
};

/// The class of a failed call to the store or the state store. Precondition: `status` is not OK.
inline Failure Classify(const absl::Status& status) {
  TODO_REQUIRE(!status.ok());
  switch (status.code()) {
    case absl::StatusCode::kUnavailable:
    case absl::StatusCode::kResourceExhausted:  // no connection became free
    case absl::StatusCode::kCancelled: return Failure::kOutage;
    case absl::StatusCode::kAborted: return Failure::kContention;
    case absl::StatusCode::kUnknown: return Failure::kDoubt;
    case absl::StatusCode::kDeadlineExceeded: return Failure::kTimeout;
    default: return Failure::kFault;
  }
}

/// Whether the store is away, so that there is no use in trying other work now. False for OK.
inline bool IsOutage(const absl::Status& status) {
  return !status.ok() && Classify(status) == Failure::kOutage;
}

/// Whether the failure says nothing against the work: try it again, and count no attempt. False for
/// OK.
inline bool IsTemporary(const absl::Status& status) {
  if (status.ok()) return false;
  const Failure failure = Classify(status);
  return failure == Failure::kOutage || failure == Failure::kContention ||
         failure == Failure::kDoubt;
}

/// Whether the sidecar, or the broker or scheduler behind it, gives no answer, so that there is no
/// use in sending it other events or jobs now. Two codes say something else than a store's:
/// kDeadlineExceeded means no answer, however small the call, and kResourceExhausted means that
/// this very message is too large. False for OK.
inline bool IsUnanswered(const absl::Status& status) {
  switch (status.code()) {
    case absl::StatusCode::kUnavailable:
    case absl::StatusCode::kDeadlineExceeded:
    case absl::StatusCode::kCancelled: return true;
    default: return false;
  }
}

}  // namespace todo::ports
