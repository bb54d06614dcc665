#pragma once

#include <functional>

#include "ports/reminder_store.h"
#include "store/connection_pool.h"

namespace todo::store {

/// ReminderStore on PostgreSQL. The pool must outlive it. `on_message(shard)` is called after a
/// commit that posted a message, on the calling thread; it must not block. Thread safety: that of
/// the port; each call holds one connection while it runs.
class PgReminderStore final : public ports::ReminderStore {
 public:
  PgReminderStore(ConnectionPool& pool, std::function<void(int shard)> on_message);

  absl::Status Transact(
      const std::function<absl::Status(ports::ReminderTransaction&)>& work) override;
  absl::StatusOr<ports::TaskReminders> Get(const ports::TaskRef& ref) override;
  absl::StatusOr<std::vector<ports::TaskRef>> Owned(
      const std::vector<domain::TaskId>& ids) override;
  absl::StatusOr<std::vector<ports::TaskRef>> Unplanned(int limit) override;
  absl::StatusOr<std::vector<ports::TaskRef>> Due(domain::Instant until, int limit) override;
  absl::StatusOr<std::vector<ports::JobIntent>> ClaimJobs(domain::Instant now,
                                                          std::chrono::milliseconds lease,
                                                          int limit) override;
  absl::Status RecordJobs(const std::vector<ports::JobRecord>& records,
                          domain::Instant now) override;
  absl::StatusOr<std::optional<domain::Instant>> ForgetJobs(domain::Instant written_before,
                                                            domain::Instant from,
                                                            int limit) override;

 private:
  ConnectionPool& pool_;
  const std::function<void(int shard)> on_message_;
};

}  // namespace todo::store
