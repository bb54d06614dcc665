#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <variant>

#include "absl/status/statusor.h"
#include "domain/ids.h"
#include "domain/task/task.h"
#include "domain/time.h"

// The event contract: what goes over the bus and what we accept from it.

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
  std::string traceparent;  // W3C; empty when the request had none
};

/// What every event of the bus says, whatever it is about.
struct EventHeader {
  EventId id;
  TaskId task_id;
  UserId user;              // whose task it is: of a TaskEvent `task_data.user_id`, if it has one
  Instant at;               // the same on every delivery
  std::string source;       // CloudEvents attribute
  std::string traceparent;  // the same; empty when there was none that is valid
  /// The same for all copies of one event (kind, task, owner, time and source agree), hardly ever
  /// for two. 0: not known.
  std::int64_t identity = 0;
};

/// Whether two events under the same id are known to be no copies of each other.
inline bool AreDifferent(const EventHeader& a, const EventHeader& b) {
  return a.identity != 0 && b.identity != 0 && a.identity != b.identity;
}

/// A TaskEvent as it came from the bus. Producers other than us may leave out `task_data` or parts
/// of it.
struct TaskEvent : EventHeader {
  ChangeKind kind = ChangeKind::kCreated;
  /// What `task_data` said; absent when the event had none. Missing keys are at their defaults, and
  /// so are keys of others than us that the schema does not name and that we do not understand.
  /// Dates may lie outside [kMinInstant, kMaxInstant].
  std::optional<Task> task;
  UserId actor;  // who did it: the event's `user_id`
};

/// A reminder that is due, as it came from the bus. `at` is when the user is to be reminded.
struct ReminderEvent : EventHeader {
  std::string title;
  /// When the task is due; kNone: it is not, the event does not say, or it says a time before
  /// kMinInstant.
  Due due;
};

using Event = std::variant<TaskEvent, ReminderEvent>;
const EventHeader& HeaderOf(const Event& event);

inline constexpr std::string_view kEventSource = "todo-service";

/// The CloudEvent (structured mode, JSON) that carries `change` on `task-events`.
std::string TaskEventRecord(const Change& change);
/// The CloudEvent that carries `change` on `task-updates`.
std::string TaskUpdateRecord(const Change& change);

/// The id of the copy on `task-updates`: derived from the event's, so that it too is the same on
/// every repeat.
EventId UpdateIdOf(const EventId& event_id);

/// Reads one record of `task-events`: a CloudEvent in structured mode whose data is a TaskEvent.
/// kInvalidArgument says what breaks the contract, in words for the person who reads the dead
/// letter. Bounded: refuses records over 1 MiB and nesting over 64 levels. docs/events lists all
/// that is refused.
absl::StatusOr<TaskEvent> ParseTaskEventRecord(std::string_view record);

/// The same for `reminders`. Producers other than us may leave out the event's `id`: then the
/// CloudEvent's counts, and if that is no UUID, one derived from it and its source.
absl::StatusOr<ReminderEvent> ParseReminderEventRecord(std::string_view record);

/// Whether `json` nests deeper than any event does: such text is not parsed at all.
bool NestsTooDeep(std::string_view json);

/// A task from the contract's `task_data` as todo-service itself writes it. Unknown keys are
/// ignored, missing ones keep their defaults. kInvalidArgument when a key has a type or value that
/// we do not write.
absl::StatusOr<Task> ParseTaskJson(std::string_view json);
/// The contract's `task_data` of `task`, compact, keys in the contract's order.
std::string FormatTaskJson(const Task& task);
/// Its key `following`: an object of what is set, or null when nothing is.
std::string FormatFollowing(const FollowingFields& following);

}  // namespace todo::domain
