#include "support/fake_event_inbox.h"

#include "util/status.h"

namespace todo::support {
namespace {

using domain::EventId;
using domain::Task;
using domain::TaskId;
using ports::ConsumerChange;
using Outcome = FakeDatabase::Outcome;

class Transaction final : public ports::InboxTransaction {
 public:
  explicit Transaction(FakeDatabase::Tables& tables) : tables_(tables) {}

  absl::StatusOr<ports::Claimed> Claim(
      std::string_view consumer,
      const std::vector<domain::ReceivedEvent>& received_events) override {
    if (!status_.ok()) return status_;
    ports::Claimed claimed;
    for (const domain::ReceivedEvent& received : received_events) {
      const domain::EventHeader& event = received.event;
      if (FakeDatabase::IsReused(tables_, consumer, event)) claimed.reused.insert(event.id);
      if (!FakeDatabase::Take(tables_, consumer, event.id, event.at, event.identity)) continue;
      if (FakeDatabase::HasQueue(tables_, consumer, received.event.user, received.event.task_id)) {
        FakeDatabase::Enqueue(tables_, consumer, received, {});
      } else {
        claimed.fresh.insert(received.event.id);
      }
    }
    return claimed;
  }

  absl::StatusOr<bool> TakeUp(const ports::RetryEntry& entry) override {
    if (!status_.ok()) return status_;
    const auto found = tables_.retries.find({entry.consumer, entry.event_id});
    return found != tables_.retries.end() && found->second.entry.attempts == entry.attempts &&
           found->second.entry.due_at < domain::kMaxInstant;
  }

  absl::Status LeaveQueue(const ports::RetryEntry& entry, domain::Instant now) override {
    if (!status_.ok()) return status_;
    FakeDatabase::LeaveQueue(tables_, entry.consumer, entry.event_id, now);
    return absl::OkStatus();
  }

  absl::StatusOr<std::vector<std::optional<ports::HeldTask>>> LockAndLoad(
      const std::vector<ports::TaskRef>& refs) override {
    if (!status_.ok()) return status_;
    std::vector<std::optional<ports::HeldTask>> held;
    for (const ports::TaskRef& ref : refs) {
      std::optional<ports::HeldTask>& entry = held.emplace_back();
      const auto found = tables_.tasks.find({ref.user, ref.task_id});
      if (found == tables_.tasks.end()) continue;
      entry = {.task = found->second.task, .successor = {}};
      if (const auto& series = entry->task.series) {
        entry->successor = Find(ref.user, series->series_id, series->occurrence + 1);
      }
    }
    return held;
  }

  absl::StatusOr<std::set<TaskId>> Existing(const std::vector<TaskId>& ids) override {
    if (!status_.ok()) return status_;
    const std::set<TaskId> wanted(ids.begin(), ids.end());
    std::set<TaskId> existing;
    for (const auto& [key, row] : tables_.tasks) {
      if (wanted.count(key.second) != 0) existing.insert(key.second);
    }
    return existing;
  }

  absl::StatusOr<std::optional<ports::Successor>> FindOccurrence(const domain::UserId& user,
                                                                 const domain::Uuid& series_id,
                                                                 std::int64_t occurrence) override {
    if (!status_.ok()) return status_;
    return Find(user, series_id, occurrence);
  }

  absl::StatusOr<bool> AdvanceForeignTask(const domain::UserId& user, const domain::Uuid& series_id,
                                          std::int64_t version, domain::Instant at) override {
    if (!status_.ok()) return status_;
    const auto [known, is_new] = tables_.foreign_tasks.try_emplace(
        {user, series_id}, FakeDatabase::ForeignTask{version, at});
    if (is_new) return true;
    FakeDatabase::ForeignTask& newest = known->second;
    const bool by_version = version > 0 && newest.version > 0 && version != newest.version;
    if (by_version ? version < newest.version : at < newest.at) return false;
    newest = {version, at};
    return true;
  }

  absl::Status Write(const std::vector<ConsumerChange>& changes) override {
    if (!status_.ok()) return status_;
    for (const ConsumerChange& change : changes) {
      const bool creates = change.kind == ConsumerChange::Kind::kCreateSuccessor;
      const bool removes = change.kind == ConsumerChange::Kind::kRemoveSuccessor;
      const auto patch = [&change, removes](Task& task) {
        task.deleted = removes;
        if (removes) return;
        task.completed = false;
        task.completed_at.reset();
        task.fields = change.fields;
        task.series = change.series;
      };
      const auto [outcome, task] = FakeDatabase::ApplyChange(
          tables_, {.user = change.user,
                    .request = {},
                    .kind = removes ? domain::ChangeKind::kDeleted : domain::ChangeKind::kCreated,
                    .task_id = creates ? std::nullopt : std::optional(change.task_id),
                    .expected_version = {},
                    .patch = patch,
                    .event_id = change.event_id,
                    .now = change.now,
                    .traceparent = change.traceparent});
      switch (outcome) {
        case Outcome::kChanged: shards_.insert(FakeDatabase::ShardOf(change.user)); break;
        case Outcome::kUnchanged: break;
        case Outcome::kOccurrenceExists:
          return status_ = absl::AlreadyExistsError("fake store: exists already");
        default: return status_ = absl::NotFoundError("fake store: there is no such task");
      }
    }
    return absl::OkStatus();
  }

  absl::Status Remind(const std::vector<ports::ReminderNotice>& notices) override {
    if (!status_.ok()) return status_;
    for (const ports::ReminderNotice& notice : notices) {
      FakeDatabase::Remind(tables_, notice);
      shards_.insert(FakeDatabase::ShardOf(notice.user));
      delivers_ = delivers_ || notice.webhook || notice.email || notice.push;
    }
    return absl::OkStatus();
  }

  absl::Status EnqueueTaskWebhooks(const std::vector<ports::TaskWebhook>& webhooks) override {
    if (!status_.ok()) return status_;
    for (const ports::TaskWebhook& webhook : webhooks)
      FakeDatabase::EnqueueTaskWebhook(tables_, webhook);
    delivers_ = delivers_ || !webhooks.empty();
    return absl::OkStatus();
  }

  const absl::Status& status() const { return status_; }
  const std::set<int>& shards() const { return shards_; }
  bool delivers() const { return delivers_; }

 private:
  std::optional<ports::Successor> Find(const domain::UserId& user, const domain::Uuid& series_id,
                                       std::int64_t occurrence) const {
    for (const auto& [key, row] : tables_.tasks) {
      if (key.first == user && row.task.series && row.task.series->series_id == series_id &&
          row.task.series->occurrence == occurrence) {
        return ports::Successor{.task = row.task, .untouched = row.untouched()};
      }
    }
    return std::nullopt;
  }

  FakeDatabase::Tables& tables_;
  absl::Status status_;  // the first failure; after it nothing can be committed
  std::set<int> shards_;
  bool delivers_ = false;
};

}  // namespace

absl::Status FakeEventInbox::Transact(
    const std::function<absl::Status(ports::InboxTransaction&)>& work) {
  std::set<int> shards;
  bool delivers = false;
  const absl::Status status = database_.Write([&](FakeDatabase::Tables& tables) -> absl::Status {
    Transaction transaction(tables);
    TODO_RETURN_IF_ERROR(work(transaction));
    TODO_RETURN_IF_ERROR(transaction.status());
    shards = transaction.shards();
    delivers = transaction.delivers();
    return absl::OkStatus();
  });
  if (on_change_) {
    for (const int shard : shards) on_change_(shard);
  }
  if (delivers && on_delivery_) on_delivery_();
  TODO_RETURN_IF_ERROR(status);
  return database_.AnswerOrLose();
}

}  // namespace todo::support
