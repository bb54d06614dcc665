#include "support/fake_event_inbox.h"

#include "support/fake_notification_writer.h"
#include "support/fake_recurrence_writer.h"
#include "support/fake_unit_of_work.h"
#include "support/fake_usage_writer.h"
#include "util/status.h"

namespace todo::support {
namespace {

class Transaction final : public ports::InboxTransaction {
 public:
  explicit Transaction(FakeUnitOfWork& unit)
      : unit_(unit), recurrence_(unit), notifications_(unit), usage_(unit) {}

  absl::StatusOr<ports::Claimed> Claim(
      std::string_view consumer,
      const std::vector<domain::ReceivedEvent>& received_events) override {
    if (!unit_.status.ok()) return unit_.status;
    ports::Claimed claimed;
    for (const domain::ReceivedEvent& received : received_events) {
      const domain::EventHeader& event = received.event;
      if (FakeDatabase::IsReused(unit_.tables, consumer, event)) claimed.reused.insert(event.id);
      if (!FakeDatabase::Take(unit_.tables, consumer, event.id, event.at, event.identity)) continue;
      if (FakeDatabase::HasQueue(unit_.tables, consumer, received.event.user,
                                 received.event.task_id)) {
        FakeDatabase::Enqueue(unit_.tables, consumer, received, {});
      } else {
        claimed.fresh.insert(received.event.id);
      }
    }
    return claimed;
  }

  absl::StatusOr<bool> TakeUp(const ports::RetryEntry& entry) override {
    if (!unit_.status.ok()) return unit_.status;
    const auto found = unit_.tables.retries.find({entry.consumer, entry.event_id});
    return found != unit_.tables.retries.end() && found->second.entry.attempts == entry.attempts &&
           found->second.entry.due_at < domain::kMaxInstant;
  }

  absl::Status LeaveQueue(const ports::RetryEntry& entry, domain::Instant now) override {
    if (!unit_.status.ok()) return unit_.status;
    FakeDatabase::LeaveQueue(unit_.tables, entry.consumer, entry.event_id, now);
    return absl::OkStatus();
  }

  ports::RecurrenceWriter& recurrence() override { return recurrence_; }
  ports::NotificationWriter& notifications() override { return notifications_; }
  ports::UsageWriter& usage() override { return usage_; }

 private:
  FakeUnitOfWork& unit_;
  FakeRecurrenceWriter recurrence_;
  FakeNotificationWriter notifications_;
  FakeUsageWriter usage_;
};

}  // namespace

absl::Status FakeEventInbox::Transact(
    const std::function<absl::Status(ports::InboxTransaction&)>& work) {
  std::set<int> shards;
  bool delivers = false;
  const absl::Status status = database_.Write([&](FakeDatabase::Tables& tables) -> absl::Status {
    FakeUnitOfWork unit{.tables = tables};
    Transaction transaction(unit);
    TODO_RETURN_IF_ERROR(work(transaction));
    TODO_RETURN_IF_ERROR(unit.status);
    shards = unit.shards;
    delivers = unit.delivers;
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
