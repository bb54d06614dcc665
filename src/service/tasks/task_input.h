#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "domain/ids.h"
#include "domain/task/task.h"
#include "domain/time.h"
#include "service/tasks/series_plan.h"

// Input of TaskService, as callers give it, unchecked.

namespace todo::service {

/// A due date as a caller gives it: as a point in time, or as text in the task's time zone. Both
/// may be given when they agree, as in a task that was read.
struct DueInput {
  std::optional<domain::Instant> due_date;
  std::optional<std::string> due_local;
};

struct CreateTaskInput {
  std::string title;
  std::optional<std::string> description;
  std::optional<domain::Priority> priority;
  std::vector<std::string> tags;
  DueInput due;
  std::optional<std::string> time_zone;  // nullopt: the user's
  std::optional<std::string> recurrence_rule;
  std::optional<domain::RecurrenceBasis> basis;
};

/// Fields that are set are changed, the others stay. An inner nullopt clears the field; an inner
/// nullopt of the time zone stands for the user's.
struct UpdateTaskInput {
  domain::TaskId id;
  std::optional<std::int64_t> expected_version;
  std::optional<std::string> title;
  std::optional<std::optional<std::string>> description;
  std::optional<domain::Priority> priority;
  std::optional<std::vector<std::string>> tags;
  std::optional<DueInput> due;
  std::optional<std::optional<std::string>> time_zone;
  std::optional<std::optional<std::string>> recurrence_rule;
  std::optional<domain::RecurrenceBasis> basis;
  SeriesScope scope = SeriesScope::kDefault;
};

struct PreviewInput {
  DueInput due;
  std::optional<std::string> time_zone;  // nullopt: the user's
  std::string recurrence_rule;
  int count = 0;         // 1 to 100
  bool may_end = false;  // the series may end with the task: it has begun already
};

}  // namespace todo::service
