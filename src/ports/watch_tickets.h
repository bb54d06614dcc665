#pragma once

#include <string>
#include <string_view>

#include "absl/status/statusor.h"
#include "domain/time.h"
#include "ports/authenticator.h"

namespace todo::ports {

/// Tickets to watch one's own tasks. A ticket stands in a URL, for clients that can send no header
/// with a token. It proves who its holder is, opens watches and nothing else, and carries no role.
/// Thread safety: may be used from many threads at once. Never blocks.
class WatchTickets {
 public:
  struct Ticket {
    std::string text;  // of characters that need no escape in a URL
    domain::Instant expires_at;
  };

  WatchTickets() = default;
  virtual ~WatchTickets() = default;
  WatchTickets(const WatchTickets&) = delete;
  WatchTickets& operator=(const WatchTickets&) = delete;

  /// A ticket that counts until the proof of `identity` expires; without an expiry, for an hour.
  /// kUnavailable with reason KEYS_UNAVAILABLE: no ticket can be made at the moment; the caller
  /// should try again.
  virtual absl::StatusOr<Ticket> Make(const Identity& identity) const = 0;

  /// The holder of a ticket, with its expiry and without roles. kUnauthenticated, with a reason and
  /// a text for the caller: TICKET_EXPIRED, or TICKET_INVALID: it was not made by this service.
  /// kUnavailable as Make.
  virtual absl::StatusOr<Identity> Read(std::string_view ticket) const = 0;
};

}  // namespace todo::ports
