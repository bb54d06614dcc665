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
/// The anchor is occurrence 1, even if the rule does not name it, and COUNT counts it.
///
/// Occurrences keep the wall-clock time; TimeZone::ToInstant resolves it when clocks change. Times
/// that resolve to one instant are one occurrence, and count once.
///
/// UNTIL is an instant and inclusive. Without a 'Z' it is a wall-clock time in the zone of the
/// series; a date stands for the end of that day.
///
/// The occurrences of an all-day series are days, and start at midnight. BYHOUR, BYMINUTE and
/// BYSECOND are ignored (RFC 5545, 3.3.10), and of UNTIL only the date counts, as it is written,
/// even for a time in UTC.
///
/// FREQ=YEARLY with BYMONTHDAY and without BYMONTH means every month. With BYWEEKNO, years are
/// those of week numbers, so week 1 may begin in December (RecurrencePattern).
///
/// Nothing occurs after the year 2399 (RecurrencePattern::kEnd).
///
/// Immutable, thread-safe, does no I/O. Equal rule, anchor and zone give an equal series at any
/// time.
class Recurrence {
 public:
  struct Occurrence {
    absl::CivilSecond local;  // as the rule names it; in a gap, a time that no clock shows
    Instant at;
    std::int64_t number;  // 1 is the anchor

    bool operator==(const Occurrence&) const = default;
  };

  struct Definition {
    std::string_view rule;     // see ParseRecurrenceRule
    absl::CivilSecond anchor;  // all_day ignores its time of day
    TimeZone zone;
    bool all_day = false;
    bool anchor_is_later = false;  // the second of two equal wall-clock times
  };

  /// The series of `definition`.
  ///
  /// kInvalidArgument, with a reason for people: the text is not a rule, exceeds a limit, or names
  /// no day that exists; or the year of `anchor` is not 1970 to 2399.
  ///
  /// kOutOfRange, with a reason for people: the rule is valid, but nothing follows the anchor
  /// (COUNT=1, UNTIL in the past). For a caller that sets a rule this is a mistake of its user; for
  /// a caller that continues a series it is the end of the series.
  static absl::StatusOr<Recurrence> Parse(Definition definition);
  /// kInvalidArgument, with a reason for people: no series can start at `anchor`, with any rule.
  static absl::Status CheckAnchor(absl::CivilSecond anchor);

  /// The first occurrence after both `after` and the anchor; nullopt: the series has ended.
  std::optional<Occurrence> NextAfter(Instant after) const;

  /// The next `n` (0 to 100) occurrences after both `after` and the anchor; fewer when the series
  /// ends.
  std::vector<Occurrence> Upcoming(Instant after, int n) const;

  /// The next occurrence of a series that counts from completions: the rule starts anew on the day
  /// of `completed`, at the anchor's time of day. A rule that names days, or only a month, names
  /// the first day after both that day and `scheduled`, the date of the completed occurrence (or,
  /// with several times a day, the first time after both). With INTERVAL n the next occurrence lies
  /// in the n-th period after that of the completion, or the 2n-th, 3n-th …, in the first that has
  /// an occurrence. `number` is the number of the completed occurrence; the next one gets `number`
  /// + 1, which COUNT limits. nullopt: COUNT or UNTIL end the series.
  std::optional<Occurrence> NextAfterCompletion(Instant completed, std::int64_t number,
                                                Instant scheduled = kMinInstant) const;

  /// Warnings for the user who sets this rule, about effects that may be a surprise, in whole
  /// English sentences; empty for most rules. Every sentence is true for this series, with its
  /// zone, interval and end.
  std::vector<std::string> Warnings() const;

  /// The canonical text of the rule (FormatRecurrenceRule), e.g. "FREQ=WEEKLY;BYDAY=MO". Parts that
  /// an all-day series ignores stay in it, as the task may get a time of day later.
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
  /// Up to `n` occurrences after `after`, without numbers; ignores COUNT.
  std::vector<Occurrence> Search(Instant after, std::size_t n,
                                 Periods periods = Periods::kAll) const;
  /// The number of the occurrence that is at `at`.
  std::int64_t NumberAt(Instant at) const;
  /// The wall-clock time by which the series is over, to within a change of clocks.
  LocalSeconds LocalEnd() const;
  std::string WarnOfClocks() const;
  /// The day of `time`, with the time of day unless the series is all-day; for people.
  std::string Show(absl::CivilSecond time) const;

  RecurrenceRule rule_;  // without the parts that an all-day series ignores
  std::string text_;
  bool all_day_ = false;
  std::vector<std::string_view> ignored_;  // names of the parts that an all-day series ignores
  absl::CivilSecond anchor_;
  TimeZone zone_;
  RecurrencePattern pattern_;
  Instant anchor_at_;
  std::int64_t over_ = 0;  // times after the anchor by the rule, but not after it in real time
  std::optional<Instant> until_;
};

}  // namespace todo::domain
