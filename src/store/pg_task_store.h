#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <optional>
#include <span>
#include <vector>

#include "ports/task_store.h"
#include "store/connection_pool.h"

namespace todo::store {

struct TaskStoreOptions {
  /// How long a change is repeated after a lost connection before the answer is kUnknown.
  std::chrono::milliseconds apply_deadline{8'000};
  int apply_attempts = 4;  // > 0
  /// How many open tasks a user may have; nullopt: any number.
  std::optional<std::int64_t> open_task_limit = {};
  /// How long a search for a text may take.
  std::chrono::milliseconds search_timeout{2'000};
};

/// TaskStore on PostgreSQL: each call that changes tasks is one statement, one round trip, one
/// autocommit. The pool must outlive the store. `on_change(shard)` is called after each commit that
/// wrote a change, also of reminders, on the calling thread; it must not block. Thread safety: all
/// methods may be called from many threads at once; each holds one connection while it runs.
///
/// Reasons (util::ReasonOf) in its statuses: TASK_NOT_FOUND, STALE_ETAG, REQUEST_ID_REUSED,
/// INVALID_PAGE_TOKEN, TOO_MANY_OPEN_TASKS, REMINDER_NOT_FOUND, TOO_MANY_REMINDERS,
/// SEARCH_TOO_SLOW, DEADLINE_PASSED; SERIES_CHANGED when a series is no longer as the caller saw
/// it; CONTENTION for a kAborted that says nothing about the version: repeat the call unchanged.
class PgTaskStore final : public ports::TaskStore {
 public:
  PgTaskStore(ConnectionPool& pool, std::function<void(int shard)> on_change,
              TaskStoreOptions options = {});

  absl::StatusOr<ports::MutationResult> Apply(const ports::Mutation& mutation) override;
  absl::StatusOr<std::vector<ports::MutationResult>> ApplyAll(
      const ports::MutationList& list) override;
  absl::StatusOr<std::optional<std::vector<ports::MutationResult>>> FirstAnswers(
      const ports::RequestName& request) override;
  absl::StatusOr<std::vector<ports::SeriesMember>> ListSeries(
      const domain::UserId& user, const domain::Uuid& series_id) override;
  absl::StatusOr<ports::MutationResult> ApplyToSeries(
      const ports::SeriesMutation& mutation) override;
  absl::StatusOr<domain::Task> Get(const domain::UserId& user, domain::TaskId id) override;
  absl::StatusOr<domain::Task> GetEvenDeleted(const domain::UserId& user,
                                              domain::TaskId id) override;
  absl::StatusOr<ports::TaskPage> List(const domain::UserId& user,
                                       const ports::TaskQuery& query) override;
  absl::StatusOr<ports::ChangePage> ListChanges(const domain::UserId& user,
                                                const ports::ChangeQuery& query) override;

 private:
  /// Sends the one statement of a call, again after a lost connection, until its outcome is known.
  /// Answers one result for each of `mutations`.
  template <typename Send>
  absl::StatusOr<std::vector<ports::MutationResult>> Perform(
      std::span<const ports::Mutation> mutations, const Send& send);

  ConnectionPool& pool_;
  const std::function<void(int shard)> on_change_;
  const TaskStoreOptions options_;
};

}  // namespace todo::store
