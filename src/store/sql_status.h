#pragma once

#include <string_view>

#include "absl/status/status.h"

// The one place where what the database library throws becomes a status.

namespace todo::store {

/// The status of the exception in flight; to be called inside a catch block only. `attempted` says
/// what was tried
/// ("claim events") and becomes part of the message; no text of the database that could quote data
/// does.
///
/// kUnknown: a commit is in doubt. kAborted: rolled back for the sake of others, or a lock was not
/// had in time: the whole transaction may succeed when repeated. kUnavailable: no database, and the
/// connection is of no use any more. kAlreadyExists: a unique key. kFailedPrecondition: a foreign
/// key. kDeadlineExceeded: statement timeout. kInternal: everything else; logged with its SQLSTATE.
/// Thread safety: may be called from any thread. Does not block.
absl::Status StatusOfCurrentException(std::string_view attempted);

/// True when a connection that gave `status` must not be used again.
bool ConnectionIsLost(const absl::Status& status);

}  // namespace todo::store
