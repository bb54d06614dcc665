#pragma once

#include <optional>
#include <string_view>
#include <variant>

#include "absl/status/statusor.h"
#include "domain/event/event.h"

namespace todo::domain {

/// A notification was added to the user's list.
struct NotificationUpdate {
  UserId user;
  Uuid notification_id;
  std::optional<TaskId> task_id;
  Instant at;
};

/// Something of the user changed that the record does not describe well enough: it lacks the event
/// id, as records of older versions do, or its kind is unknown.
struct OtherUpdate {
  UserId user;
};

/// A TaskUpdate from the bus. The change's task_json is on one line; the change of a deleted task
/// has none, and no version.
using TaskUpdate = std::variant<Change, NotificationUpdate, OtherUpdate>;

/// Reads one record of `task-updates`: a CloudEvent in structured mode whose data is a TaskUpdate.
/// kInvalidArgument and bounds: as ParseTaskEventRecord.
absl::StatusOr<TaskUpdate> ParseTaskUpdateRecord(std::string_view record);

}  // namespace todo::domain
