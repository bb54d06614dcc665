#pragma once

#include <optional>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "domain/event/dead_letter.h"
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

/// Matches the dead letters that agree with every field that is set.
struct DeadLetterFilter {
  std::vector<domain::Uuid> ids;  // one of these; empty: any
  std::optional<DeadLetterState> state;
  std::string consumer;
  std::string topic;
  std::string user;
  std::optional<domain::TaskId> task_id;
  std::string reason;  // a part of it, in any case
};

struct DeadLetterPage {
  std::vector<StoredDeadLetter> letters;  // without the bytes of their records
  std::string next_cursor;                // empty: this is the last page
};

/// The dead letters, for operators.
/// Thread safety: all methods may be called from many threads at once. They block on the database,
/// and can answer kUnavailable and the like (see TaskStore).
class DeadLetterStore {
 public:
  virtual ~DeadLetterStore() = default;

  /// Up to `limit` (1 to 500) dead letters, the newest failures first. `cursor` is empty for the
  /// first page. kInvalidArgument: `cursor` was not made by this method.
  virtual absl::StatusOr<DeadLetterPage> List(const DeadLetterFilter& filter, int limit,
                                              const std::string& cursor) = 0;
  /// One dead letter, with the bytes of its record. kNotFound: there is none with this id.
  virtual absl::StatusOr<StoredDeadLetter> Get(const domain::Uuid& id) = 0;
  /// Puts up to `limit` (> 0) open dead letters back into their consumers' retry queues. Answers
  /// their number.
  virtual absl::StatusOr<int> Replay(const DeadLetterFilter& filter, int limit,
                                     const std::string& by, domain::Instant now) = 0;
  /// Closes up to `limit` (> 0) open dead letters for good. Answers their number.
  virtual absl::StatusOr<int> Discard(const DeadLetterFilter& filter, int limit,
                                      const std::string& note, const std::string& by,
                                      domain::Instant now) = 0;
};

}  // namespace todo::ports
