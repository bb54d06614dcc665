#include "chat/answers.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "chat/words.h"
#include "domain/recurrence/recurring_task.h"
#include "util/status.h"

namespace todo::chat {
namespace {

using domain::Task;

/// " The next one comes on …", when the rule has another date.
std::string NextWords(const Task& task, const GrammarContext& context) {
  if (!task.series || !task.fields.recurrence_rule) return "";
  const auto passed_at = domain::PassedAt(task);
  if (!passed_at) return "";
  const auto next = domain::NextOccurrenceOf(task, *passed_at);
  if (!next.ok()) return "";
  if (!*next) return " It was the last one.";
  Task following = task;
  following.fields = (*next)->fields;
  return fmt::format(" The next one comes on {}.", DueWords(following, context));
}

std::string AddedLine(const Step& step, const Task& task, const GrammarContext& context) {
  std::string line = fmt::format("Added: {}", Quoted(task.fields.title));
  if (const std::string due = DueWords(task, context); !due.empty()) line += ", due " + due;
  const AddIntent& intent = std::get<AddIntent>(step.intent);
  for (const Piece& piece : intent.task.pieces) {
    if (piece.kind == PieceKind::kRecurrence) line += ", " + piece.meaning;
    if (piece.kind == PieceKind::kPriority) line += ", " + piece.meaning;
  }
  if (!intent.task.tags.empty())
    line += fmt::format(", tagged #{}", fmt::join(intent.task.tags, " #"));
  line += '.';
  if (!step.date_words.empty()) line += fmt::format(" A reminder comes {}.", step.date_words);
  return line;
}

std::string CompletionLine(bool completed, bool changed, const Task& task,
                           const GrammarContext& context) {
  const std::string title = Quoted(task.fields.title);
  if (!changed)
    return completed ? fmt::format("{} was done already.", title)
                     : fmt::format("{} was open already.", title);
  if (!completed) return fmt::format("Open again: {}.", title);
  return fmt::format("Done: {}.{}", title, NextWords(task, context));
}

std::string Line(const Step& step, const Task& task, const GrammarContext& context) {
  const bool changed = step.action.changed;
  const std::string title = Quoted(task.fields.title);
  switch (step.action.kind) {
    case ActionKind::kAdd: return AddedLine(step, task, context);
    case ActionKind::kComplete:
    case ActionKind::kUncomplete:
      return CompletionLine(step.action.kind == ActionKind::kComplete, changed, task, context);
    case ActionKind::kDelete: return fmt::format("Deleted: {}. “Undo” brings it back.", title);
    case ActionKind::kRename:
      if (!changed) return fmt::format("{} has that title already.", title);
      return fmt::format("Renamed: {} is now {}.", Quoted(step.target->fields.title), title);
    case ActionKind::kPostpone:
      if (!changed) return fmt::format("{} was due {} already.", title, step.date_words);
      return fmt::format("Moved: {} is now due {}.", title, step.date_words);
    case ActionKind::kRemind:
      return fmt::format("A reminder of {} comes {}.", title, step.date_words);
    default: return "";
  }
}

}  // namespace

std::string Tell(Step& step, const service::ChangedTask& outcome, const GrammarContext& context) {
  Action& action = step.action;
  action.tasks = {outcome.after};
  action.changed = outcome.changed || !outcome.reminder_numbers.empty();
  action.reminder_numbers = outcome.reminder_numbers;
  std::string line = Line(step, outcome.after, context);
  for (const std::string& note : action.notes) line += ' ' + note;
  return line;
}

std::string TellAgain(const Intent& intent, ActionKind kind, const Task& after,
                      const GrammarContext& context) {
  Step step{.action = {}, .change = {}, .target = after, .date_words = {}, .intent = intent};
  step.action.kind = kind;
  step.action.changed = true;
  std::vector<std::string> notes;
  if (const auto* const add = std::get_if<AddIntent>(&intent)) {
    step.date_words = ReminderWords(add->task.reminders, context.wording);
    notes = add->task.notes;
  } else if (const auto* const postpone = std::get_if<PostponeIntent>(&intent)) {
    step.date_words = DueWords(after, context);
    if (postpone->when) notes = postpone->when->notes;
  } else if (const auto* const remind = std::get_if<RemindIntent>(&intent)) {
    step.date_words = ReminderWords(remind->reminders, context.wording);
    notes = remind->notes;
  } else if (kind == ActionKind::kRename) {
    return fmt::format("Renamed: {}.", Quoted(after.fields.title));  // the title before is gone
  }
  std::string line = Line(step, after, context);
  for (const std::string& note : notes) line += ' ' + note;
  return line;
}

std::string TellUndone(ActionKind kind, const Task& after, const GrammarContext& context) {
  const std::string title = Quoted(after.fields.title);
  switch (kind) {
    case ActionKind::kAdd: return title + " is gone";
    case ActionKind::kDelete: return title + " is back";
    case ActionKind::kComplete: return title + " is open again";
    case ActionKind::kUncomplete: return title + " is done again";
    case ActionKind::kRename: return title + " has its old title again";
    case ActionKind::kRemind: return fmt::format("the reminder of {} is gone", title);
    default: break;
  }
  const std::string due = DueWords(after, context);
  return due.empty() ? title + " has no due date again"
                     : fmt::format("{} is due {} again", title, due);
}

std::string TellFailure(const absl::Status& status, const std::vector<std::string>& titles) {
  const std::optional<std::size_t> index = util::IndexOf(status);
  const std::string title =
      index && *index < titles.size() ? Quoted(titles[*index]) : std::string("A task");
  constexpr std::string_view kUnchanged = "Nothing was changed.";
  if (absl::IsNotFound(status)) return fmt::format("{} is gone. {}", title, kUnchanged);
  if (absl::IsAborted(status) && util::ReasonOf(status) == "STALE_ETAG")
    return fmt::format("{} has been changed since. {}", title, kUnchanged);
  if (absl::IsInvalidArgument(status)) {
    const auto violations = util::FieldViolationsOf(status);
    if (violations.empty()) return "";
    std::vector<std::string> what;
    for (const util::FieldViolation& violation : violations) {
      const std::size_t dot = violation.field.rfind('.');
      what.push_back(fmt::format(
          "{} {}", dot == std::string::npos ? violation.field : violation.field.substr(dot + 1),
          violation.description));
    }
    return fmt::format("That is not possible for {}: {}. {}", title, fmt::join(what, "; "),
                       kUnchanged);
  }
  if (absl::IsFailedPrecondition(status)) {
    return fmt::format("That is not possible for {}: {}. {}", title,
                       util::FromAbsl(status.message()), kUnchanged);
  }
  return "";
}

}  // namespace todo::chat
