#pragma once

#include <cstdint>
#include <optional>
#include <set>
#include <vector>

#include "ports/recurrence_writer.h"
#include "store/unit_of_work.h"

// Inside the room only: the writer of a transaction of PgEventInbox.

namespace todo::store {

/// RecurrenceWriter on PostgreSQL. The unit of work must outlive it.
class PgRecurrenceWriter final : public ports::RecurrenceWriter {
 public:
  explicit PgRecurrenceWriter(UnitOfWork& unit) : unit_(unit) {}

  absl::StatusOr<std::vector<std::optional<ports::HeldTask>>> LockAndLoad(
      const std::vector<ports::TaskRef>& refs) override;
  absl::StatusOr<std::set<domain::TaskId>> Existing(
      const std::vector<domain::TaskId>& ids) override;
  absl::StatusOr<std::vector<std::optional<ports::Successor>>> FindOccurrences(
      const std::vector<ports::SeriesPlace>& places) override;
  absl::StatusOr<std::vector<bool>> AdvanceForeignTasks(
      const std::vector<ports::ForeignEvent>& events) override;
  absl::Status Write(const std::vector<ports::ConsumerChange>& changes) override;

 private:
  UnitOfWork& unit_;
};

}  // namespace todo::store
