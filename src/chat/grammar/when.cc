#include <fmt/format.h>

#include <chrono>
#include <utility>

#include "chat/grammar/calendar.h"
#include "chat/grammar/durations.h"
#include "chat/grammar/grammar.h"
#include "chat/grammar/moments.h"
#include "chat/grammar/words.h"

// Whole texts that are a date or a range of days.

namespace todo::chat {
namespace {

using absl::CivilDay;
using grammar::Cursor;
using grammar::Duration;
using grammar::MomentPhrase;
using grammar::Tokens;
using grammar::Unit;

/// Whether nothing is left but a mark that ends a sentence.
bool IsOver(Cursor cursor) {
  cursor.TakeAny({".", "!", "?"});
  return cursor.at_end();
}

/// "by two days", "for an hour", "a week".
std::optional<WhenPhrase> ReadShift(Cursor cursor) {
  constexpr int kDaysOfMonth = 30;
  cursor.TakeAny({"by", "for"});
  cursor.TakeAny({"another", "about"});
  const std::optional<Duration> duration = grammar::ReadDuration(cursor);
  if (!duration) return std::nullopt;
  cursor.TakeAny({"later", "more"});
  if (!IsOver(cursor) || duration->months % 12 != duration->months) return std::nullopt;
  WhenPhrase when;
  when.shift =
      domain::Period{.days = std::chrono::days(duration->days + duration->months * kDaysOfMonth),
                     .time = duration->time};
  if (duration->months > 0) when.notes.emplace_back("A month is taken as 30 days.");
  return when;
}

DayRange OneDay(CivilDay day) { return {day, day}; }

/// The week, month or year that holds `day`.
DayRange RangeOf(Unit unit, CivilDay day, const GrammarContext& context) {
  switch (unit) {
    case Unit::kWeek: {
      const CivilDay first = grammar::WeekOf(day, context.wording.week_start);
      return {first, first + 6};
    }
    case Unit::kMonth: {
      const absl::CivilMonth month(day);
      return {CivilDay(month), grammar::LastDayOf(month)};
    }
    case Unit::kYear: {
      const absl::CivilYear year(day);
      return {CivilDay(year), CivilDay(year + 1) - 1};
    }
    default: return OneDay(day);
  }
}

/// "this week", "next month", "last year", "this weekend".
std::optional<DayRange> ReadStretch(Cursor& cursor, const GrammarContext& context) {
  Cursor ahead = cursor;
  const bool the = ahead.Take("the");
  const bool next = ahead.TakeAny({"next", "coming"});
  const bool last = !next && ahead.TakeAny({"last", "past"});
  const bool named = next || last || ahead.TakeAny({"this", "current"});
  if (!named && (!the || ahead.Peek().text != "weekend")) return std::nullopt;
  const CivilDay today = grammar::Today(context);
  if (ahead.Take("weekend")) {
    constexpr int kDaysOfWeek = 7;
    const CivilDay sunday = grammar::FirstFrom(today, absl::Weekday::sunday);
    const CivilDay end = sunday + (next ? kDaysOfWeek : last ? -kDaysOfWeek : 0);
    cursor = ahead;
    return DayRange{end - 1, end};
  }
  const std::optional<Unit> unit = ahead.Peek().means->unit;
  if (!unit || *unit < Unit::kWeek) return std::nullopt;
  ahead.Skip();
  cursor = ahead;
  const DayRange current = RangeOf(*unit, today, context);
  if (next) return RangeOf(*unit, current.last + 1, context);
  return last ? RangeOf(*unit, current.first - 1, context) : current;
}

/// "the next 3 days" begin today, "the last two weeks" end today.
std::optional<DayRange> ReadDays(Cursor& cursor, const GrammarContext& context) {
  Cursor ahead = cursor;
  ahead.Take("the");
  const bool next = ahead.TakeAny({"next", "coming"});
  if (!next && !ahead.TakeAny({"last", "past"})) return std::nullopt;
  const std::optional<Duration> duration = grammar::ReadDuration(ahead);
  if (!duration || duration->time.count() != 0) return std::nullopt;
  cursor = ahead;
  const CivilDay today = grammar::Today(context);
  const int sign = next ? 1 : -1;
  const CivilDay end =
      grammar::AddMonths(today, sign * duration->months) + sign * duration->days - sign;
  if (!grammar::IsInCalendar(end)) return std::nullopt;
  return next ? DayRange{today, end} : DayRange{end, today};
}

/// "december", "april 2027": the whole month.
std::optional<DayRange> ReadMonth(Cursor& cursor, const GrammarContext& context) {
  Cursor ahead = cursor;
  const std::optional<int> number = ahead.Peek().means->month;
  if (!number) return std::nullopt;
  ahead.Skip();
  absl::CivilMonth month(grammar::Today(context));
  while (month.month() != *number) ++month;
  if (ahead.IsNumber() && ahead.Peek().text.size() == 4) {
    month = absl::CivilMonth(ahead.Peek().number, *number);
    ahead.Skip();
  }
  if (!IsOver(ahead) || !grammar::IsInCalendar(CivilDay(month))) return std::nullopt;
  cursor = ahead;
  return RangeOf(Unit::kMonth, CivilDay(month), context);
}

std::optional<DayRange> ReadRange(Cursor& cursor, const GrammarContext& context) {
  const CivilDay today = grammar::Today(context);
  if (cursor.Take("yesterday")) return OneDay(today - 1);
  if (cursor.Take("tonight")) return OneDay(today);
  if (auto range = ReadStretch(cursor, context)) return range;
  if (auto range = ReadDays(cursor, context)) return range;
  if (auto range = ReadMonth(cursor, context)) return range;
  Cursor ahead = cursor;
  if (ahead.Take("last") && ahead.Peek().means->weekday) {
    cursor = ahead;
    const absl::Weekday weekday = cursor.Peek().means->weekday->day;
    cursor.Skip();
    return OneDay(absl::PrevWeekday(today, weekday));
  }
  ahead = cursor;
  const bool until = ahead.TakeAny({"until", "till"});
  const std::optional<MomentPhrase> moment = grammar::ReadMoment(ahead, context);
  if (!moment || !moment->day || moment->dropped || moment->time) return std::nullopt;
  if (until && moment->day->day < today) return std::nullopt;
  cursor = ahead;
  return until ? DayRange{today, moment->day->day} : OneDay(moment->day->day);
}

}  // namespace

std::optional<WhenPhrase> ParseWhen(std::string_view text, const GrammarContext& context) {
  const Tokens tokens(text);
  Cursor cursor(tokens, 0);
  if (auto shift = ReadShift(cursor)) return shift;
  const bool led = cursor.TakeAny({"to", "until", "till"});
  const std::optional<MomentPhrase> phrase =
      grammar::ReadMoment(cursor, context, led ? "until" : "");
  if (!phrase || phrase->dropped || !IsOver(cursor)) return std::nullopt;
  WhenPhrase when;
  when.moment = grammar::Resolve(*phrase, context, when.notes);
  if (!when.moment) return std::nullopt;
  const bool is_midnight = when.moment->local == absl::CivilSecond(CivilDay(when.moment->local));
  when.has_no_day = !phrase->day && !is_midnight;
  return when;
}

std::optional<DayRange> ParseDayRange(std::string_view text, const GrammarContext& context) {
  const Tokens tokens(text);
  Cursor cursor(tokens, 0);
  Cursor ahead = cursor;
  ahead.TakeAny({"due", "for", "in", "on", "during"});
  for (Cursor begin : {ahead, cursor}) {
    const std::optional<DayRange> range = ReadRange(begin, context);
    if (range && IsOver(begin)) return range;
  }
  return std::nullopt;
}

}  // namespace todo::chat
