#pragma once

#include <optional>

#include "absl/status/statusor.h"
#include "domain/task.h"
#include "domain/time.h"

// How one occurrence of a series leads to the next. Pure functions of the task and the event, so
// that every replay, on every replica, gives the same.

namespace todo::domain {

/// The position of a task of `fields` that starts a series. Preconditions: it has a rule and a due
/// date. kInvalidArgument when the rule or the time zone is not understood; kOutOfRange when
/// nothing follows the due date.
absl::StatusOr<SeriesPosition> StartSeries(const TaskFields& fields, const Uuid& series_id);

struct NextOccurrence {
  TaskFields fields;
  SeriesPosition series;
};

/// The task that follows `task`, completed at `completed_at`; nullopt when the series has ended.
/// From schedule: the first date of the rule after both the due date and the completion; what
/// passed in between is counted as missed. From completion: the rule counts from the day of the
/// completion. Preconditions: `task` has a rule and a series. kInvalidArgument: the rule is not
/// understood.
absl::StatusOr<std::optional<NextOccurrence>> NextOccurrenceOf(const Task& task,
                                                               Instant completed_at);

}  // namespace todo::domain
