#pragma once

#include <string>
#include <vector>

#include "ports/preferred_zones.h"
#include "support/fake_database.h"

namespace todo::support {

/// PreferredZones in memory. Thread safety: as the port says.
class FakePreferredZones final : public ports::PreferredZones {
 public:
  explicit FakePreferredZones(FakeDatabase& database) : database_(database) {}

  absl::StatusOr<std::string> ZoneOf(const domain::UserId& user) override;
  absl::Status Announce(const domain::UserId& user, domain::Instant changed_at) override;
  absl::Status Keep(const domain::UserId& user, const std::string& time_zone,
                    domain::Instant changed_at) override;
  absl::StatusOr<std::vector<Announced>> ListAnnounced(int limit) override;
  absl::Status Withdraw(const Announced& announced) override;

 private:
  FakeDatabase& database_;
};

}  // namespace todo::support
