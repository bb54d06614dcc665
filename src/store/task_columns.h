#pragma once

#include <nlohmann/json.hpp>
#include <optional>
#include <string_view>

#include "absl/status/statusor.h"
#include "domain/task.h"

// Inside the room only: between tasks and the columns of their table.

namespace todo::store {

/// A patch of apply_change: names of columns and their new values.
using Patch = nlohmann::json;

void AddFields(Patch& patch, const domain::TaskFields& fields);
void AddDue(Patch& patch, const domain::Due& due);
/// nullopt: the task leaves its series.
void AddSeries(Patch& patch, const std::optional<domain::SeriesPosition>& series);

/// Reads what task_json() of the database wrote. kInternal: that cannot be read (logged).
absl::StatusOr<domain::Task> DecodeTask(std::string_view json);

}  // namespace todo::store
