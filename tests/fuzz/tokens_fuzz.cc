// Feeds the readers of tokens, of their claims and of key sets whatever comes. Stops at anything
// that their headers rule out, and at a token that counts although nobody has signed it.
//
// An input is a token, as it stands in the header "authorization". The parts that an attacker
// cannot reach with a token, because a signature guards them, get the input as it is: the claims of
// a token, and the key set of an issuer.

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <nlohmann/json.hpp>
#include <string>
#include <string_view>
#include <vector>

#include "auth/claims.h"
#include "auth/issuer_keys.h"
#include "auth/key_set.h"
#include "auth/signed_token.h"
#include "auth/strict_json.h"
#include "auth/token_authenticator.h"
#include "auth/watch_tickets.h"
#include "ports/clock.h"
#include "require.h"
#include "util/status.h"
#include "util/utf8.h"

namespace {

using todo::auth::ClaimRules;
using todo::auth::IssuerKeys;
using todo::auth::KeySet;
using todo::fuzz::Require;

// The key of RFC 8037, appendix A.
constexpr char kKeys[] =
    R"({"kty":"OKP","crv":"Ed25519","kid":"ed","x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"})";
// The one token that this key has signed for our issuer (corpus/tokens/a-valid-token).
constexpr std::string_view kValidToken =
    "eyJhbGciOiJFZERTQSIsImtpZCI6ImVkIiwidHlwIjoiYXQrand0In0."
    "eyJpc3MiOiJodHRwczovL2lzc3Vlci5leGFtcGxlIiwiYXVkIjoidG9kbyIsInN1YiI6ImFkYSIsImlhdCI6MTc5"
    "MDAwMDAwMCwiZXhwIjoxOTAwMDAwMDAwfQ."
    "vUIWIQ9PKUJBm4-v4_a5SP-zLZP9KVoa9ErebgxOS-KBf2MkZh3GSjZUYVVi"
    "ZyOikHiFnwHy9R5P6PM6gtHzCw";

class StandingClock final : public todo::ports::Clock {
 public:
  todo::domain::Instant Now() const override {
    return *todo::domain::ParseInstant("2026-11-27T12:00:00Z");
  }
};
const StandingClock kClock;

ClaimRules Rules() {
  ClaimRules rules;
  rules.audiences = {"todo"};
  rules.operator_claim = "realm_access.roles";
  rules.operator_values = {"operator"};
  return rules;
}

todo::auth::TokenAuthenticator& Authenticator() {
  static auto* const authenticator = [] {
    auto keys = std::make_shared<IssuerKeys>(IssuerKeys::Options{
        .issuer = "https://issuer.example",
        .read = []() -> absl::StatusOr<std::string> { return std::string(kKeys); }});
    (void)keys->Refresh();
    Require(keys->Current() != nullptr, "the keys of this fuzzer can be read");
    return new todo::auth::TokenAuthenticator(
        {{.name = "https://issuer.example", .rules = Rules(), .keys = keys}}, kClock);
  }();
  return *authenticator;
}

void RequireRefused(const absl::Status& status) {
  Require(status.code() == absl::StatusCode::kUnauthenticated, "a refusal has its documented code");
  Require(todo::util::ReasonOf(status).starts_with("TOKEN_"), "a refusal has a reason");
  const std::string text(status.message());
  Require(text.size() < 1'000 && todo::util::CountCharacters(text).has_value(),
          "a refusal is a short text");
}

void CheckToken(std::string_view token) {
  // Spaces between "Bearer" and the token are not part of it.
  std::string_view bare = token;
  while (bare.starts_with(' ')) bare.remove_prefix(1);
  const auto identity = Authenticator().Authenticate(
      {.authorization = {std::string("Bearer ").append(token)}, .user_ids = {}, .user_roles = {}});
  if (identity.ok()) {
    Require(bare == kValidToken, "only the token that was signed counts");
    Require(identity->user.value == "ada" && identity->roles.empty(), "the token is of one user");
  } else {
    Require(bare != kValidToken, "the token that was signed counts");
    RequireRefused(identity.status());
  }
  static const todo::auth::SignedWatchTickets tickets("a secret of at least thirty-two bytes",
                                                      kClock);
  Require(!tickets.Read(token).ok(), "nothing but a ticket is one");
}

void CheckClaims(std::string_view text) {
  const auto claims = todo::auth::ParseObject(text);
  if (!claims) return;
  const auto caller = todo::auth::CallerOf(*claims, Rules(), kClock.Now());
  if (!caller.ok()) return RequireRefused(caller.status());
  Require(!caller->identity.user.value.empty() &&
              todo::util::CountCharacters(caller->identity.user.value).has_value(),
          "a user id is text");
  Require(caller->valid_until > kClock.Now(), "an expired token names nobody");
  Require(todo::auth::HasValue(*claims, "aud", "todo"), "a token for others names nobody");
  Require(!caller->identity.Has(todo::ports::Role::kOperator) ||
              text.find("operator") != std::string_view::npos ||
              text.find('\\') != std::string_view::npos,
          "an operator's token says so");
}

void CheckKeys(std::string_view text) {
  for (const auto secrets : {KeySet::SharedSecrets::kRefused, KeySet::SharedSecrets::kAllowed}) {
    const auto keys = KeySet::Parse(text, secrets, "RS256");
    if (!keys.ok()) {
      Require(keys.status().code() == absl::StatusCode::kInvalidArgument,
              "a refusal has its documented code");
      continue;
    }
    Require(!keys->keys().empty(), "a key set has a key");
    for (const auto& key : keys->keys()) {
      Require(!key.is_shared_secret() || secrets == KeySet::SharedSecrets::kAllowed,
              "secrets are taken only where they are allowed");
      Require(!key.Verifies("a text", "a signature"), "no key verifies a signature that is none");
    }
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text = todo::fuzz::TextOf(data, size);
  CheckToken(text);
  CheckClaims(text);
  CheckKeys(text);
  return 0;
}
