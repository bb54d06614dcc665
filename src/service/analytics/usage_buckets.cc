#include "service/analytics/usage_buckets.h"

#include <algorithm>
#include <chrono>

namespace todo::service {
namespace {

using domain::Instant;
using domain::TimeZone;
using ports::kUsageQuarter;

/// The border between the hour of `instant`, the begin of a quarter, and the next hour. An hour is
/// shorter where clocks change by less than one.
Instant NextHour(Instant instant, const TimeZone& zone) {
  const absl::CivilHour hour(zone.ToLocal(instant));
  Instant border = instant + kUsageQuarter;
  while (border < instant + std::chrono::hours(1) &&
         absl::CivilHour(zone.ToLocal(border)) == hour) {
    border += kUsageQuarter;
  }
  return border;
}

/// The first day of the bucket that `day` is in, and of the next one.
absl::CivilDay FirstDayOf(absl::CivilDay day, UsageBucket bucket) {
  if (bucket == UsageBucket::kWeek) return absl::PrevWeekday(day + 1, absl::Weekday::monday);
  if (bucket == UsageBucket::kMonth) return absl::CivilDay(absl::CivilMonth(day));
  return day;
}
absl::CivilDay FirstDayAfter(absl::CivilDay first, UsageBucket bucket) {
  if (bucket == UsageBucket::kWeek) return first + 7;
  if (bucket == UsageBucket::kMonth) return absl::CivilDay(absl::CivilMonth(first) + 1);
  return first + 1;
}

/// Where the bucket of `instant`, the begin of a quarter, begins and ends.
UsageRange BucketAround(Instant instant, UsageBucket bucket, const TimeZone& zone) {
  const absl::CivilSecond local = zone.ToLocal(instant);
  if (bucket == UsageBucket::kHour) {
    const Instant begin = QuarterBefore(instant - std::chrono::minutes(local.minute()));
    return {begin, NextHour(instant, zone)};
  }
  absl::CivilDay first = FirstDayOf(absl::CivilDay(local), bucket);
  const Instant begin = BeginOf(first, zone);
  // A day that a zone has left out has no length.
  Instant end = begin;
  while (end <= instant) {
    first = FirstDayAfter(first, bucket);
    end = BeginOf(first, zone);
  }
  return {begin, end};
}

}  // namespace

Instant QuarterBefore(Instant instant) {
  return Instant(std::chrono::floor<std::chrono::duration<std::int64_t, std::ratio<900>>>(
      instant.time_since_epoch()));
}

Instant QuarterAfter(Instant instant) {
  const Instant before = QuarterBefore(instant);
  return before == instant ? instant : before + kUsageQuarter;
}

Instant BeginOf(absl::CivilDay day, const TimeZone& zone) {
  return QuarterBefore(zone.ToInstant(absl::CivilSecond(day)));
}

std::optional<std::vector<RangeBucket>> BucketsOf(const UsageRange& range, UsageBucket bucket,
                                                  const TimeZone& zone) {
  std::vector<RangeBucket> buckets;
  for (Instant start = range.start; start < range.end; start = buckets.back().end) {
    if (buckets.size() == kMaxUsageBuckets) return std::nullopt;
    const UsageRange whole = BucketAround(start, bucket, zone);
    const Instant end = std::min(whole.end, range.end);
    // Only the first one can have begun before the range.
    const bool is_cut = whole.end > range.end || (buckets.empty() && whole.start < start);
    buckets.push_back({start, end, is_cut});
  }
  return buckets;
}

std::vector<absl::CivilDay> DaysOf(const std::vector<Instant>& quarters, const TimeZone& zone) {
  std::vector<absl::CivilDay> days;
  Instant end_of_day = Instant::min();
  for (const Instant quarter : quarters) {
    if (quarter < end_of_day) continue;
    const absl::CivilDay day(zone.ToLocal(quarter));
    if (days.empty() || days.back() != day) days.push_back(day);
    end_of_day = BeginOf(day + 1, zone);
  }
  return days;
}

int StreakUpTo(absl::CivilDay today, const std::vector<absl::CivilDay>& days) {
  auto day = std::upper_bound(days.begin(), days.end(), today);
  if (day == days.begin() || *std::prev(day) < today - 1) return 0;
  int length = 1;
  for (--day; day != days.begin() && *std::prev(day) == *day - 1; --day) ++length;
  return length;
}

int LongestStreak(absl::CivilDay first, absl::CivilDay last,
                  const std::vector<absl::CivilDay>& days) {
  int longest = 0;
  int length = 0;
  std::optional<absl::CivilDay> before;
  for (const absl::CivilDay day : days) {
    if (day < first || day > last) continue;
    length = before && *before == day - 1 ? length + 1 : 1;
    longest = std::max(longest, length);
    before = day;
  }
  return longest;
}

}  // namespace todo::service
