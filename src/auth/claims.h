#pragma once

#include <chrono>
#include <nlohmann/json_fwd.hpp>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"
#include "domain/time.h"
#include "ports/authenticator.h"

// The meaning of a token's claims. Names of claims may be paths: "realm_access.roles" is the member
// `roles` of the claim `realm_access`, unless there is a claim with exactly this name.

namespace todo::auth {

/// A claim, and a value that it must have or contain (see HasValue).
struct ClaimValue {
  std::string claim;
  std::string value;

  bool operator==(const ClaimValue&) const = default;
};

/// What the claims of one issuer's tokens must be, and what they mean.
struct ClaimRules {
  /// The token must be for one of them. Not empty.
  std::vector<std::string> audiences;
  /// The claim with the user id: a text.
  std::string user_claim = "sub";
  /// Stands before the claim's text in the user id, so that the users of two issuers differ.
  std::string user_prefix;
  /// A token whose `operator_claim` has or contains one of `operator_values` makes its user an
  /// operator. An empty name: no token does.
  std::string operator_claim;
  std::vector<std::string> operator_values;
  std::vector<ClaimValue> required_claims;
  /// How far the issuer's clock and ours may be apart.
  std::chrono::seconds clock_skew{60};
};

/// The caller that a token names.
struct TokenCaller {
  ports::Identity identity;
  /// The first instant at which the token does not count any more, clock skew included.
  domain::Instant valid_until;
};

/// The caller that the claims of a verified token name. The issuer (`iss`) is not looked at: its
/// name has led to the key. kUnauthenticated, with a text for developers that quotes the claims at
/// fault in a short form, and one of these reasons: TOKEN_EXPIRED, TOKEN_NOT_YET_VALID,
/// TOKEN_AUDIENCE, TOKEN_CLAIM (a required claim), TOKEN_USER, TOKEN_MALFORMED.
/// Thread safety: may be called from many threads at once. Never blocks.
absl::StatusOr<TokenCaller> CallerOf(const nlohmann::json& claims, const ClaimRules& rules,
                                     domain::Instant now);

/// Whether the claim `name` is `value` or contains it: as a text, as a number or truth value in its
/// JSON form, as an element of a list, or, in the claims `scope` and `scp`, as one of the words of
/// a text with spaces between them.
bool HasValue(const nlohmann::json& claims, std::string_view name, std::string_view value);

}  // namespace todo::auth
