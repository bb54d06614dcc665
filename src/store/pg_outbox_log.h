#pragma once

#include <cstdint>
#include <string>

#include "ports/outbox_log.h"
#include "store/connection_pool.h"

namespace todo::store {

struct OutboxLogOptions {
  /// A batch is cut when its tasks' JSON comes to more, and so are its messages; one of each is
  /// always taken.
  std::int64_t max_batch_bytes = 512 * 1024;
};

/// OutboxLog on PostgreSQL. The pool must outlive it; one of its own with a single connection keeps
/// heartbeats going when the others are all in use. Thread safety: one instance per thread.
class PgOutboxLog final : public ports::OutboxLog {
 public:
  explicit PgOutboxLog(ConnectionPool& pool, OutboxLogOptions options = {});

  absl::StatusOr<ports::OutboxShards> Renew(const std::string& owner,
                                            std::chrono::milliseconds lease) override;
  absl::StatusOr<std::vector<ports::OutboxBatch>> Read(
      const std::vector<ports::OutboxShard>& shards, int limit) override;
  absl::StatusOr<std::vector<int>> Advance(const std::vector<ports::OutboxShard>& shards) override;
  absl::Status Release(const std::vector<ports::OutboxShard>& shards) override;

 private:
  ConnectionPool& pool_;
  const OutboxLogOptions options_;
  std::string owner_;  // as last renewed
};

}  // namespace todo::store
