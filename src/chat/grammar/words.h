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
enum class Unit { kMinute, kHour, kDay, kWeek, kMonth, kYear };
enum class DayPart { kMorning, kAfternoon, kEvening, kNight };

/// All that a word may stand for.
struct Meanings {
  std::optional<WeekdayWord> weekday;
  std::optional<int> month;         // 1 to 12: "january", "jan"
  std::optional<int> number;        // "one" to "twelve"
  std::optional<int> ordinal;       // 1 to 5 for "first" to "fifth", -1 for "last"
  std::optional<Unit> unit;         // "minutes", "hr", "weeks"
  std::optional<Unit> unit_letter;  // right behind a number: "2h", "3d"
  std::optional<DayPart> day_part;
  bool begins_piece = false;    // a piece of a text may begin with it: "tomorrow", "on", "every"
  bool begins_rule = false;     // a rule may begin with it, or with "on the" before it
  bool is_preposition = false;  // of dates: "on", "due"
  bool continues_sentence = false;  // may stand behind a date inside a sentence: "at 3 with Ann"
  bool spoils_day = false;          // a day behind it is no due date: "notes of monday"
  bool names_day = false;           // with the day behind it, it is a name: "Good Friday"
  bool takes_number = false;        // the number behind it counts something else: "page 1/2"
  bool takes_person = false;        // the word behind it is a person: "call tom"
};
/// The meanings of `word`; none for an unknown word. Thread-safe.
const Meanings& MeaningsOf(std::string_view word);

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
