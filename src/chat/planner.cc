#include "chat/planner.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <chrono>
#include <variant>

#include "chat/new_due.h"
#include "chat/words.h"
#include "util/status.h"

namespace todo::chat {
namespace {

using domain::Task;

service::ReminderInput ReminderOf(const ReminderPhrase& phrase, const domain::TimeZone& zone) {
  service::ReminderInput input;
  if (phrase.before) input.before = domain::FormatPeriod(*phrase.before);
  if (phrase.at) input.at = zone.ToInstant(phrase.at->local);
  return input;
}

/// The instant of a reminder of a task that is due at `due`.
domain::Instant TimeOf(const ReminderPhrase& reminder, domain::Instant due,
                       const domain::TimeZone& zone) {
  if (reminder.at) return zone.ToInstant(reminder.at->local);
  const domain::Period back{.days = -reminder.before->days, .time = -reminder.before->time};
  return domain::After(due, back, zone.name());
}

/// The time that `piece`, a date or a reminder, names. `reminder`: the reminder of the next such
/// piece.
domain::Instant TimeOf(const Piece& piece, const TaskPhrase& phrase, std::size_t& reminder,
                       const domain::TimeZone& zone) {
  const domain::Instant due = phrase.due ? zone.ToInstant(phrase.due->local) : domain::Instant();
  if (piece.kind == PieceKind::kReminder && reminder < phrase.reminders.size())
    return TimeOf(phrase.reminders[reminder++], due, zone);
  return due;
}

/// "1 day and 2 hours"
std::string PeriodWords(const domain::Period& period) {
  std::vector<std::string> parts;
  const auto add = [&](std::int64_t count, std::string_view unit) {
    if (count > 0) parts.push_back(Count(count, unit));
  };
  constexpr std::int64_t kMinute = 60;
  constexpr std::int64_t kHour = 60 * kMinute;
  add(period.days.count(), "day");
  add(period.time.count() / kHour, "hour");
  add(period.time.count() % kHour / kMinute, "minute");
  add(period.time.count() % kMinute, "second");
  return Enumerated(parts);
}

std::string EffectOf(const WhenPhrase& when, const domain::Wording& wording) {
  if (when.shift) return fmt::format("It would move by {}.", PeriodWords(*when.shift));
  if (!when.has_no_day) return fmt::format("It would be due {}.", Describe(*when.moment, wording));
  const absl::CivilSecond local = when.moment->local;
  const std::chrono::seconds time(local - absl::CivilSecond(absl::CivilDay(local)));
  return fmt::format("It would be due at {}.", domain::ClockWords(time, wording));
}

/// "Friday, 27 November 2026, 09:00", or "30 minutes before it is due".
std::string ReminderWords(const ReminderPhrase& phrase, const domain::Wording& wording) {
  if (phrase.at) return Describe(*phrase.at, wording);
  if (*phrase.before == domain::Period()) return "when it is due";
  return fmt::format("{} before it is due", PeriodWords(*phrase.before));
}

}  // namespace

std::string ReminderWords(const std::vector<ReminderPhrase>& phrases,
                          const domain::Wording& wording) {
  std::vector<std::string> words;
  for (const ReminderPhrase& phrase : phrases) words.push_back(ReminderWords(phrase, wording));
  return fmt::format("{}", fmt::join(words, " and "));
}

absl::StatusOr<Plan> Planner::Make(const std::vector<Intent>& intents) {
  const bool alone = intents.size() == 1;
  for (const Intent& intent : intents) {
    if (std::holds_alternative<UndoIntent>(intent) && !alone) {
      Refuse("“Undo” must be said alone. Nothing was changed.");
      break;
    }
    TODO_RETURN_IF_ERROR(std::visit([this](const auto& one) { return Visit(one); }, intent));
    if (stopped()) break;
  }
  if (!stopped()) ConfirmDeletions();
  std::size_t changes = 0;
  for (const Step& step : plan_.steps) changes += step.change ? 1 : 0;
  if (changes > ports::TaskStore::kMaxMutations)
    Refuse("That is too much at once. Nothing was changed: say it in several messages.");
  return std::move(plan_);
}

Step& Planner::Add(ActionKind kind, Intent intent) {
  Step& step = plan_.steps.emplace_back();
  step.action.kind = kind;
  step.intent = std::move(intent);
  return step;
}

absl::Status Planner::Read(ActionKind kind, Intent intent) {
  Add(kind, std::move(intent));
  return absl::OkStatus();
}

absl::Status Planner::Visit(const UndoIntent& intent) { return Read(ActionKind::kUndo, intent); }

absl::Status Planner::Visit(const AddIntent& intent) {
  const TaskPhrase& phrase = intent.task;
  if (phrase.title.empty()) {
    Refuse("What is the task called? Say for example “add call the bank tomorrow at 9”.");
    return absl::OkStatus();
  }
  const domain::TimeZone& zone = input_.context.zone;
  service::TaskCreation creation;
  creation.task.title = phrase.title;
  creation.task.priority = phrase.priority;
  creation.task.tags = phrase.tags;
  creation.task.recurrence_rule = phrase.recurrence_rule;
  if (phrase.recurrence_rule) creation.task.basis = phrase.basis;
  if (phrase.due) {
    creation.task.due = DueAt(*phrase.due);
    creation.task.time_zone = zone.name();
  }
  Step& step = Add(ActionKind::kAdd, intent);
  for (const ReminderPhrase& reminder : phrase.reminders)
    creation.reminders.push_back(ReminderOf(reminder, zone));
  step.date_words = ReminderWords(phrase.reminders, input_.context.wording);
  std::size_t reminder = 0;  // that of the next piece with a reminder
  for (const Piece& piece : phrase.pieces) {
    const bool dates = piece.kind == PieceKind::kDueDate || piece.kind == PieceKind::kRecurrence ||
                       piece.kind == PieceKind::kReminder;
    if (!dates || piece.span.end > input_.text.size()) continue;
    step.action.resolved.push_back(
        {.phrase = input_.text.substr(piece.span.begin, piece.span.end - piece.span.begin),
         .meaning = piece.meaning,
         .time = TimeOf(piece, phrase, reminder, zone)});
  }
  step.action.notes = phrase.notes;
  step.change = std::move(creation);
  return absl::OkStatus();
}

absl::Status Planner::Complete(const TaskReference& reference, bool completed) {
  const ActionKind kind = completed ? ActionKind::kComplete : ActionKind::kUncomplete;
  return ForEach(reference, kind, [&](const Task& task, const TaskReference& named) {
    Step& step =
        Add(kind, completed ? Intent(CompleteIntent{named}) : Intent(UncompleteIntent{named}));
    step.target = task;
    step.change = service::TaskCompletion{
        .id = task.id, .expected_version = std::nullopt, .completed = completed};
  });
}

absl::Status Planner::Visit(const CompleteIntent& intent) { return Complete(intent.task, true); }
absl::Status Planner::Visit(const UncompleteIntent& intent) { return Complete(intent.task, false); }

absl::Status Planner::Visit(const DeleteIntent& intent) {
  return ForEach(
      intent.task, ActionKind::kDelete, [&](const Task& task, const TaskReference& named) {
        const auto pinned = input_.pins.find(SlotOf(named));
        if (input_.confirmed &&
            (pinned == input_.pins.end() || pinned->second.version != task.version)) {
          Refuse(
              fmt::format("{} has changed since I asked, so it was not deleted. "
                          "Nothing was changed.",
                          Quoted(task.fields.title)));
          return;
        }
        Step& step = Add(ActionKind::kDelete, DeleteIntent{named});
        step.target = task;
        step.change = service::TaskDeletion{.id = task.id, .expected_version = task.version};
      });
}

absl::Status Planner::Rename(const RenameIntent& intent) {
  return ForEach(intent.task, ActionKind::kRename, [&](const Task& task, const TaskReference&) {
    Step& step = Add(ActionKind::kRename, intent);
    step.target = task;
    service::UpdateTaskInput input;
    input.id = task.id;
    input.title = intent.title;
    step.change = std::move(input);
  });
}

absl::Status Planner::Postpone(const PostponeIntent& intent) {
  if (!intent.when) {
    Refuse(intent.when_text.empty()
               ? std::string("To when? Say for example “move it to friday” or “… by two days”. "
                             "Nothing was changed.")
               : fmt::format("I did not understand {} as a date. Nothing was changed.",
                             Quoted(intent.when_text)));
    return absl::OkStatus();
  }
  const WhenPhrase& when = *intent.when;
  const Dating dating{.effect = EffectOf(when, input_.context.wording),
                      .unread = intent.unread,
                      .date = fmt::format("{} {}", intent.unread, intent.when_text)};
  const auto move = [&](const Task& task, const TaskReference&) {
    const domain::TimeZone& zone = input_.context.zone;
    const NewDue due = Postponed(task, *intent.when, input_.context);
    if (intent.later && task.fields.due.kind != domain::DueKind::kNone &&
        absl::CivilDay(zone.ToLocal(due.at)) < DueDayOf(task, zone)) {
      Refuse(
          fmt::format("{} is due {} already, which is later than {}. Nothing was changed: say "
                      "“move” to bring it forward.",
                      Quoted(task.fields.title), DueWords(task, input_.context), due.words));
      return;
    }
    Step& step = Add(ActionKind::kPostpone, intent);
    step.target = task;
    step.date_words = due.words;
    step.action.resolved = {{.phrase = intent.when_text, .meaning = due.words, .time = due.at}};
    step.action.notes = intent.when->notes;
    if (!due.note.empty()) step.action.notes.push_back(due.note);
    service::UpdateTaskInput input;
    input.id = task.id;
    input.due = due.due;
    if (due.time_zone) input.time_zone = due.time_zone;
    step.change = std::move(input);
  };
  return ForEach(intent.task, ActionKind::kPostpone, move, dating);
}

absl::Status Planner::Visit(const RemindIntent& intent) {
  if (intent.reminders.empty()) {
    Refuse(
        "When? Say for example “remind me of it tomorrow at 9” or “… 30 min before”. Nothing "
        "was changed.");
    return absl::OkStatus();
  }
  const Dating dating{
      .effect = fmt::format("The reminder would come {}.",
                            ReminderWords(intent.reminders, input_.context.wording)),
      .unread = intent.unread,
      .date = intent.unread};
  const auto remind = [&](const Task& task, const TaskReference&) {
    const domain::TimeZone& zone = input_.context.zone;
    service::ReminderAddition addition{.id = task.id, .reminders = {}};
    Step& step = Add(ActionKind::kRemind, intent);
    step.target = task;
    step.date_words = ReminderWords(intent.reminders, input_.context.wording);
    step.action.notes = intent.notes;
    const std::optional<domain::Instant> due = DueBy(task);
    for (const ReminderPhrase& reminder : intent.reminders) {
      addition.reminders.push_back(ReminderOf(reminder, zone));
      if (reminder.before && !due) {
        Refuse(
            fmt::format("{} has no due date, so no reminder can come before it. Nothing was "
                        "changed.",
                        Quoted(task.fields.title)));
      }
    }
    step.action.resolved = {
        {.phrase = intent.when_text,
         .meaning = step.date_words,
         .time = TimeOf(intent.reminders.front(), due.value_or(domain::Instant()), zone)}};
    step.change = std::move(addition);
  };
  return ForEach(intent.task, ActionKind::kRemind, remind, dating);
}

/// When `task` is due after the steps so far; nullopt: never.
std::optional<domain::Instant> Planner::DueBy(const Task& task) const {
  std::optional<domain::Instant> due;
  if (task.fields.due.kind != domain::DueKind::kNone) due = task.fields.due.at;
  for (const Step& step : plan_.steps) {
    const bool moves = step.action.kind == ActionKind::kPostpone && step.target->id == task.id;
    if (moves) due = step.action.resolved.front().time;
  }
  return due;
}

/// Deleting asks first, even when only one task fits, and shows all tasks that will be deleted.
void Planner::ConfirmDeletions() {
  if (input_.confirmed) return;
  std::vector<std::string> titles;
  bool recurs = false;
  for (const Step& step : plan_.steps) {
    if (step.action.kind != ActionKind::kDelete) continue;
    titles.push_back(TaskWords(*step.target, input_.context));
    // The next one of a completed task is there already, or will be.
    recurs = recurs || (step.target->fields.recurrence_rule && !step.target->completed);
  }
  if (titles.empty()) return;
  std::string text = fmt::format("Delete {}?", Enumerated(titles));
  if (recurs) text += " It repeats: no next one will come.";
  plan_.ask = Ask{.kind = ActionKind::kDelete,
                  .text = text + " Answer “yes” or “no”.",
                  .slot = std::nullopt,
                  .offers = {}};
}

}  // namespace todo::chat
