#include "chat/grammar/rules.h"

#include <utility>

#include "chat/grammar/days.h"
#include "chat/grammar/words.h"

namespace todo::chat::grammar {
namespace {

using domain::RecurrenceBasis;
using domain::RecurrenceRule;
using Frequency = RecurrenceRule::Frequency;

constexpr int kMonthsOfQuarter = 3;

void SetDays(RecurrenceRule& rule, std::initializer_list<std::chrono::weekday> days) {
  rule.frequency = Frequency::kWeekly;
  for (const std::chrono::weekday day : days) rule.by_day.push_back({0, day});
}

void SetWorkingWeek(RecurrenceRule& rule) {
  SetDays(rule, {std::chrono::Monday, std::chrono::Tuesday, std::chrono::Wednesday,
                 std::chrono::Thursday, std::chrono::Friday});
}

/// "day", "weeks", "quarter", "weekday", "weekend", "morning": the rule with the interval that it
/// has already.
bool ReadUnitOfRule(Cursor& cursor, RulePhrase& phrase) {
  RecurrenceRule& rule = phrase.rule;
  if (cursor.TakeAny({"weekday", "weekdays", "workday", "workdays"}) ||
      cursor.TakeAll({"business", "day"}) || cursor.TakeAll({"working", "day"})) {
    SetWorkingWeek(rule);
    return true;
  }
  if (cursor.TakeAny({"weekend", "weekends"})) {
    SetDays(rule, {std::chrono::Saturday});
    return true;
  }
  if (cursor.TakeAny({"quarter", "quarters"})) {
    rule.frequency = Frequency::kMonthly;
    rule.interval *= kMonthsOfQuarter;
    return true;
  }
  if (const std::optional<DayPart> part = cursor.Peek().means->day_part) {
    cursor.Skip();
    phrase.clock.part = part;
    return true;
  }
  const std::optional<Unit> unit = cursor.Peek().means->unit;
  if (!unit) return false;
  cursor.Skip();
  switch (*unit) {
    case Unit::kMinute:
    case Unit::kHour: phrase.is_too_often = true; break;
    case Unit::kDay: rule.frequency = Frequency::kDaily; break;
    case Unit::kWeek: rule.frequency = Frequency::kWeekly; break;
    case Unit::kMonth: rule.frequency = Frequency::kMonthly; break;
    case Unit::kYear: rule.frequency = Frequency::kYearly; break;
  }
  return true;
}

/// "2nd week", "third day": the interval. "first" and "last" are none.
std::optional<int> ReadOrdinalInterval(Cursor& cursor) {
  Cursor ahead = cursor;
  std::optional<int> ordinal = ahead.Peek().means->ordinal;
  if (ordinal) {
    ahead.Skip();
  } else {
    ordinal = ReadOrdinal(ahead);
  }
  const bool has_unit = ahead.Peek().means->unit.has_value() || ahead.Peek().text == "quarter";
  if (!ordinal || *ordinal < 2 || !has_unit) return std::nullopt;
  cursor = ahead;
  return ordinal;
}

/// "april 15", "15 april", "january": every year.
bool ReadYearly(Cursor& cursor, RecurrenceRule& rule) {
  if (const std::optional<MonthDay> date = ReadMonthDay(cursor)) {
    rule.by_month = {date->month};
    rule.by_month_day = {date->day};
  } else if (const std::optional<int> month = cursor.Peek().means->month) {
    cursor.Skip();
    rule.by_month = {*month};
  } else {
    return false;
  }
  rule.frequency = Frequency::kYearly;
  return true;
}

/// What follows "every".
bool ReadBody(Cursor& cursor, RulePhrase& phrase) {
  RecurrenceRule& rule = phrase.rule;
  if (ReadYearly(cursor, rule)) return true;
  if (const auto interval = ReadOrdinalInterval(cursor)) {
    rule.interval = *interval;
    return ReadUnitOfRule(cursor, phrase);
  }
  if (ReadDaysOfMonth(cursor, rule)) {
    rule.frequency = Frequency::kMonthly;
    if (cursor.TakeAll({"of", "the", "month"}) || cursor.TakeAll({"of", "every", "month"}) ||
        cursor.TakeAll({"of", "each", "month"}) || cursor.TakeAll({"of", "month"}))
      return true;
    Cursor ahead = cursor;
    const bool of = ahead.TakeAny({"of", "in"});
    if (const auto month = ahead.Peek().means->month; of && month) {
      rule.frequency = Frequency::kYearly;
      rule.by_month = {*month};
      ahead.Skip();
      cursor = ahead;
    }
    return true;
  }
  if (cursor.Take("other")) {
    rule.interval = 2;
  } else if (const auto count = ReadCount(cursor)) {
    rule.interval = *count;
  } else {
    cursor.Take("single");
  }
  if (ReadUnitOfRule(cursor, phrase)) {
    // "every 2 mornings" is nothing that a rule can say.
    return !phrase.clock.part || rule.interval == 1;
  }
  if (!ReadWeekdays(cursor, rule, rule.interval > 1)) return false;
  rule.frequency = Frequency::kWeekly;
  return true;
}

/// "daily", "weekly", …
bool ReadAdverb(Cursor& cursor, RulePhrase& phrase, const GrammarContext&) {
  struct Adverb {
    std::string_view word;
    Frequency frequency;
    int interval;
  };
  static constexpr Adverb kAdverbs[] = {
      {"daily", Frequency::kDaily, 1},     {"weekly", Frequency::kWeekly, 1},
      {"biweekly", Frequency::kWeekly, 2}, {"fortnightly", Frequency::kWeekly, 2},
      {"monthly", Frequency::kMonthly, 1}, {"quarterly", Frequency::kMonthly, kMonthsOfQuarter},
      {"yearly", Frequency::kYearly, 1},   {"annually", Frequency::kYearly, 1},
  };
  for (const Adverb& adverb : kAdverbs) {
    if (!cursor.Take(adverb.word)) continue;
    phrase.rule.frequency = adverb.frequency;
    phrase.rule.interval = adverb.interval;
    return true;
  }
  return false;
}

/// "6 weeks after completion".
bool ReadAfterCompletion(Cursor& cursor, RulePhrase& phrase, const GrammarContext& context) {
  Cursor ahead = cursor;
  const std::optional<int> count = ReadCount(ahead);
  if (!count || !ReadUnitOfRule(ahead, phrase)) return false;
  phrase.rule.interval *= *count;
  if (ahead.Peek().text != "after") return false;
  ReadTails(ahead, phrase, context);
  if (phrase.basis != RecurrenceBasis::kCompletion) return false;
  cursor = ahead;
  phrase.is_led = true;
  return true;
}

/// "[on] mondays and fridays", "on weekdays".
bool ReadPlurals(Cursor& cursor, RulePhrase& phrase, const GrammarContext&) {
  Cursor ahead = cursor;
  phrase.is_led = ahead.Take("on");
  if (ahead.Take("weekdays")) {
    SetWorkingWeek(phrase.rule);
  } else if (ahead.Take("weekends")) {
    SetDays(phrase.rule, {std::chrono::Saturday});
  } else {
    const std::optional<WeekdayWord> word = ahead.Peek().means->weekday;
    if (!word || !word->is_plural || !ReadWeekdays(ahead, phrase.rule, true)) return false;
    phrase.rule.frequency = Frequency::kWeekly;
  }
  cursor = ahead;
  return true;
}

/// "on the 1st of every month", "the last friday of each month".
bool ReadOfEveryMonth(Cursor& cursor, RulePhrase& phrase, const GrammarContext&) {
  Cursor ahead = cursor;
  phrase.is_led = ahead.Take("on");
  ahead.Take("the");
  if (!ReadDaysOfMonth(ahead, phrase.rule) || !ahead.Take("of") ||
      !ahead.TakeAny({"every", "each"}) || !ahead.Take("month"))
    return false;
  phrase.rule.frequency = Frequency::kMonthly;
  cursor = ahead;
  return true;
}

bool ReadEvery(Cursor& cursor, RulePhrase& phrase, const GrammarContext&) {
  Cursor ahead = cursor;
  if (!ahead.TakeAny({"every", "each"}) && !ahead.TakeAll({"once", "a"}) &&
      !ahead.TakeAll({"once", "every"}))
    return false;
  if (ahead.TakeGlued("!")) phrase.basis = RecurrenceBasis::kCompletion;
  if (!ReadBody(ahead, phrase)) return false;
  phrase.is_led = true;
  cursor = ahead;
  return true;
}

/// A cheap look at the next words: most cannot begin a rule.
bool MayBegin(Cursor cursor) {
  cursor.Take("on");
  cursor.Take("the");
  if (!cursor.IsNumber()) return cursor.Peek().means->begins_rule;
  const Token& next = cursor.Peek(1);  // "6 weeks after completion", "1st of every month"
  return next.means->unit || (next.glued && next.kind == Token::Kind::kWord);
}

}  // namespace

std::optional<RulePhrase> ReadRule(Cursor& cursor, const GrammarContext& context) {
  if (!MayBegin(cursor)) return std::nullopt;
  using Reader = bool (*)(Cursor&, RulePhrase&, const GrammarContext&);
  constexpr Reader kReaders[] = {ReadEvery, ReadOfEveryMonth, ReadPlurals, ReadAfterCompletion,
                                 ReadAdverb};
  for (const Reader read : kReaders) {
    RulePhrase phrase;
    Cursor ahead = cursor;
    if (!read(ahead, phrase, context)) continue;
    ReadTails(ahead, phrase, context);
    cursor = ahead;
    return phrase;
  }
  return std::nullopt;
}

}  // namespace todo::chat::grammar
