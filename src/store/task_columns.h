#pragma once

#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <string_view>

#include "absl/status/statusor.h"
#include "domain/task/task.h"

// Inside the room only: conversion between tasks and the columns of their table.

namespace todo::store {

/// A patch of apply_change: names of columns and their new values.
using Patch = nlohmann::json;

/// The text, and its folded form for search, which apply_change expects beside it.
void AddTitle(Patch& patch, const std::string& title);
void AddDescription(Patch& patch, const std::optional<std::string>& description);
void AddFields(Patch& patch, const domain::TaskFields& fields);
void AddDue(Patch& patch, const domain::Due& due);
/// nullopt: the task leaves its series.
void AddSeries(Patch& patch, const std::optional<domain::SeriesPosition>& series);

/// Logs that a stored task cannot be read, and answers the kInternal of it.
absl::Status NotUnderstood(std::string_view reason);

/// Reads JSON of the database's task_json(). kInternal: it cannot be read (logged).
absl::StatusOr<domain::Task> DecodeTask(std::string_view json);

}  // namespace todo::store
