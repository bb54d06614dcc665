#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <variant>

#include "domain/ids.h"
#include "domain/task/task.h"
#include "domain/time.h"

// The values of the event contract (docs/events): changes that are published, events that come
// back.

namespace todo::domain {

enum class ChangeKind { kCreated, kUpdated, kCompleted, kUncompleted, kDeleted };

std::string_view ToString(ChangeKind kind);  // "created", …
std::optional<ChangeKind> ParseChangeKind(std::string_view text);

/// One committed change of one task: a row of the change log.
struct Change {
  UserId user;
  std::int64_t seq = 0;
  EventId event_id;
  ChangeKind kind = ChangeKind::kCreated;
  TaskId task_id;
  std::int64_t version = 0;
  std::string task_json;  // the contract's `task_data`, byte for byte as committed
  Instant at;
  std::string traceparent;  // W3C; empty: the request had none
  /// Of the call that made the change; nullopt: a consumer made it.
  std::optional<RequestId> request_id = {};
};

/// What a reader of the change log knows: the user's changes up to `seq`. The event id tells
/// whether it is still the same log: in a database that was set back, another change gets the
/// number. {0, nil}: nothing yet.
struct ChangeCursor {
  std::int64_t seq = 0;
  EventId event_id;
  auto operator<=>(const ChangeCursor&) const = default;
};
inline ChangeCursor CursorAt(const Change& change) { return {change.seq, change.event_id}; }

/// The fields that every event of the bus has, whatever it is about. A redelivery has the same
/// values.
struct EventHeader {
  EventId id;
  TaskId task_id;
  UserId user;              // the task's owner: of a TaskEvent `task_data.user_id`, if it has one
  Instant at;               // when it happened, by its producer's clock
  std::string source;       // CloudEvents attribute
  std::string traceparent;  // CloudEvents attribute; empty: the event had no valid one
  /// A hash of kind, task, owner, time and source: equal for all copies of one event, and as good
  /// as never for two events. 0: not known.
  std::int64_t identity = 0;
};

/// Whether `a` and `b`, which have one id, are known to be two events and not two copies of one.
inline bool AreDifferent(const EventHeader& a, const EventHeader& b) {
  return a.identity != 0 && b.identity != 0 && a.identity != b.identity;
}

/// A TaskEvent from the bus. Other programs may leave out `task_data` or parts of it.
struct TaskEvent : EventHeader {
  ChangeKind kind = ChangeKind::kCreated;
  /// The event's `task_data`; nullopt: it has none. Missing keys are at their defaults. Keys that
  /// the schema does not name count only where they are as todo-service writes them. Dates may lie
  /// outside [kMinInstant, kMaxInstant].
  std::optional<Task> task;
  UserId actor;  // the user who made the change: the event's `user_id`
};

/// A reminder from the bus. `at` is when the user is to be reminded.
struct ReminderEvent : EventHeader {
  std::string title;
  /// When the task is due; kNone: never, or the event does not say, or it says a time before
  /// kMinInstant.
  Due due;
};

using Event = std::variant<TaskEvent, ReminderEvent>;
/// The part that every event has.
const EventHeader& HeaderOf(const Event& event);

}  // namespace todo::domain
