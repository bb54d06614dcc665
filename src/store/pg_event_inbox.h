#pragma once

#include <functional>

#include "ports/event_inbox.h"
#include "store/connection_pool.h"

namespace todo::store {

/// EventInbox on PostgreSQL. The pool must outlive it. `on_change(shard)` is called after each
/// commit, once for each shard in which it wrote changes, and `on_delivery` when it may have queued
/// received_events, both from the calling thread; they must not block. Thread safety: as the port
/// says; each Transact holds one connection while it runs.
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
