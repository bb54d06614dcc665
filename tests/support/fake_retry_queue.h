#pragma once

#include <map>
#include <string>
#include <utility>
#include <vector>

#include "domain/event/dead_letter.h"
#include "ports/crash_log.h"
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
  absl::StatusOr<bool> AddDeadLetter(const domain::DeadLetter& letter, bool from_queue,
                                     domain::Instant now) override;

 private:
  FakeDatabase& database_;
};

/// CrashLog in memory, of the instance `instance`. Thread safety: as the port says.
class FakeCrashLog final : public ports::CrashLog {
 public:
  explicit FakeCrashLog(FakeDatabase& database, std::string instance = "one")
      : database_(database), instance_(std::move(instance)) {}

  absl::StatusOr<int> CountCrashes() override;
  absl::StatusOr<std::map<domain::EventId, int>> Begin(
      int slot, std::string_view consumer, const std::vector<domain::EventHeader>& events) override;
  absl::Status Clear() override;

 private:
  FakeDatabase& database_;
  const std::string instance_;
};

}  // namespace todo::support
