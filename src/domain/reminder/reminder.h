#pragma once

#include <chrono>
#include <compare>
#include <optional>
#include <string>
#include <string_view>

#include "absl/status/statusor.h"
#include "absl/time/civil_time.h"
#include "domain/ids.h"
#include "domain/task/task.h"
#include "domain/time.h"

// Reminders of tasks and the rules they obey. Pure functions of reminder and task, so that planning
// gives the same whenever and wherever it is done.

namespace todo::domain {

inline constexpr int kMaxRemindersPerTask = 20;
/// The longest time before a due date.
inline constexpr std::chrono::days kMaxReminderOffset{366};
/// A reminder that fires later than this says that it is late.
inline constexpr std::chrono::seconds kReminderIsLateAfter{60};

/// A length of time as ISO 8601 writes it: "P1D", "PT1H30M", "P1DT2H", "P2W". Days are those of the
/// calendar, the rest is time that passes.
struct Period {
  std::chrono::days days{0};
  std::chrono::seconds time{0};

  bool operator==(const Period&) const = default;
};
/// kInvalidArgument, with what to write instead: not of this form, or longer than
/// kMaxReminderOffset.
absl::StatusOr<Period> ParsePeriod(std::string_view text);
/// The shortest text with days, hours, minutes and seconds.
std::string FormatPeriod(const Period& period);

/// When to remind, as the user said it: exactly one of the first three is set.
struct ReminderTime {
  std::optional<Instant> at;
  /// A wall-clock time in the task's zone: what an absolute reminder becomes in the next
  /// occurrence. With a due date of kind kInstant it becomes `at` again when the zone changes, for
  /// such a task stays where it is.
  std::optional<absl::CivilSecond> at_local;
  std::optional<Period> before;  // the due date
  /// With `before` in whole days: the wall-clock time of that day in the task's zone.
  std::optional<std::chrono::seconds> time_of_day;

  bool operator==(const ReminderTime&) const = default;
};

/// The instant that `time` comes to for a task of these fields, wall-clock times as
/// TimeZone::ToInstant reads them. nullopt: none, for want of a due date, a known zone, or because
/// it lies outside the years that we keep.
std::optional<Instant> ResolveReminder(const ReminderTime& time, const TaskFields& fields);

/// The instant `period` after `from`: so many days of the calendar in the zone, and then time that
/// passes. Where the zone is not known here, a day has 24 hours.
Instant After(Instant from, const Period& period, std::string_view time_zone);

/// Names one reminder.
struct ReminderId {
  UserId user;
  TaskId task_id;
  int number = 0;  // counts a task's reminders from 1
  auto operator<=>(const ReminderId&) const = default;
};

enum class ReminderState {
  kPending,    // will fire at `remind_at`
  kFired,      // has
  kCancelled,  // its task is done, deleted or without a due date, or its time has passed unused
  kDeleted,    // by the user; kept until its job is gone
};
std::string_view ToString(ReminderState state);  // "pending", …
std::optional<ReminderState> ParseReminderState(std::string_view text);

struct Reminder {
  ReminderId id;
  ReminderTime time;
  std::optional<Instant> planned_at;  // what `time` came to when last planned
  std::optional<Instant> remind_at;   // the same, or where snoozing has moved it
  ReminderState state = ReminderState::kPending;
  std::optional<Instant> fired_at;
  /// The first change of the task that this has not been planned for.
  std::optional<Instant> unplanned_since;
  Instant created_at;

  bool operator==(const Reminder&) const = default;
};

/// Brings `reminder` in line with its task as it is now: moves it when what `time` comes to has
/// moved, cancels it when the task is done, deleted or has no due date, and brings it back when its
/// time was still ahead at `unplanned_since`. A snooze lasts until the reminder moves. Does nothing
/// for a reminder that is planned.
void Plan(Reminder& reminder, const Task& task);

/// Whether `reminder` (which is planned) is to fire at `now`.
bool IsDue(const Reminder& reminder, Instant now);

/// The job that wakes us for a reminder: "reminder-task-7" for the first of task 7,
/// "reminder-task-7-2" for the second.
std::string ReminderJobName(TaskId task_id, int number);
/// The task and number in a job's name; nullopt: it is no such name.
struct ReminderJobTarget {
  TaskId task_id;
  int number = 0;
  bool operator==(const ReminderJobTarget&) const = default;
};
std::optional<ReminderJobTarget> ParseReminderJobName(std::string_view name);
/// What the job carries: the contract's JSON.
std::string ReminderJobData(const Reminder& reminder);

/// The CloudEvent for `reminders`: `reminder` of `task` fires at `now`.
std::string ReminderEventRecord(const Reminder& reminder, const Task& task, const EventId& event_id,
                                Instant now);

}  // namespace todo::domain
