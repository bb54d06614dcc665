#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <set>
#include <utility>
#include <variant>

#include "chat/answers.h"
#include "chat/conversation.h"
#include "chat/undoing.h"
#include "chat/words.h"
#include "util/log.h"
#include "util/status.h"

// The half of a conversation that changes tasks and remembers what it did.

namespace todo::chat {
namespace {

constexpr char kGrammar[] = "grammar";

std::vector<std::string> TitlesOf(const std::vector<Step>& steps) {
  std::vector<std::string> titles;
  for (const Step& step : steps) {
    if (!step.change) continue;
    const auto* const add = std::get_if<AddIntent>(&step.intent);
    titles.push_back(step.target      ? step.target->fields.title
                     : add != nullptr ? add->task.title
                                      : "");
  }
  return titles;
}

/// Whether the outcomes are those of an earlier, equal call: then the states before are not known.
bool IsRepetition(const std::vector<Step>& steps,
                  const std::vector<service::ChangedTask>& changed) {
  std::size_t next = 0;
  for (const Step& step : steps) {
    if (step.change && !changed[next++].before && step.target) return true;
  }
  return false;
}

ActionKind KindOf(const Intent& intent) {
  return static_cast<ActionKind>(intent.index());  // in the order of the variant
}
static_assert(
    std::is_same_v<std::variant_alternative_t<0, Intent>, AddIntent> &&
    std::is_same_v<std::variant_alternative_t<static_cast<std::size_t>(ActionKind::kHelp), Intent>,
                   HelpIntent>);

/// The tasks of which the reply speaks.
std::set<domain::TaskId> SpokenOf(const Reply& reply) {
  std::set<domain::TaskId> ids;
  for (const Action& action : reply.actions)
    for (const domain::Task& task : action.tasks) ids.insert(task.id);
  if (reply.question)
    for (const Offer& offer : reply.question->offers) ids.insert(offer.task.id);
  return ids;
}

}  // namespace

OpenQuestion Conversation::Remembered(const Order& order, const Plan& plan,
                                      const GrammarContext& context) const {
  const Ask& ask = *plan.ask;
  OpenQuestion question;
  question.id = parts_.ids.NewId();
  question.text = ask.text;
  question.kind = ask.kind;
  question.expires_at = parts_.clock.Now() + kQuestionLives;
  question.wish = order.wish;
  question.pins = order.pins;
  for (const auto& [slot, pin] : plan.pins) question.pins[slot] = pin;
  question.slot = ask.slot;
  for (const domain::Task& task : ask.offers) {
    question.offers.push_back({.pin = {.id = task.id, .version = task.version},
                               .title = task.fields.title,
                               .due = DueWords(task, context)});
  }
  return question;
}

absl::StatusOr<Conversation::Outcome> Conversation::CarryOut(Turn& turn, Order order) {
  ports::FindQuery query;
  query.language = order.wish.wording.language;
  query.cancellation = turn.call.cancellation;
  const Finding finding(parts_.finder, turn.call.user, query);
  GrammarContext context{.now = turn.context.now, .zone = {}, .wording = order.wish.wording};
  TODO_ASSIGN_OR_RETURN(context.zone, domain::TimeZone::Load(order.wish.time_zone));
  Planner planner({.tasks = parts_.tasks,
                   .finding = finding,
                   .user = turn.call.user,
                   .text = order.wish.text,
                   .context = context,
                   .pins = order.pins,
                   .confirmed = order.confirmed,
                   .spoken_of = turn.memory.spoken_of});
  TODO_ASSIGN_OR_RETURN(Plan plan, planner.Make(order.intents));
  Outcome outcome;
  outcome.reply.understood_by = order.wish.understood_by;
  if (plan.ask || !plan.refusal.empty()) outcome.no_change = order.call.request_id->uuid;
  if (!plan.refusal.empty()) {
    outcome.reply.text = std::move(plan.refusal);
    return outcome;
  }
  if (plan.ask) {
    outcome.question = Remembered(order, plan, context);
    outcome.reply.text = plan.ask->text;
    Question& asked = outcome.reply.question.emplace();
    asked.text = plan.ask->text;
    asked.kind = plan.ask->kind;
    asked.expires_at = outcome.question->expires_at;
    for (std::size_t i = 0; i < plan.ask->offers.size(); ++i)
      asked.offers.push_back({.number = static_cast<int>(i + 1), .task = plan.ask->offers[i]});
    return outcome;
  }
  TODO_RETURN_IF_ERROR(Apply(turn, order, plan.steps, outcome));
  return outcome;
}

/// Makes the changes of `steps`, then reads for those that only read, and tells of all in order.
absl::Status Conversation::Apply(Turn& turn, const Order& order, std::vector<Step>& steps,
                                 Outcome& outcome) {
  std::vector<service::TaskChange> changes;
  for (const Step& step : steps) {
    if (step.change) changes.push_back(*step.change);
  }
  std::vector<service::ChangedTask> changed;
  if (!changes.empty()) {
    const domain::Uuid change_id = order.call.request_id->uuid;
    if (Overtake(turn.memory, change_id))
      TODO_RETURN_IF_ERROR(memories_.Put(turn.call.user, turn.memory, turn.etag));
    absl::StatusOr<std::vector<service::ChangedTask>> made =
        parts_.tasks.ChangeAll(order.call, changes);
    if (!made.ok()) {
      outcome.reply.text = TellFailure(made.status(), TitlesOf(steps));
      outcome.no_change = change_id;
      return outcome.reply.text.empty() ? made.status() : absl::OkStatus();
    }
    changed = *std::move(made);
    outcome.change_id = change_id;
  }
  const bool repeated = IsRepetition(steps, changed);
  for (service::ChangedTask& one : changed) one.changed = one.changed || repeated;
  std::vector<UndoStep> undo;
  if (!repeated) undo = UndoStepsOf(steps, changed);
  if (!repeated && undo.empty()) outcome.no_change = outcome.change_id;
  if (!undo.empty()) {
    outcome.undo = Undo{.id = parts_.ids.NewId(),
                        .change_id = *outcome.change_id,
                        .expires_at = parts_.clock.Now() + kUndoLives,
                        .steps = std::move(undo)};
  }
  Finding finding(parts_.finder, turn.call.user,
                  {.words = {},
                   .language = order.wish.wording.language,
                   .completed = std::nullopt,
                   .cancellation = turn.call.cancellation});
  Lookups lookups({.tasks = parts_.tasks,
                   .finding = finding,
                   .usage = parts_.usage,
                   .user = turn.call.user,
                   .context = turn.context,
                   .cancellation = turn.call.cancellation});
  std::size_t next = 0;
  for (Step& step : steps) {
    std::string line;
    if (step.change) {
      line = Tell(step, changed[next++], turn.context);
    } else {
      TODO_ASSIGN_OR_RETURN(line, lookups.Look(step.intent, step.action));
    }
    if (!outcome.reply.text.empty()) outcome.reply.text += '\n';
    outcome.reply.text += line;
    outcome.reply.actions.push_back(std::move(step.action));
  }
  return absl::OkStatus();
}

absl::StatusOr<Conversation::Outcome> Conversation::TakeBack(const Turn& turn) {
  Outcome outcome;
  outcome.reply.understood_by = kGrammar;
  if (!turn.memory.undo) {
    outcome.reply.text = "There is nothing to undo.";
    return outcome;
  }
  if (turn.memory.undo->overtaken_by) {
    outcome.reply.text =
        "The last change cannot be undone here, because it was not remembered. Nothing was "
        "changed.";
    return outcome;
  }
  const Undo& undo = *turn.memory.undo;
  std::vector<service::TaskChange> changes;
  std::vector<std::string> titles;
  for (const UndoStep& step : undo.steps) {
    changes.push_back(ChangeOf(step));
    titles.push_back(step.title);
  }
  // The id of the undo, not of the call: two calls at the same time undo once.
  service::CallContext call = turn.call;
  call.request_id = domain::RequestId{undo.id};
  call.fingerprint = DigestOf("undo");
  const absl::StatusOr<std::vector<service::ChangedTask>> made =
      parts_.tasks.ChangeAll(call, changes);
  if (!made.ok()) {
    outcome.reply.text = TellFailure(made.status(), titles);
    if (outcome.reply.text.empty()) return made.status();
    return outcome;
  }
  Action action;
  action.kind = ActionKind::kUndo;
  action.changed = true;
  std::vector<std::string> lines;
  for (std::size_t i = 0; i < made->size(); ++i) {
    const domain::Task& after = (*made)[i].after;
    lines.push_back(TellUndone(undo.steps[i].kind, after, turn.context));
    action.tasks.push_back(after);
  }
  outcome.undone = true;
  outcome.reply.text = fmt::format("Undone: {}.", Enumerated(lines));
  outcome.reply.actions.push_back(std::move(action));
  return outcome;
}

absl::StatusOr<std::optional<Conversation::Outcome>> Conversation::FirstAnswer(
    const Order& order) const {
  std::vector<const Intent*> changing;
  for (const Intent& intent : order.intents)
    if (KindOf(intent) < ActionKind::kList) changing.push_back(&intent);
  if (changing.empty()) return std::nullopt;
  TODO_ASSIGN_OR_RETURN(const auto first, parts_.tasks.FirstAnswers(order.call));
  if (!first) return std::nullopt;
  GrammarContext context{.now = order.wish.at, .zone = {}, .wording = order.wish.wording};
  TODO_ASSIGN_OR_RETURN(context.zone, domain::TimeZone::Load(order.wish.time_zone));
  Outcome outcome;
  outcome.reply.understood_by = order.wish.understood_by;
  std::vector<std::string> titles;
  std::vector<std::string> lines;
  for (std::size_t i = 0; i < first->size(); ++i) {
    const domain::Task& task = (*first)[i].after;
    const Intent& intent = *changing[std::min(i, changing.size() - 1)];
    Action& action = outcome.reply.actions.emplace_back();
    action.kind = KindOf(intent);
    action.tasks = {task};
    action.reminder_numbers = (*first)[i].reminder_numbers;
    action.changed = true;
    titles.push_back(Quoted(task.fields.title));
    lines.push_back(TellAgain(intent, action.kind, task, context));
  }
  outcome.change_id = order.call.request_id->uuid;
  // An intent may have changed several tasks: then the lines may be those of other intents.
  const bool are_known = changing.size() == 1 || changing.size() == first->size();
  outcome.reply.text = order.answers && are_known
                           ? fmt::format("{}", fmt::join(lines, "\n"))
                           : fmt::format("That is done already: {}.", Enumerated(titles));
  return outcome;
}

absl::StatusOr<Reply> Conversation::Finish(const Turn& turn, Outcome outcome) {
  Reply& reply = outcome.reply;
  if (reply.understood_by.empty()) reply.understood_by = kGrammar;
  const auto note_undo = [&](const Memory& memory) {
    reply.undoable = outcome.undo || (outcome.change_id && memory.undo &&
                                      memory.undo->change_id == *outcome.change_id);
  };
  note_undo(turn.memory);
  const std::set<domain::TaskId> spoken_of = SpokenOf(reply);
  const bool changes = outcome.undo || outcome.undone;
  const absl::Status kept = memories_.Update(turn.call.user, [&](Memory& memory) {
    const Memory before = memory;
    const bool same_question =
        memory.question && turn.memory.question && memory.question->id == turn.memory.question->id;
    if (same_question && outcome.ends_question) memory.question.reset();
    if (outcome.question) memory.question = outcome.question;
    if (outcome.undo && !(memory.undo && memory.undo->change_id == outcome.undo->change_id))
      memory.undo = outcome.undo;
    if (outcome.undone && memory.undo && turn.memory.undo &&
        memory.undo->id == turn.memory.undo->id) {
      memory.undo.reset();
    }
    if (outcome.no_change && memory.undo && memory.undo->overtaken_by == outcome.no_change)
      memory.undo->overtaken_by.reset();
    // "It" is the only task of the last reply that spoke of any.
    if (spoken_of.size() == 1) memory.spoken_of = *spoken_of.begin();
    if (spoken_of.size() > 1) memory.spoken_of.reset();
    note_undo(memory);
    if (turn.call.request_id) {
      memory.replies.insert(memory.replies.begin(), {.request_id = *turn.call.request_id,
                                                     .fingerprint = DigestOf(turn.call.fingerprint),
                                                     .reply = reply});
    }
    Limit(memory);
    return memory != before;
  });
  if (kept.ok()) return std::move(reply);
  util::Log(util::Severity::kWarning, "chat_not_remembered", {{"status", kept.ToString()}});
  if (!changes && (reply.question || turn.call.request_id)) return kept;
  if (reply.undoable) {
    reply.undoable = false;
    reply.text += "\nIt cannot be undone here, because the state store is away.";
  }
  return std::move(reply);
}

}  // namespace todo::chat
