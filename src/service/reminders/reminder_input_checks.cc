#include "service/reminders/reminder_input_checks.h"

#include <fmt/format.h>

#include <chrono>
#include <string>
#include <string_view>

#include "domain/recurrence/recurring_task.h"

namespace todo::service {
namespace {

void Add(Violations& violations, std::string_view field, const absl::Status& status) {
  violations.push_back({std::string(field), std::string(util::FromAbsl(status.message()))});
}

/// Whether another occurrence would follow `task` if it were completed now.
bool GoesOn(const domain::Task& task, domain::Instant now) {
  if (!task.fields.recurrence_rule || !task.series) return false;
  const auto next = domain::NextOccurrenceOf(task, now);
  return next.ok() && next->has_value();
}

}  // namespace

domain::Instant WholeSecond(domain::Instant at) {
  return std::chrono::ceil<std::chrono::seconds>(at);
}

domain::ReminderTime TimeOf(const ReminderInput& input, Violations& violations) {
  domain::ReminderTime time;
  if (input.at.has_value() == input.before.has_value()) {
    violations.push_back(
        {"reminder.at", input.at
                            ? "is given together with reminder.before; give only one of the two"
                            : "is missing: give it, or reminder.before (how long before the due "
                              "date, such as PT1H)"});
  }
  if (input.at && (*input.at < domain::kMinInstant || *input.at > domain::kMaxInstant)) {
    violations.push_back({"reminder.at", "must lie in the years 1970 to 9999 (UTC)"});
  } else if (input.at) {
    time.at = WholeSecond(*input.at);
  }
  if (input.before) {
    absl::StatusOr<domain::Period> before = domain::ParsePeriod(*input.before);
    if (!before.ok()) Add(violations, "reminder.before", before.status());
    if (before.ok()) time.before = *before;
  }
  if (input.time_of_day) {
    const auto time_of_day = domain::ParseTimeOfDay(*input.time_of_day);
    if (!time_of_day.ok()) Add(violations, "reminder.time_of_day", time_of_day.status());
    if (time_of_day.ok()) time.time_of_day = *time_of_day;
    if (!input.before || (time.before && time.before->time.count() != 0)) {
      violations.push_back(
          {"reminder.time_of_day", "needs a reminder.before in whole days, such as P1D"});
    }
  }
  return time;
}

std::optional<domain::Period> DurationOf(const SnoozeInput& input, Violations& violations) {
  std::optional<domain::Period> duration;
  if (input.until.has_value() == input.duration.has_value()) {
    violations.push_back({"until", input.until
                                       ? "is given together with duration; give only one of the two"
                                       : "is missing: give it, or duration (how long from now)"});
  }
  if (input.duration) {
    const auto period = domain::ParsePeriod(*input.duration);
    if (!period.ok()) {
      Add(violations, "duration", period.status());
    } else if (*period == domain::Period()) {
      violations.push_back({"duration", "must be greater than zero"});
    } else {
      duration = *period;
    }
  }
  return duration;
}

absl::Status CheckTakesReminders(const domain::Task& task) {
  if (!task.completed) return absl::OkStatus();
  return util::WithReason(
      absl::FailedPreconditionError(
          "a completed task has no active reminders: uncomplete it first, or use its next "
          "occurrence"),
      "TASK_COMPLETED");
}

absl::StatusOr<domain::Reminder> NewReminder(const domain::Task& task,
                                             const domain::ReminderTime& time,
                                             domain::Instant now) {
  domain::Reminder reminder;
  reminder.id = {.user = task.user, .task_id = task.id};
  reminder.time = time;
  reminder.created_at = now;
  reminder.planned_at = reminder.remind_at = domain::ResolveReminder(time, task.fields);
  const char* const field = time.at ? "reminder.at" : "reminder.before";
  if (!reminder.remind_at)
    return util::InvalidFields({{field, "cannot be resolved: the task has no due date"}});
  if (*reminder.remind_at > now) return reminder;
  if (!time.before || !GoesOn(task, now)) {
    return util::InvalidFields({{field, fmt::format("resolves to {}, which has passed",
                                                    domain::FormatInstant(*reminder.remind_at))}});
  }
  // Too late for this occurrence; the next ones get copies.
  reminder.state = domain::ReminderState::kCancelled;
  return reminder;
}

}  // namespace todo::service
