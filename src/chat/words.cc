#include "chat/words.h"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>

#include "util/one_line.h"
#include "util/utf8.h"

namespace todo::chat {
namespace {

constexpr std::size_t kMaxQuotedBytes = 100;

/// Characters that change the direction or the look of the text behind them.
constexpr std::string_view kInvisible[] = {"\u200b", "\u200e", "\u200f", "\u2060", "\u202a",
                                           "\u202b", "\u202c", "\u202d", "\u202e", "\u2066",
                                           "\u2067", "\u2068", "\u2069", "\u061c", "\ufeff"};

std::string Visible(std::string_view text) {
  std::string visible;
  while (!text.empty()) {
    const auto* const invisible = std::ranges::find_if(
        kInvisible, [&](std::string_view character) { return text.starts_with(character); });
    if (invisible != std::end(kInvisible)) {
      text.remove_prefix(invisible->size());
      continue;
    }
    visible += text[0];
    text.remove_prefix(1);
  }
  return visible;
}

}  // namespace

std::string Quoted(std::string_view title) {
  const std::string line = util::OneLine(Visible(title), title.size());
  return fmt::format("“{}”", util::CutText(line, kMaxQuotedBytes));
}

std::string DueWords(const domain::Task& task, const GrammarContext& context) {
  const domain::Due& due = task.fields.due;
  if (due.kind == domain::DueKind::kNone) return "";
  if (due.kind == domain::DueKind::kDate)
    return Describe({.local = due.local, .has_time = false}, context.wording);
  return InstantWords(due.at, context);
}

std::string InstantWords(domain::Instant at, const GrammarContext& context) {
  return Describe({.local = context.zone.ToLocal(at), .has_time = true}, context.wording);
}

std::string TaskWords(const domain::Task& task, const GrammarContext& context) {
  const std::string due = DueWords(task, context);
  const std::string title = Quoted(task.fields.title);
  if (task.completed && task.completed_at) {
    const auto minute = std::chrono::floor<std::chrono::minutes>(*task.completed_at);
    return fmt::format("{}, done on {}", title, InstantWords(minute, context));
  }
  return due.empty() ? title : fmt::format("{}, due {}", title, due);
}

std::string NumberedLines(std::span<const domain::Task> tasks, const GrammarContext& context) {
  std::string lines;
  for (std::size_t i = 0; i < tasks.size(); ++i)
    lines += fmt::format("\n{}. {}", i + 1, TaskWords(tasks[i], context));
  return lines;
}

std::string Count(std::int64_t count, std::string_view noun) {
  return fmt::format("{} {}{}", count, noun, count == 1 ? "" : "s");
}

std::string Enumerated(const std::vector<std::string>& items) {
  std::string text;
  for (std::size_t i = 0; i < items.size(); ++i) {
    if (i > 0) text += i + 1 == items.size() ? " and " : ", ";
    text += items[i];
  }
  return text;
}

std::string_view Infinitive(ActionKind kind) {
  switch (kind) {
    case ActionKind::kComplete: return "complete";
    case ActionKind::kUncomplete: return "open again";
    case ActionKind::kDelete: return "delete";
    case ActionKind::kRename: return "rename";
    case ActionKind::kPostpone: return "move";
    case ActionKind::kRemind: return "be reminded of";
    default: return "change";
  }
}

std::string UsageWords(std::string_view days, const service::UsageSummary& usage) {
  std::string text =
      fmt::format("{}: {} added, {} completed. {} {} open now", days, Count(usage.created, "task"),
                  usage.completed, Count(usage.open, "task"), usage.open == 1 ? "is" : "are");
  text += usage.overdue > 0 ? fmt::format(", {} overdue.", usage.overdue) : ".";
  if (usage.streak_days > 1)
    text += fmt::format(" You completed something on each of the last {} days.", usage.streak_days);
  return text;
}

std::string HelpWords() {
  return "You can say, for example:\n"
         "add call the bank tomorrow at 9\n"
         "add water the plants every 3 days\n"
         "remind me to leave at 17:30\n"
         "I finished buying groceries\n"
         "move the report to friday\n"
         "rename milk to oat milk\n"
         "remind me of the dentist 30 min before\n"
         "delete the old notes\n"
         "what's due today? what's overdue?\n"
         "find report\n"
         "how am I doing?\n"
         "undo";
}

std::string NotUnderstoodWords(std::string_view text) {
  return fmt::format(
      "I did not understand {}. Nothing was changed. To add it as a task, say “add …”; “help” "
      "shows what else can be said.",
      Quoted(text));
}

}  // namespace todo::chat
