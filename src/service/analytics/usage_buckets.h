#pragma once

#include <optional>
#include <vector>

#include "absl/time/civil_time.h"
#include "domain/time.h"
#include "domain/time_zone.h"
#include "service/analytics/usage_service.h"

// Inside this folder only: stretches of time on the clocks of a zone. All are pure functions.

namespace todo::service {

/// Usage is counted in quarters of an hour: the begin of the one that `instant` lies in, and the
/// end of the one that `instant` ends or lies in.
domain::Instant QuarterBefore(domain::Instant instant);
domain::Instant QuarterAfter(domain::Instant instant);

/// The first instant of a day.
domain::Instant BeginOf(absl::CivilDay day, const domain::TimeZone& zone);

struct UsageRange {
  domain::Instant start;  // the begin of a quarter, as is `end`
  domain::Instant end;    // > start
};

/// A bucket, cut to a range.
struct RangeBucket {
  domain::Instant start;
  domain::Instant end;
  bool is_cut = false;  // it is longer than the part in the range
};

/// The buckets of a range, in order. nullopt: more than kMaxUsageBuckets.
std::optional<std::vector<RangeBucket>> BucketsOf(const UsageRange& range, UsageBucket bucket,
                                                  const domain::TimeZone& zone);

/// The different days of `quarters`, which ascend; the days ascend too.
std::vector<absl::CivilDay> DaysOf(const std::vector<domain::Instant>& quarters,
                                   const domain::TimeZone& zone);

/// The length of the last row of consecutive `days` (ascending) that ends today or yesterday; 0:
/// none does.
int StreakUpTo(absl::CivilDay today, const std::vector<absl::CivilDay>& days);
/// The longest row of consecutive `days` (ascending) within first to last.
int LongestStreak(absl::CivilDay first, absl::CivilDay last,
                  const std::vector<absl::CivilDay>& days);

}  // namespace todo::service
