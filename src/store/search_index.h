#pragma once

#include <string>

#include "absl/status/statusor.h"
#include "store/connection_pool.h"

namespace todo::store {

/// Makes the index of text searches, where it is missing and the server can have one. Answers the
/// reason why there is none, for the log; empty: there is one. Without the index, a search reads
/// all tasks of its user. Takes long when there are many tasks, and holds up changes meanwhile: see
/// docs/operations.md. Several replicas may call it at once; repeating it is harmless. Blocks.
/// Statuses as of ConnectionPool::Acquire, and kDeadlineExceeded: the time of one statement of
/// `pool` did not suffice. Thread safety: may be called from any thread.
absl::StatusOr<std::string> MakeSearchIndex(ConnectionPool& pool);

}  // namespace todo::store
