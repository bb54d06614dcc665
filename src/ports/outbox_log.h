#pragma once

#include <chrono>
#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "domain/event/event.h"

namespace todo::ports {

/// How far a shard's changes have been published: everything that was visible in `snapshot` with an
/// id up to `position`. A transaction that was running then may commit rows with smaller ids later;
/// the snapshot names it, so those rows are found without ever looking at the rest again. Opaque to
/// all but the store.
struct OutboxCursor {
  /// How far late rows that are too many for one batch have been published: besides what the cursor
  /// says, everything that was visible in `snapshot` with an id up to here.
  struct LateRows {
    std::int64_t position = 0;          // of changes
    std::int64_t message_position = 0;  // of messages
    std::string snapshot;               // pg_snapshot; empty: no late rows are left over
    std::string transactions;           // whose late rows they are

    bool operator==(const LateRows&) const = default;
  };

  std::int64_t position = 0;          // of changes
  std::int64_t message_position = 0;  // of messages
  std::string snapshot;               // pg_snapshot; empty: nothing was ever published
  LateRows late;

  bool operator==(const OutboxCursor&) const = default;
};

/// A shard that this replica may publish, as long as its lease lasts.
struct OutboxShard {
  int number = 0;
  std::int64_t epoch = 0;    // one more at each change of owner
  OutboxCursor cursor;       // as far as it has been published
  OutboxCursor stored = {};  // what the table holds, as last read or written
};

struct OutboxShards {
  std::vector<OutboxShard> owned;  // all that this replica holds now
  int fair_share = 0;              // give back what is above it
};

/// Something else to publish, made in the same transaction as its cause: a dead letter, a
/// repetition.
struct OutboxMessage {
  std::string topic;
  std::string key;
  domain::Uuid id;
  std::string payload;  // a whole CloudEvent
  domain::Instant at;
};

/// A run of changes and messages of one shard to publish, in order, and the cursor to write once
/// the bus has taken them all.
struct OutboxBatch {
  int shard = 0;
  std::vector<domain::Change> changes;  // per user in `seq` order
  std::vector<OutboxMessage> messages;
  OutboxCursor next;
};

/// Reads committed changes for publishing. Rows appear through TaskStore and EventInbox, in the
/// same transaction as the change itself. Thread safety: one instance per thread. Blocks on the
/// database. All methods: kUnavailable: no database, try again after a back-off.
class OutboxLog {
 public:
  virtual ~OutboxLog() = default;

  /// Says that replica `owner` (unique to this process) lives, renews its leases for `lease` from
  /// now and takes over shards whose lease has run out, up to its fair share. To be called well
  /// within every `lease`.
  virtual absl::StatusOr<OutboxShards> Renew(const std::string& owner,
                                             std::chrono::milliseconds lease) = 0;

  /// Up to `limit` (> 0) unpublished changes and as many messages for each of `shards`, fewer when
  /// they are large, from the in-memory cursors given; one batch for each shard, in the order
  /// given. A batch without changes still has a newer cursor: go on from it, so that what has to be
  /// looked at again stays little. Late rows (see OutboxCursor) come first; those that are more
  /// than a batch holds are continued by the next ones, and newer rows wait until they are through.
  virtual absl::StatusOr<std::vector<OutboxBatch>> Read(const std::vector<OutboxShard>& shards,
                                                        int limit) = 0;

  /// Makes the cursors durable. Answers the shards among them that now belong to somebody else, or
  /// whose cursor in the table is neither `stored` nor `cursor` because the database was set back:
  /// stop publishing those until Renew gives them again. Repeating is harmless.
  virtual absl::StatusOr<std::vector<int>> Advance(const std::vector<OutboxShard>& shards) = 0;

  /// Writes the cursors, where Advance would, and gives the shards back, for another replica to
  /// take at once.
  virtual absl::Status Release(const std::vector<OutboxShard>& shards) = 0;
};

}  // namespace todo::ports
