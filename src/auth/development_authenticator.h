#pragma once

#include "absl/status/statusor.h"
#include "ports/authenticator.h"

namespace todo::auth {

/// Believes every caller: `x-user-id` is the user, and `x-user-role: operator` makes the caller
/// an operator. For trying the service out; every listener must then be on loopback. Thread safety
/// and blocking: see ports::Authenticator.
class DevelopmentAuthenticator final : public ports::Authenticator {
 public:
  /// kUnauthenticated with reason IDENTITY_MISSING: no user id was sent. With reason
  /// IDENTITY_INVALID: more than one user id, one that no user can have, or an unknown role.
  absl::StatusOr<ports::Identity> Authenticate(const ports::Credentials& credentials) override;
};

}  // namespace todo::auth
