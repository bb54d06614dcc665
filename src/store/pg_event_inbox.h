#pragma once

#include <functional>

#include "ports/event_inbox.h"
#include "store/connection_pool.h"

namespace todo::store {

/// EventInbox on PostgreSQL. The pool must outlive it. After each commit, the calling thread calls
/// `on_change(shard)` for each shard whose outbox was written to, and `on_delivery` when there may
/// be new deliveries; they must not block.
/// Thread safety: as the port says. Each Transact holds one connection while it runs.
class PgEventInbox final : public ports::EventInbox {
 public:
  PgEventInbox(ConnectionPool& pool, std::function<void(int shard)> on_change,
               std::function<void()> on_delivery = {});

  absl::Status Transact(const std::function<absl::Status(ports::InboxTransaction&)>& work) override;

 private:
  ConnectionPool& pool_;
  const std::function<void(int shard)> on_change_;
  const std::function<void()> on_delivery_;
};

}  // namespace todo::store
