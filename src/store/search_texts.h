#pragma once

#include <cstdint>
#include <functional>

#include "absl/status/statusor.h"
#include "store/connection_pool.h"

namespace todo::store {

/// Folds the texts of tasks whose writer did not: those of a database that was just brought up to
/// date, and those that an older replica writes meanwhile. Until then search
/// does not find them. In small transactions that hold up nobody; `go_on()` is asked before each.
/// Answers how many tasks it folded. Several replicas may do so at once; harmless to repeat, and
/// cheap when there is nothing to do. Tasks that are being changed at the moment are left for the
/// next call. Blocks. Statuses as of ConnectionPool::Acquire. Thread safety: may be called from any
/// thread.
absl::StatusOr<std::int64_t> FoldSearchTexts(ConnectionPool& pool,
                                             const std::function<bool()>& go_on);

}  // namespace todo::store
