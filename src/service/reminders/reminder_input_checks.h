#pragma once

#include <optional>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "domain/reminder/reminder.h"
#include "domain/task/task.h"
#include "domain/time.h"
#include "service/reminders/reminder_input.h"
#include "util/status.h"

// Checks of input. A function with `violations` appends one for everything that is wrong. Pure
// functions; inside `service` only.

namespace todo::service {

using Violations = std::vector<util::FieldViolation>;

/// The next whole second: a reminder never fires early.
domain::Instant WholeSecond(domain::Instant at);
/// The time that the input names.
domain::ReminderTime TimeOf(const ReminderInput& input, Violations& violations);
/// The duration of a snooze; nullopt: it is given as a point in time, or wrong.
std::optional<domain::Period> DurationOf(const SnoozeInput& input, Violations& violations);

/// kFailedPrecondition with reason TASK_COMPLETED: a completed task has no active reminders.
absl::Status CheckTakesReminders(const domain::Task& task);
/// A reminder of `task` at `time`, planned; its number is still to be given. It is kCancelled when
/// only the occurrences to come are reminded, because a time before the due date of this one has
/// passed. kInvalidArgument: the time has passed, or the task has no due date to count from.
absl::StatusOr<domain::Reminder> NewReminder(const domain::Task& task,
                                             const domain::ReminderTime& time, domain::Instant now);

}  // namespace todo::service
