#include "store/consumer_changes.h"

#include <optional>
#include <span>

#include "store/batch_statements.h"
#include "store/binary_array.h"
#include "store/session_pipeline.h"
#include "store/task_row.h"
#include "util/status.h"

namespace todo::store {
namespace {

using domain::Task;
using ports::ConsumerChange;
using Kind = ConsumerChange::Kind;

// The order of the answers of the first round trip.
constexpr std::size_t kUserRows = 1;
constexpr std::size_t kTaskRows = 2;
constexpr std::size_t kIdRows = 3;

std::span<const Statement> Statements() {
  static const std::vector<Statement> statements = [] {
    std::vector<Statement> all = {kReadUsers, kFindTasks, kTakeIds};
    const std::span<const Statement> writing = ChangeRows::Statements();
    all.insert(all.end(), writing.begin(), writing.end());
    return all;
  }();
  return statements;
}

/// What `change` makes of the task.
Task TaskAfter(const ConsumerChange& change, Task task) {
  task.deleted = change.kind == Kind::kRemoveSuccessor;
  if (task.deleted) return task;
  task.fields = change.fields;
  task.series = change.series;
  task.completed = false;
  task.completed_at.reset();
  return task;
}

absl::Status NoSuchTask() {
  return absl::NotFoundError("store: write changes: there is no such task");
}

}  // namespace

absl::Status ConsumerChanges::Write(const std::vector<ConsumerChange>& changes) {
  Read(changes);
  for (const ConsumerChange& change : changes) TODO_RETURN_IF_ERROR(Add(change));
  Send();
  return absl::OkStatus();
}

void ConsumerChanges::Read(const std::vector<ConsumerChange>& changes) {
  std::set<std::string> names;
  std::set<std::pair<std::string, std::int64_t>> keys;
  BinaryArray<std::string> users, task_users;
  BinaryArray<std::int64_t> task_ids, new_tasks;
  for (const ConsumerChange& change : changes) {
    names.insert(change.user.value);
    if (change.kind == Kind::kCreateSuccessor)
      new_tasks.Add(0);
    else
      keys.emplace(change.user.value, change.task_id.value);
  }
  for (const std::string& name : names) users.Add(name);
  for (const auto& [user, id] : keys) {
    task_users.Add(user);
    task_ids.Add(id);
  }
  const std::vector<PipelineRows> answers =
      SendTogether(session_, Statements(), [&](Pipeline& pipeline) {
        pipeline.Send(Pipeline::kLocalSettings);
        pipeline.Send(kReadUsers, {users.Encoded()});
        pipeline.Send(kFindTasks, {task_users.Encoded(), task_ids.Encoded()});
        pipeline.Send(kTakeIds, {new_tasks.Encoded()});
      });
  users_ = ToUserRows(answers[kUserRows]);
  const PipelineRows& task_rows = answers[kTaskRows];
  for (int i = 0; i < task_rows.size(); ++i) {
    // One that cannot be read is none: Add fails on it, and the log says why.
    absl::StatusOr<Task> task = DecodeTaskRow(task_rows.Text(i, 2));
    if (!task.ok()) continue;
    tasks_[{std::string(task_rows.Text(i, 0)), task_rows.Number(i, 1)}] = *std::move(task);
  }
  const PipelineRows& id_rows = answers[kIdRows];
  for (int i = id_rows.size(); i > 0; --i) free_ids_.push_back(id_rows.Number(i - 1, 0));
}

absl::Status ConsumerChanges::Add(const ConsumerChange& change) {
  const bool creates = change.kind == Kind::kCreateSuccessor;
  const auto user = users_.find(change.user.value);
  if (user == users_.end()) return NoSuchTask();
  Task was;
  if (creates) {
    was.id.value = free_ids_.back();
    free_ids_.pop_back();
    was.user = change.user;
    was.created_at = change.now;
  } else {
    const auto found = tasks_.find({change.user.value, change.task_id.value});
    if (found == tasks_.end()) return NoSuchTask();
    was = found->second;
  }
  Task after = TaskAfter(change, was);
  if (!creates && after == was) return absl::OkStatus();
  // A trigger looks at the other tasks of the series, and is to see each of their changes.
  if (after.series && !series_.emplace(change.user.value, after.series->series_id).second) {
    Send();
    series_.emplace(change.user.value, after.series->series_id);
  }
  UserRow& row = user->second;
  row.open_tasks += (IsOpen(after) ? 1 : 0) - (!creates && IsOpen(was) ? 1 : 0);
  row.changed = true;
  ++after.version;
  after.seq = ++row.seq;
  after.updated_at = change.now;
  const bool removes = change.kind == Kind::kRemoveSuccessor;
  rows_->Add(after, {.kind = removes ? domain::ChangeKind::kDeleted : domain::ChangeKind::kCreated,
                     .creates = creates,
                     .sets_title = !removes,
                     .sets_description = !removes,
                     .shard = row.shard,
                     .event_id = change.event_id,
                     .now = change.now,
                     .traceparent = change.traceparent,
                     .request_id = {},
                     .by_consumer = true});
  if (!creates) tasks_[{change.user.value, change.task_id.value}] = std::move(after);
  return absl::OkStatus();
}

void ConsumerChanges::Send() {
  if (rows_->empty()) return;
  SendTogether(session_, Statements(),
               [this](Pipeline& pipeline) { rows_->Send(pipeline, users_); });
  shards_.insert(rows_->shards().begin(), rows_->shards().end());
  rows_ = std::make_unique<ChangeRows>();
  series_.clear();
  for (auto& [name, user] : users_) user.changed = false;
}

}  // namespace todo::store
