#include "service/analytics/usage_service.h"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <utility>

#include "service/analytics/usage_buckets.h"
#include "util/status.h"

namespace todo::service {
namespace {

using domain::Instant;
using domain::TimeZone;

constexpr int kDefaultDays = 30;
/// The last bucket may end a month after the range.
constexpr Instant kLatestEnd{std::chrono::sys_days{std::chrono::year{9999} / 1 / 1}};

absl::Status Wrong(std::string field, std::string description) {
  return util::InvalidFields({{std::move(field), std::move(description)}});
}

absl::StatusOr<UsageRange> RangeOf(const UsageInput& input, const TimeZone& zone, Instant now) {
  const Instant end = input.end.value_or(now);
  const absl::CivilDay last(zone.ToLocal(end - std::chrono::microseconds(1)));
  const Instant start = input.start.value_or(BeginOf(last - (kDefaultDays - 1), zone));
  if (start >= end && !input.end)
    return Wrong("start", "must lie before now where no end is given");
  if (start >= end) return Wrong("end", "must be later than start");
  if (end > kLatestEnd) return Wrong("end", "must lie before the year 9999");
  return UsageRange{QuarterBefore(start), QuarterAfter(end)};
}

}  // namespace

double CompletionRate(const ports::UsageCounts& counts) {
  if (counts.born <= 0) return -1;
  return std::clamp(static_cast<double>(counts.done) / static_cast<double>(counts.born), 0.0, 1.0);
}

absl::StatusOr<UsageAnswer> UsageService::Get(const domain::UserId& caller, const UsageInput& input,
                                              const util::Cancellation& cancellation) {
  std::string zone_name = input.time_zone;
  if (zone_name.empty()) {
    TODO_ASSIGN_OR_RETURN(zone_name, zones_.ZoneOf(caller));
  }
  const absl::StatusOr<TimeZone> zone = TimeZone::Load(zone_name);
  if (!zone.ok()) return Wrong("time_zone", std::string(zone.status().message()));
  if (!input.user && input.breakdown == ports::UsageBreakdown::kSeries)
    return Wrong("breakdown", "a series belongs to one user: name the user, or take another one");
  const Instant now = clock_.Now();
  TODO_ASSIGN_OR_RETURN(const UsageRange range, RangeOf(input, *zone, now));
  const auto buckets = BucketsOf(range, input.bucket, *zone);
  if (!buckets) {
    return Wrong("bucket", fmt::format("the range has more than {} of these buckets: take longer "
                                       "ones, or a shorter range",
                                       kMaxUsageBuckets));
  }

  const absl::CivilDay today(zone->ToLocal(now));
  const absl::CivilDay last(zone->ToLocal(range.end - std::chrono::microseconds(1)));
  ports::UsageQuery query{.user = input.user,
                          .borders = {},
                          .breakdown = input.breakdown,
                          .now = now,
                          .today = today,
                          .cancellation = cancellation};
  for (const RangeBucket& bucket : *buckets) query.borders.push_back(bucket.start);
  query.borders.push_back(range.end);
  if (input.compare)
    query.previous_start = std::max(range.start - (range.end - range.start), domain::kMinInstant);
  if (!input.user) {
    for (const int days : {1, 7, 30})
      query.active_since.push_back(BeginOf(last - (days - 1), *zone));
  }

  UsageAnswer answer;
  TODO_ASSIGN_OR_RETURN(answer.usage, store_.Read(query));
  for (std::size_t i = 0; i < buckets->size(); ++i) {
    const RangeBucket& bucket = (*buckets)[i];
    answer.points.push_back({.start = bucket.start,
                             .end = bucket.end,
                             .counts = answer.usage.buckets[i],
                             .unfinished = bucket.is_cut || bucket.end > now});
  }
  const std::vector<absl::CivilDay> days = DaysOf(answer.usage.completed_quarters, *zone);
  answer.streak_days = StreakUpTo(today, days);
  answer.longest_streak_days =
      LongestStreak(absl::CivilDay(zone->ToLocal(range.start)), last, days);
  answer.time_zone = zone->name();
  return answer;
}

absl::StatusOr<UsageSummary> UsageService::Summary(const domain::UserId& user, const TimeZone& zone,
                                                   std::optional<UsageDays> days) {
  const Instant now = clock_.Now();
  const absl::CivilDay today(zone.ToLocal(now));
  if (!days) days = UsageDays{.first = today - 6, .last = today};
  TODO_ASSIGN_OR_RETURN(
      const UsageAnswer answer,
      Get(user,
          {.user = user,
           .start = BeginOf(days->first, zone),
           .end = days->last < today ? std::optional(BeginOf(days->last + 1, zone)) : std::nullopt,
           .bucket = UsageBucket::kMonth,
           .time_zone = zone.name()}));
  const ports::UsageCounts& counts = answer.usage.totals.counts;
  // A task that was brought back is not new, and one that was opened again is not done. What was
  // opened again may have been completed before these days.
  return UsageSummary{.created = counts.born,
                      .completed = std::max<std::int64_t>(counts.completed - counts.uncompleted, 0),
                      .open = answer.usage.open,
                      .overdue = answer.usage.overdue,
                      .streak_days = answer.streak_days};
}

}  // namespace todo::service
