#pragma once

#include "ports/delivery_store.h"
#include "support/fake_database.h"

namespace todo::support {

/// DeliveryStore in memory. Thread safety: as the port says.
class FakeDeliveryStore final : public ports::DeliveryStore {
 public:
  explicit FakeDeliveryStore(FakeDatabase& database) : database_(database) {}

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
  FakeDatabase& database_;
};

}  // namespace todo::support
