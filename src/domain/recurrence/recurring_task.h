#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "domain/task/task.h"
#include "domain/time.h"

// How one occurrence of a series leads to the next. Pure functions of the task and the event, so
// that every replay, on every replica, gives the same.

namespace todo::domain {

/// The position of a task of `fields` whose rule counts from this task on: occurrence `occurrence`
/// of the series. Preconditions: it has a rule and a due date. kInvalidArgument when the rule or
/// the time zone is not understood; kOutOfRange when nothing follows the due date.
absl::StatusOr<SeriesPosition> StartSeries(const TaskFields& fields, const Uuid& series_id,
                                           std::int64_t occurrence = 1);

/// Where a change of a task puts its series.
enum class SeriesPlace {
  kDue,       // the due date of the task is a date of the series
  kScheduled  // its dates stay, as instants or as wall-clock times: what the task was moved to, if
              // it was, is for this once
};

/// Whether `task` is due elsewhere than where its rule put it, or as a day where that was none or
/// the other way round. Preconditions: it has a rule and a series.
bool IsMovedAlone(const Task& task);

/// Whether what follows from `task` are points in time, not wall-clock times or days, all of them
/// in the zone that it has itself. Preconditions: it has a rule and a series.
bool IsSeriesOfInstants(const Task& task);

/// Moves the series of `task` to the place and zone that `fields` have, which become those of the
/// task, with the same rule. The rule follows (MoveRule), and `fields` get what it becomes. A new
/// time of day leaves the days as they are, so that the series of a 31st is not moved to the 28th,
/// and an UNTIL with a time moves along, so that none is lost; a new day is what the rule counts
/// from now, and COUNT in `fields` becomes what is left of it.
/// Preconditions: `task` has a rule and a series. kInvalidArgument: the rule cannot follow, rule or
/// zone are not understood, or the date is beyond what rules can count from. kOutOfRange: the
/// series would go on, and would not any more; never on the same day, or on another date of the
/// series.
absl::StatusOr<SeriesPosition> MoveSeries(const Task& task, TaskFields& fields, SeriesPlace place);

/// The position of `task` with the rule of `fields`, which become those of the task; it counts from
/// this task on. A rule that differs in its end alone keeps the days of the series, and follows
/// when the due date moves it (MoveRule); `fields` get what is then to be written out. A rule that
/// names the day that the task was moved to, and not the scheduled one, counts from the former.
/// Preconditions: `task` has a rule and a series, and `fields` a due date. As StartSeries.
absl::StatusOr<SeriesPosition> RestartSeries(const Task& task, TaskFields& fields,
                                             SeriesPlace place);

/// What those after `task` take when its fields become `fields` for this occurrence alone.
FollowingFields ChangedHereAlone(const Task& task, const TaskFields& fields);
/// `following` of a task for which, and for those after it, becomes what `patch` names.
FollowingFields ChangedFromHereOn(FollowingFields following, const TaskPatch& patch);
/// What those after `task` take when what `patch` names becomes so for them only.
FollowingFields ChangedAfter(const Task& task, const TaskPatch& patch);

/// When `task` made room for the next occurrence: when it was completed or skipped. nullopt: it did
/// neither, or does not recur.
std::optional<Instant> PassedAt(const Task& task);

struct NextOccurrence {
  TaskFields fields;
  SeriesPosition series;
};

/// The task that follows `task`, which passed at `passed_at`; nullopt when the series has ended.
/// From schedule: the first date of the rule after both the scheduled one and that moment; what
/// passed in between is counted as missed. A day passes with its end, so today still counts. From
/// completion: the rule counts from the day of that moment (Recurrence::NextAfterCompletion), of a
/// task that was skipped ahead of its date from that date. Where the task itself was moved to for
/// this once makes no difference.
/// Preconditions: `task` has a rule and a series. kInvalidArgument: the rule is not understood.
absl::StatusOr<std::optional<NextOccurrence>> NextOccurrenceOf(const Task& task, Instant passed_at);

struct SeriesPreview {
  struct Occurrence {
    Due due;
    std::int64_t number;
  };
  std::string rule;                     // in its one spelling
  std::vector<Occurrence> occurrences;  // those after the task itself, which is number 1
  std::vector<std::string> warnings;    // whole sentences for people
};

/// The next `n` (0 to 100) occurrences of the series that a task of `fields` would start; fewer
/// when it ends. As StartSeries.
absl::StatusOr<SeriesPreview> PreviewSeries(const TaskFields& fields, int n);

}  // namespace todo::domain
