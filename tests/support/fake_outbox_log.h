#pragma once

#include <cstdint>
#include <string>

#include "ports/outbox_log.h"
#include "support/fake_database.h"

namespace todo::support {

/// OutboxLog in memory. Its transactions commit in the order of their ids, so that there are no
/// late rows. Thread safety: one instance per thread; instances share the database.
class FakeOutboxLog final : public ports::OutboxLog {
 public:
  explicit FakeOutboxLog(FakeDatabase& database, std::int64_t max_batch_bytes = 512 * 1024)
      : database_(database), max_batch_bytes_(max_batch_bytes) {}

  absl::StatusOr<ports::OutboxShards> Renew(const std::string& owner,
                                            std::chrono::milliseconds lease) override;
  absl::StatusOr<std::vector<ports::OutboxBatch>> Read(
      const std::vector<ports::OutboxShard>& shards, int limit) override;
  absl::StatusOr<std::vector<int>> Advance(const std::vector<ports::OutboxShard>& shards) override;
  absl::Status Release(const std::vector<ports::OutboxShard>& shards) override;

 private:
  FakeDatabase& database_;
  const std::int64_t max_batch_bytes_;
  std::string owner_;  // as last renewed
};

}  // namespace todo::support
