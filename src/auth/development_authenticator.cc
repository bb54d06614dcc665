#include "auth/development_authenticator.h"

#include <fmt/format.h>

#include <algorithm>
#include <string>
#include <string_view>

#include "domain/task/task.h"
#include "util/status.h"

namespace todo::auth {
namespace {

absl::Status Unauthenticated(std::string_view reason, std::string_view message) {
  return util::WithReason(util::MakeStatus(absl::StatusCode::kUnauthenticated, message), reason);
}

bool IsVisibleAscii(std::string_view text) {
  return std::all_of(text.begin(), text.end(), [](char c) { return c > ' ' && c <= '~'; });
}

}  // namespace

absl::StatusOr<ports::Identity> DevelopmentAuthenticator::Authenticate(
    const ports::Credentials& credentials) {
  if (credentials.user_ids.empty()) {
    return Unauthenticated("IDENTITY_MISSING",
                           "the call names no user: send the metadata x-user-id, for example "
                           "grpcurl -H 'x-user-id: alice'");
  }
  if (credentials.user_ids.size() > 1) {
    return Unauthenticated("IDENTITY_INVALID",
                           "the metadata x-user-id was sent more than once: send one");
  }
  const std::string& user = credentials.user_ids.front();
  if (user.empty() || user.size() > domain::kMaxUserIdBytes || !IsVisibleAscii(user) ||
      !domain::CheckUserId(user).ok()) {
    return Unauthenticated(
        "IDENTITY_INVALID",
        fmt::format(
            "the metadata x-user-id must be 1 to {} visible ASCII characters without spaces",
            domain::kMaxUserIdBytes));
  }
  ports::Identity identity{.user = domain::UserId{user}, .roles = {}};
  for (const std::string& role : credentials.user_roles) {
    if (role != "operator") {
      return Unauthenticated("IDENTITY_INVALID",
                             "the metadata x-user-role may only be \"operator\": correct it or "
                             "leave it out");
    }
    identity.roles.insert(ports::Role::kOperator);
  }
  return identity;
}

}  // namespace todo::auth
