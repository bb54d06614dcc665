#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "domain/task/task.h"

namespace todo::domain {

/// What a rule would do to a task.
struct SeriesPreview {
  struct Occurrence {
    Due due;
    std::int64_t number;
  };
  std::string rule;  // its canonical text
  /// Of the first date on the clocks of the task's zone; nullopt: the task is due on a day.
  std::optional<std::chrono::seconds> time_of_day;
  std::vector<Occurrence> occurrences;  // after the task itself, which is number 1
  std::vector<std::string> warnings;    // whole sentences for people
};

/// The next `n` (0 to 100) occurrences of the series that a task with `fields` would start; fewer
/// if the series ends. Preconditions and statuses as of StartSeries.
absl::StatusOr<SeriesPreview> PreviewSeries(const TaskFields& fields, int n);

/// The preview of a series that ends with a task with `fields`: no occurrence follows.
/// Preconditions as of StartSeries. kInvalidArgument: the rule is not understood.
absl::StatusOr<SeriesPreview> PreviewEnd(const TaskFields& fields);

}  // namespace todo::domain
