#pragma once

#include "ports/recurrence_writer.h"
#include "support/fake_unit_of_work.h"

namespace todo::support {

/// RecurrenceWriter in memory.
class FakeRecurrenceWriter final : public ports::RecurrenceWriter {
 public:
  explicit FakeRecurrenceWriter(FakeUnitOfWork& unit) : unit_(unit) {}

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
  std::optional<ports::Successor> Find(const domain::UserId& user, const domain::Uuid& series_id,
                                       std::int64_t occurrence) const;

  FakeUnitOfWork& unit_;
};

}  // namespace todo::support
