#pragma once

#include <array>
#include <cstddef>
#include <optional>
#include <span>

#include "domain/task/task.h"
#include "domain/time.h"
#include "store/binary_array.h"

// Inside the room only.

namespace todo::store {

/// Rows of the table `tasks`, column by column, as kInsertTasks, kUpdateTasks and kReplaceTasks
/// take them.
class TaskRows {
 public:
  TaskRows();
  TaskRows(const TaskRows&) = delete;
  TaskRows& operator=(const TaskRows&) = delete;

  /// `changed_at` is the time at which a deleted task was deleted. `by_consumer`: the consumer of
  /// recurring tasks leaves the task in this version.
  void Add(const domain::Task& task, domain::Instant changed_at, bool by_consumer);

  bool empty() const { return columns_.front().empty(); }
  std::span<const BinaryArray* const> all() const { return pointers_; }
  /// The columns that a change of a task can change.
  std::span<const BinaryArray* const> changing() const { return all().first(kChanging); }

 private:
  static constexpr std::size_t kChanging = 19;
  static constexpr std::size_t kAll = 29;

  void AddSeries(const std::optional<domain::SeriesPosition>& position);

  std::array<BinaryArray, kAll> columns_;
  std::array<const BinaryArray*, kAll> pointers_{};
};

}  // namespace todo::store
