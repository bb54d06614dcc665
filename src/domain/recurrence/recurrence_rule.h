#pragma once

#include <chrono>
#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/time/civil_time.h"

// The text of a recurrence rule: RFC 5545 RRULE with RFC 7529 RSCALE and SKIP. The meaning of a
// rule for a series is in recurrence_pattern.h.

namespace todo::domain {

inline constexpr std::size_t kMaxRuleBytes = 500;
inline constexpr int kMaxRuleCount = 10'000;
inline constexpr int kMaxRuleInterval = 10'000;
/// The most times on one day. More would amount to a frequency below a day.
inline constexpr std::size_t kMaxTimesOfDay = 24;

/// The parts of a rule, checked each for itself and together. Lists are sorted and without repeats.
/// An empty list or absent value stands for a part that the rule does not have.
struct RecurrenceRule {
  enum class Frequency { kDaily, kWeekly, kMonthly, kYearly };
  /// How a day is replaced that a month or year does not have.
  enum class Skip { kOmit, kBackward, kForward };

  struct Until {
    enum class Kind { kDate, kFloating, kUtc };
    Kind kind;
    absl::CivilSecond time;  // kDate: midnight

    bool operator==(const Until&) const = default;
  };

  /// "MO": position 0; "2MO": the second Monday, "-1MO": the last one, of the month or year.
  struct Weekday {
    int position;
    std::chrono::weekday day;

    bool operator==(const Weekday&) const = default;
  };

  Frequency frequency = Frequency::kDaily;
  int interval = 1;          // >= 1
  std::optional<int> count;  // >= 1; not together with `until`
  std::optional<Until> until;
  std::vector<int> by_month;      // 1..12
  std::vector<int> by_week_no;    // -53..53, not 0; only with kYearly
  std::vector<int> by_year_day;   // -366..366, not 0
  std::vector<int> by_month_day;  // -31..31, not 0
  std::vector<Weekday> by_day;
  std::vector<int> by_hour;
  std::vector<int> by_minute;
  std::vector<int> by_second;
  std::vector<int> by_set_pos;  // -366..366, not 0
  std::chrono::weekday week_start = std::chrono::Monday;
  Skip skip = Skip::kOmit;

  bool operator==(const RecurrenceRule&) const = default;
};

/// Reads a rule with or without "RRULE:" before it, in upper or lower case, or one of the words
/// daily, weekly, monthly, yearly, weekdays. `monthly` and `yearly` use the last day of a month
/// that is too short. Some forms that the RFC does not allow are accepted, because calendars write
/// them: a semicolon before the first part or after the last one, spaces around parts and list
/// entries, and lines folded as in iCalendar files. Time and memory are linear in kMaxRuleBytes for
/// any input. kInvalidArgument with a reason for people: the text is not a rule, names a frequency
/// below a day, or exceeds a limit.
absl::StatusOr<RecurrenceRule> ParseRecurrenceRule(std::string_view text);

/// The canonical text of the rule: equal rules have equal texts. ParseRecurrenceRule reads it.
std::string FormatRecurrenceRule(const RecurrenceRule& rule);

/// Removes the parts of `rule` that an all-day series ignores; answers their names.
std::vector<std::string_view> LimitToDays(RecurrenceRule& rule);

}  // namespace todo::domain
