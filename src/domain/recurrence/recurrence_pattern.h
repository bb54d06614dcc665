#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <vector>

#include "absl/time/civil_time.h"
#include "domain/recurrence/recurrence_rule.h"

namespace todo::domain {

/// Wall-clock time as a number, for arithmetic: seconds since 1970-01-01 00:00:00 on that clock.
using LocalSeconds = std::chrono::local_seconds;

std::chrono::year_month MonthOf(std::chrono::local_days day);
LocalSeconds ToLocalSeconds(absl::CivilSecond time);
absl::CivilSecond ToCivilSecond(LocalSeconds time);

/// The wall-clock times that a rule names for a series with a given start. Zone, COUNT and UNTIL
/// are left to Recurrence. libical is not used because it gave wrong times for 13 % of random valid
/// rules and takes over a second for some (tests/recurrence/test_libical.py measures it).
///
/// A rule works in periods: days, weeks, months or years, numbered from the one that holds the
/// start (0). Every INTERVALth period is active. An active period has days, each day has times, and
/// BYSETPOS chooses among these times. A start that the rule does not name is not among them.
///
/// The years of a rule with BYWEEKNO are those of ISO 8601's week numbers, with weeks that begin on
/// WKST: week 1 is the first one that has four of its days in the calendar year, and a year lasts
/// until the next one's week 1. So a year may begin up to three days before 1 January, and end up
/// to three days after 31 December.
///
/// Immutable after construction and thread-safe. No call looks beyond kEnd, for any rule.
class RecurrencePattern {
  using Days = std::vector<std::chrono::local_days>;
  using Times = std::vector<LocalSeconds>;
  struct Window {
    LocalSeconds from;
    LocalSeconds end;
  };

 public:
  /// The calendar's end for series: midnight after 2399-12-31. The 400 years before it hold every
  /// kind of year.
  static constexpr LocalSeconds kEnd{std::chrono::local_days{std::chrono::year{2400} / 1 / 1}};

  /// Precondition: `rule` comes from ParseRecurrenceRule; 1970 <= year of `start` <= 2399.
  RecurrencePattern(const RecurrenceRule& rule, absl::CivilSecond start);

  /// Steps through the times from some moment on.
  class Walk {
   public:
    /// The next time, in increasing order; nullopt at the walk's end.
    std::optional<LocalSeconds> Next();

   private:
    friend class RecurrencePattern;
    Walk(const RecurrencePattern* pattern, LocalSeconds from, LocalSeconds end);

    const RecurrencePattern* pattern_;
    Window window_;
    std::int64_t period_;       // the next one to look at
    std::int64_t last_period_;  // the one in which the walk ends
    Days days_;                 // a member only so that its memory is reused
    Times times_;
    std::size_t position_ = 0;  // in `times_`
  };

  /// The times after the start with from <= time < end. The walk must not outlive this pattern.
  Walk From(LocalSeconds from, LocalSeconds end = kEnd) const { return Walk(this, from, end); }

  /// As From, without the times of the start's own period: the first times are those of the
  /// INTERVALth period after it.
  Walk FromLaterPeriods(LocalSeconds from) const;

  /// The number of times after the start, up to `last` inclusive. Needs no walk for rules whose
  /// periods all have equally many times, such as FREQ=DAILY.
  std::int64_t CountUpTo(LocalSeconds last) const;

  /// Whether the rule names `time`, which is after the start.
  bool Contains(LocalSeconds time) const;

  /// Whether the rule names the start itself.
  bool NamesStart() const;

  /// Whether the rule names a time on the day of the start.
  bool NamesDayOfStart() const;

  /// Whether `day` lies in an active period.
  bool IsActive(std::chrono::local_days day) const;

  /// The year that holds `day`, and the first day of `year`; by week numbers for a rule with them.
  std::chrono::year YearOf(std::chrono::local_days day) const;
  std::chrono::local_days FirstDayOf(std::chrono::year year) const;

  /// The times of day of the rule's occurrences, since midnight, increasing.
  const std::vector<std::chrono::seconds>& times_of_day() const { return times_of_day_; }

  /// The rule, with the day that it takes from the start.
  const RecurrenceRule& rule() const { return rule_; }
  LocalSeconds start() const { return start_; }

 private:
  /// The period that holds `day`.
  std::int64_t PeriodOf(std::chrono::local_days day) const;
  std::int64_t ActiveAtOrBefore(std::int64_t period) const;
  /// The first active period that can have times after the start: SKIP=FORWARD carries days over
  /// from the one before the start's.
  std::int64_t FirstPeriod() const;
  /// Whether SKIP=FORWARD may carry the end of a period into the first day of another active one.
  bool SharesDays() const;

  bool PassesMonth(std::chrono::local_days day) const;
  bool PassesMonthDay(std::chrono::local_days day) const;
  bool PassesWeekday(std::chrono::local_days day) const;
  void AddDaysOfMonth(std::chrono::year_month month, Days& days) const;
  bool PassesYearDay(std::chrono::local_days day) const;
  void AddDaysOfYear(std::chrono::year year, Days& days) const;
  void AddDaysOfWeeks(std::chrono::year year, Days& days) const;
  /// The first day of the week that holds `day`.
  std::chrono::local_days WeekOf(std::chrono::local_days day) const;
  /// The days of an active period, replacing what `days` holds.
  void DaysOf(std::int64_t period, Days& days) const;

  /// RawTimesOf: the times of an active period. TimesOf: without those that the period before it
  /// has too. Days outside `window` may be left out. `days` is scratch memory.
  void RawTimesOf(std::int64_t period, Window window, Days& days, Times& times) const;
  void TimesOf(std::int64_t period, Window window, Days& days, Times& times) const;
  Times TimesOf(std::int64_t period) const;
  /// The indices among `count` times of a period that BYSETPOS chooses, increasing.
  std::vector<std::size_t> Chosen(std::size_t count) const;

  /// Whether every active period has equally many times.
  bool IsUniform() const;
  /// The number of times that two neighbouring periods with these days have in common.
  std::size_t CountTwice(const Days& before, const Days& found) const;
  /// The number of times in all active periods `begin` <= period < `end`.
  std::int64_t CountPeriods(std::int64_t begin, std::int64_t end) const;
  /// The number of times from FirstPeriod() on, those before the start too, up to `last` inclusive.
  std::int64_t CountFromFirstPeriod(LocalSeconds last) const;

  RecurrenceRule rule_;  // with the parts that it takes from the start
  LocalSeconds start_;
  std::chrono::local_days first_day_;    // the start's day
  std::chrono::local_days first_week_;   // the first day of its week
  std::chrono::year_month first_month_;  // its month
  std::chrono::year first_year_;         // its year
  std::vector<std::chrono::seconds> times_of_day_;
  std::uint16_t months_ = 0;         // bit m: BYMONTH has month m
  bool has_positions_ = false;       // BYDAY has a weekday with a position
  std::uint8_t plain_weekdays_ = 0;  // bit w: BYDAY has weekday w (C encoding) without a position
};

}  // namespace todo::domain
