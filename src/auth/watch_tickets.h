#pragma once

#include <string>
#include <string_view>

#include "absl/status/statusor.h"
#include "auth/key_set.h"
#include "ports/clock.h"
#include "ports/watch_tickets.h"

namespace todo::auth {

/// Tickets that a key of this service signs: compact JWS with HS256, a `typ` and an `aud` of their
/// own. An access token never counts as a ticket, because it has another `typ`; a ticket never
/// counts as an access token, because TokenAuthenticator refuses its `typ`. Thread safety and
/// blocking: see ports::WatchTickets.
class SignedWatchTickets final : public ports::WatchTickets {
 public:
  static constexpr std::size_t kMinSecretBytes = 32;

  /// The key is derived from `secret`, of at least kMinSecretBytes. Replicas with the same secret
  /// accept each other's tickets. `clock` must outlive this object.
  SignedWatchTickets(std::string_view secret, const ports::Clock& clock);

  /// A secret for a service of one process: tickets count until it stops.
  static std::string RandomSecret();

  absl::StatusOr<Ticket> Make(const ports::Identity& identity) const override;
  absl::StatusOr<ports::Identity> Read(std::string_view ticket) const override;

 private:
  const std::string key_;
  const KeySet keys_;  // of key_ alone
  const ports::Clock& clock_;
};

}  // namespace todo::auth
