#pragma once

#include <optional>
#include <string_view>

#include "absl/time/civil_time.h"
#include "chat/grammar/grammar.h"
#include "chat/grammar/tokens.h"

// Days: "tomorrow", "next friday", "in 3 days", "the 1st", "31 January", "31/1/2027".

namespace todo::chat::grammar {

struct DayPhrase {
  /// Where the next such day is, when the time of this one has passed.
  enum class Repeats { kNever, kDaily, kWeekly, kMonthly, kYearly };

  absl::CivilDay day;  // the first such day from today on; in the past only if the year was named
  Repeats repeats = Repeats::kNever;
  std::optional<absl::CivilSecond> exact;  // with its time of day: "in 20 minutes"
  bool is_weak = false;                    // also an ordinary word or number: "sun", "1st", "1/2"
};

/// `preposition`: the one before the cursor, empty if there is none. A month alone is a date only
/// behind a preposition ("in April").
std::optional<DayPhrase> ReadDay(Cursor& cursor, const GrammarContext& context,
                                 std::string_view preposition);

/// A day of the calendar: "31 January", "Jan 31st 2027", "31/1", "2027-01-31", "the 1st".
std::optional<DayPhrase> ReadDate(Cursor& cursor, const GrammarContext& context);
/// "in April", "by January 2028", "next may": the first day of a month.
std::optional<DayPhrase> ReadMonthAlone(Cursor& cursor, const GrammarContext& context,
                                        std::string_view preposition);

/// "1st", "22nd": 1 to 31.
std::optional<int> ReadOrdinal(Cursor& cursor);
/// "31 January", "January 31st", without a year.
struct MonthDay {
  int month = 1;
  int day = 1;
};
std::optional<MonthDay> ReadMonthDay(Cursor& cursor);

/// The next day as `phrase` has it, after its day. Precondition: it repeats.
absl::CivilDay Later(const DayPhrase& phrase);

}  // namespace todo::chat::grammar
