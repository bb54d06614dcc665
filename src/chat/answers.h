#pragma once

#include <string>
#include <vector>

#include "chat/planner.h"
#include "chat/reply.h"
#include "service/tasks/task_changes.h"

// From outcomes to actions and words. Pure functions.

namespace todo::chat {

/// Puts the outcome of its change into the action of `step`, and answers the line for it.
std::string Tell(Step& step, const service::ChangedTask& outcome, const GrammarContext& context);

/// The line that Tell answers for an added, completed, opened, deleted or moved task, from the task
/// as the change left it. Another change has a line that is as short.
std::string TellAgain(const Intent& intent, ActionKind kind, const domain::Task& after,
                      const GrammarContext& context);

/// What undoing a change of that kind came to: "“Milk” is open again". `after`: the task now.
std::string TellUndone(ActionKind kind, const domain::Task& after, const GrammarContext& context);

/// The line for a failure that a person can do something about; empty: the call fails with
/// `status`. `titles` are those of the changes.
std::string TellFailure(const absl::Status& status, const std::vector<std::string>& titles);

}  // namespace todo::chat
