#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <functional>
#include <set>
#include <string>
#include <utility>

#include "chat/planner.h"
#include "chat/words.h"
#include "util/status.h"

// The references of a plan.

namespace todo::chat {
namespace {

using domain::Task;

constexpr std::size_t kMaxOffers = 5;

Wanted WantedFor(ActionKind kind) {
  if (kind == ActionKind::kComplete) return Wanted::kOpen;
  if (kind == ActionKind::kUncomplete) return Wanted::kCompleted;
  return Wanted::kAny;
}

/// Whether `task` is due at `moment`. A task without a time of day is due at all times of its day.
bool IsDue(const Task& task, const Moment& moment, const domain::TimeZone& zone) {
  const domain::Due& due = task.fields.due;
  if (due.kind == domain::DueKind::kNone) return false;
  if (DueDayOf(task, zone) != absl::CivilDay(moment.local)) return false;
  return !moment.has_time || due.kind == domain::DueKind::kDate ||
         zone.ToLocal(due.at) == moment.local;
}

/// What a yes to a question about one near task leads to. With a date, its words say it.
std::string EffectOf(ActionKind kind, const std::string& dating) {
  if (!dating.empty()) return dating;
  switch (kind) {
    case ActionKind::kComplete: return "It would be completed.";
    case ActionKind::kUncomplete: return "It would be opened again.";
    case ActionKind::kDelete: return "Before it is deleted, I ask once more.";
    case ActionKind::kRename: return "It would get the new title.";
    default: return "";
  }
}

std::set<std::string> WordsOf(const std::string& text) {
  std::set<std::string> set;
  std::string word;
  for (const char c : text + ' ') {
    if (c != ' ') {
      word += static_cast<char>(c >= 'A' && c <= 'Z' ? c - 'A' + 'a' : c);
    } else if (!word.empty()) {
      set.insert(std::exchange(word, {}));
    }
  }
  return set;
}

/// Whether all words of `words` are words of `title`.
bool Names(const std::string& words, const std::string& title) {
  return std::ranges::includes(WordsOf(title), WordsOf(words));
}

/// "everything overdue", "all tasks that are overdue", "my overdue tasks"
bool NamesOverdue(const std::string& text) {
  static const std::set<std::string> others = {
      "all", "any",   "anything", "are", "everything", "is",     "items", "my",   "of",
      "our", "tasks", "that",     "the", "them",       "things", "todos", "what", "which"};
  std::set<std::string> words = WordsOf(text);
  return words.erase("overdue") > 0 && std::ranges::includes(others, words);
}

}  // namespace

absl::Status Planner::ForEach(const TaskReference& reference, ActionKind kind, const Use& use,
                              const Dating& dating) {
  if (dating.unread.empty()) {
    TODO_ASSIGN_OR_RETURN(const bool done, ForEachOverdue(reference, kind, use));
    if (done) return absl::OkStatus();
  }
  bool by_parts = std::ranges::any_of(reference.parts, [&](const TaskReference& part) {
    return input_.pins.contains(SlotOf(part));
  });
  if (!by_parts && !reference.parts.empty() && dating.unread.empty()) {
    TODO_ASSIGN_OR_RETURN(by_parts, PartsFit(reference, kind));
  }
  const std::vector<TaskReference> whole = {reference};
  for (const TaskReference& one : by_parts ? reference.parts : whole) {
    TODO_ASSIGN_OR_RETURN(const std::optional<Task> task, Resolve(one, kind, dating));
    if (!task) return absl::OkStatus();
    plan_.pins[SlotOf(one)] = {.id = task->id, .version = task->version};
    use(*task, one);
    if (stopped()) return absl::OkStatus();
  }
  return absl::OkStatus();
}

absl::StatusOr<bool> Planner::ForEachOverdue(const TaskReference& reference, ActionKind kind,
                                             const Use& use) {
  if (!NamesOverdue(reference.words) || input_.pins.contains(SlotOf(reference))) return false;
  TODO_ASSIGN_OR_RETURN(const Candidates named, FindNamed(reference, kind));
  if (!named.fitting.empty()) return false;
  TODO_ASSIGN_OR_RETURN(const std::vector<Task> overdue, Overdue());
  if (overdue.empty()) {
    Refuse("Nothing is overdue. Nothing was changed.");
  } else if (kind != ActionKind::kPostpone) {
    Refuse("Only moving is done to all overdue tasks at once: name the task. Nothing was changed.");
  } else if (overdue.size() > ports::TaskStore::kMaxMutations) {
    Refuse(
        fmt::format("More than {} tasks are overdue, and no more are moved at once. Nothing was "
                    "changed.",
                    ports::TaskStore::kMaxMutations));
  }
  for (const Task& task : overdue) {
    if (stopped()) break;
    use(task, reference);
  }
  return true;
}

absl::StatusOr<std::vector<Task>> Planner::Overdue() {
  constexpr std::chrono::hours kZoneSlack{26};  // days of different zones
  ports::TaskQuery query;
  query.completed = false;
  query.due_before = input_.context.now + kZoneSlack;
  query.order = ports::TaskOrder::kDueDate;
  query.limit = 2 * static_cast<int>(ports::TaskStore::kMaxMutations);
  query.cancellation = input_.finding.cancellation();
  std::vector<Task> overdue;
  do {
    TODO_ASSIGN_OR_RETURN(ports::TaskPage page, input_.tasks.List(input_.user, query));
    for (Task& task : page.tasks) {
      if (IsOverdue(task, input_.context.zone, input_.context.now))
        overdue.push_back(std::move(task));
    }
    query.page_cursor = page.next_cursor;
  } while (!query.page_cursor.empty() && overdue.size() <= ports::TaskStore::kMaxMutations);
  return overdue;
}

/// Whether no task fits all words, and each part has tasks that fit, or is a sentence of its own.
absl::StatusOr<bool> Planner::PartsFit(const TaskReference& reference, ActionKind kind) {
  TODO_ASSIGN_OR_RETURN(const Candidates whole, Find(reference, kind));
  if (!whole.fitting.empty()) return false;
  if (reference.parts_are_deeds) return true;
  for (const TaskReference& part : reference.parts) {
    if (part.it) continue;
    TODO_ASSIGN_OR_RETURN(const Candidates candidates, Find(part, kind));
    if (candidates.fitting.empty()) return false;
  }
  return true;
}

/// Tasks that only have the words that suggest one are near at best.
absl::StatusOr<Candidates> Planner::Find(const TaskReference& reference, ActionKind kind) {
  TODO_ASSIGN_OR_RETURN(Candidates named, FindNamed(reference, kind));
  if (reference.only_named) named.near.clear();
  if (!named.fitting.empty() || reference.suggested.empty()) return named;
  TODO_ASSIGN_OR_RETURN(Candidates suggested,
                        input_.finding.Find(reference.suggested, WantedFor(kind)));
  std::erase_if(suggested.fitting, [](const Task& task) { return task.completed; });
  if (!suggested.fitting.empty()) named.near = std::move(suggested.fitting);
  return named;
}

absl::StatusOr<Candidates> Planner::FindNamed(const TaskReference& reference, ActionKind kind) {
  TODO_ASSIGN_OR_RETURN(Candidates candidates,
                        input_.finding.Find(reference.words, WantedFor(kind)));
  if (!candidates.fitting.empty() || reference.undated.empty()) return candidates;
  std::function<bool(const Task&)> is_due;
  if (reference.due) {
    is_due = [&](const Task& task) { return IsDue(task, *reference.due, input_.context.zone); };
  }
  TODO_ASSIGN_OR_RETURN(Candidates undated,
                        input_.finding.Find(reference.undated, WantedFor(kind), is_due));
  // A date is a part of the name: a task that is due on another day is only asked about.
  if (is_due && !undated.fitting.empty() && !is_due(undated.fitting.front())) {
    undated.near = std::exchange(undated.fitting, {});
    return undated;
  }
  return undated.fitting.empty() && !candidates.near.empty() ? candidates : undated;
}

absl::StatusOr<std::optional<Task>> Planner::Resolve(const TaskReference& reference,
                                                     ActionKind kind, const Dating& dating) {
  if (const auto pin = input_.pins.find(SlotOf(reference)); pin != input_.pins.end())
    return Get(pin->second.id, "That task is gone. Nothing was changed.");
  if (reference.it) return SpokenOf();
  TODO_ASSIGN_OR_RETURN(Candidates candidates, Find(reference, kind));
  if (!dating.unread.empty()) {
    std::erase_if(candidates.fitting,
                  [&](const Task& task) { return !Names(dating.unread, task.fields.title); });
    if (candidates.fitting.empty()) {
      Refuse(fmt::format("I did not understand {}. Nothing was changed.", Quoted(dating.date)));
      return std::nullopt;
    }
  }
  if (candidates.fitting.size() == 1) return candidates.fitting.front();
  if (!candidates.fitting.empty()) {
    AskWhich(reference, kind, std::move(candidates.fitting), /*near=*/false, dating.effect);
  } else if (!candidates.near.empty()) {
    AskWhich(reference, kind, std::move(candidates.near), /*near=*/true,
             EffectOf(kind, dating.effect));
  } else {
    RefuseUnknown(reference);
  }
  return std::nullopt;
}

absl::StatusOr<std::optional<Task>> Planner::Get(domain::TaskId id, const std::string& if_gone) {
  absl::StatusOr<Task> task = input_.tasks.Get(input_.user, id);
  if (task.ok()) return *std::move(task);
  if (!absl::IsNotFound(task.status())) return task.status();
  Refuse(if_gone);
  return std::nullopt;
}

/// The task of the step before in this text, else the one of the last reply.
absl::StatusOr<std::optional<Task>> Planner::SpokenOf() {
  if (!plan_.steps.empty()) {
    const Step& last = plan_.steps.back();
    if (last.target) return last.target;
    if (last.action.kind == ActionKind::kAdd) {
      Refuse(
          "“It” is added by this very text: send the rest as another message. Nothing was "
          "changed.");
      return std::nullopt;
    }
  }
  const std::string unknown =
      "I do not know which task you mean: say a few words of its title. Nothing was changed.";
  if (input_.spoken_of) return Get(*input_.spoken_of, unknown);
  Refuse(unknown);
  return std::nullopt;
}

void Planner::AskWhich(const TaskReference& reference, ActionKind kind, std::vector<Task> offers,
                       bool near, const std::string& effect) {
  const std::size_t count = offers.size();
  offers.resize(std::min(count, kMaxOffers));
  std::string text =
      near ? fmt::format("No task is called {}. Do you mean {}?", Quoted(reference.words),
                         count == 1 ? "this one" : "one of these")
           : fmt::format("Which one do you want to {}?", Infinitive(kind));
  text += NumberedLines(offers, input_.context);
  if (count > kMaxOffers)
    text += fmt::format("\n…and {} more: say more of the title.", count - kMaxOffers);
  if (!effect.empty()) text += '\n' + effect;
  plan_.ask = Ask{.kind = kind,
                  .text = text + (count == 1 ? "\nAnswer “yes” or “no”."
                                             : "\nAnswer with a number, or “none”."),
                  .slot = SlotOf(reference),
                  .offers = std::move(offers)};
}

void Planner::RefuseUnknown(const TaskReference& reference) {
  for (const Step& step : plan_.steps) {
    const AddIntent* const add = std::get_if<AddIntent>(&step.intent);
    if (add == nullptr || !Names(reference.words, add->task.title)) continue;
    Refuse(
        fmt::format("{} is added by this very text: send the rest as another message. Nothing "
                    "was changed.",
                    Quoted(add->task.title)));
    return;
  }
  Refuse(fmt::format("No task is called {}. Nothing was changed.", Quoted(reference.words)));
}

}  // namespace todo::chat
