#include "chat/grammar/words.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cstdint>
#include <utility>

namespace todo::chat::grammar {
namespace {

using absl::Weekday;

template <typename Value>
using Entry = std::pair<std::string_view, Value>;

template <typename Value, std::size_t n>
std::optional<Value> Find(const Entry<Value> (&words)[n], std::string_view word) {
  for (const auto& [entry, value] : words)
    if (entry == word) return value;
  return std::nullopt;
}

template <std::size_t n>
bool Contains(const std::string_view (&words)[n], std::string_view word) {
  return std::ranges::find(words, word) != std::end(words);
}

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
    "since", "of",   "than", "after",    "until", "till", "during", "between", "about",
    "like",  "the",  "a",    "an",       "my",    "our",  "your",   "his",     "her",
    "their", "last", "past", "previous", "from",  "as",   "is",     "was",     "not"};

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

constexpr std::string_view kPrepositions[] = {"on", "by", "before", "at", "in", "for", "due", "@"};

/// In the order of the alphabet. Weekdays, months and number words may begin a piece too.
constexpr std::string_view kBeginnings[] = {
    "a",           "alert",     "an",     "and",      "annually",  "at",      "before",
    "biweekly",    "by",        "coming", "daily",    "day",       "due",     "each",
    "end",         "eod",       "eom",    "eow",      "eoy",       "every",   "for",
    "fortnightly", "half",      "in",     "midday",   "midnight",  "monthly", "next",
    "noon",        "notify",    "on",     "once",     "p1",        "p2",      "p3",
    "quarter",     "quarterly", "remind", "reminder", "reminders", "the",     "this",
    "tmr",         "tmrw",      "today",  "tom",      "tomorrow",  "tonight", "weekdays",
    "weekend",     "weekends",  "weekly", "with",     "yearly"};
static_assert(std::ranges::is_sorted(kBeginnings));

}  // namespace

bool MayBeginPiece(std::string_view word) {
  return std::ranges::binary_search(kBeginnings, word) || ReadWeekday(word) || ReadMonth(word) ||
         ReadNumberWord(word);
}
bool IsPreposition(std::string_view word) { return Contains(kPrepositions, word); }

std::optional<WeekdayWord> ReadWeekday(std::string_view word) { return Find(kWeekdayWords, word); }
std::optional<int> ReadMonth(std::string_view word) { return Find(kMonthWords, word); }
std::optional<int> ReadNumberWord(std::string_view word) { return Find(kNumberWords, word); }
std::optional<int> ReadOrdinalWord(std::string_view word) { return Find(kOrdinalWords, word); }
std::optional<Unit> ReadUnit(std::string_view word) { return Find(kUnits, word); }
std::optional<Unit> ReadUnitLetter(std::string_view word) { return Find(kUnitLetters, word); }
std::optional<DayPart> ReadDayPart(std::string_view word) { return Find(kDayParts, word); }

bool ContinuesSentence(std::string_view word) { return Contains(kContinuations, word); }
bool SpoilsDay(std::string_view word) { return Contains(kSpoilers, word); }
bool TakesNumber(std::string_view word) { return Contains(kNumbered, word); }
bool NamesDay(std::string_view word) { return Contains(kDayNames, word); }
bool TakesPerson(std::string_view word) { return Contains(kPersonWords, word); }

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
