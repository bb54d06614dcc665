#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "domain/time.h"

namespace todo::ports {

/// The database's figures for operators. Counting is bounded, because the figures are read every
/// few seconds, also when there is much to count: a count that reaches its bound means "at least".
/// Unpublished changes and messages are counted up to 20,000 for each shard, everything else up to
/// 100,000.
struct StoreStatus {
  std::int64_t unpublished_changes = 0;
  std::int64_t unpublished_messages = 0;
  std::optional<domain::Instant> oldest_unpublished;
  std::int64_t waiting_retries = 0;
  std::optional<domain::Instant> next_retry;
  std::int64_t open_dead_letters = 0;
  std::int64_t pending_reminders = 0;
  std::int64_t overdue_reminders = 0;    // pending, and their time has passed
  std::int64_t unplanned_reminders = 0;  // their time is still to be computed
  std::int64_t unwritten_jobs = 0;       // their job in the scheduler is missing or wrong
  std::int64_t pending_deliveries = 0;
  std::optional<domain::Instant> oldest_delivery;  // since when the longest due one is due
  std::int64_t missing_events = 0;  // published and not taken in time; will be published again
  std::int64_t lost_events = 0;     // published again as often as allowed, and still not taken
  struct Shard {
    int number = 0;
    std::string owner;
    std::int64_t epoch = 0;
    bool leased = false;
  };
  std::vector<Shard> shards;
};

/// Thread safety: may be called from many threads at once. Blocks on the database.
class ServiceStatus {
 public:
  virtual ~ServiceStatus() = default;

  /// kUnavailable and the like (see TaskStore): there are no figures now.
  virtual absl::StatusOr<StoreStatus> Read() = 0;
};

}  // namespace todo::ports
