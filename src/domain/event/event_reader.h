#pragma once

#include <string_view>

#include "absl/status/statusor.h"
#include "domain/event/event.h"
#include "domain/task/task.h"

// From the JSON of the event contract (docs/events) to values.

namespace todo::domain {

/// Reads one record of `task-events`: a CloudEvent in structured mode whose data is a TaskEvent.
/// kInvalidArgument says how the record breaks the contract, for the reader of the dead letter, and
/// quotes nothing of it. Bounded: records over 1 MiB and nesting over 64 levels are refused.
absl::StatusOr<TaskEvent> ParseTaskEventRecord(std::string_view record);

/// Reads one record of `reminders`, as ParseTaskEventRecord does. Other programs may leave out the
/// event's `id`: then the CloudEvent's id counts, and if that is no UUID, one derived from it and
/// its source.
absl::StatusOr<ReminderEvent> ParseReminderEventRecord(std::string_view record);

/// Reads the contract's `task_data` as todo-service writes it. Unknown keys are ignored, missing
/// keys keep their defaults. kInvalidArgument: a key has a type or value that todo-service never
/// writes.
absl::StatusOr<Task> ParseTaskJson(std::string_view json);

/// Reads what FormatFollowing writes; as ParseTaskJson.
absl::StatusOr<FollowingFields> ParseFollowing(std::string_view json);

/// Whether `json` nests deeper than any event does. Do not parse such text: parsing recurses.
bool NestsTooDeep(std::string_view json);

}  // namespace todo::domain
