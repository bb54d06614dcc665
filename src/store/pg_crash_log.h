#pragma once

#include <string>

#include "ports/crash_log.h"
#include "store/connection_pool.h"

namespace todo::store {

/// CrashLog on PostgreSQL, of the replica `instance`: no other living replica has the name. The
/// pool must outlive it, and serves no other instance: its sessions hold a lock that says that the
/// process lives. They should commit asynchronously (PoolOptions::asynchronous_commit), since the
/// rows have to outlive the process only.
/// Thread safety: as the port says. Each call holds one connection while it runs.
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
