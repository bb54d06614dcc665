#pragma once

#include <optional>

#include "absl/status/statusor.h"
#include "ports/authenticator.h"
#include "util/status.h"

namespace todo::api {

/// Takes the first user id for the caller, and every role for that of an operator.
class NamedCaller final : public ports::Authenticator {
 public:
  absl::StatusOr<ports::Identity> Authenticate(const ports::Credentials& credentials) override {
    if (credentials.user_ids.empty())
      return util::WithReason(absl::UnauthenticatedError("no user id"), "IDENTITY_MISSING");
    ports::Identity identity{.user = {credentials.user_ids.front()}, .roles = {}, .expiry = expiry};
    if (!credentials.user_roles.empty()) identity.roles.insert(ports::Role::kOperator);
    return identity;
  }

  std::optional<domain::Instant> expiry;  // of every identity
};

}  // namespace todo::api
