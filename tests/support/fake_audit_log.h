#pragma once

#include <chrono>

#include "ports/audit_log.h"
#include "support/fake_database.h"

namespace todo::support {

/// AuditLog in memory. Thread safety: as the port says.
class FakeAuditLog final : public ports::AuditLog {
 public:
  explicit FakeAuditLog(FakeDatabase& database, int max_changes = 1'000, int max_missing = 10'000)
      : database_(database), max_changes_(max_changes), max_missing_(max_missing) {}

  absl::Status Enroll(const std::vector<std::string>& consumers) override;
  absl::StatusOr<bool> TakeTurn(const std::string& owner, std::chrono::milliseconds lease) override;
  absl::StatusOr<bool> OutboxFlows(domain::Instant before) override;
  absl::StatusOr<ports::AuditFindings> Look(std::string_view consumer,
                                            const ports::AuditScope& scope) override;
  absl::StatusOr<std::vector<ports::MissingEvent>> Due(std::string_view consumer,
                                                       domain::Instant now, int limit) override;
  absl::StatusOr<std::vector<ports::MissingEvent>> PassedOver(std::string_view consumer,
                                                              int limit) override;
  absl::Status Repeat(std::string_view consumer, const std::string& topic,
                      const std::vector<ports::Repetition>& repetitions) override;
  absl::Status GiveUp(std::string_view consumer, const std::vector<std::int64_t>& change_ids,
                      domain::Instant now) override;

 private:
  FakeDatabase& database_;
  const int max_changes_;
  const int max_missing_;
};

}  // namespace todo::support
