#include "chat/undoing.h"

#include <algorithm>
#include <map>

#include "util/require.h"

namespace todo::chat {
namespace {

using domain::Task;

/// It is long, and never taken back.
std::optional<Task> WithoutDescription(std::optional<Task> task) {
  if (task) task->fields.description.reset();
  return task;
}

service::DueInput DueOf(const domain::Due& due) {
  service::DueInput input;
  if (due.kind == domain::DueKind::kInstant) input.due_date = due.at;
  if (due.kind == domain::DueKind::kDate || due.kind == domain::DueKind::kLocal)
    input.due_local = domain::FormatDueLocal(due);
  return input;
}

service::UpdateTaskInput Update(const UndoStep& step) {
  service::UpdateTaskInput input;
  input.id = step.id;
  input.expected_version = step.version;
  if (!step.before) return input;
  const domain::TaskFields& before = step.before->fields;
  if (step.kind == ActionKind::kRename) {
    input.title = before.title;
  } else {
    input.due = DueOf(before.due);
    input.time_zone = before.time_zone;
  }
  return input;
}

}  // namespace

std::vector<UndoStep> UndoStepsOf(const std::vector<Step>& steps,
                                  const std::vector<service::ChangedTask>& changed) {
  std::vector<UndoStep> undo;
  std::map<domain::TaskId, std::int64_t> versions;  // after all changes
  for (const service::ChangedTask& one : changed) versions[one.after.id] = one.after.version;
  std::size_t next = 0;
  for (const Step& step : steps) {
    if (!step.change) continue;
    TODO_REQUIRE(next < changed.size());
    const service::ChangedTask& outcome = changed[next++];
    if (!outcome.changed && outcome.reminder_numbers.empty()) continue;
    UndoStep& added = undo.emplace_back();
    added.kind = step.action.kind;
    added.id = outcome.after.id;
    added.version = versions[outcome.after.id];
    added.title = outcome.after.fields.title;
    if (step.action.kind == ActionKind::kRename || step.action.kind == ActionKind::kPostpone)
      added.before = WithoutDescription(outcome.before);
    if (step.action.kind == ActionKind::kRemind) added.reminder_numbers = outcome.reminder_numbers;
  }
  std::ranges::reverse(undo);
  return undo;
}

service::TaskChange ChangeOf(const UndoStep& step) {
  switch (step.kind) {
    case ActionKind::kAdd:
      return service::TaskDeletion{.id = step.id, .expected_version = step.version};
    case ActionKind::kDelete:
      return service::TaskRestoration{.id = step.id, .expected_version = step.version};
    case ActionKind::kComplete:
    case ActionKind::kUncomplete:
      return service::TaskCompletion{.id = step.id,
                                     .expected_version = step.version,
                                     .completed = step.kind == ActionKind::kUncomplete};
    case ActionKind::kRemind:
      return service::ReminderRemoval{.id = step.id, .numbers = step.reminder_numbers};
    default: return Update(step);
  }
}

}  // namespace todo::chat
