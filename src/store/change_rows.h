#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <span>
#include <string>
#include <string_view>

#include "domain/event/event.h"
#include "domain/ids.h"
#include "domain/task/task.h"
#include "domain/time.h"
#include "store/binary_array.h"

// Inside the room only.

namespace todo::store {

class Pipeline;
class PipelineRows;
struct Statement;

/// A user's row, which its transaction has locked.
struct UserRow {
  std::int64_t seq = 0;
  std::int64_t open_tasks = 0;
  std::int64_t shard = 0;
  bool changed = false;
};
using UserRows = std::map<std::string, UserRow>;

/// The rows that kLockUsers or kReadUsers answered.
UserRows ToUserRows(const PipelineRows& rows);

/// Whether the task counts among the user's open ones.
bool IsOpen(const domain::Task& task);

/// What is written of a change besides the task.
struct ChangeRow {
  domain::ChangeKind kind = domain::ChangeKind::kCreated;
  bool creates = false;
  bool sets_title = false;        // `creates` sets both texts
  bool sets_description = false;  // the same
  std::int64_t shard = 0;
  domain::EventId event_id;
  domain::Instant now;
  std::string_view traceparent;
  std::optional<domain::Uuid> request_id;
  bool by_consumer = false;  // not of a call: it may also set what a series keeps
};

/// The rows that changes of tasks write: users, tasks, texts and the change log, by one statement
/// for each kind of row. It writes what apply_change (db/functions) writes for one change.
class ChangeRows {
 public:
  static std::span<const Statement> Statements();

  /// `task` is the task after the change. The changes of a user are added in the order of their
  /// seq. No two changes are of one task or of one series, so that triggers see each.
  void Add(const domain::Task& task, const ChangeRow& change);

  bool empty() const { return shards_.empty(); }
  /// The shards that get changes.
  const std::set<int>& shards() const { return shards_; }

  /// Sends everything, and the rows of those of `users` that changed. Precondition: not empty.
  void Send(Pipeline& pipeline, const UserRows& users) const;

 private:
  void AddTexts(const domain::Task& task, const ChangeRow& change);

  std::set<int> shards_;
  BinaryArray<BinaryRow> new_tasks_;
  BinaryArray<BinaryRow> changed_tasks_;   // by calls
  BinaryArray<BinaryRow> replaced_tasks_;  // by the consumer
  BinaryArray<BinaryRow> new_texts_;
  BinaryArray<BinaryRow> changed_texts_;
  BinaryArray<BinaryRow> changes_;
};

}  // namespace todo::store
