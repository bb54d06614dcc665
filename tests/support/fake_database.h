#pragma once

#include <chrono>
#include <compare>
#include <cstdint>
#include <functional>
#include <map>
#include <mutex>
#include <optional>
#include <set>
#include <string>
#include <tuple>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "domain/event/dead_letter.h"
#include "domain/event/event.h"
#include "domain/event/received_event.h"
#include "domain/ids.h"
#include "domain/reminder/reminder.h"
#include "domain/task/task.h"
#include "ports/event_inbox.h"
#include "ports/notification_store.h"
#include "ports/outbox_log.h"
#include "ports/retry_queue.h"
#include "ports/usage_store.h"
#include "ports/usage_writer.h"
#include "util/guarded.h"

namespace todo::support {

/// The tables that the fakes of the store share, in memory. Make one, and on it a FakeTaskStore, a
/// FakeEventInbox and FakeOutboxLogs; it must outlive them. Thread safety: may be used from many
/// threads at once.
class FakeDatabase {
 public:
  static constexpr int kShards = 16;
  using SteadyClock = std::function<std::chrono::steady_clock::time_point()>;

  /// `clock` is the clock of the leases.
  explicit FakeDatabase(SteadyClock clock = std::chrono::steady_clock::now);

  /// Every call of every fake answers `status` and does nothing, until this is called with OK.
  void FailWith(absl::Status status);
  /// The next call that writes (Apply, Transact) does so, but answers kUnknown: the answer was lost
  /// on its way.
  void LoseNextAnswer();

  static int ShardOf(const domain::UserId& user);

  // From here on for the fakes.

  struct User {
    std::int64_t seq = 0;
  };
  struct TaskRow {
    domain::Task task;
    std::optional<std::int64_t> consumer_version;
    bool operator==(const TaskRow&) const = default;
    bool untouched() const { return task.version == consumer_version; }
  };
  struct ChangeRow {
    std::int64_t id = 0;
    domain::Change change;
  };
  struct Answer {
    domain::Task task;
    bool changed = false;
    std::vector<int> reminder_numbers = {};
  };
  struct Request {
    std::string fingerprint;
    std::vector<Answer> answers;  // one for each change of the call
  };
  struct ForeignTask {
    std::int64_t version = 0;
    domain::Instant at;
  };
  struct ShardRow {
    std::string owner;
    std::int64_t epoch = 0;
    std::chrono::steady_clock::time_point lease_until =
        std::chrono::steady_clock::time_point::min();
    ports::OutboxCursor cursor;
  };
  struct MessageRow {
    std::int64_t id = 0;
    ports::OutboxMessage message;
  };
  struct Missing {
    domain::Change change;
    domain::Instant due_at;
    int repeats = 0;
    bool lost = false;
  };
  struct Audit {
    std::map<int, std::int64_t> positions;    // up to which each shard was looked at
    std::map<std::int64_t, Missing> missing;  // by id of the change
    std::optional<domain::Instant> late_take;
  };
  struct Retry {
    std::int64_t order = 0;
    domain::UserId user;
    domain::TaskId task_id;
    ports::RetryEntry entry;  // due at kMaxInstant: not the first of its queue
  };
  struct ReminderRow {
    domain::Reminder reminder;
    bool copied = false;  // from the occurrence before
    std::optional<domain::Instant> job_at;
    std::optional<domain::Instant> job_written_at;
    domain::Instant job_claimed_until = domain::kMinInstant;

    std::optional<domain::Instant> wanted_job() const {
      return reminder.state == domain::ReminderState::kPending ? reminder.remind_at : std::nullopt;
    }
  };
  struct ReminderRequest {
    std::string fingerprint;
    domain::Reminder answer;
  };
  struct EndpointRequest {
    std::string fingerprint;
    domain::Instant at;
  };
  struct ZoneRow {
    std::string time_zone = "UTC";
    domain::Instant changed_at = domain::Instant::min();
    domain::Instant announced_at = domain::Instant::min();
  };
  struct NotificationRow {
    ports::Notification notification;
    bool shown = true;
  };
  struct EndpointRow {
    ports::WebhookEndpoint endpoint;
    std::string fingerprint;
    std::set<domain::Uuid> rotations;
  };
  struct LaneKey {
    domain::UserId user;
    domain::Channel channel = domain::Channel::kWebhook;
    domain::Uuid endpoint;
    auto operator<=>(const LaneKey&) const = default;
  };
  struct LaneRow {
    std::string host;
    ports::Pace pace = ports::Pace::kNew;
    domain::Instant due_at = domain::kMaxInstant;  // the end of time: nothing waits
    domain::Instant paused_until = domain::kMinInstant;
    domain::Instant lease_until = domain::kMinInstant;
    std::int64_t epoch = 0;
  };
  struct DeliveryRow {
    LaneKey lane;
    ports::LoggedDelivery logged;
    std::string body;
    bool grouped = false;
    int failures = 0;
    domain::Instant due_at;
    domain::Instant queued_at;
    std::string traceparent;
  };
  /// A counted event.
  struct UsageRow {
    ports::UsageEvent event;
    bool own = false;  // of the change log
    bool born = false;
    std::optional<domain::Uuid> series_id = {};
  };
  struct UsageTables {
    std::vector<UsageRow> rows;
    std::set<std::pair<domain::UserId, std::int64_t>> counted;          // seq of own events
    std::set<std::pair<domain::UserId, std::int64_t>> passed_over;      // too old, or dead letters
    std::map<std::pair<domain::UserId, bool>, std::int64_t> uncounted;  // own or not
    ports::UsageRebuild rebuild;
  };
  struct Tables {
    std::map<domain::ReminderId, ReminderRow> reminders;
    std::map<std::pair<domain::UserId, domain::RequestId>, ReminderRequest> reminder_requests;
    std::map<std::pair<domain::UserId, domain::RequestId>, EndpointRequest> endpoint_requests;
    std::map<std::pair<domain::UserId, domain::EventId>, NotificationRow> notifications;
    std::map<std::pair<domain::UserId, domain::Uuid>, EndpointRow> endpoints;
    std::map<std::pair<domain::UserId, domain::Uuid>, ports::PushSubscription> subscriptions;
    std::map<domain::UserId, std::string> mail_addresses;
    std::map<domain::UserId, ZoneRow> preferred_zones;
    std::map<LaneKey, LaneRow> lanes;
    std::map<domain::Uuid, DeliveryRow> deliveries;
    std::uint32_t next_delivery = 1;
    std::map<std::pair<std::string, domain::EventId>, Retry> retries;  // consumer, event
    std::vector<domain::DeadLetter> dead_letters;
    std::map<std::pair<std::string, domain::EventId>, int> crashes;
    struct InHand {
      std::string consumer;
      std::vector<domain::EventHeader> events;
    };
    std::map<std::pair<std::string, int>, InHand> processing;  // by instance and slot
    std::set<std::string> connected;                           // instances
    std::int64_t next_retry = 1;
    std::map<domain::UserId, User> users;
    std::map<std::pair<domain::UserId, domain::TaskId>, TaskRow> tasks;
    std::vector<ChangeRow> changes;
    std::vector<MessageRow> messages;
    std::map<std::string, Audit, std::less<>> audits;  // by consumer
    std::string audit_owner;
    std::chrono::steady_clock::time_point audit_until =
        std::chrono::steady_clock::time_point::min();
    std::map<std::pair<domain::UserId, domain::RequestId>, Request> requests;
    /// The identity of each claimed event, by consumer, day and event id.
    std::map<std::tuple<std::string, std::string, domain::EventId>, std::int64_t> inbox;
    std::map<std::pair<domain::UserId, domain::Uuid>, ForeignTask> foreign_tasks;
    std::map<int, ShardRow> shards;
    std::map<std::string, std::chrono::steady_clock::time_point> replicas;
    UsageTables usage;
    std::int64_t next_task_id = 1;
    std::int64_t next_change_id = 1;
    std::int64_t next_message_id = 1;
  };

  /// Claims the event for the consumer; false: it was taken.
  static bool Take(Tables& tables, std::string_view consumer, const domain::EventId& id,
                   domain::Instant at, std::int64_t identity = 0);
  /// Whether another event is known to have been claimed under the event's id and day.
  static bool IsReused(const Tables& tables, std::string_view consumer,
                       const domain::EventHeader& event);
  static bool IsTaken(const Tables& tables, std::string_view consumer,
                      const domain::Change& change);
  static bool HasQueue(const Tables& tables, std::string_view consumer, const domain::UserId& user,
                       domain::TaskId task_id);
  /// Puts an event at the end of its task's queue. `entry` counts only for the first event there.
  static void Enqueue(Tables& tables, std::string_view consumer,
                      const domain::ReceivedEvent& received, ports::RetryEntry entry);
  static void LeaveQueue(Tables& tables, const std::string& consumer, const domain::EventId& id,
                         domain::Instant now);

  // The following do what the database functions with these names do.
  /// Puts the message into the outbox.
  static void Post(Tables& tables, ports::OutboxMessage message);
  static void Remind(Tables& tables, const ports::ReminderNotice& notice);
  static void EnqueueTaskWebhook(Tables& tables, const ports::TaskWebhook& webhook);
  static void StopLane(Tables& tables, const LaneKey& lane, const std::string& reason,
                       domain::Instant now);
  static void RemoveLane(Tables& tables, const LaneKey& lane);
  static void ReleaseLane(Tables& tables, const LaneKey& lane, domain::Instant now);

  /// The arguments of apply_change, the database function.
  struct ChangeCall {
    domain::UserId user;
    std::optional<std::pair<domain::RequestId, std::string>>
        request;  // id, fingerprint; nullopt: the service
    domain::ChangeKind kind = domain::ChangeKind::kCreated;
    std::optional<domain::TaskId> task_id;  // nullopt: a new task
    std::optional<std::int64_t> expected_version;
    std::function<void(domain::Task&)> patch;
    domain::EventId event_id;
    domain::Instant now;
    std::string traceparent;
    /// The user's call that the change is a part of, when the call has the request and not the
    /// change.
    std::optional<domain::RequestId> part_of = {};
    std::optional<std::int64_t> open_limit = {};  // open tasks that the user may have
  };
  enum class Outcome {
    kChanged,
    kUnchanged,
    kRepeated,
    kNotFound,
    kStale,
    kRequestReused,
    kOccurrenceExists,
    kSeriesChanged,
    kTooManyOpen,
    kNoSuchReminder,
    kTooManyReminders
  };
  static std::pair<Outcome, domain::Task> ApplyChange(Tables& tables, const ChangeCall& call);

  /// The status to answer with instead of working.
  absl::Status failure();
  /// Runs `work` on a copy of the tables, which takes their place when it answers OK. Writers take
  /// turns; `work` may read through the fakes, but not write through them.
  absl::Status Write(const std::function<absl::Status(Tables&)>& work);
  util::Guarded<Tables>::Handle Read() { return tables_.Lock(); }
  /// After a Write: kUnknown when LoseNextAnswer was called.
  absl::Status AnswerOrLose();
  std::chrono::steady_clock::time_point Now() const { return clock_(); }

 private:
  struct Faults {
    absl::Status status;
    bool lose_next_answer = false;
  };
  const SteadyClock clock_;
  std::mutex writing_;
  util::Guarded<Tables> tables_;
  util::Guarded<Faults> faults_;
};

}  // namespace todo::support
