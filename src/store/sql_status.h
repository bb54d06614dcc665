#pragma once

#include <string_view>

#include "absl/status/status.h"

// The one place where exceptions of the database library become statuses.

namespace todo::store {

/// The status of the exception in flight. Precondition: called inside a catch block. `attempted`
/// names the operation ("claim events") and becomes part of the message. The message quotes no text
/// of the database, which could contain users' data.
///
/// kUnknown: a commit is in doubt. kAborted: a deadlock, a serialisation failure or a lock timeout:
/// the whole transaction may succeed when repeated. kUnavailable: the database is away, and the
/// connection cannot be used again. kAlreadyExists: a unique key. kFailedPrecondition: a foreign
/// key. kDeadlineExceeded: statement timeout. kInternal: everything else; logged with its SQLSTATE.
/// Thread safety: may be called from any thread. Does not block.
absl::Status StatusOfCurrentException(std::string_view attempted);

/// Whether a connection that gave `status` must not be used again.
bool ConnectionIsLost(const absl::Status& status);

}  // namespace todo::store
