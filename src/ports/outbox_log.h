#pragma once

#include <chrono>
#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "domain/event/event.h"

namespace todo::ports {

/// How far a shard has been published: every row that is visible in `snapshot` and has an id up to
/// `position`. A transaction that was still running then may later commit rows with smaller ids.
/// The snapshot names that transaction, so its rows, the late rows, are found without reading the
/// others again. Opaque to all but the store.
struct OutboxCursor {
  /// Progress among late rows that do not fit into one batch. Besides what the cursor says, every
  /// row that is visible in `snapshot` and has an id up to these positions has been published.
  struct LateRows {
    std::int64_t position = 0;          // of changes
    std::int64_t message_position = 0;  // of messages
    std::string snapshot;               // pg_snapshot; empty: no late rows are left
    std::string transactions;           // that wrote the late rows

    bool operator==(const LateRows&) const = default;
  };

  std::int64_t position = 0;          // of changes
  std::int64_t message_position = 0;  // of messages
  std::string snapshot;               // pg_snapshot; empty: nothing was ever published
  LateRows late;

  bool operator==(const OutboxCursor&) const = default;
};

/// A shard that this replica publishes while its lease lasts.
struct OutboxShard {
  int number = 0;
  std::int64_t epoch = 0;    // grows by one at each change of owner
  OutboxCursor cursor;       // how far it has been published
  OutboxCursor stored = {};  // the table's cursor, as last read or written
};

struct OutboxShards {
  std::vector<OutboxShard> owned;  // all shards that this replica holds now
  int fair_share = 0;              // Release the shards above this number
};

/// A row of the outbox that is no change, written in the transaction of its cause: a reminder
/// event, a notification's update, a dead letter, a repetition.
struct OutboxMessage {
  std::string topic;
  std::string key;
  domain::Uuid id;
  std::string payload;  // a whole CloudEvent
  domain::Instant at;
};

/// Changes and messages of one shard to be published in this order, and the cursor once the bus has
/// all of them.
struct OutboxBatch {
  int shard = 0;
  std::vector<domain::Change> changes;  // for each user in `seq` order
  std::vector<OutboxMessage> messages;
  OutboxCursor next;
};

/// Reads committed changes and messages for the relay. A row appears with the commit of the
/// transaction that wrote it.
/// Thread safety: one instance for each thread. All methods block on the database. All can answer
/// kUnavailable: the database is away, so try again after a back-off.
class OutboxLog {
 public:
  virtual ~OutboxLog() = default;

  /// Renews the leases of replica `owner` (unique to this process) for `lease` from now, and takes
  /// over shards whose lease has run out, up to the replica's fair share. To be called well within
  /// every `lease`.
  virtual absl::StatusOr<OutboxShards> Renew(const std::string& owner,
                                             std::chrono::milliseconds lease) = 0;

  /// One batch for each of `shards`, in the order given, behind the cursors given: up to `limit`
  /// (> 0) changes and as many messages, fewer when they are large. Late rows come first; newer
  /// rows wait until all late rows are published. A batch without rows still has a newer cursor: go
  /// on from it, so that few rows have to be read again.
  virtual absl::StatusOr<std::vector<OutboxBatch>> Read(const std::vector<OutboxShard>& shards,
                                                        int limit) = 0;

  /// Makes the cursors durable. Answers the shards that this replica must stop publishing until
  /// Renew gives them again: they have another owner, or the table's cursor is neither `stored` nor
  /// `cursor` because the database was set back. Harmless to repeat.
  virtual absl::StatusOr<std::vector<int>> Advance(const std::vector<OutboxShard>& shards) = 0;

  /// Writes the cursors as Advance does, and gives the shards back, so that another replica can
  /// take them at once.
  virtual absl::Status Release(const std::vector<OutboxShard>& shards) = 0;
};

}  // namespace todo::ports
