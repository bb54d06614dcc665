#include <algorithm>
#include <utility>

#include "chat/grammar/calendar.h"
#include "chat/grammar/days.h"
#include "chat/grammar/words.h"

namespace todo::chat::grammar {
namespace {

using Repeats = DayPhrase::Repeats;

constexpr std::size_t kYearDigits = 4;

/// The first day `day` of `month` from `from` on. nullopt: no year has such a day.
std::optional<absl::CivilDay> FirstYearly(absl::CivilDay from, MonthDay date) {
  for (absl::CivilYear year(from); year < absl::CivilYear(from) + 9; ++year) {
    const auto day = DayOf(absl::CivilMonth(year.year(), date.month), date.day);
    if (day && *day >= from) return day;
  }
  return std::nullopt;
}

/// The first day `day` of a month from `from` on. Precondition: 1 to 31.
absl::CivilDay FirstMonthly(absl::CivilDay from, int day) {
  for (absl::CivilMonth month(from);; ++month) {
    const auto found = DayOf(month, day);
    if (found && *found >= from) return *found;
  }
}

std::optional<DayPhrase> InYear(int year, MonthDay date) {
  const auto day = DayOf(absl::CivilMonth(year, date.month), date.day);
  if (!day) return std::nullopt;
  return DayPhrase{.day = *day, .exact = std::nullopt};
}

std::optional<DayPhrase> InAnyYear(MonthDay date, const GrammarContext& context) {
  const auto day = FirstYearly(Today(context), date);
  if (!day) return std::nullopt;
  return DayPhrase{.day = *day, .repeats = Repeats::kYearly, .exact = std::nullopt};
}

/// A year of four digits, with or without a comma before it.
std::optional<int> ReadYear(Cursor& cursor) {
  Cursor ahead = cursor;
  ahead.Take(",");
  const Token& token = ahead.Peek();
  if (!ahead.IsNumber() || token.text.size() != kYearDigits || token.number < 1970)
    return std::nullopt;
  ahead.Skip();
  if (ahead.Peek().glued && ahead.Peek().text == ":") return std::nullopt;
  cursor = ahead;
  return token.number;
}

/// A day of a month in digits, which is no part of a time, a range or a longer number.
std::optional<int> ReadDayNumber(Cursor& cursor) {
  Cursor ahead = cursor;
  const Token& token = ahead.Peek();
  if (!ahead.IsNumber() || token.text.size() > 2 || token.number < 1 || token.number > 31)
    return std::nullopt;
  ahead.Skip();
  const std::string_view next = ahead.Peek().text;
  if (next == "am" || next == "pm" || (ahead.Peek().glued && (next == ":" || next == "/")))
    return std::nullopt;
  cursor = ahead;
  return token.number;
}

/// The time of "2027-01-31T14:00" behind its day.
std::optional<absl::CivilSecond> ReadIsoTime(Cursor& cursor, absl::CivilDay day) {
  Cursor ahead = cursor;
  const Token& hour = ahead.Peek();
  const auto digit = [](char c) { return c >= '0' && c <= '9'; };
  if (!hour.glued || hour.text.size() != 3 || hour.text[0] != 't' || !digit(hour.text[1]) ||
      !digit(hour.text[2]))
    return std::nullopt;
  ahead.Skip();
  if (!ahead.TakeGlued(":") || !ahead.IsNumber() || ahead.Peek().text.size() != 2)
    return std::nullopt;
  const int hours = (hour.text[1] - '0') * 10 + (hour.text[2] - '0');
  const int minutes = ahead.Peek().number;
  if (hours >= 24 || minutes >= 60) return std::nullopt;
  ahead.Skip();
  Cursor behind = ahead;
  if (behind.TakeGlued(":") && behind.IsNumber() && behind.Peek().glued) {
    behind.Skip();
    ahead = behind;
  }
  cursor = ahead;
  return absl::CivilSecond(day) + hours * 3600 + minutes * 60;
}

/// The numbers of "31/1/2027", "31.1." or "2027-01-31".
struct Numbers {
  int parts[3] = {0, 0, 0};
  std::size_t digits[3] = {0, 0, 0};
  int count = 0;
  std::string_view separator;
  bool ends_with_separator = false;
};

std::optional<Numbers> ReadNumbers(Cursor& cursor) {
  Cursor ahead = cursor;
  Numbers numbers;
  while (numbers.count < 3 && ahead.IsNumber() && (numbers.count == 0 || ahead.Peek().glued)) {
    numbers.parts[numbers.count] = ahead.Peek().number;
    numbers.digits[numbers.count] = ahead.Peek().text.size();
    ++numbers.count;
    ahead.Skip();
    cursor = ahead;
    numbers.ends_with_separator = false;
    if (numbers.count == 3) break;
    const std::string_view mark = ahead.Peek().text;
    if (mark != "/" && mark != "." && mark != "-") break;
    if (numbers.count > 1 && mark != numbers.separator) break;
    if (!ahead.TakeGlued(mark)) break;
    numbers.separator = mark;
    numbers.ends_with_separator = true;
  }
  if (numbers.count < 2) return std::nullopt;
  numbers.ends_with_separator =
      numbers.ends_with_separator && numbers.separator == "." && numbers.count == 2;
  if (numbers.ends_with_separator) cursor = ahead;
  return numbers;
}

/// Day and month in the order of `context`, or in the other one if only that is a date. Dots always
/// mean the day first.
MonthDay InOrder(const Numbers& numbers, const GrammarContext& context) {
  int day = numbers.parts[0];
  int month = numbers.parts[1];
  const bool month_first = context.wording.date_order == domain::DateOrder::kMonthFirst;
  if (month_first && numbers.separator != ".") std::swap(day, month);
  if (month > 12 && day <= 12) std::swap(day, month);
  return {month, day};
}

std::optional<DayPhrase> ReadNumericDate(Cursor& cursor, const GrammarContext& context) {
  Cursor ahead = cursor;
  const std::optional<Numbers> numbers = ReadNumbers(ahead);
  if (!numbers) return std::nullopt;
  const auto& [parts, digits, count, separator, ends_with_separator] = *numbers;
  const auto is_month = [](int month) { return month >= 1 && month <= 12; };
  std::optional<DayPhrase> found;
  if (count == 3 && digits[0] == kYearDigits && separator != "." && is_month(parts[1])) {
    found = InYear(parts[0], {parts[1], parts[2]});
    if (found && separator == "-") found->exact = ReadIsoTime(ahead, found->day);
  } else if (digits[0] <= 2 && digits[1] <= 2) {
    const MonthDay date = InOrder(*numbers, context);
    if (!is_month(date.month)) return std::nullopt;
    const bool short_year = digits[2] == 2 && separator == "/";
    if (count == 3 && (digits[2] == kYearDigits || short_year)) {
      found = InYear(parts[2] + (short_year ? 2000 : 0), date);
    } else if (count == 2 && (separator == "/" || ends_with_separator)) {
      if (parts[0] == 24 && parts[1] == 7) return std::nullopt;  // around the clock
      found = InAnyYear(date, context);
      if (found) found->is_weak = true;
    }
  }
  if (found) cursor = ahead;
  return found;
}

/// "the 1st": a day of this month or of a later one.
std::optional<DayPhrase> ReadDayOfMonth(Cursor& cursor, const GrammarContext& context) {
  Cursor ahead = cursor;
  ahead.Take("the");
  const std::optional<int> day = ReadOrdinal(ahead);
  if (!day) return std::nullopt;
  DayPhrase found{.day = FirstMonthly(Today(context), *day),
                  .repeats = Repeats::kMonthly,
                  .exact = std::nullopt,
                  .is_weak = true};
  if (ahead.TakeAll({"of", "next", "month"})) {
    const auto next = DayOf(absl::CivilMonth(Today(context)) + 1, *day);
    if (!next) return std::nullopt;
    found = {.day = *next, .exact = std::nullopt};
  } else {
    ahead.TakeAll({"of", "the", "month"}) || ahead.TakeAll({"of", "this", "month"});
  }
  cursor = ahead;
  return found;
}

}  // namespace

std::optional<int> ReadOrdinal(Cursor& cursor) {
  Cursor ahead = cursor;
  if (!ahead.IsNumber() || ahead.Peek().text.size() > 2) return std::nullopt;
  const int number = ahead.Peek().number;
  ahead.Skip();
  const Token& ending = ahead.Peek();
  if (number < 1 || number > 31 || !ending.glued || ending.kind != Token::Kind::kWord)
    return std::nullopt;
  if (!Ordinal(number).ends_with(ending.text) || ending.text.size() != 2) return std::nullopt;
  ahead.Skip();
  cursor = ahead;
  return number;
}

std::optional<MonthDay> ReadMonthDay(Cursor& cursor) {
  Cursor ahead = cursor;
  const auto read_day = [&ahead] {
    const std::optional<int> ordinal = ReadOrdinal(ahead);
    return ordinal ? ordinal : ReadDayNumber(ahead);
  };
  std::optional<int> month = ahead.Peek().means->month;
  std::optional<int> day;
  if (month) {
    ahead.Skip();
    ahead.Take(".");
    ahead.Take("the");
    day = read_day();
  } else {
    ahead.Take("the");
    day = read_day();
    if (day) {
      ahead.Take("of");
      month = ahead.Peek().means->month;
      ahead.Skip();
    }
  }
  // A leap year has all days that a month may have.
  if (!month || !day || !DayOf(absl::CivilMonth(2000, *month), *day)) return std::nullopt;
  cursor = ahead;
  return MonthDay{*month, *day};
}

std::optional<DayPhrase> ReadDate(Cursor& cursor, const GrammarContext& context) {
  Cursor ahead = cursor;
  if (const auto date = ReadMonthDay(ahead)) {
    const std::optional<int> year = ReadYear(ahead);
    const auto found = year ? InYear(*year, *date) : InAnyYear(*date, context);
    if (found) cursor = ahead;
    return found;
  }
  if (auto found = ReadNumericDate(cursor, context)) return found;
  return ReadDayOfMonth(cursor, context);
}

std::optional<DayPhrase> ReadMonthAlone(Cursor& cursor, const GrammarContext& context,
                                        std::string_view preposition) {
  Cursor ahead = cursor;
  const bool next = ahead.Take("next");
  const bool led = next || preposition == "in" || preposition == "by" || preposition == "before" ||
                   preposition == "until" || preposition == "due";
  const std::optional<int> month = ahead.Peek().means->month;
  if (!led || !month) return std::nullopt;
  ahead.Skip();
  const std::optional<int> year = ReadYear(ahead);
  const auto found = year ? InYear(*year, {*month, 1}) : InAnyYear({*month, 1}, context);
  if (found) cursor = ahead;
  return found;
}

absl::CivilDay Later(const DayPhrase& phrase) {
  switch (phrase.repeats) {
    case Repeats::kWeekly: return phrase.day + 7;
    case Repeats::kMonthly: return FirstMonthly(phrase.day + 1, phrase.day.day());
    case Repeats::kYearly:
      return FirstYearly(phrase.day + 1, {phrase.day.month(), phrase.day.day()})
          .value_or(phrase.day + 1);
    default: return phrase.day + 1;
  }
}

}  // namespace todo::chat::grammar
