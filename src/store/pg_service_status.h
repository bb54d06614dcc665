#pragma once

#include "ports/service_status.h"
#include "store/connection_pool.h"

namespace todo::store {

/// ServiceStatus on PostgreSQL. The pool must outlive it.
/// Thread safety: as the port says. Each call holds one connection while it runs.
class PgServiceStatus final : public ports::ServiceStatus {
 public:
  explicit PgServiceStatus(ConnectionPool& pool) : pool_(pool) {}

  absl::StatusOr<ports::StoreStatus> Read() override;

 private:
  ConnectionPool& pool_;
};

}  // namespace todo::store
