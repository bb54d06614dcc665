#pragma once

#include <functional>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "domain/event/event.h"
#include "domain/event/received_event.h"
#include "domain/notification/messages.h"
#include "domain/task/task.h"
#include "ports/retry_queue.h"

namespace todo::ports {

/// The next occurrence of a task, made by the consumer.
struct Successor {
  domain::Task task;       // tombstones included
  bool untouched = false;  // nobody but the consumer has changed it
};

/// A task that a consumer's event speaks of, as the database holds it now.
struct HeldTask {
  domain::Task task;                   // tombstones included
  std::optional<Successor> successor;  // if one was ever made
};

/// Names a task of a user.
struct TaskRef {
  domain::UserId user;
  domain::TaskId task_id;
  auto operator<=>(const TaskRef&) const = default;
};

/// What a consumer writes: always in the name of the service, never of a request.
struct ConsumerChange {
  enum class Kind { kCreateSuccessor, kRemoveSuccessor, kReviveSuccessor };
  Kind kind = Kind::kCreateSuccessor;
  domain::UserId user;
  domain::TaskId task_id;         // kRemove, kRevive: the successor
  domain::TaskFields fields;      // kCreate, kRevive
  domain::SeriesPosition series;  // kCreate, kRevive
  domain::EventId event_id;       // of the change that this makes
  domain::Instant now;
  std::string traceparent;
};

/// A reminder for its user, and the ways on which it goes out.
struct ReminderNotice {
  domain::UserId user;
  domain::DueReminder reminder;
  domain::Instant now;
  bool in_app = true;  // shown in the list, and announced on `topic`
  bool webhook = true;
  bool email = true;
  bool push = true;
  std::string webhook_body;
  domain::Instant disturb_at;  // when e-mail and push are due
  bool grouped = false;        // e-mail and push may go out together with others
  std::string topic;
  domain::Uuid update_id;
  std::string update;  // the CloudEvent for `topic`
};

/// A task event for the webhook endpoints that want them.
struct TaskWebhook {
  domain::UserId user;
  domain::EventId event_id;
  std::string kind;  // "task.completed"
  std::string body;
  domain::Instant now;
};

/// What became of events that a consumer wanted to claim.
struct Claimed {
  std::set<domain::EventId> fresh;  // to apply now
  /// Known already, but as another event: a producer has used an id twice within a day, and the
  /// second event has no effect. Not noticed of every one: only where both identities are known.
  std::set<domain::EventId> reused;
};

/// One transaction of a consumer: claim the events, look, write. Commits when the function given to
/// EventInbox::Transact answers OK, leaves no trace otherwise.
/// Thread safety: used by the thread that runs the function, and only during it.
class InboxTransaction {
 public:
  virtual ~InboxTransaction() = default;

  /// Marks the events of `received_events` as taken by `consumer`. Fresh are those that nobody had
  /// taken before, the same event twice in one call only once. An event whose task has others
  /// waiting in the consumer's retry queue is put behind them instead and is not fresh.
  ///
  /// An event is known by its id and the UTC day of its time, which is the same on every delivery.
  /// What somebody sends once more under the same id with the time of another day is another event,
  /// unless the first one still waits.
  virtual absl::StatusOr<Claimed> Claim(
      std::string_view consumer, const std::vector<domain::ReceivedEvent>& received_events) = 0;

  /// Takes up an event of the retry queue, locking its task's queue. False: somebody else is at it,
  /// or has been.
  virtual absl::StatusOr<bool> TakeUp(const RetryEntry& entry) = 0;

  /// The event taken up is done: it leaves the queue, and the next of its task is due at `now`.
  virtual absl::Status LeaveQueue(const RetryEntry& entry, domain::Instant now) = 0;

  /// Locks the users of `refs` (in sorted order) until the end of the transaction, then reads their
  /// tasks: one entry for each ref, nullopt where the user holds no such task.
  virtual absl::StatusOr<std::vector<std::optional<HeldTask>>> LockAndLoad(
      const std::vector<TaskRef>& refs) = 0;

  /// Of `ids`, those that are tasks of any user. An event about somebody else's task must have no
  /// effect.
  virtual absl::StatusOr<std::set<domain::TaskId>> Existing(
      const std::vector<domain::TaskId>& ids) = 0;

  /// The task that is occurrence `occurrence` of the series, tombstones included. The user must be
  /// locked.
  virtual absl::StatusOr<std::optional<Successor>> FindOccurrence(const domain::UserId& user,
                                                                  const domain::Uuid& series_id,
                                                                  std::int64_t occurrence) = 0;

  /// Records what a foreign producer said of its task and answers whether that is news: false when
  /// something newer (by version, else by time) is already known. The user must be locked.
  virtual absl::StatusOr<bool> AdvanceForeignTask(const domain::UserId& user,
                                                  const domain::Uuid& series_id,
                                                  std::int64_t version, domain::Instant at) = 0;

  /// Writes the changes and their change-log rows. The users must be locked.
  /// kAlreadyExists: the series has that occurrence already.
  virtual absl::Status Write(const std::vector<ConsumerChange>& changes) = 0;

  /// Writes the notifications, their announcements, and one delivery for each target that their
  /// users have on the ways given. A notification that is there already is left as it is.
  virtual absl::Status Remind(const std::vector<ReminderNotice>& notices) = 0;

  /// Writes one delivery of each for each enabled endpoint of its user that wants task events.
  virtual absl::Status EnqueueTaskWebhooks(const std::vector<TaskWebhook>& webhooks) = 0;
};

/// Exactly-once effects: the inbox rows and the effects of a batch of events share one transaction.
/// Thread safety: Transact may be called from many threads at once; it blocks on the database.
class EventInbox {
 public:
  virtual ~EventInbox() = default;

  /// Runs `work` in a transaction. OK from `work`: committed, and the relay is woken. Anything
  /// else: rolled back and returned as it is. kAborted (deadlock, serialisation) means that the
  /// same call may succeed when repeated; kUnavailable, kResourceExhausted, kUnknown: the store
  /// could not do it now.
  virtual absl::Status Transact(const std::function<absl::Status(InboxTransaction&)>& work) = 0;
};

}  // namespace todo::ports
