#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <vector>

#include "ports/task_store.h"
#include "store/connection_pool.h"
#include "store/mutation_queue_stats.h"

namespace todo::store {

class MutationQueue;

struct TaskStoreOptions {
  /// How long a change is repeated after a lost connection before the answer is kUnknown.
  std::chrono::milliseconds apply_deadline{8'000};
  int apply_attempts = 4;  // > 0
  /// How many open tasks a user may have; nullopt: any number.
  std::optional<std::int64_t> open_task_limit = {};
  /// How long a search for a text may take.
  std::chrono::milliseconds search_timeout{2'000};
  /// How many calls of Apply may share a transaction; 1: none do.
  int max_batch = 64;
  /// How many such transactions may be under way at once, each on its own connection.
  int max_batches = 2;
  /// Also a call that comes alone goes the way of those that share one. For tests.
  bool lone_calls_too = false;
};

/// TaskStore on PostgreSQL: each call that changes tasks is one statement, one round trip, one
/// autocommit. Calls of Apply that come at about one time share a transaction instead, on
/// connections besides those of the pool (MutationQueue). The pool must outlive the store.
/// `on_change(shard)` is called after each commit that wrote a change, also of reminders, on the
/// thread of the call, or of one that shares its transaction; it must not block. Thread safety: all
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
  ~PgTaskStore() override;

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

  MutationQueueStats queue_stats();

 private:
  /// Sends the one statement of a call, again after a lost connection, until its outcome is known.
  /// Answers one result for each of `mutations`. No attempt but the first begins after `deadline`.
  /// `in_doubt`: an earlier attempt may have been carried out.
  template <typename Send>
  absl::StatusOr<std::vector<ports::MutationResult>> Perform(
      std::span<const ports::Mutation> mutations, std::chrono::steady_clock::time_point deadline,
      bool in_doubt, const Send& send);
  absl::StatusOr<ports::MutationResult> ApplyAlone(const ports::Mutation& mutation,
                                                   std::chrono::steady_clock::time_point deadline,
                                                   bool in_doubt);
  std::chrono::steady_clock::time_point NewDeadline() const;

  ConnectionPool& pool_;
  const std::function<void(int shard)> on_change_;
  const TaskStoreOptions options_;
  const std::unique_ptr<MutationQueue> queue_;
};

}  // namespace todo::store
