#pragma once

#include <cstddef>
#include <vector>

#include "ports/live_log.h"
#include "store/connection_pool.h"

namespace todo::store {

/// LiveLog on PostgreSQL. The pool must outlive it; its statement timeout bounds each method.
/// Thread safety: as the port says; each call holds one connection while it runs, and only reads.
class PgLiveLog final : public ports::LiveLog {
 public:
  explicit PgLiveLog(ConnectionPool& pool) : pool_(pool) {}

  absl::StatusOr<ports::MissedChanges> ReadMissed(const domain::UserId& user,
                                                  const domain::ChangeCursor& cursor,
                                                  int max_changes, std::size_t max_bytes) override;
  absl::StatusOr<std::vector<ports::CheckedCursor>> Check(
      const std::vector<ports::CursorOfUser>& cursors) override;

 private:
  ConnectionPool& pool_;
};

}  // namespace todo::store
