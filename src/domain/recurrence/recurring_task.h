#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "domain/task/task.h"
#include "domain/time.h"

// How one occurrence of a series leads to the next. Pure functions of the task and the event, so
// that every replay, on every replica, gives an equal result.

namespace todo::domain {

/// The position of a task with `fields` from which its rule starts to count: occurrence
/// `occurrence` of the series. Preconditions: `fields` have a rule and a due date.
/// kInvalidArgument: the rule or the time zone is not understood. kOutOfRange: nothing follows the
/// due date.
absl::StatusOr<SeriesPosition> StartSeries(const TaskFields& fields, const Uuid& series_id,
                                           std::int64_t occurrence = 1);

/// Where a change of a task puts its series.
enum class SeriesPlace {
  kDue,       // the due date of the task is a date of the series
  kScheduled  // the dates of the series stay, as instants or as wall-clock times; a due date to
              // which the task was moved is for this occurrence alone
};

/// Whether the due date of `task` differs from its scheduled date, or is a day where the series has
/// times, or the other way round. Preconditions: `task` has a rule and a series.
bool IsMovedAlone(const Task& task);

/// Whether the occurrences after `task` are points in time, not wall-clock times or days, in the
/// zone of `task` itself. Preconditions: `task` has a rule and a series.
bool IsSeriesOfInstants(const Task& task);

/// The position of `task` after `fields` become its fields, with an unchanged rule but another
/// place or zone. The rule follows the move (MoveRule), and `fields` get the new rule. With a new
/// time of day, the days of the series stay (a series of the 31st is not moved to the 28th), and an
/// UNTIL with a time moves along, so that no occurrence is lost. A new day is the day from which
/// the rule counts, and COUNT in `fields` becomes the number of occurrences left. Preconditions:
/// `task` has a rule and a series. kInvalidArgument: the rule cannot follow, rule or zone are not
/// understood, or no rule can count from the date. kOutOfRange: the series would go on without the
/// move, and would end with it; never for a move within the day, or to another date of the series.
absl::StatusOr<SeriesPosition> MoveSeries(const Task& task, TaskFields& fields, SeriesPlace place);

/// The position of `task` after `fields`, with another rule, become its fields; the rule counts
/// from this task on. A rule that differs only in its end keeps the days of the series, and follows
/// when the due date moves it (MoveRule); `fields` get the resulting rule. A rule that names the
/// day to which the task was moved, but not its scheduled day, counts from the former.
/// Preconditions: `task` has a rule and a series, and `fields` have a due date. Statuses as of
/// StartSeries.
absl::StatusOr<SeriesPosition> RestartSeries(const Task& task, TaskFields& fields,
                                             SeriesPlace place);

/// `following` of `task` after its fields become `fields` for this occurrence alone.
FollowingFields ChangedHereAlone(const Task& task, const TaskFields& fields);
/// `following` without the fields that `patch` sets: their new value now applies to later
/// occurrences too.
FollowingFields ChangedFromHereOn(FollowingFields following, const TaskPatch& patch);
/// `following` of `task` after `patch` is applied to later occurrences only.
FollowingFields ChangedAfter(const Task& task, const TaskPatch& patch);

/// When `task` was completed or skipped, so that the next occurrence is due to be made. nullopt:
/// neither has happened, or the task does not recur.
std::optional<Instant> PassedAt(const Task& task);

struct NextOccurrence {
  TaskFields fields;
  SeriesPosition series;
};

/// The task that follows `task`, which was completed or skipped at `passed_at`; nullopt: the series
/// has ended. On basis kSchedule, it is on the first date of the rule after both the scheduled date
/// and `passed_at`; the dates between the two are counted as missed. A day passes with its end, so
/// today still counts. On basis kCompletion, the rule counts from the day of `passed_at`
/// (Recurrence::NextAfterCompletion), or from the scheduled date if the task was skipped before
/// that date. A due date to which the task alone was moved makes no difference. Preconditions:
/// `task` has a rule and a series. kInvalidArgument: the rule is not understood.
absl::StatusOr<std::optional<NextOccurrence>> NextOccurrenceOf(const Task& task, Instant passed_at);

}  // namespace todo::domain
