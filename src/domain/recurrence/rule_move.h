#pragma once

#include <string_view>

#include "absl/status/statusor.h"
#include "absl/time/civil_time.h"
#include "domain/recurrence/recurrence_rule.h"

// What becomes of a rule when an occurrence moves, and all that follow with it. Pure functions.

namespace todo::domain {

/// Of a move: when occurrences are days, without a time of day. kAfter: whatever they were before.
enum class Days { kNever, kBefore, kAfter };

/// The rule that is written `rule` after its occurrence at `from` was moved to `to`. On the same
/// day, or to a day that the rule names when it starts there, its days stay. Else each part that
/// names one day gets that of `to`: BYDAY (2TU becomes 2FR, -1FR counts from the end as before), a
/// positive BYMONTHDAY, and BYMONTH. A time of day in BYHOUR, BYMINUTE and BYSECOND moves too,
/// unless the occurrences are days after it. Precondition: the year of `to` is 1970 to 2399.
///
/// kInvalidArgument, with a reason for people that quotes the rule and says which parts to change:
/// the rule does not name the day of `to` and cannot follow, as it has several days, BYSETPOS,
/// BYYEARDAY, BYWEEKNO or a negative BYMONTHDAY.
absl::StatusOr<RecurrenceRule> MoveRule(std::string_view rule, absl::CivilSecond from,
                                        absl::CivilSecond to, Days days);

/// `rule` for a series that started at `anchor` and starts anew at `start`, which is one of its
/// dates, with the days it has: a day that the rule takes from the start is written out where
/// `start` is not on it, as 28 February in a series of the 31st.
RecurrenceRule KeepDays(const RecurrenceRule& rule, absl::CivilSecond anchor,
                        absl::CivilSecond start);

}  // namespace todo::domain
