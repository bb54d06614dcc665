#pragma once

#include <optional>
#include <set>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "domain/ids.h"
#include "domain/time.h"

namespace todo::ports {

enum class Role {
  kOperator,  // may use OpsService
};

/// The proofs of identity that came with a call, through any door. Each is a list, because a caller
/// may send a header several times; an authenticator refuses more than it understands.
struct Credentials {
  std::vector<std::string> authorization;  // header "authorization", e.g. "Bearer …"
  std::vector<std::string> user_ids;       // header "x-user-id"
  std::vector<std::string> user_roles;     // header "x-user-role"
};

/// The caller of a call.
struct Identity {
  domain::UserId user;
  std::set<Role> roles;
  /// When the proof of identity ends to count; nullopt: never.
  std::optional<domain::Instant> expiry = {};

  bool Has(Role role) const { return roles.contains(role); }
};

/// Decides for every call which user makes it. Thread safety: may be used from many threads at
/// once. Never blocks: doors ask on threads that serve all callers.
class Authenticator {
 public:
  Authenticator() = default;
  virtual ~Authenticator() = default;
  Authenticator(const Authenticator&) = delete;
  Authenticator& operator=(const Authenticator&) = delete;

  /// The caller with these credentials. kUnauthenticated, with a reason and a text for the caller:
  /// the credentials are missing, ambiguous or not valid. kUnavailable, with both: they cannot be
  /// checked at the moment; the caller should try again.
  virtual absl::StatusOr<Identity> Authenticate(const Credentials& credentials) = 0;
};

}  // namespace todo::ports
