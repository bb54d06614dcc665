#include "auth/watch_tickets.h"

#include <fmt/format.h>
#include <openssl/rand.h>

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <cstdlib>
#include <nlohmann/json.hpp>
#include <optional>

#include "absl/strings/escaping.h"
#include "auth/refusal.h"
#include "auth/signed_token.h"
#include "auth/strict_json.h"
#include "domain/task/task.h"
#include "util/digest.h"
#include "util/log.h"
#include "util/require.h"
#include "util/status.h"

namespace todo::auth {
namespace {

using domain::Instant;
using nlohmann::json;
using std::chrono::seconds;

constexpr std::string_view kType = "todo-watch-ticket+jwt";
constexpr std::string_view kAudience = "todo-service/watch";
constexpr seconds kLifeWithoutExpiry = std::chrono::hours(1);
constexpr std::size_t kKeyBytes = 32;

std::string Encoded(std::string_view bytes) {
  return absl::WebSafeBase64Escape(util::ToAbsl(bytes));
}

std::int64_t SecondsOf(Instant instant) {
  return std::chrono::floor<seconds>(instant).time_since_epoch().count();
}

std::string DeriveKey(std::string_view secret) {
  TODO_REQUIRE(secret.size() >= SignedWatchTickets::kMinSecretBytes);
  return util::HkdfSha256({.salt = {}, .secret = secret, .info = kType}, kKeyBytes);
}

KeySet KeySetOf(std::string_view key) {
  const json jwk = {{"kty", "oct"}, {"alg", "HS256"}, {"k", Encoded(key)}};
  absl::StatusOr<KeySet> keys = KeySet::Parse(jwk.dump(), KeySet::SharedSecrets::kAllowed);
  TODO_REQUIRE(keys.ok());
  return *std::move(keys);
}

absl::Status Invalid() {
  return Refusal("TICKET_INVALID",
                 "the ticket was not made by this service, or its key was changed: get a new one "
                 "with CreateWatchTicket");
}

}  // namespace

SignedWatchTickets::SignedWatchTickets(std::string_view secret, const ports::Clock& clock)
    : key_(DeriveKey(secret)), keys_(KeySetOf(key_)), clock_(clock) {}

std::string SignedWatchTickets::RandomSecret() {
  std::string secret(kMinSecretBytes, '\0');
  if (RAND_bytes(reinterpret_cast<unsigned char*>(secret.data()),
                 static_cast<int>(secret.size())) != 1) {
    util::Log(util::Severity::kError, "no_random_numbers");
    std::abort();
  }
  return secret;
}

absl::StatusOr<ports::WatchTickets::Ticket> SignedWatchTickets::Make(
    const ports::Identity& identity) const {
  const Instant expiry = identity.expiry.value_or(clock_.Now() + kLifeWithoutExpiry);
  const std::int64_t expires_at = SecondsOf(std::min(expiry, domain::kMaxInstant));
  const json header = {{"alg", "HS256"}, {"typ", kType}};
  const json claims = {{"aud", kAudience}, {"exp", expires_at}, {"sub", identity.user.value}};
  const std::string signed_text =
      fmt::format("{}.{}", Encoded(header.dump()), Encoded(claims.dump()));
  return Ticket{
      .text = fmt::format("{}.{}", signed_text, Encoded(util::HmacSha256(key_, signed_text))),
      .expires_at = Instant(seconds(expires_at))};
}

absl::StatusOr<ports::Identity> SignedWatchTickets::Read(std::string_view ticket) const {
  const absl::StatusOr<SignedToken> parsed = SignedToken::Parse(ticket);
  if (!parsed.ok() || parsed->type() != kType || !parsed->Verify(keys_).ok()) return Invalid();
  // From here on the ticket is known to be ours.
  const std::optional<json> claims = ParseObject(parsed->payload());
  if (!claims || TextIn(*claims, "aud") != kAudience) return Invalid();
  const std::optional<std::string> user = TextIn(*claims, "sub");
  const auto expires_at = claims->find("exp");
  if (!user || !domain::CheckUserId(*user).ok() || expires_at == claims->end() ||
      !expires_at->is_number_integer()) {
    return Invalid();
  }
  const Instant expiry(seconds(expires_at->get<std::int64_t>()));
  if (clock_.Now() >= expiry)
    return Refusal("TICKET_EXPIRED",
                   "the ticket has expired: get a new one with CreateWatchTicket");
  return ports::Identity{.user = {*user}, .roles = {}, .expiry = expiry};
}

}  // namespace todo::auth
