#include "auth/refusing_authenticator.h"

#include "util/status.h"

namespace todo::auth {

absl::StatusOr<ports::Identity> RefusingAuthenticator::Authenticate(const ports::Credentials&) {
  return util::WithReason(
      absl::UnauthenticatedError(
          "this server has no way to tell who calls: start it with --auth-issuer, so that it "
          "believes the tokens of that issuer (docs/identity.md); or, to try it out, with "
          "--dev-identity (it then listens on loopback only) and send the metadata x-user-id"),
      "IDENTITY_NOT_CONFIGURED");
}

}  // namespace todo::auth
