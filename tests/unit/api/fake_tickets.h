#pragma once

#include <string>
#include <string_view>

#include "domain/time.h"
#include "ports/watch_tickets.h"
#include "util/status.h"

namespace todo::api {

/// The ticket of a user is "ticket of <user>"; "old" is one that has expired.
class FakeTickets final : public ports::WatchTickets {
 public:
  static inline const domain::Instant kExpiry = *domain::ParseInstant("2026-10-24T13:00:00Z");

  absl::StatusOr<Ticket> Make(const ports::Identity& identity) const override {
    return Ticket{.text = "ticket of " + identity.user.value,
                  .expires_at = identity.expiry.value_or(kExpiry)};
  }
  absl::StatusOr<ports::Identity> Read(std::string_view ticket) const override {
    if (ticket == "old")
      return util::WithReason(absl::UnauthenticatedError("expired"), "TICKET_EXPIRED");
    if (!ticket.starts_with("ticket of "))
      return util::WithReason(absl::UnauthenticatedError("no ticket"), "TICKET_INVALID");
    return ports::Identity{
        .user = {std::string(ticket.substr(10))}, .roles = {}, .expiry = kExpiry};
  }
};

}  // namespace todo::api
