#pragma once

#include "ports/delivery_store.h"
#include "store/connection_pool.h"

namespace todo::store {

/// DeliveryStore on PostgreSQL. The pool must outlive it. Thread safety: as the port says; each
/// call holds one connection while it runs.
class PgDeliveryStore final : public ports::DeliveryStore {
 public:
  explicit PgDeliveryStore(ConnectionPool& pool) : pool_(pool) {}

  absl::StatusOr<std::optional<ports::LeasedLane>> Lease(
      ports::Pace pace, const std::vector<domain::Channel>& channels, domain::Instant now,
      domain::Instant until) override;
  absl::StatusOr<std::optional<domain::Instant>> NextTurn(
      ports::Pace pace, const std::vector<domain::Channel>& channels) override;
  absl::StatusOr<bool> Finish(const ports::DeliveryLane& lane,
                              const ports::DeliveryAttempt& attempt, ports::Pace pace) override;
  absl::Status StopEndpoint(const ports::LeasedLane& leased, const std::string& reason,
                            domain::Instant now) override;

 private:
  ConnectionPool& pool_;
};

}  // namespace todo::store
