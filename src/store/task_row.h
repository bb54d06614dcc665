#pragma once

#include <string_view>

#include "absl/status/statusor.h"
#include "domain/task/task.h"
#include "domain/time.h"
#include "store/binary_array.h"

// Inside the room only: tasks as rows of the type batch_task.

namespace todo::store {

/// `changed_at` is the time at which a deleted task was deleted. `by_consumer`: the consumer of
/// recurring tasks leaves the task in this version.
BinaryRow TaskRow(const domain::Task& task, domain::Instant changed_at, bool by_consumer);

/// Reads a value of the database's task_row(). kInternal: it cannot be read (logged).
absl::StatusOr<domain::Task> DecodeTaskRow(std::string_view row);

}  // namespace todo::store
