// Feeds the grammar whatever comes: texts, moments, zones, stretches that are plain. Stops at
// anything that its header rules out.
//
// An input is bytes: 0 zone, with its highest bits for the order of dates and the first day of the
// week, 1 to 4 the moment, 5 a stretch that is plain, the rest the text. Short inputs are texts
// alone. Bytes that are not UTF-8 are cut off, for the grammar takes valid text only.

#include <algorithm>
#include <cctype>
#include <chrono>
#include <cstdint>
#include <cstring>
#include <iterator>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "chat/grammar/grammar.h"
#include "chat/grammar/intents.h"
#include "domain/recurrence/recurrence.h"
#include "domain/reminder/reminder.h"
#include "domain/task/task.h"
#include "require.h"
#include "util/utf8.h"

namespace {

using todo::chat::GrammarContext;
using todo::chat::Intent;
using todo::chat::Moment;
using todo::chat::Span;
using todo::chat::TaskPhrase;
using todo::chat::TaskReference;
using todo::domain::Instant;
using todo::domain::TimeZone;
using todo::fuzz::Require;

constexpr std::size_t kHeaderBytes = 6;

const TimeZone& ZoneOf(std::uint8_t byte) {
  static const TimeZone zones[] = {TimeZone(),
                                   TimeZone::Load("Europe/Berlin").value(),
                                   TimeZone::Load("Pacific/Apia").value(),
                                   TimeZone::Load("Australia/Lord_Howe").value(),
                                   TimeZone::Load("America/Sao_Paulo").value(),
                                   TimeZone::Load("Africa/Casablanca").value()};
  return zones[byte % std::size(zones)];
}

GrammarContext ContextOf(const std::uint8_t* header) {
  GrammarContext context;
  context.zone = ZoneOf(header[0] & 0x0fU);
  if ((header[0] & 0x80U) != 0) context.wording.date_order = todo::domain::DateOrder::kMonthFirst;
  if ((header[0] & 0x40U) != 0) context.wording.week_start = absl::Weekday::sunday;
  std::uint32_t number = 0;
  std::memcpy(&number, header + 1, sizeof(number));
  // From 1970 to 2242. In every zone, the first days that a task takes have begun.
  context.now = std::max(Instant{std::chrono::seconds{static_cast<std::int64_t>(number) * 2}},
                         Instant{std::chrono::days{2}});
  return context;
}

std::string_view ValidPart(std::string_view text) {
  std::size_t at = 0;
  while (at < text.size()) {
    const std::size_t length = todo::util::Utf8Length(text.substr(at));
    if (length == 0) break;
    at += length;
  }
  return text.substr(0, at);
}

void CheckNotPast(const Moment& moment, const GrammarContext& context) {
  if (moment.has_time) {
    Require(context.zone.ToInstant(moment.local) >= context.now, "a due time is not in the past");
  } else {
    Require(absl::CivilDay(moment.local) >= absl::CivilDay(context.zone.ToLocal(context.now)),
            "a due day is not in the past");
    Require(moment.local == absl::CivilSecond(absl::CivilDay(moment.local)), "a day is midnight");
  }
  const auto due = todo::domain::ResolveLocalDue(ToDueLocal(moment), context.zone.name());
  Require(due.ok(), "a due date is one that a task takes");
}

bool HasLetter(std::string_view text) {
  return std::ranges::any_of(text, [](unsigned char c) { return std::isalnum(c) != 0; });
}

void CheckPieces(const TaskPhrase& task, std::string_view text, const std::vector<Span>& plain) {
  std::size_t last = 0;
  for (const auto& piece : task.pieces) {
    Require(piece.span.begin >= last && piece.span.end > piece.span.begin &&
                piece.span.end <= text.size(),
            "pieces are in order and within the text");
    last = piece.span.end;
    Require(todo::util::CountCharacters(text.substr(piece.span.begin, last - piece.span.begin))
                .has_value(),
            "pieces do not cut characters");
    for (const Span& stretch : plain)
      // White space is no word, so a piece may run over it.
      Require(!HasLetter(text.substr(stretch.begin, stretch.end - stretch.begin)) ||
                  piece.span.end <= stretch.begin || piece.span.begin >= stretch.end,
              "a plain stretch is in no piece");
    Require(!piece.meaning.empty(), "a piece has a meaning");
  }
  Require(task.title.size() <= text.size(), "a title is no longer than the text");
  Require(todo::util::CountCharacters(task.title).has_value(), "a title is text");
  Require(task.notes.size() <= todo::chat::kMaxNotes, "notes are few");
}

void CheckTask(const TaskPhrase& task, const GrammarContext& context) {
  if (task.due) CheckNotPast(*task.due, context);
  if (task.recurrence_rule) {
    Require(task.due.has_value(), "a rule comes with a date");
    const auto series = todo::domain::Recurrence::Parse(
        {*task.recurrence_rule, task.due->local, context.zone, !task.due->has_time});
    Require(series.ok(), "a rule is one that a task takes");
    Require(series->rule() == *task.recurrence_rule, "a rule has its one spelling");
    Require(task.recurrence_rule->size() <= todo::domain::kMaxRuleBytes, "a rule is short");
  }
  std::vector<todo::util::FieldViolation> violations;
  todo::domain::CheckTags(task.tags, "", violations);
  Require(violations.empty(), "tags are such that a task takes");
  Require(task.reminders.size() <= static_cast<std::size_t>(todo::domain::kMaxRemindersPerTask),
          "reminders are not too many");
  for (const auto& reminder : task.reminders) {
    Require(reminder.at.has_value() != reminder.before.has_value(), "a reminder has one time");
    if (reminder.at) CheckNotPast(*reminder.at, context);
    if (reminder.before) {
      Require(task.due && task.due->has_time, "a reminder before needs a due time");
      Require(todo::domain::ParsePeriod(todo::domain::FormatPeriod(*reminder.before)).ok(),
              "a reminder is one that a task takes");
    }
  }
}

void CheckWholeTexts(std::string_view text, const GrammarContext& context) {
  if (const auto when = todo::chat::ParseWhen(text, context)) {
    Require(when->moment.has_value() != when->shift.has_value(), "a when is one of two");
    if (when->moment) CheckNotPast(*when->moment, context);
  }
  if (const auto range = todo::chat::ParseDayRange(text, context))
    Require(range->first <= range->last, "a range has its days in order");
}

void CheckReference(const TaskReference& reference, std::string_view text) {
  const Span span = reference.span;
  Require(span.begin <= span.end && span.end <= text.size(), "a reference is within the text");
  Require(todo::util::CountCharacters(text.substr(span.begin, span.end - span.begin)).has_value(),
          "a reference cuts no characters");
  Require(reference.it || !reference.words.empty(), "a reference has words");
  for (const TaskReference& part : reference.parts) CheckReference(part, text);
}

void CheckSentence(std::string_view text, const GrammarContext& context) {
  const todo::chat::Sentence sentence = todo::chat::ParseSentence(text, context);
  Require(sentence.intents.size() <= todo::chat::kMaxIntents || sentence.not_understood,
          "intents are few");
  for (const Intent& intent : sentence.intents) {
    std::visit(
        [&](const auto& one) {
          if constexpr (requires { one.task.words; }) CheckReference(one.task, text);
          if constexpr (requires { one.task.pieces; }) CheckPieces(one.task, text, {});
        },
        intent);
    if (const auto* const postpone = std::get_if<todo::chat::PostponeIntent>(&intent);
        postpone != nullptr && postpone->when && postpone->when->moment) {
      CheckNotPast(*postpone->when->moment, context);
    }
    if (const auto* const remind = std::get_if<todo::chat::RemindIntent>(&intent)) {
      for (const auto& reminder : remind->reminders) {
        Require(reminder.at.has_value() != reminder.before.has_value(), "a reminder has one time");
        if (reminder.at) CheckNotPast(*reminder.at, context);
      }
    }
  }
  const todo::chat::Choice choice = todo::chat::ParseChoice(
      text,
      {{.title = "write report", .due = "Friday, 27 November 2026"}, {.title = "send report"}});
  Require(choice.index < 2, "a choice is one of those offered");
}

bool SameTask(const TaskPhrase& a, const TaskPhrase& b) {
  return a.title == b.title && a.due == b.due && a.recurrence_rule == b.recurrence_rule &&
         a.basis == b.basis && a.priority == b.priority && a.tags == b.tags &&
         a.reminders == b.reminders && a.pieces == b.pieces && a.notes == b.notes;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  std::uint8_t header[kHeaderBytes] = {};
  std::string_view text(reinterpret_cast<const char*>(data), size);
  if (size > kHeaderBytes) {
    std::memcpy(header, data, kHeaderBytes);
    text.remove_prefix(kHeaderBytes);
  }
  text = ValidPart(text);
  const GrammarContext context = ContextOf(header);
  std::vector<Span> plain;
  if (header[kHeaderBytes - 1] != 0 && !text.empty()) {
    const std::size_t begin = header[kHeaderBytes - 1] % text.size();
    plain.push_back({begin, std::min(begin + 3, text.size())});
  }

  const TaskPhrase task = todo::chat::ParseTaskPhrase(text, context, plain);
  CheckPieces(task, text, plain);
  CheckTask(task, context);
  Require(SameTask(task, todo::chat::ParseTaskPhrase(text, context, plain)),
          "equal texts mean the same");
  CheckWholeTexts(text, context);
  CheckSentence(text, context);
  return 0;
}
