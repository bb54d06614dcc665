#pragma once

#include <optional>

#include "absl/time/civil_time.h"
#include "chat/grammar/grammar.h"

// Days and wall-clock times in the circumstances of a text.

namespace todo::chat::grammar {

inline absl::CivilDay Today(const GrammarContext& context) {
  return absl::CivilDay(context.zone.ToLocal(context.now));
}

/// Whether `moment` lies before now. A day passes with its end.
bool IsPast(const Moment& moment, const GrammarContext& context);

/// The day `day` of `month`; nullopt: the month does not have it, or the year is not 1970 to 9998.
std::optional<absl::CivilDay> DayOf(absl::CivilMonth month, int day);
bool IsInCalendar(absl::CivilDay day);

/// The first `weekday` from `day` on, `day` included.
absl::CivilDay FirstFrom(absl::CivilDay day, absl::Weekday weekday);
/// The first day of the week that holds `day`.
absl::CivilDay WeekOf(absl::CivilDay day, absl::Weekday week_start);
/// `months` later; the last day of a month that is too short.
absl::CivilDay AddMonths(absl::CivilDay day, int months);
absl::CivilDay LastDayOf(absl::CivilMonth month);

}  // namespace todo::chat::grammar
