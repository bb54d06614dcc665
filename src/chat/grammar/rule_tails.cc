#include <algorithm>
#include <chrono>

#include "chat/grammar/days.h"
#include "chat/grammar/rules.h"
#include "chat/grammar/words.h"

namespace todo::chat::grammar {
namespace {

using domain::RecurrenceBasis;
using domain::RecurrenceRule;
using Frequency = RecurrenceRule::Frequency;

constexpr int kMaxListed = 31;
constexpr int kMaxTails = 6;

std::chrono::weekday ToChrono(absl::Weekday day) {
  return std::chrono::weekday(static_cast<unsigned>(day) + 1);  // 7 stands for Sunday too
}

void AddWeekday(RecurrenceRule& rule, int position, absl::Weekday day) {
  const RecurrenceRule::Weekday weekday{position, ToChrono(day)};
  if (std::ranges::find(rule.by_day, weekday) == rule.by_day.end()) rule.by_day.push_back(weekday);
}

/// ",", "and", ", and" or "&" between the entries of a list.
bool TakeSeparator(Cursor& cursor) {
  const bool comma = cursor.Take(",");
  return cursor.TakeAny({"and", "&", "/"}) || comma;
}

std::optional<WeekdayWord> TakeWeekday(Cursor& cursor, bool plural) {
  const std::optional<WeekdayWord> word = cursor.Peek().means->weekday;
  if (!word || (word->is_plural && !plural)) return std::nullopt;
  cursor.Skip();
  return word;
}

/// "1st", "first", "last".
std::optional<int> TakeOrdinal(Cursor& cursor) {
  if (const std::optional<int> number = ReadOrdinal(cursor)) return number;
  const std::optional<int> word = cursor.Peek().means->ordinal;
  if (word) cursor.Skip();
  return word;
}

/// "on mon and fri", "on the 1st", "on april 15", "in april". A rule that has days takes no others.
bool ReadOn(Cursor& cursor, RulePhrase& phrase) {
  RecurrenceRule& rule = phrase.rule;
  const bool has_days = !rule.by_day.empty() || !rule.by_month_day.empty();
  Cursor ahead = cursor;
  if (has_days || !ahead.TakeAny({"on", "in"})) return false;
  const bool on = cursor.Peek().text == "on";
  switch (rule.frequency) {
    case Frequency::kDaily: return false;
    case Frequency::kWeekly:
      if (!on || !ReadWeekdays(ahead, rule, false)) return false;
      break;
    case Frequency::kMonthly:
      ahead.Take("the");
      if (!on || !ReadDaysOfMonth(ahead, rule)) return false;
      break;
    case Frequency::kYearly:
      if (!rule.by_month.empty()) {
        ahead.Take("the");
        if (!on || !ReadDaysOfMonth(ahead, rule)) return false;
      } else if (const auto date = on ? ReadMonthDay(ahead) : std::nullopt) {
        rule.by_month = {date->month};
        rule.by_month_day = {date->day};
      } else {
        const std::optional<int> month = ahead.Peek().means->month;
        if (on || !month) return false;
        ahead.Skip();
        rule.by_month = {*month};
      }
      break;
  }
  cursor = ahead;
  return true;
}

/// "except friday", "except on weekends", behind "every day" or a list of days. One day must be
/// left.
bool ReadExcept(Cursor& cursor, RulePhrase& phrase) {
  RecurrenceRule& rule = phrase.rule;
  const bool daily = rule.frequency == Frequency::kDaily && rule.interval == 1;
  const bool by_weekday = rule.frequency == Frequency::kWeekly && !rule.by_day.empty();
  Cursor ahead = cursor;
  if ((!daily && !by_weekday) ||
      (!ahead.TakeAny({"except", "excluding"}) && !ahead.TakeAll({"but", "not"})))
    return false;
  ahead.TakeAny({"on", "for"});
  RecurrenceRule left_out;
  if (ahead.TakeAny({"weekends", "weekend"})) {
    AddWeekday(left_out, 0, absl::Weekday::saturday);
    AddWeekday(left_out, 0, absl::Weekday::sunday);
  } else if (!ReadWeekdays(ahead, left_out, true)) {
    return false;
  }
  RecurrenceRule days = rule;
  for (int day = 0; daily && day < 7; ++day) AddWeekday(days, 0, static_cast<absl::Weekday>(day));
  std::erase_if(days.by_day, [&](const RecurrenceRule::Weekday& day) {
    return std::ranges::find(left_out.by_day, day) != left_out.by_day.end();
  });
  if (days.by_day.empty()) return false;
  days.frequency = Frequency::kWeekly;
  rule = days;
  cursor = ahead;
  return true;
}

/// "at 9am", "morning", "in the evening".
bool ReadClock(Cursor& cursor, RulePhrase& phrase) {
  if (!phrase.clock.part) {
    Cursor ahead = cursor;
    const bool the = ahead.TakeAll({"in", "the"});
    const std::optional<DayPart> part = ahead.Peek().means->day_part;
    if (part && (the || !phrase.rule.by_day.empty())) {
      ahead.Skip();
      phrase.clock.part = part;
      cursor = ahead;
      return true;
    }
  }
  if (phrase.clock.time) return false;
  Cursor ahead = cursor;
  const bool led = ahead.TakeAny({"at", "@", "by"});
  phrase.clock.time = ReadTime(ahead, led);
  if (!phrase.clock.time) return false;
  cursor = ahead;
  return true;
}

bool ReadStart(Cursor& cursor, RulePhrase& phrase, const GrammarContext& context) {
  Cursor ahead = cursor;
  if (phrase.start || !ahead.TakeAny({"starting", "beginning", "from", "start", "starts"}))
    return false;
  ahead.Take("from");
  phrase.start = ReadMoment(ahead, context, "by");
  if (!phrase.start || !phrase.start->day) {
    phrase.start.reset();
    return false;
  }
  cursor = ahead;
  return true;
}

/// "until friday", "for 3 weeks", "10 times".
bool ReadEnd(Cursor& cursor, RulePhrase& phrase, const GrammarContext& context) {
  if (phrase.until || phrase.length || phrase.rule.count) return false;
  Cursor ahead = cursor;
  if (ahead.TakeAny({"until", "till", "ending"})) {
    phrase.until = ReadMoment(ahead, context, "until");
    if (!phrase.until || !phrase.until->day) {
      phrase.until.reset();
      return false;
    }
    cursor = ahead;
    return true;
  }
  const bool led = ahead.Take("for");
  Cursor times = ahead;
  if (const auto count = ReadCount(times); count && times.Take("times")) {
    phrase.rule.count = *count;
    cursor = times;
    return true;
  }
  if (!led) return false;
  phrase.length = ReadDuration(ahead);
  if (!phrase.length || phrase.length->time.count() != 0) {
    phrase.length.reset();
    return false;
  }
  cursor = ahead;
  return true;
}

bool ReadBasis(Cursor& cursor, RulePhrase& phrase) {
  if (phrase.basis == RecurrenceBasis::kCompletion) return false;
  Cursor ahead = cursor;
  if (!ahead.Take("after")) return false;
  if (!ahead.TakeAny({"completion", "completing", "finishing", "doing", "done"}) &&
      !ahead.TakeAll({"i", "finish"}) && !ahead.TakeAll({"i", "complete"}) &&
      !ahead.TakeAll({"it", "is", "done"}) && !ahead.TakeAll({"last", "completion"}) &&
      !ahead.TakeAll({"the", "last", "completion"}))
    return false;
  Cursor it = ahead;
  if (it.Take("it")) ahead = it;
  phrase.basis = RecurrenceBasis::kCompletion;
  cursor = ahead;
  return true;
}

}  // namespace

bool ReadWeekdays(Cursor& cursor, RecurrenceRule& rule, bool plural) {
  Cursor ahead = cursor;
  for (int count = 0; count < kMaxListed; ++count) {
    if (count > 0 && !TakeSeparator(ahead)) break;
    if (count > 0) ahead.TakeAny({"every", "on"});
    const std::optional<WeekdayWord> word = TakeWeekday(ahead, plural);
    if (!word) break;
    cursor = ahead;
    AddWeekday(rule, 0, word->day);
    Cursor range = ahead;
    if (!range.TakeAny({"-", "to", "through"})) continue;
    const std::optional<WeekdayWord> last = TakeWeekday(range, plural);
    if (!last) continue;
    for (int day = static_cast<int>(word->day); day != static_cast<int>(last->day);) {
      day = (day + 1) % 7;
      AddWeekday(rule, 0, static_cast<absl::Weekday>(day));
    }
    cursor = ahead = range;
  }
  return !rule.by_day.empty();
}

bool ReadDaysOfMonth(Cursor& cursor, RecurrenceRule& rule) {
  Cursor ahead = cursor;
  std::vector<int> ordinals;
  for (int count = 0; count < kMaxListed; ++count) {
    Cursor next = ahead;
    if (count > 0 && !TakeSeparator(next)) break;
    next.Take("the");
    const std::optional<int> ordinal = TakeOrdinal(next);
    if (!ordinal) break;
    ordinals.push_back(*ordinal);
    ahead = next;
  }
  if (ordinals.empty()) return false;
  const bool by_word = !ahead.tokens()[ahead.at() - 1].glued;  // "first", not "1st"
  if (const auto weekday = TakeWeekday(ahead, false)) {
    constexpr int kMostInMonth = 5;
    if (std::ranges::max(ordinals) > kMostInMonth) return false;
    for (const int position : ordinals) AddWeekday(rule, position, weekday->day);
  } else {
    if (!ahead.Take("day") && by_word && ahead.Peek().text != "of") return false;
    rule.by_month_day = ordinals;
  }
  cursor = ahead;
  return true;
}

void ReadTails(Cursor& cursor, RulePhrase& phrase, const GrammarContext& context) {
  for (int count = 0; count < kMaxTails; ++count) {
    Cursor ahead = cursor;
    ahead.Take(",");
    if (!ReadOn(ahead, phrase) && !ReadExcept(ahead, phrase) && !ReadClock(ahead, phrase) &&
        !ReadStart(ahead, phrase, context) && !ReadEnd(ahead, phrase, context) &&
        !ReadBasis(ahead, phrase))
      return;
    cursor = ahead;
  }
}

}  // namespace todo::chat::grammar
