#pragma once

#include <functional>

#include "ports/dead_letter_store.h"
#include "store/connection_pool.h"

namespace todo::store {

/// DeadLetterStore on PostgreSQL. The pool must outlive it. After a commit that put dead letters
/// back into their queues, the calling thread calls `on_replay(due)`, which must not block.
/// Thread safety: as the port says. Each call holds one connection while it runs.
class PgDeadLetterStore final : public ports::DeadLetterStore {
 public:
  explicit PgDeadLetterStore(ConnectionPool& pool,
                             std::function<void(domain::Instant due)> on_replay = {});

  absl::StatusOr<ports::DeadLetterPage> List(const ports::DeadLetterFilter& filter, int limit,
                                             const std::string& cursor) override;
  absl::StatusOr<ports::StoredDeadLetter> Get(const domain::Uuid& id) override;
  absl::StatusOr<int> Replay(const ports::DeadLetterFilter& filter, int limit,
                             const std::string& by, domain::Instant now) override;
  absl::StatusOr<int> Discard(const ports::DeadLetterFilter& filter, int limit,
                              const std::string& note, const std::string& by,
                              domain::Instant now) override;

 private:
  ConnectionPool& pool_;
  const std::function<void(domain::Instant due)> on_replay_;
};

}  // namespace todo::store
