#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <string_view>

#include "absl/time/civil_time.h"

// The words of the grammar, and what they stand for. All words are in lower case.

namespace todo::chat::grammar {

struct WeekdayWord {
  absl::Weekday day;
  bool is_short = false;   // "fri", "sun": also an ordinary word, or a part of one
  bool is_plural = false;  // "fridays"
};
std::optional<WeekdayWord> ReadWeekday(std::string_view word);

/// 1 to 12, of "january", "jan" or "sept".
std::optional<int> ReadMonth(std::string_view word);

/// "one" to "twelve".
std::optional<int> ReadNumberWord(std::string_view word);

/// 1 to 5 for "first" to "fifth", -1 for "last".
std::optional<int> ReadOrdinalWord(std::string_view word);

enum class Unit { kMinute, kHour, kDay, kWeek, kMonth, kYear };
/// "minutes", "min", "hours", "hr", "weeks", …
std::optional<Unit> ReadUnit(std::string_view word);
/// A letter that stands for a unit right behind a number: "2h", "3d".
std::optional<Unit> ReadUnitLetter(std::string_view word);

enum class DayPart { kMorning, kAfternoon, kEvening, kNight };
std::optional<DayPart> ReadDayPart(std::string_view word);

/// Whether a piece of a text may begin with `word`: "tomorrow", "on", "every". Cheap.
bool MayBeginPiece(std::string_view word);
/// "on", "at", "due" and the like.
bool IsPreposition(std::string_view word);
/// Whether `word` may follow a date inside a sentence: "at 3 with Ann".
bool ContinuesSentence(std::string_view word);
/// Whether a day behind `word` is no due date: "notes of monday", "overdue since monday".
bool SpoilsDay(std::string_view word);
/// Whether the number behind `word` counts something else: "page 1/2", "version 31.1.".
bool TakesNumber(std::string_view word);
/// Whether `word` and the weekday or day behind it are a name: "Good Friday", "casual friday".
bool NamesDay(std::string_view word);
/// Whether the word behind `word` is a person: "call tom".
bool TakesPerson(std::string_view word);

/// "1st", "2nd", "3rd", "11th".
std::string Ordinal(int number);
std::string_view NameOf(absl::Weekday day);  // "Monday"
std::string_view NameOfMonth(int month);     // "January"
std::string_view NameOf(Unit unit);          // "minute"
/// "1 day", "2 days".
std::string Counted(std::int64_t count, std::string_view noun);
/// "a", "a and b", "a, b and c".
template <typename List>
std::string Joined(const List& words);

}  // namespace todo::chat::grammar

template <typename List>
std::string todo::chat::grammar::Joined(const List& words) {
  std::string text;
  std::size_t index = 0;
  for (const auto& word : words) {
    if (index > 0) text += index + 1 == words.size() ? " and " : ", ";
    text += word;
    ++index;
  }
  return text;
}
