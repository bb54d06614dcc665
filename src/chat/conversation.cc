#include "chat/conversation.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>
#include <variant>

#include "chat/model_intents.h"
#include "chat/words.h"
#include "util/log.h"
#include "util/status.h"
#include "util/unicode.h"
#include "util/utf8.h"

namespace todo::chat {
namespace {

constexpr char kUnchanged[] = "Nothing was changed.";

absl::Status CheckMessage(const Message& message) {
  const std::optional<std::size_t> count = util::CountCharacters(message.text);
  std::vector<util::FieldViolation> violations;
  if (!count) {
    violations.push_back({"text", "must be valid UTF-8 without NUL characters"});
  } else if (*count > kMaxTextCharacters) {
    violations.push_back({"text", fmt::format("has {} characters, but must have at most {}", *count,
                                              kMaxTextCharacters)});
  } else if (!util::HasVisible(message.text)) {
    violations.push_back({"text", "must have at least one visible character"});
  }
  if (!message.time_zone.empty()) {
    const absl::StatusOr<domain::TimeZone> zone = domain::TimeZone::Load(message.time_zone);
    if (!zone.ok())
      violations.push_back({"time_zone", std::string(util::FromAbsl(zone.status().message()))});
  }
  return violations.empty() ? absl::OkStatus() : util::InvalidFields(violations);
}

std::vector<OfferWords> ChoicesOf(const OpenQuestion& question) {
  std::vector<OfferWords> choices;
  for (const OfferedTask& offer : question.offers)
    choices.push_back({.title = offer.title, .due = offer.due});
  return choices;
}

/// Whether the text could answer some question.
bool IsAnswer(std::string_view text) {
  const std::vector<OfferWords> some(5);
  return ParseChoice(text, {}).kind != Choice::Kind::kUnclear ||
         ParseChoice(text, some).kind != Choice::Kind::kUnclear;
}

/// Equal for equal answers.
std::string KeyOf(const Choice& choice) {
  if (choice.kind == Choice::Kind::kYes) return "yes";
  if (choice.kind == Choice::Kind::kNo) return "no";
  return std::to_string(choice.index);
}

}  // namespace

absl::StatusOr<Conversation::Turn> Conversation::Begin(const service::CallContext& call,
                                                       const Message& message) {
  TODO_RETURN_IF_ERROR(CheckMessage(message));
  TODO_ASSIGN_OR_RETURN(const domain::NotificationPreferences preferences,
                        parts_.preferences(call.user));
  GrammarContext context;
  context.now = parts_.clock.Now();
  context.wording = preferences.wording;
  TODO_ASSIGN_OR_RETURN(context.zone,
                        domain::TimeZone::Load(message.time_zone.empty() ? preferences.time_zone
                                                                         : message.time_zone));
  return Turn{
      .call = call, .text = message.text, .context = std::move(context), .memory = {}, .etag = {}};
}

absl::StatusOr<Reply> Conversation::Send(const service::CallContext& call, const Message& message) {
  constexpr int kAttempts = 5;
  TODO_ASSIGN_OR_RETURN(Turn turn, Begin(call, message));
  absl::StatusOr<Outcome> outcome = absl::AbortedError("");
  for (int attempt = 1; absl::IsAborted(outcome.status()) && attempt <= kAttempts; ++attempt) {
    TODO_ASSIGN_OR_RETURN(MemoryStore::Read read, memories_.Get(call.user));
    turn.memory = std::move(read.memory);
    turn.etag = std::move(read.etag);
    for (const GivenReply& given : turn.memory.replies) {
      if (!call.request_id || given.request_id != *call.request_id) continue;
      if (given.fingerprint == DigestOf(call.fingerprint)) return given.reply;
      return util::WithReason(
          absl::AlreadyExistsError("the request id was used for another message"),
          "REQUEST_ID_REUSED");
    }
    outcome = Take(turn);
  }
  if (!outcome.ok()) return outcome.status();
  return Finish(turn, *std::move(outcome));
}

absl::StatusOr<Conversation::Outcome> Conversation::Take(Turn& turn) {
  std::optional<OpenQuestion>& question = turn.memory.question;
  if (question && question->expires_at <= turn.context.now) question.reset();
  if (turn.memory.undo && turn.memory.undo->expires_at <= turn.context.now)
    turn.memory.undo.reset();
  if (!question) return TakeSentence(turn);
  const Choice choice = ParseChoice(turn.text, ChoicesOf(*question));
  if (choice.kind != Choice::Kind::kUnclear) return TakeAnswer(turn, choice);
  const Sentence sentence = ParseSentence(turn.text, turn.context);
  if (sentence.intents.empty() || sentence.not_understood) return AskAgain(turn);
  return TakeSentence(turn);
}

absl::StatusOr<Conversation::Outcome> Conversation::TakeSentence(Turn& turn) {
  Order order{.wish = {.text = turn.text,
                       .at = turn.context.now,
                       .time_zone = turn.context.zone.name(),
                       .wording = turn.context.wording,
                       .model_calls = {}},
              .intents = {},
              .pins = {},
              .confirmed = false,
              .answers = false,
              .call = turn.call};
  Sentence sentence = ParseSentence(turn.text, turn.context);
  order.intents = std::move(sentence.intents);
  if (order.intents.empty() || sentence.not_understood) {
    if (IsAnswer(turn.text)) {
      Outcome nothing;
      nothing.reply.text = fmt::format("There is no open question. {}", kUnchanged);
      return nothing;
    }
    TODO_ASSIGN_OR_RETURN(order.intents, AskModel(turn, order.wish));
  }
  if (order.intents.empty()) {
    const std::optional<Span> part = sentence.not_understood;
    Outcome nothing;
    nothing.reply.text = NotUnderstoodWords(
        part ? std::string_view(turn.text).substr(part->begin, part->end - part->begin)
             : std::string_view(turn.text));
    return nothing;
  }
  if (turn.call.request_id) {
    TODO_ASSIGN_OR_RETURN(std::optional<Outcome> first, FirstAnswer(order));
    if (first) return *std::move(first);
  }
  if (std::holds_alternative<UndoIntent>(order.intents.front()) && order.intents.size() == 1)
    return TakeBack(turn);
  // Without a request id of the caller, the change gets one too, so that its undo can name it.
  if (!order.call.request_id) order.call.request_id = domain::RequestId{parts_.ids.NewId()};
  return CarryOut(turn, std::move(order));
}

absl::StatusOr<std::vector<Intent>> Conversation::AskModel(const Turn& turn, Wish& wish) const {
  if (parts_.model == nullptr) return std::vector<Intent>();
  absl::StatusOr<std::vector<ports::ModelCall>> calls =
      parts_.model->Choose(ModelInstructions(), turn.text, ModelTools());
  absl::StatusOr<std::vector<Intent>> intents =
      calls.ok() ? IntentsOf(*calls, turn.text, turn.context) : calls.status();
  if (!intents.ok()) {
    util::Log(util::Severity::kWarning, "model_not_followed",
              {{"model", parts_.model->name()}, {"status", intents.status().ToString()}});
    return std::vector<Intent>();
  }
  wish.model_calls = *std::move(calls);
  wish.understood_by = parts_.model->name();
  return intents;
}

absl::StatusOr<Conversation::Outcome> Conversation::AskAgain(const Turn& turn) const {
  const OpenQuestion& question = *turn.memory.question;
  Outcome outcome;
  outcome.reply.text =
      fmt::format("I did not understand {}.\n{}", Quoted(turn.text), question.text);
  outcome.reply.understood_by = question.wish.understood_by;
  outcome.ends_question = false;
  Question& asked = outcome.reply.question.emplace();
  asked.text = question.text;
  asked.kind = question.kind;
  asked.expires_at = question.expires_at;
  for (std::size_t i = 0; i < question.offers.size(); ++i) {
    absl::StatusOr<domain::Task> task = parts_.tasks.Get(turn.call.user, question.offers[i].pin.id);
    if (task.ok()) {
      asked.offers.push_back({.number = static_cast<int>(i + 1), .task = *std::move(task)});
    } else if (!absl::IsNotFound(task.status())) {
      return task.status();
    }
  }
  return outcome;
}

absl::StatusOr<Conversation::Outcome> Conversation::TakeAnswer(Turn& turn, const Choice& choice) {
  OpenQuestion& question = *turn.memory.question;
  Outcome outcome;
  if (!question.answer.empty() && question.answer != KeyOf(choice)) {
    outcome.reply.text =
        "Another answer to this question came first, and counts. This one changed nothing.";
    outcome.ends_question = false;
    return outcome;
  }
  if (choice.kind == Choice::Kind::kNo) {
    outcome.reply.text = "All right. Nothing was changed.";
    question.answer = KeyOf(choice);
    TODO_RETURN_IF_ERROR(memories_.Put(turn.call.user, turn.memory, turn.etag));
    return outcome;
  }
  const bool given_before = !question.answer.empty();
  if (!given_before) {
    // Before anything is changed: of two different answers at the same time, one counts.
    question.answer = KeyOf(choice);
    Overtake(turn.memory, question.id);
    TODO_RETURN_IF_ERROR(memories_.Put(turn.call.user, turn.memory, turn.etag));
  }
  Order order{.wish = question.wish,
              .intents = {},
              .pins = question.pins,
              .confirmed = choice.kind == Choice::Kind::kYes,
              .answers = true,
              .call = turn.call};
  if (choice.kind == Choice::Kind::kOne && question.slot)
    order.pins[*question.slot] = question.offers[choice.index].pin;
  order.call.request_id = domain::RequestId{question.id};
  order.call.fingerprint = DigestOf(question.answer);
  GrammarContext context{.now = question.wish.at, .zone = {}, .wording = question.wish.wording};
  TODO_ASSIGN_OR_RETURN(context.zone, domain::TimeZone::Load(question.wish.time_zone));
  if (question.wish.model_calls.empty()) {
    order.intents = ParseSentence(question.wish.text, context).intents;
  } else {
    TODO_ASSIGN_OR_RETURN(order.intents,
                          IntentsOf(question.wish.model_calls, question.wish.text, context));
  }
  if (given_before) {
    TODO_ASSIGN_OR_RETURN(std::optional<Outcome> first, FirstAnswer(order));
    if (first) return *std::move(first);
  }
  TODO_ASSIGN_OR_RETURN(Outcome carried_out, CarryOut(turn, order));
  if (carried_out.change_id) return carried_out;
  // An equal answer at the same time may have made the change: then it is not refused.
  TODO_ASSIGN_OR_RETURN(std::optional<Outcome> first, FirstAnswer(order));
  return first ? *std::move(first) : std::move(carried_out);
}

}  // namespace todo::chat
