#pragma once

#include <cstdint>
#include <string>

#include "ports/outbox_log.h"
#include "store/connection_pool.h"

namespace todo::store {

struct OutboxLogOptions {
  /// A batch takes changes until their JSON exceeds this, and messages likewise. It always takes
  /// one of each.
  std::int64_t max_batch_bytes = 512 * 1024;
};

/// OutboxLog on PostgreSQL. The pool must outlive it. Give it a pool of its own, so that leases are
/// renewed even when other pools are exhausted; one connection is enough.
/// Thread safety: one instance for each thread.
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
