#pragma once

#include <cstdint>
#include <functional>

#include "absl/status/statusor.h"
#include "store/connection_pool.h"

namespace todo::store {

/// Folds the search texts of tasks that an older program wrote without folding them, before an
/// upgrade or during it. Search does not find these tasks until then. Works in small transactions,
/// which delay no other; `go_on()` is asked before each. Answers the number of folded tasks.
/// Several replicas may call it at once; repeating it is harmless, and cheap when nothing is left
/// to do. Tasks that are being changed at the moment are left for the next call. Blocks. Statuses
/// as of ConnectionPool::Acquire. Thread safety: may be called from any thread.
absl::StatusOr<std::int64_t> FoldSearchTexts(ConnectionPool& pool,
                                             const std::function<bool()>& go_on);

}  // namespace todo::store
