#include "auth/watch_tickets.h"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cctype>
#include <chrono>
#include <memory>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>

#include "absl/strings/escaping.h"
#include "auth/token_authenticator.h"
#include "support/status_matchers.h"
#include "util/digest.h"
#include "util/status.h"

namespace todo::auth {
namespace {

using namespace std::chrono_literals;
using nlohmann::json;
using support::HasReason;
using support::IsOk;
using support::StatusIs;
using testing::AllOf;

class FakeClock final : public ports::Clock {
 public:
  domain::Instant Now() const override { return now; }
  domain::Instant now = domain::ParseInstant("2026-11-27T12:00:00Z").value();
};

std::string Encoded(std::string_view bytes) {
  return absl::WebSafeBase64Escape(util::ToAbsl(bytes));
}

/// A compact JWS with HS256.
std::string Signed(const json& header, const json& claims, std::string_view key) {
  const std::string text = fmt::format("{}.{}", Encoded(header.dump()), Encoded(claims.dump()));
  return fmt::format("{}.{}", text, Encoded(util::HmacSha256(key, text)));
}

class WatchTicketsTest : public testing::Test {
 protected:
  ports::Identity Ada(std::optional<domain::Instant> expiry = {}) const {
    return {.user = {"ada"}, .roles = {ports::Role::kOperator}, .expiry = expiry};
  }

  FakeClock clock_;
  const std::string secret_ = std::string(32, 's');
  const SignedWatchTickets tickets_{secret_, clock_};
};

TEST_F(WatchTicketsTest, ATicketNamesItsUserAndExpiryAndNoRole) {
  const domain::Instant expiry = clock_.now + 10min;
  const auto ticket = *tickets_.Make(Ada(expiry));
  EXPECT_EQ(ticket.expires_at, expiry);
  EXPECT_TRUE(std::ranges::all_of(ticket.text, [](char c) {
    return std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '-' || c == '_' || c == '.';
  })) << ticket.text;
  const auto holder = tickets_.Read(ticket.text);
  ASSERT_THAT(holder, IsOk());
  EXPECT_EQ(holder->user.value, "ada");
  EXPECT_EQ(holder->expiry, expiry);
  EXPECT_TRUE(holder->roles.empty());
}

TEST_F(WatchTicketsTest, ATicketExpiresWithTheProofOfIdentity) {
  const auto ticket = *tickets_.Make(Ada(clock_.now + 10min + 500ms));
  EXPECT_EQ(ticket.expires_at, clock_.now + 10min) << "whole seconds, and never later";
  clock_.now += 10min - 1us;
  EXPECT_THAT(tickets_.Read(ticket.text), IsOk());
  clock_.now += 1us;
  EXPECT_THAT(tickets_.Read(ticket.text),
              AllOf(StatusIs(absl::StatusCode::kUnauthenticated), HasReason("TICKET_EXPIRED")));
}

TEST_F(WatchTicketsTest, WithoutAnExpiryATicketCountsForAnHour) {
  EXPECT_EQ(tickets_.Make(Ada())->expires_at, clock_.now + 1h);
  EXPECT_THAT(tickets_.Read(tickets_.Make(Ada(domain::kMaxInstant))->text), IsOk());
}

TEST_F(WatchTicketsTest, ReplicasWithOneSecretAcceptEachOthersTickets) {
  const std::string text = tickets_.Make(Ada())->text;
  EXPECT_THAT(SignedWatchTickets(secret_, clock_).Read(text), IsOk());
  EXPECT_THAT(SignedWatchTickets(std::string(32, 't'), clock_).Read(text),
              HasReason("TICKET_INVALID"));
  const std::string random = SignedWatchTickets::RandomSecret();
  EXPECT_EQ(random.size(), SignedWatchTickets::kMinSecretBytes);
  EXPECT_NE(random, SignedWatchTickets::RandomSecret());
}

TEST_F(WatchTicketsTest, AnyChangeSpoilsATicket) {
  const std::string good = tickets_.Make(Ada())->text;
  for (std::size_t i = 0; i < good.size(); ++i) {
    std::string changed = good;
    changed[i] = good[i] == 'A' ? 'B' : 'A';
    EXPECT_THAT(tickets_.Read(changed),
                AllOf(StatusIs(absl::StatusCode::kUnauthenticated), HasReason("TICKET_INVALID")))
        << i;
    EXPECT_THAT(tickets_.Read(good.substr(0, i)), HasReason("TICKET_INVALID"));
  }
}

TEST_F(WatchTicketsTest, OnlyTheKindOfTokenThatItMakesIsATicket) {
  // The key as the class derives it, so that the kind alone is wrong.
  const std::string key =
      util::HkdfSha256({.salt = {}, .secret = secret_, .info = "todo-watch-ticket+jwt"}, 32);
  const json header = {{"alg", "HS256"}, {"typ", "todo-watch-ticket+jwt"}};
  const auto exp = std::chrono::floor<std::chrono::seconds>(clock_.now + 1h).time_since_epoch();
  const json claims = {{"aud", "todo-service/watch"}, {"exp", exp.count()}, {"sub", "ada"}};
  ASSERT_THAT(tickets_.Read(Signed(header, claims, key)), IsOk());

  for (const char* type : {"", "JWT", "at+jwt"}) {
    json other = header;
    other["typ"] = type;
    EXPECT_THAT(tickets_.Read(Signed(other, claims, key)), HasReason("TICKET_INVALID")) << type;
  }
  EXPECT_THAT(tickets_.Read(Signed({{"alg", "HS256"}}, claims, key)), HasReason("TICKET_INVALID"));
  EXPECT_THAT(
      tickets_.Read(Signed({{"alg", "none"}, {"typ", "todo-watch-ticket+jwt"}}, claims, key)),
      HasReason("TICKET_INVALID"));
  for (const char* name : {"aud", "exp", "sub"}) {
    for (const json& value : {json(nullptr), json("other"), json(1.5), json("")}) {
      json other = claims;
      if (name == std::string("sub") && value == "other") continue;  // another user's own ticket
      other[name] = value;
      EXPECT_THAT(tickets_.Read(Signed(header, other, key)), HasReason("TICKET_INVALID"))
          << other.dump();
    }
  }
}

TEST_F(WatchTicketsTest, ATicketIsNoAccessToken) {
  // An issuer that has the key of the tickets, so that the kind alone is wrong.
  const std::string key =
      util::HkdfSha256({.salt = {}, .secret = secret_, .info = "todo-watch-ticket+jwt"}, 32);
  const json jwk = {{"kty", "oct"}, {"alg", "HS256"}, {"k", Encoded(key)}};
  const auto keys =
      std::make_shared<IssuerKeys>(IssuerKeys::Options{.issuer = "x",
                                                       .read = [&jwk] { return jwk.dump(); },
                                                       .secrets = KeySet::SharedSecrets::kAllowed});
  testing::internal::CaptureStderr();
  keys->Refresh();
  testing::internal::GetCapturedStderr();
  ClaimRules rules;
  rules.audiences = {"todo-service/watch"};
  TokenAuthenticator authenticator({{"issuer", rules, keys}}, clock_);
  const auto exp = std::chrono::floor<std::chrono::seconds>(clock_.now + 1h).time_since_epoch();
  const json claims = {
      {"iss", "issuer"}, {"aud", "todo-service/watch"}, {"exp", exp.count()}, {"sub", "ada"}};
  const auto call = [&](const std::string& token) {
    return authenticator.Authenticate(
        {.authorization = {"Bearer " + token}, .user_ids = {}, .user_roles = {}});
  };
  EXPECT_THAT(call(Signed({{"alg", "HS256"}}, claims, key)), IsOk());
  EXPECT_THAT(call(Signed({{"alg", "HS256"}, {"typ", "todo-watch-ticket+jwt"}}, claims, key)),
              HasReason("TOKEN_MALFORMED"));
  EXPECT_THAT(call(tickets_.Make(Ada())->text), HasReason("TOKEN_MALFORMED"));
}

}  // namespace
}  // namespace todo::auth
