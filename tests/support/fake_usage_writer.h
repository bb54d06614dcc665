#pragma once

#include "ports/usage_writer.h"
#include "support/fake_database.h"
#include "support/fake_unit_of_work.h"

namespace todo::support {

/// A change as usage counts it.
FakeDatabase::UsageRow UsageOf(const domain::Change& change);

/// UsageWriter in memory.
class FakeUsageWriter final : public ports::UsageWriter {
 public:
  explicit FakeUsageWriter(FakeUnitOfWork& unit) : unit_(unit) {}

  absl::Status Count(const std::vector<ports::UsageEvent>& events, domain::Instant oldest) override;

 private:
  FakeUnitOfWork& unit_;
};

}  // namespace todo::support
