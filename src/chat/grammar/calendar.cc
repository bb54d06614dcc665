#include "chat/grammar/calendar.h"

#include <algorithm>

namespace todo::chat::grammar {

bool IsPast(const Moment& moment, const GrammarContext& context) {
  if (!moment.has_time) return absl::CivilDay(moment.local) < Today(context);
  return context.zone.ToInstant(moment.local) < context.now;
}

bool IsInCalendar(absl::CivilDay day) { return day.year() >= 1970 && day.year() <= 9998; }

std::optional<absl::CivilDay> DayOf(absl::CivilMonth month, int day) {
  const absl::CivilDay found = absl::CivilDay(month) + (day - 1);
  if (day < 1 || absl::CivilMonth(found) != month || !IsInCalendar(found)) return std::nullopt;
  return found;
}

absl::CivilDay FirstFrom(absl::CivilDay day, absl::Weekday weekday) {
  return absl::GetWeekday(day) == weekday ? day : absl::NextWeekday(day, weekday);
}

absl::CivilDay WeekOf(absl::CivilDay day, absl::Weekday week_start) {
  return absl::GetWeekday(day) == week_start ? day : absl::PrevWeekday(day, week_start);
}

absl::CivilDay AddMonths(absl::CivilDay day, int months) {
  const absl::CivilMonth month = absl::CivilMonth(day) + months;
  return std::min(absl::CivilDay(month) + (day.day() - 1), LastDayOf(month));
}

absl::CivilDay LastDayOf(absl::CivilMonth month) { return absl::CivilDay(month + 1) - 1; }

}  // namespace todo::chat::grammar
