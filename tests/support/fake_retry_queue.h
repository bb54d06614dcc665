#pragma once

#include <string>
#include <vector>

#include "domain/event/dead_letter.h"
#include "ports/retry_queue.h"
#include "support/fake_database.h"

namespace todo::support {

/// RetryQueue in memory. Dead letters land in the database's `dead_letters`. Thread safety: as the
/// port says.
class FakeRetryQueue final : public ports::RetryQueue {
 public:
  explicit FakeRetryQueue(FakeDatabase& database) : database_(database) {}

  absl::StatusOr<bool> Enqueue(std::string_view consumer, const domain::ReceivedEvent& received,
                               const ports::RetrySchedule& schedule) override;
  absl::StatusOr<std::vector<ports::RetryEntry>> Due(const std::vector<std::string>& consumers,
                                                     domain::Instant now, int limit) override;
  absl::StatusOr<std::optional<domain::Instant>> NextDue(
      const std::vector<std::string>& consumers) override;
  absl::Status Reschedule(const ports::RetryEntry& entry,
                          const ports::RetrySchedule& schedule) override;
  absl::StatusOr<bool> AddDeadLetter(const domain::DeadLetter& letter, ports::TakenFrom taken_from,
                                     domain::Instant now) override;

 private:
  FakeDatabase& database_;
};

}  // namespace todo::support
