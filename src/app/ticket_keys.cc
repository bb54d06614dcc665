#include "app/ticket_keys.h"

#include <fmt/format.h>

#include <utility>

#include "app/secret_poll.h"
#include "util/log.h"
#include "util/status.h"

namespace todo::app {

TicketKeys::TicketKeys(std::string entry, ports::SecretStore& secrets, const ports::Clock& clock)
    : entry_(std::move(entry)), secrets_(secrets), clock_(clock) {
  if (!entry_.empty()) return;
  *tickets_.Lock() = std::make_shared<const auth::SignedWatchTickets>(
      auth::SignedWatchTickets::RandomSecret(), clock_);
}

void TicketKeys::Run(const std::stop_token& stop) {
  if (entry_.empty()) return;
  PollSecrets(stop, [this] { return Look().ok() ? Again::kLater : Again::kSoon; });
}

absl::Status TicketKeys::Look() {
  absl::StatusOr<std::string> secret = secrets_.Get(entry_);
  if (secret.ok() && secret->size() < auth::SignedWatchTickets::kMinSecretBytes) {
    secret = util::MakeStatus(absl::StatusCode::kFailedPrecondition,
                              fmt::format("the entry {} has less than {} characters", entry_,
                                          auth::SignedWatchTickets::kMinSecretBytes));
  }
  if (!secret.ok()) {
    if (std::string failure = secret.status().ToString(); failure != failure_) {
      util::Log(util::Severity::kWarning, "ticket_key_not_read",
                {{"entry", entry_}, {"status", failure}});
      failure_ = std::move(failure);
    }
    return secret.status();
  }
  failure_.clear();
  if (*secret != secret_) {
    *tickets_.Lock() = std::make_shared<const auth::SignedWatchTickets>(*secret, clock_);
    secret_ = *std::move(secret);
  }
  return absl::OkStatus();
}

absl::StatusOr<TicketKeys::Tickets> TicketKeys::tickets() const {
  if (Tickets tickets = *tickets_.Lock()) return tickets;
  return util::WithReason(
      absl::UnavailableError("the key for tickets has not been read yet: try again"),
      "KEYS_UNAVAILABLE");
}

absl::StatusOr<ports::WatchTickets::Ticket> TicketKeys::Make(
    const ports::Identity& identity) const {
  TODO_ASSIGN_OR_RETURN(const Tickets tickets, this->tickets());
  return tickets->Make(identity);
}

absl::StatusOr<ports::Identity> TicketKeys::Read(std::string_view ticket) const {
  TODO_ASSIGN_OR_RETURN(const Tickets tickets, this->tickets());
  return tickets->Read(ticket);
}

}  // namespace todo::app
