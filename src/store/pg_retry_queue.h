#pragma once

#include <functional>

#include "domain/event/dead_letter.h"
#include "ports/crash_log.h"
#include "ports/dead_letter_store.h"
#include "ports/retry_queue.h"
#include "store/connection_pool.h"

namespace todo::store {

/// RetryQueue and DeadLetterStore on PostgreSQL. The pool must outlive it. `on_message(shard)` is
/// called after a commit that posted a message, and `on_replay(due)` after one that put dead
/// letters back into their queues, both from the calling thread; they must not block. Thread
/// safety: as the ports say; each call holds one connection while it runs.
class PgRetryQueue final : public ports::RetryQueue, public ports::DeadLetterStore {
 public:
  PgRetryQueue(ConnectionPool& pool, std::function<void(int shard)> on_message,
               std::function<void(domain::Instant due)> on_replay = {});

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

  absl::StatusOr<ports::DeadLetterPage> List(const ports::DeadLetterFilter& filter, int limit,
                                             const std::string& cursor) override;
  absl::StatusOr<ports::StoredDeadLetter> Get(const domain::Uuid& id) override;
  absl::StatusOr<int> Replay(const ports::DeadLetterFilter& filter, int limit,
                             const std::string& by, domain::Instant now) override;
  absl::StatusOr<int> Discard(const ports::DeadLetterFilter& filter, int limit,
                              const std::string& note, const std::string& by,
                              domain::Instant now) override;
  absl::StatusOr<ports::StoreStatus> Status() override;

 private:
  ConnectionPool& pool_;
  const std::function<void(int shard)> on_message_;
  const std::function<void(domain::Instant due)> on_replay_;
};

/// CrashLog on PostgreSQL. The pool must outlive it and its sessions should commit asynchronously
/// (PoolOptions::asynchronous_commit): the rows have to outlive the process only.
/// `instance` names this replica, the same after each restart.
/// Thread safety: as the port says.
class PgCrashLog final : public ports::CrashLog {
 public:
  PgCrashLog(ConnectionPool& pool, std::string instance);

  absl::StatusOr<int> CountCrashes() override;
  absl::StatusOr<std::map<domain::EventId, int>> Begin(
      int slot, std::string_view consumer, const std::vector<domain::EventHeader>& events) override;
  absl::Status Clear() override;

 private:
  ConnectionPool& pool_;
  const std::string instance_;
};

}  // namespace todo::store
