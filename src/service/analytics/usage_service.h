#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/time/civil_time.h"
#include "domain/ids.h"
#include "domain/time.h"
#include "domain/time_zone.h"
#include "ports/clock.h"
#include "ports/preferred_zones.h"
#include "ports/usage_store.h"
#include "util/cancellation.h"

namespace todo::service {

enum class UsageBucket { kHour, kDay, kWeek, kMonth };

/// The limit of the buckets of one answer.
inline constexpr int kMaxUsageBuckets = 2'000;

/// Unchecked, but for the user.
struct UsageInput {
  std::optional<domain::UserId> user;  // nullopt: all users together
  /// Widened to whole quarters of an hour. Without `start`: 30 days, the last one included. Without
  /// `end`: up to now.
  std::optional<domain::Instant> start = {};
  std::optional<domain::Instant> end = {};
  UsageBucket bucket = UsageBucket::kDay;
  std::string time_zone = {};  // empty: that of the caller's preferences
  ports::UsageBreakdown breakdown = ports::UsageBreakdown::kNone;
  bool compare = false;  // with the period of equal length right before
};

struct UsagePoint {
  domain::Instant start;
  domain::Instant end;
  ports::UsageCounts counts;
  bool unfinished = false;  // the bucket has not ended, or the range cuts it
};

struct UsageAnswer {
  std::vector<UsagePoint> points;
  ports::Usage usage;
  std::int64_t streak_days = 0;          // in a row with a completed task, up to today or yesterday
  std::int64_t longest_streak_days = 0;  // in the range
  std::string time_zone;
};

/// Days on the clocks of a user, both included.
struct UsageDays {
  absl::CivilDay first;
  absl::CivilDay last;
  bool operator==(const UsageDays&) const = default;
};

/// A few numbers for an answer in words.
struct UsageSummary {
  std::int64_t created = 0;  // in the days asked for, as the next
  std::int64_t completed = 0;
  std::int64_t open = 0;
  std::int64_t overdue = 0;
  std::int64_t streak_days = 0;
  bool operator==(const UsageSummary&) const = default;
};

/// The share of the tasks created that are completed, from 0 to 1; -1: none was created.
double CompletionRate(const ports::UsageCounts& counts);

/// Reads usage: what was created, done and left, over time.
/// Thread safety: all methods may be called from many threads at once. They block on the database.
class UsageService {
 public:
  /// All must outlive it.
  UsageService(ports::UsageStore& store, ports::PreferredZones& zones, const ports::Clock& clock)
      : store_(store), zones_(zones), clock_(clock) {}

  /// kInvalidArgument: a field is wrong; the status says which. Otherwise as UsageStore::Read.
  absl::StatusOr<UsageAnswer> Get(const domain::UserId& caller, const UsageInput& input,
                                  const util::Cancellation& cancellation = {});

  /// Of the last seven days, today included, when `days` is absent. Days to come have no numbers.
  absl::StatusOr<UsageSummary> Summary(const domain::UserId& user, const domain::TimeZone& zone,
                                       std::optional<UsageDays> days = std::nullopt);

 private:
  ports::UsageStore& store_;
  ports::PreferredZones& zones_;
  const ports::Clock& clock_;
};

}  // namespace todo::service
