#pragma once

#include <functional>

#include "ports/audit_log.h"
#include "store/connection_pool.h"

namespace todo::store {

struct AuditLogOptions {
  int max_changes = 1'000;   // that one look takes in, in each shard
  int max_missing = 10'000;  // about; with more missing events, a look takes in no more changes
};

/// AuditLog on PostgreSQL. The pool must outlive it. After a commit that posted repetitions, the
/// calling thread calls `on_message(shard)`, which must not block.
/// Thread safety: as the port says. Each call holds one connection while it runs.
class PgAuditLog final : public ports::AuditLog {
 public:
  PgAuditLog(ConnectionPool& pool, std::function<void(int shard)> on_message,
             AuditLogOptions options = {});

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
  ConnectionPool& pool_;
  const std::function<void(int shard)> on_message_;
  const AuditLogOptions options_;
};

}  // namespace todo::store
