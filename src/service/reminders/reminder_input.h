#pragma once

#include <optional>
#include <string>

#include "domain/time.h"

// Input of ReminderService, as callers give it, unchecked.

namespace todo::service {

/// The time of a reminder as a user gives it: `at` or `before`, not both.
struct ReminderInput {
  std::optional<domain::Instant> at;
  std::optional<std::string> before;       // before the due date: "PT1H", "P1D"
  std::optional<std::string> time_of_day;  // "09:00", only with a `before` in whole days
};

/// The new time of a reminder: `until` or `duration`, not both.
struct SnoozeInput {
  std::optional<domain::Instant> until;
  std::optional<std::string> duration;  // from now: "PT10M"; days are days of the task's time zone
};

}  // namespace todo::service
