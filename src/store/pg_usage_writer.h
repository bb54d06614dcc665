#pragma once

#include <vector>

#include "ports/usage_writer.h"
#include "store/unit_of_work.h"

// Inside the room only: the writer of a transaction of PgEventInbox.

namespace todo::store {

/// UsageWriter on PostgreSQL. The unit of work must outlive it.
class PgUsageWriter final : public ports::UsageWriter {
 public:
  explicit PgUsageWriter(UnitOfWork& unit) : unit_(unit) {}

  absl::Status Count(const std::vector<ports::UsageEvent>& events, domain::Instant oldest) override;

 private:
  UnitOfWork& unit_;
};

}  // namespace todo::store
