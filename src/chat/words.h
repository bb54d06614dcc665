#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "chat/grammar/grammar.h"
#include "chat/reply.h"
#include "domain/task/task.h"

// The words of answers. Pure functions.

namespace todo::chat {

/// The title in quotes, as one line of visible characters, cut when it is long.
std::string Quoted(std::string_view title);

/// When the task is due on the clocks of the context's zone, as its wording writes times: "Friday,
/// 27 November 2026, 15:00". Empty: never.
std::string DueWords(const domain::Task& task, const GrammarContext& context);
/// The same of an instant.
std::string InstantWords(domain::Instant at, const GrammarContext& context);

/// "“Buy milk”, due Friday, 27 November 2026"
std::string TaskWords(const domain::Task& task, const GrammarContext& context);
/// A line for each task, with the number by which an answer may name it.
std::string NumberedLines(std::span<const domain::Task> tasks, const GrammarContext& context);

/// "1 task", "3 tasks"
std::string Count(std::int64_t count, std::string_view noun);
/// "“A”, “B” and “C”"
std::string Enumerated(const std::vector<std::string>& items);

/// What the user wants to do with a task: "complete", "move".
std::string_view Infinitive(ActionKind kind);

/// `days`: which they are, "In the last seven days".
std::string UsageWords(std::string_view days, const service::UsageSummary& usage);
std::string HelpWords();
std::string NotUnderstoodWords(std::string_view text);

}  // namespace todo::chat
