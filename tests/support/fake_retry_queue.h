#pragma once

#include "ports/crash_log.h"
#include "ports/retry_queue.h"
#include "support/fake_database.h"

namespace todo::support {

/// RetryQueue in memory. Dead letters land in the database's `dead_letters`. Thread safety: as the
/// port says.
class FakeRetryQueue final : public ports::RetryQueue {
 public:
  explicit FakeRetryQueue(FakeDatabase& database) : database_(database) {}

  absl::StatusOr<bool> Park(std::string_view consumer, const domain::Delivery& delivery,
                            const ports::Setback& setback) override;
  absl::StatusOr<std::vector<ports::RetryEntry>> Due(const std::vector<std::string>& consumers,
                                                     domain::Instant now, int limit) override;
  absl::StatusOr<std::optional<domain::Instant>> NextDue(
      const std::vector<std::string>& consumers) override;
  absl::Status Reschedule(const ports::RetryEntry& entry, domain::Instant failed_at,
                          domain::Instant due_at, std::string_view reason) override;
  absl::StatusOr<bool> Bury(const domain::DeadLetter& letter, bool from_queue,
                            domain::Instant now) override;

 private:
  FakeDatabase& database_;
};

/// A process that has never crashed. Thread safety: as the port says.
class FakeCrashLog final : public ports::CrashLog {
 public:
  absl::StatusOr<int> CountCrashes() override { return 0; }
  absl::Status Begin(int, std::string_view, const std::vector<domain::EventHeader>&) override {
    return absl::OkStatus();
  }
  absl::StatusOr<std::map<domain::EventId, int>> Crashes(
      std::string_view, const std::vector<domain::EventHeader>&) override {
    return std::map<domain::EventId, int>();
  }
  absl::Status Clear() override { return absl::OkStatus(); }
};

}  // namespace todo::support
