#include "auth/refusing_authenticator.h"

#include "util/status.h"

namespace todo::auth {

absl::StatusOr<ports::Identity> RefusingAuthenticator::Authenticate(const ports::Credentials&) {
  return util::WithReason(
      absl::UnauthenticatedError(
          "this server cannot authenticate callers yet; to try it out, start it with "
          "--dev-identity (it then listens on loopback only) and send the metadata x-user-id"),
      "IDENTITY_NOT_CONFIGURED");
}

}  // namespace todo::auth
