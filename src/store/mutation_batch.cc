#include "store/mutation_batch.h"

#include <utility>

#include "domain/event/event_writer.h"
#include "ports/mutated_task.h"
#include "ports/no_such_task.h"
#include "ports/stale_task.h"
#include "ports/too_many_open_tasks.h"
#include "store/batch_statements.h"
#include "store/binary_array.h"
#include "store/task_row.h"
#include "util/fault_point.h"
#include "util/status.h"

namespace todo::store {
namespace {

using domain::ChangeKind;
using domain::Task;
using ports::Mutation;
using Verdict = BatchItem::Verdict;

// The order of the answers of the first round trip.
constexpr std::size_t kUserRows = 1;
constexpr std::size_t kRequestRows = 2;
constexpr std::size_t kTaskRows = 3;
constexpr std::size_t kIdRows = 4;

bool HasFollowing(const std::optional<domain::SeriesPosition>& series) {
  return series && series->following != domain::FollowingFields();
}

void Answer(BatchItem& item, absl::StatusOr<ports::MutationResult> result) {
  item.verdict = Verdict::kAnswered;
  item.result = std::move(result);
}

/// The failure of the one mutation of a call.
void Refuse(BatchItem& item, absl::Status status) {
  Answer(item, util::WithIndex(std::move(status), 0));
}

}  // namespace

bool FitsBatch(const Mutation& mutation) {
  return !mutation.restores && mutation.reminders.empty() && !mutation.patch.series &&
         !HasFollowing(mutation.series);
}

std::span<const Statement> MutationBatch::Statements() {
  static const std::vector<Statement> statements = [] {
    std::vector<Statement> all = {kLockUsers, kFindRequests, kFindTasks, kTakeIds, kWriteRequests};
    const std::span<const Statement> writing = ChangeRows::Statements();
    all.insert(all.end(), writing.begin(), writing.end());
    return all;
  }();
  return statements;
}

std::set<int> MutationBatch::Run(PipelineConnection& connection,
                                 const std::function<void()>& on_read) {
  const auto end_without_writing = [this, &connection] {
    if (connection.lost()) return;
    connection.Send("rollback");
    connection.Finish(deadline_).status().IgnoreError();
  };
  if (!Read(connection).ok()) {
    // Its session may live on for a while and hold locks; calls in doubt wait until it is gone.
    if (connection.lost()) SetVerdicts(Verdict::kInDoubt);
    end_without_writing();
    return {};
  }
  on_read();
  for (BatchItem* item : items_) Decide(*item);
  if (requests_.empty()) {
    end_without_writing();
    return {};
  }
  if (const absl::Status fault = TODO_FAULT_POINT("before-commit"); !fault.ok()) {
    for (BatchItem* item : items_) Answer(*item, fault);
    end_without_writing();
    return {};
  }
  if (const absl::Status status = Write(connection); !status.ok()) {
    // An answer may rest on what an earlier mutation of the batch changed.
    SetVerdicts(connection.lost() ? Verdict::kInDoubt : Verdict::kAlone);
    end_without_writing();
    if (!connection.lost()) return {};
  } else {
    TODO_FAULT_POINT("after-commit").IgnoreError();
  }
  return changes_.shards();
}

void MutationBatch::SetVerdicts(Verdict verdict) {
  for (BatchItem* item : items_) item->verdict = verdict;
}

absl::Status MutationBatch::Read(PipelineConnection& connection) {
  std::set<std::string> names;
  BinaryArray<std::string> users, request_users, task_users;
  BinaryArray<domain::Uuid> requests;
  BinaryArray<std::int64_t> task_ids, new_tasks;
  for (const BatchItem* item : items_) {
    const Mutation& mutation = *item->mutation;
    names.insert(mutation.user.value);
    request_users.Add(mutation.user.value);
    requests.Add(mutation.request_id.uuid);
    if (mutation.creates()) {
      new_tasks.Add(0);
    } else {
      task_users.Add(mutation.user.value);
      task_ids.Add(mutation.task_id.value);
    }
  }
  for (const std::string& name : names) users.Add(name);
  connection.Send("begin");
  connection.Send(kLockUsers, {users.Encoded()});
  connection.Send(kFindRequests, {request_users.Encoded(), requests.Encoded()});
  connection.Send(kFindTasks, {task_users.Encoded(), task_ids.Encoded()});
  connection.Send(kTakeIds, {new_tasks.Encoded()});
  TODO_ASSIGN_OR_RETURN(const std::vector<PipelineRows> answers, connection.Finish(deadline_));

  users_ = ToUserRows(answers[kUserRows]);
  const PipelineRows& request_rows = answers[kRequestRows];
  for (int i = 0; i < request_rows.size(); ++i)
    known_requests_.emplace(request_rows.Text(i, 0), request_rows.Text(i, 1));
  const PipelineRows& task_rows = answers[kTaskRows];
  for (int i = 0; i < task_rows.size(); ++i) {
    tasks_.emplace(std::pair(task_rows.Text(i, 0), task_rows.Number(i, 1)),
                   DecodeTaskRow(task_rows.Text(i, 2)));
  }
  const PipelineRows& id_rows = answers[kIdRows];
  for (int i = id_rows.size(); i > 0; --i) free_ids_.push_back(id_rows.Number(i - 1, 0));
  return absl::OkStatus();
}

// The order of the checks is that of apply_change.
void MutationBatch::Decide(BatchItem& item) {
  const Mutation& mutation = *item.mutation;
  const auto user = users_.find(mutation.user.value);
  if (user == users_.end()) return;
  if (known_requests_.contains({mutation.user.value, mutation.request_id.value()})) return;
  if (mutation.creates()) {
    Task made;
    made.id.value = free_ids_.back();
    made.user = mutation.user;
    made.created_at = mutation.now;
    Change(item, user->second, false, ports::MutatedTask(mutation, std::move(made)));
    return;
  }
  const auto found = tasks_.find({mutation.user.value, mutation.task_id.value});
  if (found == tasks_.end() || (found->second.ok() && found->second->deleted))
    return Refuse(item, ports::NoSuchTask(mutation.task_id));
  const absl::StatusOr<Task>& was = found->second;
  // The statement of the call alone copes with both.
  if (!was.ok() || HasFollowing(was->series)) return;
  if (mutation.expected_version && *mutation.expected_version != was->version)
    return Refuse(item, ports::StaleTask(mutation.task_id));
  Task after = ports::MutatedTask(mutation, *was);
  if (after == *was || (mutation.kind == ChangeKind::kCompleted && was->completed)) {
    requests_.push_back({.mutation = &mutation, .seq = {}, .answer = domain::FormatTaskJson(*was)});
    return Answer(item, ports::MutationResult{.task = *was});
  }
  // A trigger looks at the other tasks of the series, and is to see each of their changes.
  if (was->series && !changed_series_.emplace(mutation.user.value, was->series->series_id).second)
    return;
  Change(item, user->second, IsOpen(*was), std::move(after));
}

void MutationBatch::Change(BatchItem& item, UserRow& user, bool was_open, Task after) {
  const Mutation& mutation = *item.mutation;
  const int opened = (IsOpen(after) ? 1 : 0) - (was_open ? 1 : 0);
  if (opened > 0 && open_task_limit_ && user.open_tasks + opened > *open_task_limit_)
    return Refuse(item, ports::TooManyOpenTasks());
  if (mutation.creates()) free_ids_.pop_back();
  user.open_tasks += opened;
  user.changed = true;
  ++after.version;
  after.seq = ++user.seq;
  after.updated_at = mutation.now;
  requests_.push_back({.mutation = &mutation, .seq = after.seq, .answer = {}});
  changes_.Add(after, {.kind = mutation.kind,
                       .creates = mutation.creates(),
                       .sets_title = mutation.patch.title.has_value(),
                       .sets_description = mutation.patch.description.has_value(),
                       .shard = user.shard,
                       .event_id = mutation.event_id,
                       .now = mutation.now,
                       .traceparent = mutation.traceparent,
                       .request_id = mutation.request_id.uuid});
  Answer(item, ports::MutationResult{.task = std::move(after), .changed = true});
}

absl::Status MutationBatch::Write(PipelineConnection& connection) {
  if (!changes_.empty()) changes_.Send(connection, users_);
  SendRequests(connection);
  connection.Send("commit");
  TODO_ASSIGN_OR_RETURN(const std::vector<PipelineRows> answers, connection.Finish(deadline_));
  if (answers.back().command() != "COMMIT") return absl::InternalError("rolled back");
  return absl::OkStatus();
}

void MutationBatch::SendRequests(PipelineConnection& connection) const {
  BinaryArray<BinaryRow> rows;
  for (const Request& request : requests_) {
    const Mutation& mutation = *request.mutation;
    rows.Add(BinaryRow(mutation.user.value, mutation.request_id.uuid, Bytea{mutation.fingerprint},
                       request.seq, request.answer, mutation.now));
  }
  connection.Send(kWriteRequests, {rows.Encoded()});
}

}  // namespace todo::store
