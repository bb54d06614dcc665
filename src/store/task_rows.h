#pragma once

#include <array>
#include <cstddef>
#include <span>

#include "domain/task/task.h"
#include "domain/time.h"
#include "store/binary_array.h"

// Inside the room only.

namespace todo::store {

/// Rows of the table `tasks`, column by column, as kInsertTasks and kUpdateTasks take them.
class TaskRows {
 public:
  TaskRows();
  TaskRows(const TaskRows&) = delete;
  TaskRows& operator=(const TaskRows&) = delete;

  /// `changed_at` is the time at which a deleted task was deleted.
  void Add(const domain::Task& task, domain::Instant changed_at);

  bool empty() const { return columns_.front().empty(); }
  std::span<const BinaryArray* const> all() const { return pointers_; }
  /// The columns that a change of a task can change.
  std::span<const BinaryArray* const> changing() const { return all().first(kChanging); }

 private:
  static constexpr std::size_t kChanging = 19;
  static constexpr std::size_t kAll = 27;

  void AddSeries(const domain::Task& task);

  std::array<BinaryArray, kAll> columns_;
  std::array<const BinaryArray*, kAll> pointers_{};
};

}  // namespace todo::store
