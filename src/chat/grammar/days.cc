#include "chat/grammar/days.h"

#include <chrono>

#include "chat/grammar/calendar.h"
#include "chat/grammar/durations.h"
#include "chat/grammar/words.h"

namespace todo::chat::grammar {
namespace {

using absl::CivilDay;
using Repeats = DayPhrase::Repeats;

DayPhrase Fixed(CivilDay day) { return {.day = day, .exact = std::nullopt}; }

/// "today", "tomorrow", "the day after tomorrow".
std::optional<DayPhrase> ReadNamedDay(Cursor& cursor, const GrammarContext& context) {
  if (cursor.Take("today")) return Fixed(Today(context));
  if (cursor.TakeAny({"tomorrow", "tmr", "tmrw"})) return Fixed(Today(context) + 1);
  if (cursor.TakeAll({"day", "after", "tomorrow"}) ||
      cursor.TakeAll({"the", "day", "after", "tomorrow"}))
    return Fixed(Today(context) + 2);
  if (cursor.Take("tom")) {
    DayPhrase phrase = Fixed(Today(context) + 1);
    phrase.is_weak = true;
    return phrase;
  }
  return std::nullopt;
}

/// "friday", "this friday", "next friday", "friday next week", "friday, 4 December".
std::optional<DayPhrase> ReadWeekdayPhrase(Cursor& cursor, const GrammarContext& context) {
  Cursor ahead = cursor;
  bool next = ahead.TakeAll({"next", "week", "on"}) || ahead.TakeAll({"next", "week"}) ||
              ahead.Take("next");
  const bool led = next || ahead.TakeAny({"this", "coming"});
  const std::optional<WeekdayWord> word = ahead.Peek().means->weekday;
  if (!word || word->is_plural) return std::nullopt;
  ahead.Skip();
  if (word->is_short && ahead.Peek().text == "." && ahead.Peek().glued) ahead.Skip();
  if (!led) {
    Cursor behind = ahead;
    behind.Take(",");
    const auto date = ReadDate(behind, context);
    if (date && absl::GetWeekday(date->day) == word->day) {
      cursor = behind;
      DayPhrase phrase = *date;
      phrase.is_weak = false;
      return phrase;
    }
    next = ahead.TakeAll({"next", "week"});
  }
  cursor = ahead;
  const CivilDay today = Today(context);
  if (next) return Fixed(FirstFrom(WeekOf(today, context.wording.week_start) + 7, word->day));
  return DayPhrase{.day = FirstFrom(today, word->day),
                   .repeats = Repeats::kWeekly,
                   .exact = std::nullopt,
                   .is_weak = word->is_short && !led};
}

/// The first and the last day of the week, month or year that holds `day`.
struct Stretch {
  CivilDay first;
  CivilDay last;
};
Stretch StretchOf(Unit unit, CivilDay day, absl::Weekday week_start) {
  if (unit == Unit::kWeek) {
    const CivilDay first = WeekOf(day, week_start);
    return {first, first + 6};
  }
  if (unit == Unit::kMonth) {
    const absl::CivilMonth month(day);
    return {CivilDay(month), LastDayOf(month)};
  }
  const absl::CivilYear year(day);
  return {CivilDay(year), CivilDay(year + 1) - 1};
}

/// "next week" and "next month" are first days; "this week" and "end of month" are last days.
std::optional<DayPhrase> ReadStretch(Cursor& cursor, const GrammarContext& context) {
  for (const auto& [word, unit] : {std::pair{"eow", Unit::kWeek}, std::pair{"eom", Unit::kMonth},
                                   std::pair{"eoy", Unit::kYear}}) {
    if (cursor.Take(word))
      return Fixed(StretchOf(unit, Today(context), context.wording.week_start).last);
  }
  if (cursor.Take("eod")) return Fixed(Today(context));

  Cursor ahead = cursor;
  ahead.Take("the");
  const bool end = ahead.TakeAll({"end", "of"}) || ahead.TakeAll({"last", "day", "of"});
  if (end) ahead.Take("the");
  const bool next = ahead.Take("next");
  if (!next && !ahead.TakeAny({"this", "current"}) && !end) return std::nullopt;
  const std::optional<Unit> unit = ahead.Peek().means->unit;
  if (!unit || *unit == Unit::kMinute || *unit == Unit::kHour) return std::nullopt;
  if (*unit == Unit::kDay && (next || !end)) return std::nullopt;
  ahead.Skip();
  cursor = ahead;
  const CivilDay today = Today(context);
  if (*unit == Unit::kDay) return Fixed(today);
  Stretch stretch = StretchOf(*unit, today, context.wording.week_start);
  if (next) stretch = StretchOf(*unit, stretch.last + 1, context.wording.week_start);
  return Fixed(next && !end ? stretch.first : stretch.last);
}

/// "this weekend", "next weekend", "on the weekend": Saturdays.
std::optional<DayPhrase> ReadWeekend(Cursor& cursor, const GrammarContext& context,
                                     std::string_view preposition) {
  Cursor ahead = cursor;
  const bool next = ahead.Take("next");
  const bool led =
      next || ahead.TakeAny({"this", "coming"}) || (!preposition.empty() && ahead.Take("the"));
  if (!ahead.Take("weekend")) return std::nullopt;
  cursor = ahead;
  const CivilDay today = Today(context);
  const bool is_sunday = absl::GetWeekday(today) == absl::Weekday::sunday;
  const CivilDay saturday = FirstFrom(is_sunday ? today - 1 : today, absl::Weekday::saturday);
  DayPhrase phrase = Fixed(next ? saturday + 7 : is_sunday ? today : saturday);
  phrase.is_weak = !led;
  return phrase;
}

/// `duration` after `day`, or after now if it is elapsed time.
std::optional<DayPhrase> After(const Duration& duration, CivilDay day,
                               const GrammarContext& context) {
  DayPhrase phrase = Fixed(AddMonths(day, duration.months) + duration.days);
  if (!IsInCalendar(phrase.day)) return std::nullopt;
  if (duration.time.count() == 0) return phrase;
  const domain::Instant at = std::chrono::ceil<std::chrono::minutes>(context.now + duration.time);
  Moment moment{.local = context.zone.ToLocal(at), .has_time = true};
  // A time that clocks show twice stands for the first of the two, which may be over.
  while (IsPast(moment, context)) moment.local += 60;
  phrase.day = CivilDay(moment.local);
  phrase.exact = moment.local;
  return phrase;
}

/// "in 3 days", "two weeks from now", "a week from tuesday".
std::optional<DayPhrase> ReadDistance(Cursor& cursor, const GrammarContext& context,
                                      std::string_view preposition) {
  Cursor ahead = cursor;
  const std::optional<Duration> duration = ReadDuration(ahead);
  if (!duration) return std::nullopt;
  CivilDay from = Today(context);
  if (ahead.Take("from")) {
    if (!ahead.Take("now")) {
      auto day = ReadNamedDay(ahead, context);
      if (!day) day = ReadWeekdayPhrase(ahead, context);
      if (!day || duration->time.count() != 0) return std::nullopt;
      from = day->day;
    }
  } else if (preposition != "in") {
    return std::nullopt;
  }
  if (preposition == "in") {
    Cursor behind = ahead;  // "in 2 days time", "in two weeks' time"
    behind.TakeGlued("'");
    if (behind.Take("time")) ahead = behind;
  }
  auto phrase = After(*duration, from, context);
  if (phrase) cursor = ahead;
  return phrase;
}

}  // namespace

std::optional<DayPhrase> ReadDay(Cursor& cursor, const GrammarContext& context,
                                 std::string_view preposition) {
  if (auto day = ReadDistance(cursor, context, preposition)) return day;
  if (cursor.IsNumber() && preposition != "in" && preposition != "at")
    return ReadDate(cursor, context);
  if (!cursor.IsWord()) return std::nullopt;
  if (preposition == "in") return ReadMonthAlone(cursor, context, preposition);
  if (preposition == "at") return ReadWeekend(cursor, context, preposition);
  if (auto day = ReadNamedDay(cursor, context)) return day;
  if (auto day = ReadWeekdayPhrase(cursor, context)) return day;
  if (auto day = ReadStretch(cursor, context)) return day;
  if (auto day = ReadWeekend(cursor, context, preposition)) return day;
  if (auto day = ReadDate(cursor, context)) return day;
  return ReadMonthAlone(cursor, context, preposition);
}

}  // namespace todo::chat::grammar
