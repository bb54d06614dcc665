#include "api/analytics_methods.h"

#include <optional>
#include <string>

#include "api/request_parts.h"
#include "domain/task/task.h"
#include "ports/authenticator.h"
#include "todo/v1/analytics_service.pb.h"
#include "util/status.h"

namespace todo::api {
namespace {

constexpr char kAllUsers[] = "*";
constexpr InstantOptions kRangeTime{.range = InstantOptions::Range::kStorable};

// ---- encoding

v1::UsageCounts Encode(const ports::UsageCounts& counts) {
  v1::UsageCounts out;
  out.set_created(counts.created);
  out.set_updated(counts.updated);
  out.set_completed(counts.completed);
  out.set_uncompleted(counts.uncompleted);
  out.set_deleted(counts.deleted);
  return out;
}

v1::CompletionTimes Encode(const ports::UsageTimes& times) {
  v1::CompletionTimes out;
  out.set_count(times.count);
  out.set_p50(times.p50);
  out.set_p90(times.p90);
  return out;
}

/// Fills the fields that UsageTotals and UsagePart have in common.
template <typename Message>
void EncodeTotals(const ports::UsageTotals& totals, Message& out) {
  *out.mutable_counts() = Encode(totals.counts);
  out.set_completion_rate(service::CompletionRate(totals.counts));
  *out.mutable_completion_times() = Encode(totals.times);
}

v1::Usage Encode(const service::UsageAnswer& answer) {
  v1::Usage out;
  for (const service::UsagePoint& point : answer.points) {
    v1::UsagePoint& encoded = *out.add_points();
    *encoded.mutable_start() = EncodeInstant(point.start);
    *encoded.mutable_end() = EncodeInstant(point.end);
    *encoded.mutable_counts() = Encode(point.counts);
    encoded.set_unfinished(point.unfinished);
  }
  const ports::Usage& usage = answer.usage;
  EncodeTotals(usage.totals, *out.mutable_totals());
  if (usage.previous) EncodeTotals(*usage.previous, *out.mutable_previous());
  for (const ports::UsagePart& part : usage.parts) {
    v1::UsagePart& encoded = *out.add_parts();
    encoded.set_key(part.key);
    encoded.set_title(part.title);
    EncodeTotals(part.totals, encoded);
  }
  out.set_open(usage.open);
  out.set_overdue(usage.overdue);
  out.set_streak_days(answer.streak_days);
  out.set_longest_streak_days(answer.longest_streak_days);
  out.set_as_of_seq(usage.as_of_seq);
  out.set_time_zone(answer.time_zone);
  if (usage.active_users.size() == 3) {
    out.mutable_active_users()->set_day(usage.active_users[0]);
    out.mutable_active_users()->set_week(usage.active_users[1]);
    out.mutable_active_users()->set_month(usage.active_users[2]);
  }
  out.set_uncounted_events(usage.uncounted_events);
  return out;
}

// ---- decoding

service::UsageBucket DecodeBucket(v1::UsageBucket bucket, Violations& violations) {
  switch (bucket) {
    case v1::USAGE_BUCKET_UNSPECIFIED:
    case v1::USAGE_BUCKET_DAY: return service::UsageBucket::kDay;
    case v1::USAGE_BUCKET_HOUR: return service::UsageBucket::kHour;
    case v1::USAGE_BUCKET_WEEK: return service::UsageBucket::kWeek;
    case v1::USAGE_BUCKET_MONTH: return service::UsageBucket::kMonth;
    default: violations.Add("bucket", "must be HOUR, DAY, WEEK or MONTH");
  }
  return service::UsageBucket::kDay;
}

ports::UsageBreakdown DecodeBreakdown(v1::UsageBreakdown breakdown, Violations& violations) {
  switch (breakdown) {
    case v1::USAGE_BREAKDOWN_UNSPECIFIED:
    case v1::USAGE_BREAKDOWN_NONE: return ports::UsageBreakdown::kNone;
    case v1::USAGE_BREAKDOWN_PRIORITY: return ports::UsageBreakdown::kPriority;
    case v1::USAGE_BREAKDOWN_TAG: return ports::UsageBreakdown::kTag;
    case v1::USAGE_BREAKDOWN_SERIES: return ports::UsageBreakdown::kSeries;
    default: violations.Add("breakdown", "must be NONE, PRIORITY, TAG or SERIES");
  }
  return ports::UsageBreakdown::kNone;
}

/// The user that the numbers are about; nullopt: all. kPermissionDenied: the caller is no operator
/// and names somebody else.
absl::StatusOr<std::optional<domain::UserId>> DecodeSubject(const Caller& caller,
                                                            const std::string& user_id) {
  const domain::UserId& own = caller.context.user;
  if (user_id.empty() || user_id == own.value) return std::optional(own);
  if (!caller.identity.Has(ports::Role::kOperator)) {
    return util::WithReason(
        absl::PermissionDeniedError("only operators may see the usage of other users: leave "
                                    "user_id empty for your own"),
        "NOT_AN_OPERATOR");
  }
  if (user_id == kAllUsers) return std::optional<domain::UserId>();
  if (const absl::Status status = domain::CheckUserId(user_id); !status.ok())
    return util::InvalidFields({{"user_id", std::string(status.message())}});
  return std::optional(domain::UserId{user_id});
}

absl::StatusOr<v1::Usage> GetUsage(service::UsageService& usage, const Caller& caller,
                                   const v1::GetUsageRequest& request) {
  Violations violations;
  service::UsageInput input;
  if (request.has_start())
    input.start = DecodeInstant(request.start(), "start", violations, kRangeTime);
  if (request.has_end()) input.end = DecodeInstant(request.end(), "end", violations, kRangeTime);
  input.bucket = DecodeBucket(request.bucket(), violations);
  CheckText(request.time_zone(), "time_zone", violations);
  input.time_zone = request.time_zone();
  input.breakdown = DecodeBreakdown(request.breakdown(), violations);
  input.compare = request.compare();
  TODO_RETURN_IF_ERROR(violations.ToStatus());
  TODO_ASSIGN_OR_RETURN(input.user, DecodeSubject(caller, request.user_id()));
  TODO_ASSIGN_OR_RETURN(const service::UsageAnswer answer,
                        usage.Get(caller.context.user, input, caller.context.cancellation));
  return Encode(answer);
}

}  // namespace

ServiceDefinition MakeAnalyticsMethods(service::UsageService& usage) {
  return {.service = v1::Usage::descriptor()->file()->FindServiceByName("AnalyticsService"),
          .methods = {Unary("GetUsage", usage, GetUsage)}};
}

}  // namespace todo::api
