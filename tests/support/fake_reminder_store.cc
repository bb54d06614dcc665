#include "support/fake_reminder_store.h"

#include <algorithm>

#include "ports/no_such_task.h"
#include "util/status.h"

namespace todo::support {
namespace {

using domain::Instant;
using domain::Reminder;
using domain::ReminderState;
using ports::TaskRef;
using ports::TaskReminders;
using Row = FakeDatabase::ReminderRow;
using Tables = FakeDatabase::Tables;

/// Of the last change of the task.
std::string TraceOf(const Tables& tables, const domain::UserId& user, domain::TaskId task) {
  std::string traceparent;
  for (const FakeDatabase::ChangeRow& row : tables.changes) {
    if (row.change.user == user && row.change.task_id == task) traceparent = row.change.traceparent;
  }
  return traceparent;
}

std::optional<TaskReminders> Load(const Tables& tables, const TaskRef& ref) {
  const auto task = tables.tasks.find({ref.user, ref.task_id});
  if (task == tables.tasks.end()) return std::nullopt;
  TaskReminders held{.task = task->second.task,
                     .reminders = {},
                     .traceparent = TraceOf(tables, ref.user, ref.task_id)};
  for (const auto& [id, row] : tables.reminders) {
    if (id.user == ref.user && id.task_id == ref.task_id) held.reminders.push_back(row.reminder);
  }
  return held;
}

/// The rows that `wanted` says, by `key`, at most `limit`.
template <typename Wanted, typename Key>
std::vector<Row*> Select(Tables& tables, const Wanted& wanted, const Key& key, int limit) {
  std::vector<Row*> rows;
  for (auto& [id, row] : tables.reminders) {
    if (wanted(row)) rows.push_back(&row);
  }
  std::ranges::stable_sort(rows, {}, [&key](const Row* row) { return key(*row); });
  if (rows.size() > static_cast<std::size_t>(limit)) rows.resize(static_cast<std::size_t>(limit));
  return rows;
}

std::vector<TaskRef> RefsOf(const std::vector<Row*>& rows) {
  std::vector<TaskRef> refs;
  for (const Row* row : rows) {
    const TaskRef ref{.user = row->reminder.id.user, .task_id = row->reminder.id.task_id};
    if (std::ranges::find(refs, ref) == refs.end()) refs.push_back(ref);
  }
  return refs;
}

void DropIfGone(Tables& tables, const domain::ReminderId& id) {
  const auto found = tables.reminders.find(id);
  if (found != tables.reminders.end() && found->second.reminder.state == ReminderState::kDeleted &&
      !found->second.job_at) {
    tables.reminders.erase(found);
  }
}

class Transaction final : public ports::ReminderTransaction {
 public:
  using Failures = std::map<domain::UserId, absl::Status>;
  Transaction(Tables& tables, Failures failures)
      : tables_(tables), failures_(std::move(failures)) {}

  absl::StatusOr<std::vector<std::optional<TaskReminders>>> LockAndLoad(
      const std::vector<TaskRef>& refs) override {
    std::vector<std::optional<TaskReminders>> held;
    for (const TaskRef& ref : refs) {
      if (const auto failure = failures_.find(ref.user); failure != failures_.end())
        return failure->second;
      held.push_back(Load(tables_, ref));
    }
    return held;
  }

  absl::StatusOr<std::optional<Reminder>> FirstAnswer(const ports::RequestName& request) override {
    const auto found = tables_.reminder_requests.find({request.user, request.request_id});
    const auto of_task = tables_.requests.find({request.user, request.request_id});
    const bool of_endpoint = tables_.endpoint_requests.contains({request.user, request.request_id});
    if (of_endpoint || of_task != tables_.requests.end() ||
        (found != tables_.reminder_requests.end() &&
         found->second.fingerprint != request.fingerprint)) {
      return util::WithReason(absl::AlreadyExistsError("this request_id was used"),
                              "REQUEST_ID_REUSED");
    }
    if (found == tables_.reminder_requests.end()) return std::nullopt;
    return found->second.answer;
  }

  absl::Status Remember(const ports::RequestName& request, const Reminder& answer,
                        Instant) override {
    tables_.reminder_requests[{request.user, request.request_id}] = {request.fingerprint, answer};
    return absl::OkStatus();
  }

  absl::Status Save(const std::vector<Reminder>& reminders) override {
    for (const Reminder& reminder : reminders) {
      Row& row = tables_.reminders[reminder.id];
      row.reminder = reminder;
      if (reminder.state == ReminderState::kFired) row.job_at.reset();
      DropIfGone(tables_, reminder.id);
    }
    return absl::OkStatus();
  }

  absl::Status Post(const std::vector<ports::OutboxMessage>& messages) override {
    for (const ports::OutboxMessage& message : messages) {
      FakeDatabase::Post(tables_, message);
      shards_.insert(FakeDatabase::ShardOf({message.key}));
    }
    return absl::OkStatus();
  }

  const std::set<int>& shards() const { return shards_; }

 private:
  Tables& tables_;
  const Failures failures_;
  std::set<int> shards_;
};

}  // namespace

void FakeReminderStore::FailFor(const domain::UserId& user, absl::Status status) {
  auto failures = failures_.Lock();
  if (status.ok()) {
    failures->erase(user);
  } else {
    (*failures)[user] = std::move(status);
  }
}

absl::Status FakeReminderStore::Transact(
    const std::function<absl::Status(ports::ReminderTransaction&)>& work) {
  std::set<int> shards;
  TODO_RETURN_IF_ERROR(database_.Write([&](Tables& tables) -> absl::Status {
    Transaction transaction(tables, *failures_.Lock());
    const absl::Status done = work(transaction);
    shards = transaction.shards();
    return done;
  }));
  if (on_message_) {
    for (const int shard : shards) on_message_(shard);
  }
  return database_.AnswerOrLose();
}

absl::StatusOr<TaskReminders> FakeReminderStore::Get(const TaskRef& ref) {
  TODO_RETURN_IF_ERROR(database_.failure());
  std::optional<TaskReminders> held = Load(*database_.Read(), ref);
  if (held && !held->task.deleted) return *std::move(held);
  return ports::NoSuchTask(ref.task_id);
}

absl::StatusOr<std::vector<TaskRef>> FakeReminderStore::Owned(
    const std::vector<domain::TaskId>& ids) {
  TODO_RETURN_IF_ERROR(database_.failure());
  auto tables = database_.Read();
  std::vector<TaskRef> owned;
  for (const auto& [key, row] : tables->tasks) {
    if (std::ranges::find(ids, key.second) != ids.end()) owned.push_back({key.first, key.second});
  }
  return owned;
}

absl::StatusOr<std::vector<TaskRef>> FakeReminderStore::Unplanned(int limit) {
  TODO_RETURN_IF_ERROR(database_.failure());
  auto tables = database_.Read();
  const auto since = [](const Row& row) { return row.reminder.unplanned_since; };
  return RefsOf(Select(
      *tables, [&](const Row& row) { return since(row).has_value(); }, since, limit));
}

absl::StatusOr<std::vector<TaskRef>> FakeReminderStore::Due(Instant until, int limit) {
  TODO_RETURN_IF_ERROR(database_.failure());
  auto tables = database_.Read();
  return RefsOf(Select(
      *tables, [&](const Row& row) { return row.wanted_job() && *row.wanted_job() <= until; },
      [](const Row& row) { return row.reminder.remind_at; }, limit));
}

absl::StatusOr<std::vector<ports::JobIntent>> FakeReminderStore::ClaimJobs(
    Instant now, std::chrono::milliseconds lease, int limit) {
  std::vector<ports::JobIntent> intents;
  TODO_RETURN_IF_ERROR(database_.Write([&](Tables& tables) {
    for (Row* row : Select(
             tables,
             [&](const Row& r) { return r.wanted_job() != r.job_at && r.job_claimed_until <= now; },
             [](const Row& r) { return r.reminder.remind_at; }, limit)) {
      row->job_claimed_until = now + lease;
      const domain::ReminderId& id = row->reminder.id;
      intents.push_back({.reminder = row->reminder,
                         .wanted = row->wanted_job().has_value(),
                         .traceparent = TraceOf(tables, id.user, id.task_id)});
    }
    return absl::OkStatus();
  }));
  return intents;
}

absl::Status FakeReminderStore::RecordJobs(const std::vector<ports::JobRecord>& records,
                                           Instant now) {
  return database_.Write([&](Tables& tables) {
    for (const ports::JobRecord& record : records) {
      const auto found = tables.reminders.find(record.id);
      if (found == tables.reminders.end()) continue;
      found->second.job_at = record.scheduled_for;
      found->second.job_written_at = now;
      found->second.job_claimed_until = domain::kMinInstant;
      DropIfGone(tables, record.id);
    }
    return absl::OkStatus();
  });
}

absl::StatusOr<std::optional<Instant>> FakeReminderStore::ForgetJobs(Instant written_before,
                                                                     Instant from, int limit) {
  std::optional<Instant> next;
  TODO_RETURN_IF_ERROR(database_.Write([&](Tables& tables) {
    for (Row* row : Select(
             tables,
             [&](const Row& r) {
               return r.wanted_job() && *r.wanted_job() >= from && r.job_at &&
                      *r.job_written_at < written_before;
             },
             [](const Row& r) { return r.reminder.remind_at; }, limit)) {
      row->job_at.reset();
      next = row->reminder.remind_at;
    }
    return absl::OkStatus();
  }));
  return next;
}

}  // namespace todo::support
