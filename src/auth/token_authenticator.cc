#include "auth/token_authenticator.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <nlohmann/json.hpp>
#include <optional>
#include <utility>

#include "absl/strings/match.h"
#include "auth/refusal.h"
#include "auth/signed_token.h"
#include "auth/strict_json.h"
#include "util/digest.h"
#include "util/status.h"

namespace todo::auth {
namespace {

using nlohmann::json;

/// Twice as many tokens are remembered at most; each takes about half a kilobyte.
constexpr std::size_t kRememberedTokens = 10'000;

constexpr std::string_view kScheme = "Bearer ";

/// The values of `typ` that access tokens have. Other kinds of signed tokens (a logout token, a
/// proof of possession) may come from the same issuer and must not count as one.
constexpr std::array<std::string_view, 6> kTypes = {
    "", "jwt", "application/jwt", "at+jwt", "application/at+jwt", "jose"};

absl::StatusOr<std::string_view> BearerToken(const ports::Credentials& credentials) {
  if (credentials.authorization.size() > 1)
    return Refusal("TOKEN_MISSING", "the header authorization was sent more than once: send one");
  if (credentials.authorization.empty()) {
    return Refusal("TOKEN_MISSING",
                   credentials.user_ids.empty()
                       ? "the call has no token: send the header authorization: Bearer <token>"
                       : "the call has no token: send the header authorization: Bearer <token>; "
                         "this server does not believe x-user-id");
  }
  std::string_view value = credentials.authorization.front();
  if (!absl::StartsWithIgnoreCase(util::ToAbsl(value), util::ToAbsl(kScheme)))
    return Refusal("TOKEN_MISSING", "the header authorization must be: Bearer <token>");
  value.remove_prefix(kScheme.size());
  while (value.starts_with(' ')) value.remove_prefix(1);
  if (value.empty())
    return Refusal("TOKEN_MISSING", "the header authorization has no token behind Bearer");
  if (value.size() > kMaxTokenBytes)
    return Refusal("TOKEN_MALFORMED",
                   fmt::format("the token has more than {} bytes", kMaxTokenBytes));
  return value;
}

}  // namespace

TokenAuthenticator::TokenAuthenticator(std::vector<TokenIssuer> issuers, const ports::Clock& clock)
    : issuers_(std::move(issuers)), clock_(clock), known_(kRememberedTokens) {}

absl::StatusOr<ports::Identity> TokenAuthenticator::Authenticate(
    const ports::Credentials& credentials) {
  TODO_ASSIGN_OR_RETURN(const std::string_view token, BearerToken(credentials));
  const domain::Instant now = clock_.Now();
  const std::string digest = util::Sha256(token);
  const auto known = known_.Find(digest);
  if (known != nullptr && StillCounts(*known, now)) return known->identity;
  TODO_ASSIGN_OR_RETURN(TokenCache::Entry entry, Verify(token, now));
  ports::Identity identity = entry.identity;
  known_.Put(digest, std::move(entry));
  return identity;
}

bool TokenAuthenticator::StillCounts(const TokenCache::Entry& entry, domain::Instant now) const {
  const auto keys = issuers_[entry.issuer].keys->Current();
  return now < entry.valid_until && keys != nullptr && keys->generation == entry.key_generation;
}

absl::StatusOr<TokenCache::Entry> TokenAuthenticator::Verify(std::string_view token,
                                                             domain::Instant now) const {
  TODO_ASSIGN_OR_RETURN(const SignedToken parsed, SignedToken::Parse(token));
  if (std::ranges::find(kTypes, parsed.type()) == kTypes.end())
    return Refusal("TOKEN_MALFORMED", "the token is of another kind (typ) than an access token");
  const std::optional<json> claims = ParseObject(parsed.payload());
  if (!claims) {
    return Refusal("TOKEN_MALFORMED",
                   "the token's claims are not one JSON object without doubled names");
  }
  // Nothing is verified yet, so this name is only used to find the keys, and is not repeated.
  const auto issuer = std::ranges::find(issuers_, TextIn(*claims, "iss"), [](const auto& known) {
    return std::optional(known.name);
  });
  if (issuer == issuers_.end())
    return Refusal("TOKEN_ISSUER",
                   "the token's issuer (iss) is none of those that this server "
                   "accepts");
  const auto keys = issuer->keys->Current();
  if (keys == nullptr) {
    return util::WithReason(
        absl::UnavailableError("the keys of the token's issuer could not be read yet: try again"),
        "KEYS_UNAVAILABLE");
  }
  if (keys->keys.Find(parsed.key_id()) == nullptr) issuer->keys->Missed();
  TODO_RETURN_IF_ERROR(parsed.Verify(keys->keys));
  TODO_ASSIGN_OR_RETURN(TokenCaller caller, CallerOf(*claims, issuer->rules, now));
  caller.identity.expiry = caller.valid_until;
  return TokenCache::Entry{.identity = std::move(caller.identity),
                           .valid_until = caller.valid_until,
                           .issuer = static_cast<std::size_t>(issuer - issuers_.begin()),
                           .key_generation = keys->generation};
}

}  // namespace todo::auth
