#include "api/identity.h"

#include <fmt/format.h>

#include <algorithm>
#include <string_view>

#include "domain/event/event.h"
#include "domain/task/task.h"
#include "util/status.h"
#include "util/trace_context.h"

namespace todo::api {
namespace {

absl::Status Unauthenticated(std::string_view reason, std::string_view message) {
  return util::WithReason(util::MakeStatus(absl::StatusCode::kUnauthenticated, message), reason);
}

std::string_view View(grpc::string_ref text) { return {text.data(), text.size()}; }

bool IsVisibleAscii(std::string_view text) {
  return std::all_of(text.begin(), text.end(), [](char c) { return c > ' ' && c <= '~'; });
}

}  // namespace

absl::StatusOr<Identity> Identify(const Metadata& metadata, bool dev_identity) {
  if (!dev_identity) {
    return Unauthenticated(
        "IDENTITY_NOT_CONFIGURED",
        "this server has no way to know its callers yet; to try it out, start it with "
        "--dev-identity (it then listens on loopback only) and send the metadata x-user-id");
  }
  const auto [first, last] = metadata.equal_range("x-user-id");
  if (first == last) {
    return Unauthenticated(
        "IDENTITY_MISSING",
        "say who you are: send the metadata x-user-id, for example grpcurl -H 'x-user-id: alice'");
  }
  if (std::next(first) != last) {
    return Unauthenticated("IDENTITY_INVALID",
                           "the metadata x-user-id was sent more than once: send one");
  }
  const std::string_view user = View(first->second);
  if (user.empty() || user.size() > domain::kMaxUserIdBytes || !IsVisibleAscii(user) ||
      !domain::CheckUserId(user).ok()) {
    return Unauthenticated(
        "IDENTITY_INVALID",
        fmt::format(
            "the metadata x-user-id must be 1 to {} visible ASCII characters without spaces",
            domain::kMaxUserIdBytes));
  }
  Identity identity{.user = domain::UserId{std::string(user)}};
  const auto [first_role, last_role] = metadata.equal_range("x-user-role");
  for (auto role = first_role; role != last_role; ++role) {
    if (View(role->second) != "operator") {
      return Unauthenticated("IDENTITY_INVALID",
                             "the metadata x-user-role may only be \"operator\": correct it or "
                             "leave it out");
    }
    identity.is_operator = true;
  }
  return identity;
}

std::string TraceparentOf(const Metadata& metadata) {
  const auto [first, last] = metadata.equal_range("traceparent");
  if (first == last || std::next(first) != last) return "";
  return util::ParseTraceparent(View(first->second));
}

}  // namespace todo::api
