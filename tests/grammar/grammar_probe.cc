// Answers what the grammar understands, one JSON object per line on standard input:
//   {"text": "call Ann tomorrow at 9", "now": "2026-11-26T10:00:00", "zone": "Europe/Berlin"}
// `month_first` (true) reads 1/2 as 2 January; `week_start` is "monday", "saturday" or "sunday".
// The answer, also one line each:
//   {"title": "call Ann", "due": "2026-11-27T09:00:00", "rule": null, "basis": "schedule",
//    "priority": null, "tags": [], "reminders": ["PT30M"],
//    "pieces": [["due", "tomorrow at 9", "Friday, 27 November 2026, 09:00"]], "notes": [],
//    "when": …, "shift": …, "range": […], "micros": 12.5}
// `micros` is the time of computing in ParseTaskPhrase. `when`, `shift` and `range` are the answers
// of ParseWhen and ParseDayRange for the same text, or null.

#include <ctime>
#include <iostream>
#include <nlohmann/json.hpp>
#include <string>
#include <utility>

#include "absl/time/civil_time.h"
#include "chat/grammar/grammar.h"

namespace {

using nlohmann::json;
using todo::chat::GrammarContext;
using todo::chat::Moment;
using todo::chat::PieceKind;
using todo::domain::TimeZone;

const char* NameOf(PieceKind kind) {
  switch (kind) {
    case PieceKind::kDueDate: return "due";
    case PieceKind::kRecurrence: return "recurrence";
    case PieceKind::kPriority: return "priority";
    case PieceKind::kTag: return "tag";
    case PieceKind::kReminder: return "reminder";
  }
  return "";
}

GrammarContext ContextOf(const json& question) {
  GrammarContext context;
  context.zone = TimeZone::Load(question.value("zone", "UTC")).value();
  absl::CivilSecond now;
  absl::ParseCivilTime(question.value("now", "2026-11-26T10:00:00"), &now);
  context.now = context.zone.ToInstant(now);
  if (question.value("month_first", false))
    context.wording.date_order = todo::domain::DateOrder::kMonthFirst;
  const std::string start = question.value("week_start", "monday");
  if (start == "sunday") context.wording.week_start = absl::Weekday::sunday;
  if (start == "saturday") context.wording.week_start = absl::Weekday::saturday;
  return context;
}

json ToJson(const std::optional<Moment>& moment) {
  return moment ? json(todo::chat::ToDueLocal(*moment)) : json();
}

void AddWholeTexts(json& answer, const std::string& text, const GrammarContext& context) {
  answer["when"] = answer["shift"] = answer["range"] = nullptr;
  if (const auto when = todo::chat::ParseWhen(text, context)) {
    answer["when"] = ToJson(when->moment);
    if (when->shift) answer["shift"] = todo::domain::FormatPeriod(*when->shift);
  }
  if (const auto range = todo::chat::ParseDayRange(text, context))
    answer["range"] = {absl::FormatCivilTime(range->first), absl::FormatCivilTime(range->last)};
}

json Answer(const json& question) {
  const std::string text = question.at("text").get<std::string>();
  const GrammarContext context = ContextOf(question);
  const std::clock_t begin = std::clock();
  const todo::chat::TaskPhrase task = todo::chat::ParseTaskPhrase(text, context);
  const double micros = static_cast<double>(std::clock() - begin) * 1e6 / CLOCKS_PER_SEC;

  json answer = {{"title", task.title},
                 {"due", ToJson(task.due)},
                 {"rule", nullptr},
                 {"basis", todo::domain::ToString(task.basis)},
                 {"priority", nullptr},
                 {"tags", task.tags},
                 {"reminders", json::array()},
                 {"pieces", json::array()},
                 {"notes", task.notes},
                 {"micros", micros}};
  if (task.recurrence_rule) answer["rule"] = *task.recurrence_rule;
  if (task.priority) answer["priority"] = todo::domain::ToString(*task.priority);
  for (const auto& reminder : task.reminders) {
    answer["reminders"].push_back(reminder.at ? ToJson(reminder.at)
                                              : json(todo::domain::FormatPeriod(*reminder.before)));
  }
  for (const auto& piece : task.pieces) {
    answer["pieces"].push_back({NameOf(piece.kind),
                                text.substr(piece.span.begin, piece.span.end - piece.span.begin),
                                piece.meaning});
  }
  AddWholeTexts(answer, text, context);
  return answer;
}

}  // namespace

int main() {
  std::ios::sync_with_stdio(false);
  for (std::string line; std::getline(std::cin, line);) {
    json answer;
    try {
      answer = Answer(json::parse(line));
    } catch (const json::exception& error) {
      answer = {{"refused", error.what()}};
    }
    std::cout << answer.dump(-1, ' ', false, json::error_handler_t::replace) << "\n" << std::flush;
  }
}
