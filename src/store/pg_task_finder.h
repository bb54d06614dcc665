#pragma once

#include <chrono>

#include "ports/task_finder.h"
#include "store/connection_pool.h"

namespace todo::store {

/// TaskFinder on PostgreSQL: stems by its full-text search, typing errors by the trigrams of the
/// extension pg_trgm, where the server has that. The search index (store/search_index.h) gives the
/// candidates. The pool must outlive the finder. `search_timeout` is how long a search may take.
/// Thread safety: may be called from many threads at once; each holds one connection.
class PgTaskFinder final : public ports::TaskFinder {
 public:
  explicit PgTaskFinder(ConnectionPool& pool,
                        std::chrono::milliseconds search_timeout = std::chrono::seconds(2))
      : pool_(pool), search_timeout_(search_timeout) {}

  absl::StatusOr<std::vector<ports::FoundTask>> Find(const domain::UserId& user,
                                                     const ports::FindQuery& query) override;

 private:
  ConnectionPool& pool_;
  const std::chrono::milliseconds search_timeout_;
};

}  // namespace todo::store
