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
// gives an equal result at any time, in any process.

namespace todo::domain {

inline constexpr int kMaxRemindersPerTask = 20;
/// The longest time before a due date.
inline constexpr std::chrono::days kMaxReminderOffset{366};
/// The event of a reminder that fires later than this after its time says "late".
inline constexpr std::chrono::seconds kReminderIsLateAfter{60};

/// An ISO 8601 duration: "P1D", "PT1H30M", "P1DT2H", "P2W". Its days are days of the calendar (23
/// to 25 hours long), its hours, minutes and seconds are elapsed time.
struct Period {
  std::chrono::days days{0};
  std::chrono::seconds time{0};

  bool operator==(const Period&) const = default;
};
/// kInvalidArgument, with a text for people: the text has another form, or the period is longer
/// than kMaxReminderOffset.
absl::StatusOr<Period> ParsePeriod(std::string_view text);
/// The shortest text with days, hours, minutes and seconds.
std::string FormatPeriod(const Period& period);

/// The time of a reminder as the user gave it: exactly one of the first three members is set.
struct ReminderTime {
  std::optional<Instant> at;
  /// A wall-clock time in the task's zone. An absolute reminder gets it in the next occurrence.
  /// When the zone of a task with a due date of kind kInstant changes, it becomes `at` again,
  /// because such a task keeps its instant.
  std::optional<absl::CivilSecond> at_local;
  std::optional<Period> before;  // how long before the due date
  /// Only with `before` in whole days: the wall-clock time on that day, in the task's zone.
  std::optional<std::chrono::seconds> time_of_day;

  bool operator==(const ReminderTime&) const = default;
};

/// The instant of `time` for a task with these fields; TimeZone::ToInstant resolves wall-clock
/// times. nullopt: the task has no due date, its zone is not known here, or the instant is outside
/// [kMinInstant, kMaxInstant].
std::optional<Instant> ResolveReminder(const ReminderTime& time, const TaskFields& fields);

/// The instant `period` after `from`: first the days, by the calendar of the zone, then the elapsed
/// time. A day has 24 hours if the zone is not known here.
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
  kFired,      // has fired
  kCancelled,  // its task is completed, deleted or without a due date, or its time was missed
  kDeleted,    // by the user; the row stays until its job is deleted
};
std::string_view ToString(ReminderState state);  // "pending", …
std::optional<ReminderState> ParseReminderState(std::string_view text);

struct Reminder {
  ReminderId id;
  ReminderTime time;
  std::optional<Instant> planned_at;  // the instant of `time` when the reminder was last planned
  std::optional<Instant> remind_at;   // planned_at, or the time to which it was snoozed
  ReminderState state = ReminderState::kPending;
  std::optional<Instant> fired_at;
  /// When the task changed first since the reminder was planned; nullopt: it has not changed.
  std::optional<Instant> unplanned_since;
  Instant created_at;

  bool operator==(const Reminder&) const = default;
};

/// Plans `reminder` for its task as it is now: moves it when the instant of `time` has changed,
/// cancels it when the task is completed, deleted or has no due date, and makes it pending again
/// when its time was still ahead at `unplanned_since`. A snooze lasts until the reminder moves.
/// Does nothing for a reminder that is planned already.
void Plan(Reminder& reminder, const Task& task);

/// Whether `reminder` is to fire at `now`. Precondition: it is planned.
bool IsDue(const Reminder& reminder, Instant now);

/// The name of a reminder's job: "reminder-task-7" for the first reminder of task 7,
/// "reminder-task-7-2" for the second.
std::string ReminderJobName(TaskId task_id, int number);
/// The task and the number of the reminder in a job's name.
struct ReminderJobTarget {
  TaskId task_id;
  int number = 0;
  bool operator==(const ReminderJobTarget&) const = default;
};
/// nullopt: it is not the name of a reminder's job.
std::optional<ReminderJobTarget> ParseReminderJobName(std::string_view name);
/// The data of the job: the contract's JSON.
std::string ReminderJobData(const Reminder& reminder);

/// The CloudEvent for `reminders`: `reminder` of `task` fires at `now`.
std::string ReminderEventRecord(const Reminder& reminder, const Task& task, const EventId& event_id,
                                Instant now);

}  // namespace todo::domain
