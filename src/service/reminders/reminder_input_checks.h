#pragma once

#include <optional>
#include <vector>

#include "domain/reminder/reminder.h"
#include "domain/time.h"
#include "service/reminders/reminder_input.h"
#include "util/status.h"

// Checks of input that need no task. Each function appends a violation for everything that is
// wrong. Pure functions; inside `reminders` only.

namespace todo::service {

using Violations = std::vector<util::FieldViolation>;

/// The next whole second: a reminder never fires early.
domain::Instant WholeSecond(domain::Instant at);
/// The time that the input names.
domain::ReminderTime TimeOf(const ReminderInput& input, Violations& violations);
/// The duration of a snooze; nullopt: it is given as a point in time, or wrong.
std::optional<domain::Period> DurationOf(const SnoozeInput& input, Violations& violations);

}  // namespace todo::service
