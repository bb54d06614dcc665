#pragma once

#include <string>
#include <vector>

#include "ports/preferred_zones.h"
#include "store/connection_pool.h"

namespace todo::store {

/// PreferredZones on PostgreSQL. The pool must outlive it. Thread safety: as the port says; each
/// call holds one connection while it runs.
class PgPreferredZones final : public ports::PreferredZones {
 public:
  explicit PgPreferredZones(ConnectionPool& pool) : pool_(pool) {}

  absl::StatusOr<std::string> ZoneOf(const domain::UserId& user) override;
  absl::Status Announce(const domain::UserId& user, domain::Instant changed_at) override;
  absl::Status Keep(const domain::UserId& user, const std::string& time_zone,
                    domain::Instant changed_at) override;
  absl::StatusOr<std::vector<Announced>> ListAnnounced(int limit) override;
  absl::Status Withdraw(const Announced& announced) override;

 private:
  ConnectionPool& pool_;
};

}  // namespace todo::store
