#pragma once

#include <chrono>

#include "ports/usage_store.h"
#include "store/connection_pool.h"

namespace todo::store {

struct UsageStoreOptions {
  std::chrono::milliseconds read_timeout{5'000};  // of one Read
  int step_changes = 500;                         // at most, in one ContinueRebuild
  int pack_events = 5'000;                        // at most, in one Pack
};

/// UsageStore on PostgreSQL. The pool must outlive it.
/// Thread safety: as the port says. Each call holds one connection while it runs.
class PgUsageStore final : public ports::UsageStore {
 public:
  explicit PgUsageStore(ConnectionPool& pool, UsageStoreOptions options = {})
      : pool_(pool), options_(options) {}

  absl::StatusOr<ports::Usage> Read(const ports::UsageQuery& query) override;
  absl::StatusOr<ports::UsageRebuild> StartRebuild(domain::Instant now) override;
  absl::StatusOr<ports::UsageRebuild> ReadRebuild() override;
  absl::StatusOr<bool> ContinueRebuild(domain::Instant now) override;
  absl::StatusOr<bool> Pack(domain::Instant now) override;

 private:
  ConnectionPool& pool_;
  const UsageStoreOptions options_;
};

}  // namespace todo::store
