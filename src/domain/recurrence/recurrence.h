#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/time/civil_time.h"
#include "domain/recurrence/recurrence_pattern.h"
#include "domain/recurrence/recurrence_rule.h"
#include "domain/time.h"
#include "domain/time_zone.h"

namespace todo::domain {

/// A series of occurrences: a rule that starts at a wall-clock time, the anchor, in a time zone.
///
/// The anchor is occurrence 1, whether it matches the rule or not, and counts for COUNT.
///
/// Occurrences keep the wall-clock time; what becomes of it when clocks change, TimeZone::ToInstant
/// says. Those that come to the same instant are one occurrence, and count once.
///
/// UNTIL is an instant and inclusive. Without a 'Z' it is a wall-clock time of the series' zone; a
/// date means the end of that day.
///
/// The occurrences of an all-day series are days, and start at midnight. BYHOUR, BYMINUTE and
/// BYSECOND are ignored (RFC 5545, 3.3.10), and UNTIL counts by its date as it is written, a time
/// in UTC too.
///
/// FREQ=YEARLY with BYMONTHDAY and without BYMONTH means every month. Its years are those of week
/// numbers when the rule has BYWEEKNO, so week 1 may begin in December (RecurrencePattern).
///
/// Nothing occurs after the year 2399 (RecurrencePattern::kEnd).
///
/// Immutable, thread-safe, costs no I/O. The same rule, anchor and zone give the same series,
/// whenever they are asked.
class Recurrence {
 public:
  struct Occurrence {
    absl::CivilSecond local;  // as the rule names it: in a gap, a time that no clock shows
    Instant at;
    std::int64_t number;  // 1 is the anchor

    bool operator==(const Occurrence&) const = default;
  };

  struct Definition {
    std::string_view rule;     // see ParseRecurrenceRule
    absl::CivilSecond anchor;  // all day: its time of day does not count
    TimeZone zone;
    bool all_day = false;
    bool anchor_is_later = false;  // of an anchor that clocks show twice: it is the second
  };

  /// The series that `definition` gives.
  ///
  /// kInvalidArgument, with a reason for people: the text is no rule, is over a limit, or names no
  /// day that exists; or the year of `anchor` is not 1970 to 2399.
  ///
  /// kOutOfRange, with a reason for people: a rule in good order after whose anchor nothing follows
  /// (COUNT=1, UNTIL in the past). Whoever sets a rule should refuse it; whoever continues a series
  /// has reached its end.
  static absl::StatusOr<Recurrence> Parse(Definition definition);
  /// kInvalidArgument, with a reason for people: no series starts at `anchor`, whatever its rule.
  static absl::Status CheckAnchor(absl::CivilSecond anchor);

  /// The first occurrence after both `after` and the anchor; nullopt when the series has ended by
  /// then.
  std::optional<Occurrence> NextAfter(Instant after) const;

  /// The next `n` (0 to 100) occurrences after both `after` and the anchor; fewer when the series
  /// ends.
  std::vector<Occurrence> Upcoming(Instant after, int n) const;

  /// The next occurrence of a series that is counted from completions: the rule starts anew on the
  /// day of `completed` at the anchor's time of day. Where the rule names days, also by a month
  /// alone, the next one is on a day after both that and `scheduled`, where the completed one was
  /// (with several times a day: later than both); and with INTERVAL n in the n-th period after that
  /// of the completion, or in the 2n-th, 3n-th …, whichever has one first. `number` is that of the
  /// completed occurrence: the next one has `number` + 1, and COUNT is compared with it. nullopt
  /// when COUNT or UNTIL end the series.
  std::optional<Occurrence> NextAfterCompletion(Instant completed, std::int64_t number,
                                                Instant scheduled = kMinInstant) const;

  /// What may surprise the person that sets this rule, in whole English sentences; empty for most
  /// rules. Every sentence is true of this series, with its zone, interval and end.
  std::vector<std::string> Warnings() const;

  /// The rule in its one spelling, e.g. "FREQ=WEEKLY;BYDAY=MO"; words are spelled out. Parts that
  /// an all-day series ignores are kept, as the task may get a time of day.
  std::string_view rule() const { return text_; }
  absl::CivilSecond anchor() const { return anchor_; }
  Instant anchor_at() const { return anchor_at_; }
  const TimeZone& zone() const { return zone_; }
  bool all_day() const { return all_day_; }

 private:
  Recurrence(const RecurrenceRule& rule, absl::CivilSecond anchor, TimeZone zone,
             bool anchor_is_later = false);

  bool HasEndedBefore(Instant at) const { return until_ && at > *until_; }
  enum class Periods { kAll, kLater };  // kLater: not the anchor's own
  /// Up to `n` occurrences after `after`, numbers not filled in, COUNT not looked at.
  std::vector<Occurrence> Search(Instant after, std::size_t n,
                                 Periods periods = Periods::kAll) const;
  /// The number of the occurrence that is at `at`.
  std::int64_t NumberAt(Instant at) const;
  /// The wall-clock time by which the series is over, to within a change of clocks.
  LocalSeconds LocalEnd() const;
  std::string WarnOfClocks() const;
  /// The day of `time`, with the time of day unless the series is all-day; for people.
  std::string Show(absl::CivilSecond time) const;

  RecurrenceRule rule_;  // without what an all-day series ignores
  std::string text_;
  bool all_day_ = false;
  std::vector<std::string_view> ignored_;  // names of the parts that an all-day series ignores
  absl::CivilSecond anchor_;
  TimeZone zone_;
  RecurrencePattern pattern_;
  Instant anchor_at_;
  std::int64_t over_ = 0;  // how many times after the anchor on paper come before it
  std::optional<Instant> until_;
};

}  // namespace todo::domain
