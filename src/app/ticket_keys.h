#pragma once

#include <memory>
#include <stop_token>
#include <string>
#include <string_view>

#include "auth/watch_tickets.h"
#include "ports/clock.h"
#include "ports/secret_store.h"
#include "ports/watch_tickets.h"
#include "util/guarded.h"

namespace todo::app {

/// The tickets for event streams, by the key that the settings name. The key comes from the secret
/// store, through the sidecar, so there may be none at the start. Thread safety: as
/// ports::WatchTickets; Run by one thread.
class TicketKeys final : public ports::WatchTickets {
 public:
  /// `entry`: of the secret store; empty: a random key, at once. `secrets` and `clock` must outlive
  /// this object.
  TicketKeys(std::string entry, ports::SecretStore& secrets, const ports::Clock& clock);

  /// Reads the key, and reads it again from time to time, so that a changed key counts: until
  /// `stop`, or until nothing can change.
  void Run(const std::stop_token& stop);

  /// Asks the secret store once. Logs when the outcome changes. Blocks.
  absl::Status Look();

  /// kUnavailable with reason KEYS_UNAVAILABLE: the key has not been read yet.
  absl::StatusOr<Ticket> Make(const ports::Identity& identity) const override;
  absl::StatusOr<ports::Identity> Read(std::string_view ticket) const override;

 private:
  using Tickets = std::shared_ptr<const auth::SignedWatchTickets>;

  absl::StatusOr<Tickets> tickets() const;

  const std::string entry_;
  ports::SecretStore& secrets_;
  const ports::Clock& clock_;
  std::string secret_;   // the one that counts
  std::string failure_;  // the failure that was logged last
  mutable util::Guarded<Tickets> tickets_;
};

}  // namespace todo::app
