#pragma once

#include "ports/usage_store.h"
#include "support/fake_database.h"

namespace todo::support {

/// UsageStore in memory: keeps the events, and counts them for each answer. Thread safety: as the
/// port says.
class FakeUsageStore final : public ports::UsageStore {
 public:
  explicit FakeUsageStore(FakeDatabase& database) : database_(database) {}

  absl::StatusOr<ports::Usage> Read(const ports::UsageQuery& query) override;
  absl::StatusOr<ports::UsageRebuild> StartRebuild(domain::Instant now) override;
  absl::StatusOr<ports::UsageRebuild> ReadRebuild() override;
  absl::StatusOr<bool> ContinueRebuild(domain::Instant now) override;
  /// There is nothing to pack.
  absl::StatusOr<bool> Pack(domain::Instant) override { return false; }

 private:
  FakeDatabase& database_;
};

}  // namespace todo::support
