#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"
#include "chat/grammar/intents.h"
#include "ports/language_model.h"

// A language model's choice, checked as strictly as a person's words. Pure functions.

namespace todo::chat {

/// What a model is told of its task.
std::string ModelInstructions();
/// The intents, as functions that a model may call.
std::vector<ports::ModelTool> ModelTools();

/// The intents that `calls` choose for `text`. kInvalidArgument: a call names no tool, its
/// arguments are not as the tool's schema says, a task or a title is not in the text, a date is
/// none, or there are too few or too many calls. Then none of them may be followed.
absl::StatusOr<std::vector<Intent>> IntentsOf(const std::vector<ports::ModelCall>& calls,
                                              std::string_view text, const GrammarContext& context);

}  // namespace todo::chat
