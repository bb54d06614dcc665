#pragma once

#include <chrono>
#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/time/civil_time.h"

// The text of a recurrence rule: RFC 5545 RRULE with RFC 7529 RSCALE and SKIP. What the text means
// for a series is in domain/recurrence_pattern.h.

namespace todo::domain {

inline constexpr std::size_t kMaxRuleBytes = 500;
inline constexpr int kMaxRuleCount = 10'000;
inline constexpr int kMaxRuleInterval = 10'000;
/// More times of day than this are a frequency below a day in disguise.
inline constexpr std::size_t kMaxTimesOfDay = 24;

/// A rule as it is written, checked part by part; lists are sorted and without repeats. Empty lists
/// and absent values are parts that the rule does not have.
struct RecurrenceRule {
  enum class Frequency { kDaily, kWeekly, kMonthly, kYearly };
  /// What becomes of a day that a month or year does not have.
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

/// Reads a rule with or without "RRULE:" before it, in any case, or one of the words daily, weekly,
/// monthly, yearly, weekdays. `monthly` and `yearly` take the last day of a shorter month for a day
/// it does not have. Some calendars write what the RFC does not allow, and it is taken: a semicolon
/// before the first part or after the last one, spaces around parts and list entries, lines folded
/// as in iCalendar files. kInvalidArgument with a reason for people when the text is not such a
/// rule, names a frequency below a day, or is over a limit. Time and memory are linear in
/// kMaxRuleBytes for any input.
absl::StatusOr<RecurrenceRule> ParseRecurrenceRule(std::string_view text);

/// The rule in one spelling: two texts of the same rule give the same. ParseRecurrenceRule takes it
/// back.
std::string FormatRecurrenceRule(const RecurrenceRule& rule);

}  // namespace todo::domain
