#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "domain/event/dead_letter.h"
#include "domain/event/received_event.h"
#include "domain/ids.h"
#include "domain/time.h"

namespace todo::ports {

enum class DeadLetterState { kOpen, kReplayed, kDiscarded };

struct StoredDeadLetter {
  domain::DeadLetter letter;
  DeadLetterState state = DeadLetterState::kOpen;
  std::string note;
  std::string resolved_by;
  std::optional<domain::Instant> resolved_at;
};

/// What is set must agree.
struct DeadLetterFilter {
  std::vector<domain::Uuid> ids;  // empty: any
  std::optional<DeadLetterState> state;
  std::string consumer;
  std::string topic;
  std::string user;
  std::optional<domain::TaskId> task_id;
  std::string reason;  // part of it
};

struct DeadLetterPage {
  std::vector<StoredDeadLetter> letters;  // without their records' bytes
  std::string next_cursor;                // empty: no further page
};

/// Figures for people who operate the service.
struct StoreStatus {
  std::int64_t unpublished_changes = 0;  // counted up to a limit of 100,000 for each shard
  std::int64_t unpublished_messages = 0;
  std::optional<domain::Instant> oldest_unpublished;
  std::int64_t waiting_retries = 0;  // this and all that follow are counted up to 100,000
  std::optional<domain::Instant> next_retry;
  std::int64_t open_dead_letters = 0;
  std::int64_t pending_reminders = 0;
  std::int64_t overdue_reminders = 0;
  std::int64_t unplanned_reminders = 0;
  std::int64_t unwritten_jobs = 0;
  std::int64_t pending_deliveries = 0;
  std::optional<domain::Instant> oldest_delivery;  // since when it waits for its turn
  std::int64_t missing_events = 0;  // published a while ago and not seen; counted up to a limit
  std::int64_t lost_events = 0;     // published again as often as allowed, and still not seen
  struct Shard {
    int number = 0;
    std::string owner;
    std::int64_t epoch = 0;
    bool leased = false;
  };
  std::vector<Shard> shards;
};

/// The dead letters, for operators. Thread safety: may be called from many threads at once; blocks
/// on the database.
class DeadLetterStore {
 public:
  virtual ~DeadLetterStore() = default;

  /// The newest failures first; up to `limit` (1 to 500). kInvalidArgument: the cursor is not one
  /// of ours.
  virtual absl::StatusOr<DeadLetterPage> List(const DeadLetterFilter& filter, int limit,
                                              const std::string& cursor) = 0;
  /// With the record's bytes. kNotFound: there is none.
  virtual absl::StatusOr<StoredDeadLetter> Get(const domain::Uuid& id) = 0;
  /// Puts up to `limit` open dead letters back into their consumers' queues. The answer is how
  /// many.
  virtual absl::StatusOr<int> Replay(const DeadLetterFilter& filter, int limit,
                                     const std::string& by, domain::Instant now) = 0;
  /// Closes up to `limit` open dead letters for good. The answer is how many.
  virtual absl::StatusOr<int> Discard(const DeadLetterFilter& filter, int limit,
                                      const std::string& note, const std::string& by,
                                      domain::Instant now) = 0;
  virtual absl::StatusOr<StoreStatus> Status() = 0;
};

}  // namespace todo::ports
