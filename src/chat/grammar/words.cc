#include "chat/grammar/words.h"

#include <fmt/format.h>

#include <array>
#include <cstdint>
#include <unordered_map>
#include <utility>

namespace todo::chat::grammar {
namespace {

using absl::Weekday;

template <typename Value>
using Entry = std::pair<std::string_view, Value>;

constexpr std::array<std::string_view, 7> kWeekdays = {
    "Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday"};
constexpr std::array<std::string_view, 12> kMonths = {
    "January", "February", "March",     "April",   "May",      "June",
    "July",    "August",   "September", "October", "November", "December"};

constexpr Entry<WeekdayWord> kWeekdayWords[] = {
    {"monday", {Weekday::monday}},
    {"tuesday", {Weekday::tuesday}},
    {"wednesday", {Weekday::wednesday}},
    {"thursday", {Weekday::thursday}},
    {"friday", {Weekday::friday}},
    {"saturday", {Weekday::saturday}},
    {"sunday", {Weekday::sunday}},
    {"mon", {Weekday::monday, true}},
    {"tue", {Weekday::tuesday, true}},
    {"tues", {Weekday::tuesday, true}},
    {"wed", {Weekday::wednesday, true}},
    {"weds", {Weekday::wednesday, true}},
    {"thu", {Weekday::thursday, true}},
    {"thur", {Weekday::thursday, true}},
    {"thurs", {Weekday::thursday, true}},
    {"fri", {Weekday::friday, true}},
    {"sat", {Weekday::saturday, true}},
    {"sun", {Weekday::sunday, true}},
    {"mondays", {Weekday::monday, false, true}},
    {"tuesdays", {Weekday::tuesday, false, true}},
    {"wednesdays", {Weekday::wednesday, false, true}},
    {"thursdays", {Weekday::thursday, false, true}},
    {"fridays", {Weekday::friday, false, true}},
    {"saturdays", {Weekday::saturday, false, true}},
    {"sundays", {Weekday::sunday, false, true}},
};

constexpr Entry<int> kMonthWords[] = {
    {"january", 1},   {"february", 2},  {"march", 3},  {"april", 4},     {"may", 5},
    {"june", 6},      {"july", 7},      {"august", 8}, {"september", 9}, {"october", 10},
    {"november", 11}, {"december", 12}, {"jan", 1},    {"feb", 2},       {"mar", 3},
    {"apr", 4},       {"jun", 6},       {"jul", 7},    {"aug", 8},       {"sep", 9},
    {"sept", 9},      {"oct", 10},      {"nov", 11},   {"dec", 12},
};

constexpr Entry<int> kNumberWords[] = {
    {"one", 1},   {"two", 2},   {"three", 3}, {"four", 4}, {"five", 5},    {"six", 6},
    {"seven", 7}, {"eight", 8}, {"nine", 9},  {"ten", 10}, {"eleven", 11}, {"twelve", 12},
};

constexpr Entry<int> kOrdinalWords[] = {{"first", 1},  {"second", 2}, {"third", 3},
                                        {"fourth", 4}, {"fifth", 5},  {"last", -1}};

constexpr Entry<Unit> kUnits[] = {
    {"minute", Unit::kMinute}, {"minutes", Unit::kMinute}, {"min", Unit::kMinute},
    {"mins", Unit::kMinute},   {"hour", Unit::kHour},      {"hours", Unit::kHour},
    {"hr", Unit::kHour},       {"hrs", Unit::kHour},       {"day", Unit::kDay},
    {"days", Unit::kDay},      {"week", Unit::kWeek},      {"weeks", Unit::kWeek},
    {"wk", Unit::kWeek},       {"wks", Unit::kWeek},       {"month", Unit::kMonth},
    {"months", Unit::kMonth},  {"year", Unit::kYear},      {"years", Unit::kYear},
    {"yr", Unit::kYear},       {"yrs", Unit::kYear},
};

constexpr Entry<Unit> kUnitLetters[] = {
    {"m", Unit::kMinute}, {"h", Unit::kHour}, {"d", Unit::kDay}, {"w", Unit::kWeek}};

constexpr Entry<DayPart> kDayParts[] = {{"morning", DayPart::kMorning},
                                        {"afternoon", DayPart::kAfternoon},
                                        {"evening", DayPart::kEvening},
                                        {"night", DayPart::kNight}};

constexpr std::string_view kContinuations[] = {
    "with", "for",  "about", "to",     "in",      "on",   "at",    "and",   "or",
    "then", "from", "so",    "if",     "because", "but",  "when",  "near",  "via",
    "over", "by",   "until", "before", "after",   "that", "which", "please"};

constexpr std::string_view kSpoilers[] = {
    "since", "of",       "than", "after", "until", "till", "during", "between", "about",    "like",
    "the",   "a",        "an",   "my",    "our",   "your", "his",    "her",     "their",    "last",
    "past",  "previous", "from", "as",    "is",    "was",  "not",    "except",  "excluding"};

constexpr std::string_view kNumbered[] = {
    "chapter", "page",   "pages", "part",    "parts",    "section", "room",    "no",    "number",
    "version", "step",   "steps", "episode", "season",   "volume",  "vol",     "issue", "bug",
    "level",   "lesson", "size",  "line",    "item",     "figure",  "table",   "row",   "unit",
    "phase",   "sprint", "grade", "class",   "act",      "scene",   "psalm",   "gate",  "platform",
    "track",   "disc",   "task",  "ticket",  "exercise", "verse",   "release", "costs"};

constexpr std::string_view kDayNames[] = {"good", "black",  "ash",    "cyber",  "easter", "super",
                                          "ruby", "freaky", "casual", "palm",   "shrove", "fat",
                                          "holy", "maundy", "giving", "bloody", "given",  "man"};

constexpr std::string_view kPersonWords[] = {
    "call",  "ask",   "tell", "meet", "email", "mail",   "text",    "phone", "ping",
    "visit", "with",  "for",  "to",   "from",  "see",    "thank",   "pay",   "invite",
    "help",  "uncle", "mr",   "dear", "and",   "remind", "message", "by",    "of"};

constexpr std::string_view kPrepositions[] = {"on",  "by",  "before", "at", "in",
                                              "for", "due", "from",   "@"};

/// Weekdays, months, number words and ordinals may begin a piece too.
constexpr std::string_view kBeginnings[] = {
    "a",           "alert",     "an",      "and",      "annually", "at",        "before",
    "biweekly",    "by",        "coming",  "daily",    "day",      "due",       "each",
    "end",         "eod",       "eom",     "eow",      "eoy",      "every",     "for",
    "fortnightly", "from",      "half",    "high",     "in",       "low",       "medium",
    "midday",      "midnight",  "monthly", "next",     "noon",     "notify",    "on",
    "once",        "p1",        "p2",      "p3",       "quarter",  "quarterly", "remind",
    "reminder",    "reminders", "the",     "this",     "tmr",      "tmrw",      "today",
    "tom",         "tomorrow",  "tonight", "weekdays", "weekend",  "weekends",  "weekly",
    "with",        "yearly"};

/// Plural weekdays, number words and ordinals may begin a rule too.
constexpr std::string_view kRuleBeginnings[] = {
    "annually", "biweekly",  "daily", "each",     "every",    "fortnightly", "monthly", "on",
    "once",     "quarterly", "the",   "weekdays", "weekends", "weekly",      "yearly"};

using Vocabulary = std::unordered_map<std::string_view, Meanings>;

template <typename Value, std::size_t n>
void Add(Vocabulary& words, const Entry<Value> (&entries)[n],
         std::optional<Value> Meanings::*meaning) {
  for (const auto& [word, value] : entries) words[word].*meaning = value;
}

template <std::size_t n>
void Add(Vocabulary& words, const std::string_view (&entries)[n], bool Meanings::*meaning) {
  for (const std::string_view word : entries) words[word].*meaning = true;
}

Vocabulary MakeVocabulary() {
  Vocabulary words;
  Add(words, kWeekdayWords, &Meanings::weekday);
  Add(words, kMonthWords, &Meanings::month);
  Add(words, kNumberWords, &Meanings::number);
  Add(words, kOrdinalWords, &Meanings::ordinal);
  Add(words, kUnits, &Meanings::unit);
  Add(words, kUnitLetters, &Meanings::unit_letter);
  Add(words, kDayParts, &Meanings::day_part);
  Add(words, kBeginnings, &Meanings::begins_piece);
  Add(words, kPrepositions, &Meanings::is_preposition);
  Add(words, kContinuations, &Meanings::continues_sentence);
  Add(words, kSpoilers, &Meanings::spoils_day);
  Add(words, kDayNames, &Meanings::names_day);
  Add(words, kNumbered, &Meanings::takes_number);
  Add(words, kPersonWords, &Meanings::takes_person);
  Add(words, kRuleBeginnings, &Meanings::begins_rule);
  for (auto& [word, means] : words) {
    if (means.weekday || means.month || means.number || means.ordinal) means.begins_piece = true;
    if ((means.weekday && means.weekday->is_plural) || means.number || means.ordinal)
      means.begins_rule = true;
  }
  return words;
}

}  // namespace

const Meanings& MeaningsOf(std::string_view word) {
  static const Meanings none;
  static const Vocabulary vocabulary = MakeVocabulary();
  const auto found = vocabulary.find(word);
  return found == vocabulary.end() ? none : found->second;
}

std::string Ordinal(int number) {
  const int last = number % 10;
  const bool teen = number % 100 / 10 == 1;
  const std::string_view ending = teen || last == 0 || last > 3 ? "th"
                                  : last == 1                   ? "st"
                                  : last == 2                   ? "nd"
                                                                : "rd";
  return fmt::format("{}{}", number, ending);
}

std::string_view NameOf(absl::Weekday day) { return kWeekdays[static_cast<std::size_t>(day)]; }
std::string_view NameOfMonth(int month) { return kMonths[static_cast<std::size_t>(month - 1)]; }

std::string_view NameOf(Unit unit) {
  constexpr std::array<std::string_view, 6> kNames = {"minute", "hour",  "day",
                                                      "week",   "month", "year"};
  return kNames[static_cast<std::size_t>(unit)];
}

std::string Counted(std::int64_t count, std::string_view noun) {
  return fmt::format("{} {}{}", count, noun, count == 1 ? "" : "s");
}

}  // namespace todo::chat::grammar
