#pragma once

#include <string>

#include "absl/status/status.h"
#include "domain/ids.h"
#include "domain/reminder/reminder.h"
#include "util/status.h"

namespace todo::ports {

/// kNotFound with reason REMINDER_NOT_FOUND: the task has no reminder with this number.
inline absl::Status NoSuchReminder(domain::TaskId id, int number) {
  const std::string text =
      "task " + std::to_string(id.value) + " has no reminder " + std::to_string(number);
  return util::WithReason(util::MakeStatus(absl::StatusCode::kNotFound, text),
                          "REMINDER_NOT_FOUND");
}

/// kFailedPrecondition with reason TOO_MANY_REMINDERS: the task would have more than
/// domain::kMaxRemindersPerTask.
inline absl::Status TooManyReminders() {
  const std::string text = "a task can have " + std::to_string(domain::kMaxRemindersPerTask) +
                           " reminders: delete one first";
  return util::WithReason(util::MakeStatus(absl::StatusCode::kFailedPrecondition, text),
                          "TOO_MANY_REMINDERS");
}

}  // namespace todo::ports
