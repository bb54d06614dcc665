#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "domain/ids.h"
#include "domain/task/task.h"
#include "service/reminders/reminder_input.h"
#include "service/tasks/task_input.h"

// Several changes that one call makes, all or none of them. Inputs are unchecked.

namespace todo::service {

struct TaskCreation {
  CreateTaskInput task;
  std::vector<ReminderInput> reminders;
};

struct TaskCompletion {
  domain::TaskId id;
  std::optional<std::int64_t> expected_version;
  bool completed = true;
};

struct TaskDeletion {
  domain::TaskId id;
  std::optional<std::int64_t> expected_version;
};

struct TaskRestoration {
  domain::TaskId id;
  std::optional<std::int64_t> expected_version;
};

/// Adds and removes tags; the others stay. A tag that is there already, or not there, makes no
/// change.
struct TagChange {
  domain::TaskId id;
  std::optional<std::int64_t> expected_version;
  std::vector<std::string> added;
  std::vector<std::string> removed;  // before others are added
};

struct ReminderAddition {
  domain::TaskId id;
  std::vector<ReminderInput> reminders;  // at least one
};

struct ReminderRemoval {
  domain::TaskId id;
  std::vector<int> numbers;  // at least one
};

/// UpdateTaskInput: with the default scope only.
using TaskChange = std::variant<TaskCreation, UpdateTaskInput, TaskCompletion, TaskDeletion,
                                TaskRestoration, ReminderAddition, ReminderRemoval, TagChange>;

/// The outcome of one TaskChange.
struct ChangedTask {
  /// As the changes before this one left it. nullopt: it was created, or the call is a repetition.
  std::optional<domain::Task> before;
  domain::Task after;
  bool changed = false;               // false: the task itself was like that already
  std::vector<int> reminder_numbers;  // of the reminders added
};

}  // namespace todo::service
