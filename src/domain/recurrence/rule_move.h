#pragma once

#include <string_view>

#include "absl/status/statusor.h"
#include "absl/time/civil_time.h"
#include "domain/recurrence/recurrence_rule.h"

// How a rule changes when an occurrence and all later ones move. Pure functions.

namespace todo::domain {

/// Whether occurrences are days, without a time of day, before and after a move. kAfter: after it,
/// and before it either way.
enum class Days { kNever, kBefore, kAfter };

/// The rule with text `rule`, after its occurrence at `from` was moved to `to`. The days of the
/// rule stay if `to` is on the day of `from`, or on a day that the rule names when it starts there.
/// Else each part that names one day gets the day of `to`: BYDAY (2TU becomes 2FR; -1FR still
/// counts from the end), a positive BYMONTHDAY, and BYMONTH. A time of day in BYHOUR, BYMINUTE and
/// BYSECOND moves too, unless the occurrences become days. Precondition: the year of `to` is 1970
/// to 2399.
///
/// kInvalidArgument, with a reason for people that quotes the rule and says which parts to change:
/// the rule does not name the day of `to` and cannot follow, because it has several days, BYSETPOS,
/// BYYEARDAY, BYWEEKNO or a negative BYMONTHDAY.
absl::StatusOr<RecurrenceRule> MoveRule(std::string_view rule, absl::CivilSecond from,
                                        absl::CivilSecond to, Days days);

/// `rule` for a series that started at `anchor` and starts anew at `start`, one of its dates, and
/// keeps its days: a day that the rule takes from the start is written out if `start` is on another
/// day, such as 28 February in a series of the 31st.
RecurrenceRule KeepDays(const RecurrenceRule& rule, absl::CivilSecond anchor,
                        absl::CivilSecond start);

}  // namespace todo::domain
