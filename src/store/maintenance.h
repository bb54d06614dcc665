#pragma once

#include <chrono>

#include "absl/status/status.h"
#include "domain/time.h"
#include "store/connection_pool.h"

namespace todo::store {

struct MaintenanceOptions {
  int keep_inbox_days = 30;
  std::chrono::hours keep_requests{7 * 24};     // so long a repeated request id is recognised
  std::chrono::hours keep_messages{7 * 24};     // after they were posted; unpublished ones stay
  std::chrono::hours keep_deliveries{30 * 24};  // after their end
  std::chrono::hours keep_notifications{90 * 24};
  std::chrono::hours keep_resolved{90 * 24};  // dead letters, after they were replayed or discarded
};

/// Makes room for the inbox rows of the coming days and drops what is too old: whole days of the
/// inbox; what lies there under no such day, request ids, resolved dead letters, published
/// messages, finished deliveries and notifications in small portions. To be called at start, before
/// the first event is consumed, and then about hourly; several replicas may do so at once. Harmless
/// to repeat. Blocks. kAborted: the tables were too busy; the next call will do. Others as of
/// ConnectionPool::Acquire. Thread safety: may be called from any thread.
absl::Status MaintainInbox(ConnectionPool& pool, domain::Instant now,
                           const MaintenanceOptions& options = {});

}  // namespace todo::store
