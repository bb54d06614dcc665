#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"
#include "auth/claims.h"
#include "auth/issuer_keys.h"
#include "auth/token_cache.h"
#include "ports/authenticator.h"
#include "ports/clock.h"

namespace todo::auth {

/// An issuer whose tokens count.
struct TokenIssuer {
  std::string name;  // the claim `iss` of its tokens
  ClaimRules rules;
  std::shared_ptr<IssuerKeys> keys;  // not null; something else refreshes them
};

/// Believes tokens (JWT) in the header "authorization: Bearer …" that one of its issuers has
/// signed. The headers x-user-id and x-user-role count for nothing. Verified tokens are remembered
/// until they expire, or until the keys of their issuer change. Thread safety and blocking: see
/// ports::Authenticator.
class TokenAuthenticator final : public ports::Authenticator {
 public:
  /// `clock` must outlive the authenticator.
  TokenAuthenticator(std::vector<TokenIssuer> issuers, const ports::Clock& clock);

  /// kUnauthenticated with reason TOKEN_MISSING: there is no bearer token, or more than one header.
  /// With another reason TOKEN_…: the token is not valid; the text says why and never repeats it.
  /// kUnavailable with reason KEYS_UNAVAILABLE: the keys of the token's issuer have not been read
  /// yet.
  absl::StatusOr<ports::Identity> Authenticate(const ports::Credentials& credentials) override;

 private:
  bool StillCounts(const TokenCache::Entry& entry, domain::Instant now) const;
  absl::StatusOr<TokenCache::Entry> Verify(std::string_view token, domain::Instant now) const;

  const std::vector<TokenIssuer> issuers_;
  const ports::Clock& clock_;
  TokenCache known_;
};

}  // namespace todo::auth
