#pragma once

#include "absl/status/statusor.h"
#include "ports/authenticator.h"

namespace todo::auth {

/// Refuses every caller: for a server whose operator has not set up a way to authenticate. Thread
/// safety and blocking: see ports::Authenticator.
class RefusingAuthenticator final : public ports::Authenticator {
 public:
  /// Always kUnauthenticated with reason IDENTITY_NOT_CONFIGURED.
  absl::StatusOr<ports::Identity> Authenticate(const ports::Credentials& credentials) override;
};

}  // namespace todo::auth
