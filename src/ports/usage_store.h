#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/civil_time.h"
#include "domain/ids.h"
#include "domain/time.h"
#include "util/cancellation.h"

namespace todo::ports {

/// Usage is counted in stretches of this length, which begin on the hour of UTC.
inline constexpr std::chrono::minutes kUsageQuarter{15};

enum class UsageBreakdown { kNone, kPriority, kTag, kSeries };

struct UsageQuery {
  std::optional<domain::UserId> user;  // nullopt: all users together
  /// Where the buckets begin, ascending, and last the end of the range. Each is the begin of a
  /// quarter. At least two.
  std::vector<domain::Instant> borders;
  /// The totals of the period from here to the begin of the range are wanted too.
  std::optional<domain::Instant> previous_start = {};
  UsageBreakdown breakdown = UsageBreakdown::kNone;  // kSeries: of one user only
  int max_parts = 100;
  domain::Instant now = {};
  absl::CivilDay today = {};  // in the zone of the query
  /// Of all users: where the periods begin, up to the end of the range, whose active users are
  /// counted.
  std::vector<domain::Instant> active_since = {};
  util::Cancellation cancellation = {};
};

struct UsageCounts {
  std::int64_t created = 0;
  std::int64_t updated = 0;
  std::int64_t completed = 0;
  std::int64_t uncompleted = 0;
  std::int64_t deleted = 0;
  std::int64_t born = 0;  // tasks created for the first time
  std::int64_t done = 0;  // of these: completions less uncompletions, whenever they were
  bool operator==(const UsageCounts&) const = default;
};

/// Seconds from creating to completing: the smallest value that 50 % and 90 % of the completions do
/// not exceed. Of all users together: within 5 %.
struct UsageTimes {
  std::int64_t count = 0;
  double p50 = 0;
  double p90 = 0;
  bool operator==(const UsageTimes&) const = default;
};

struct UsageTotals {
  UsageCounts counts;
  UsageTimes times;
  bool operator==(const UsageTotals&) const = default;
};

struct UsagePart {
  std::string key;
  std::string title;  // of a series: that of its newest occurrence
  UsageTotals totals;
  bool operator==(const UsagePart&) const = default;
};

struct Usage {
  std::vector<UsageCounts> buckets;  // one less than borders
  UsageTotals totals;
  std::optional<UsageTotals> previous;
  std::vector<UsagePart> parts;  // those with the most completions first, then the most creations
  std::int64_t open = 0;
  std::int64_t overdue = 0;
  /// The quarters in which a task was completed, ascending, whatever the range. Of one user.
  std::vector<domain::Instant> completed_quarters;
  /// Of one user: each change up to this one is counted, or will not be before a rebuild: its event
  /// was too old when it came, or is a dead letter.
  std::int64_t as_of_seq = 0;
  std::int64_t uncounted_events = 0;
  std::vector<std::int64_t> active_users;  // as active_since
};

/// How far the rebuild is.
struct UsageRebuild {
  bool running = false;
  std::optional<domain::Instant> started_at = {};   // of the newest rebuild
  std::optional<domain::Instant> finished_at = {};  // of the last one that finished
  std::int64_t counted_changes = 0;                 // by the newest rebuild
  std::int64_t added_events = 0;                    // by the last one that finished
  bool operator==(const UsageRebuild&) const = default;
};

/// Reads what UsageWriter has counted, and counts it again.
/// Thread safety: all methods may be called from many threads at once. They block on the database.
class UsageStore {
 public:
  virtual ~UsageStore() = default;

  /// All of the answer is of one moment, but for the titles of series. Statuses as of
  /// TaskStore::List.
  virtual absl::StatusOr<Usage> Read(const UsageQuery& query) = 0;

  /// Begins to count everything again from the change log, unless that is being done. The numbers
  /// stay as they are until each user's are done. Numbers about tasks of other programs are kept.
  virtual absl::StatusOr<UsageRebuild> StartRebuild(domain::Instant now) = 0;
  /// How far the rebuild is.
  virtual absl::StatusOr<UsageRebuild> ReadRebuild() = 0;
  /// Does a part of the rebuild that takes less than a second. False: there is nothing to do, or
  /// another replica is doing it.
  virtual absl::StatusOr<bool> ContinueRebuild(domain::Instant now) = 0;

  /// Stores events of days that have passed more tightly, so that reading them is fast. No number
  /// changes. Takes less than a second. False: there is nothing to do, or another replica is doing
  /// it.
  virtual absl::StatusOr<bool> Pack(domain::Instant now) = 0;
};

}  // namespace todo::ports
