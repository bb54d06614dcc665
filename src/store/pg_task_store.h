#pragma once

#include <chrono>
#include <functional>
#include <vector>

#include "ports/task_store.h"
#include "store/connection_pool.h"

namespace todo::store {

struct TaskStoreOptions {
  /// Apply gives up repeating after a lost connection when this has passed.
  std::chrono::milliseconds apply_deadline{8'000};
  int apply_attempts = 4;  // > 0
};

/// TaskStore on PostgreSQL: each mutation is one statement, one round trip, one autocommit.
/// The pool must outlive it. `on_change(shard)` is called after each commit that wrote a change,
/// from the calling thread; it must not block. Thread safety: all methods may be called from many
/// threads at once; each holds one connection while it runs.
///
/// Reasons (util::ReasonOf) that its statuses carry: TASK_NOT_FOUND, STALE_ETAG, REQUEST_ID_REUSED,
/// INVALID_PAGE_TOKEN; SERIES_CHANGED for a series that is not as it was seen, and CONTENTION for a
/// kAborted that says nothing about the version: repeat the call as it is.
class PgTaskStore final : public ports::TaskStore {
 public:
  PgTaskStore(ConnectionPool& pool, std::function<void(int shard)> on_change,
              TaskStoreOptions options = {});

  absl::StatusOr<ports::MutationResult> Apply(const ports::Mutation& mutation) override;
  absl::StatusOr<std::vector<ports::SeriesMember>> ListSeries(
      const domain::UserId& user, const domain::Uuid& series_id) override;
  absl::StatusOr<ports::MutationResult> ApplyToSeries(
      const ports::SeriesMutation& mutation) override;
  absl::StatusOr<domain::Task> Get(const domain::UserId& user, domain::TaskId id) override;
  absl::StatusOr<ports::TaskPage> List(const domain::UserId& user,
                                       const ports::TaskQuery& query) override;
  absl::StatusOr<ports::ChangePage> ListChanges(const domain::UserId& user, std::int64_t after_seq,
                                                int limit) override;

 private:
  /// Sends the one statement of `mutation` until it is known what became of it.
  template <typename Send>
  absl::StatusOr<ports::MutationResult> Perform(const ports::Mutation& mutation, const Send& send);

  ConnectionPool& pool_;
  const std::function<void(int shard)> on_change_;
  const TaskStoreOptions options_;
};

}  // namespace todo::store
