#pragma once

#include <functional>

#include "ports/retry_queue.h"
#include "store/connection_pool.h"

namespace todo::store {

/// RetryQueue on PostgreSQL. The pool must outlive it. After a commit that posted a dead letter,
/// the calling thread calls `on_message(shard)`, which must not block. Thread safety: as the port
/// says. Each call holds one connection while it runs.
class PgRetryQueue final : public ports::RetryQueue {
 public:
  PgRetryQueue(ConnectionPool& pool, std::function<void(int shard)> on_message);

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
  ConnectionPool& pool_;
  const std::function<void(int shard)> on_message_;
};

}  // namespace todo::store
