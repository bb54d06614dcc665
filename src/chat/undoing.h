#pragma once

#include <vector>

#include "chat/memory.h"
#include "chat/planner.h"
#include "service/tasks/task_changes.h"

// How changes are taken back. Pure functions.

namespace todo::chat {

/// What takes back the changes of `steps`, the last one first. `changed` are the outcomes of the
/// steps that have a change, in order. Empty: nothing was changed.
std::vector<UndoStep> UndoStepsOf(const std::vector<Step>& steps,
                                  const std::vector<service::ChangedTask>& changed);

/// The change that a step makes. It is refused when the task has changed since.
service::TaskChange ChangeOf(const UndoStep& step);

}  // namespace todo::chat
