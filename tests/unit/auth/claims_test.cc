#include "auth/claims.h"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>
#include <string>

#include "support/status_matchers.h"

namespace todo::auth {
namespace {

using namespace std::chrono_literals;
using nlohmann::json;
using support::HasReason;
using support::IsOk;
using support::StatusIs;
using testing::AllOf;
using testing::HasSubstr;
using testing::Not;

const domain::Instant kNow = domain::ParseInstant("2026-11-27T12:00:00Z").value();

std::int64_t In(std::chrono::seconds later) {
  return std::chrono::floor<std::chrono::seconds>(kNow + later).time_since_epoch().count();
}

ClaimRules Rules() {
  ClaimRules rules;
  rules.audiences = {"todo-service"};
  rules.operator_claim = "roles";
  rules.operator_values = {"todo-operator", "admin"};
  return rules;
}

/// Good claims with `changes` over them; a change to null removes a claim.
json Claims(const json& changes = json::object()) {
  json claims = {{"sub", "ada"}, {"aud", "todo-service"}, {"iat", In(-60s)}, {"exp", In(600s)}};
  claims.merge_patch(changes);
  return claims;
}

absl::StatusOr<TokenCaller> Caller(const json& changes, const ClaimRules& rules = Rules()) {
  return CallerOf(Claims(changes), rules, kNow);
}

testing::Matcher<const absl::StatusOr<TokenCaller>&> IsRefused(const char* reason,
                                                               const char* words) {
  return AllOf(StatusIs(absl::StatusCode::kUnauthenticated, HasSubstr(words)), HasReason(reason));
}

TEST(Claims, GoodOnesNameTheCaller) {
  const auto caller = Caller(json::object());
  ASSERT_THAT(caller, IsOk());
  EXPECT_EQ(caller->identity.user.value, "ada");
  EXPECT_FALSE(caller->identity.Has(ports::Role::kOperator));
  EXPECT_EQ(caller->valid_until, kNow + 660s);
}

TEST(Claims, AnExpiredTokenSaysSinceWhen) {
  EXPECT_THAT(Caller({{"exp", In(-180s)}}), IsRefused("TOKEN_EXPIRED", "expired 3 minutes ago"));
  EXPECT_THAT(Caller({{"exp", In(-75s)}}), IsRefused("TOKEN_EXPIRED", "expired 75 seconds ago"));
  EXPECT_THAT(Caller({{"exp", In(-5h)}}), IsRefused("TOKEN_EXPIRED", "expired 5 hours ago"));
  EXPECT_THAT(Caller({{"exp", In(-72h)}}), IsRefused("TOKEN_EXPIRED", "expired 3 days ago"));
}

TEST(Claims, TheClockSkewCountsInBothDirections) {
  EXPECT_THAT(Caller({{"exp", In(-59s)}}), IsOk());
  EXPECT_THAT(Caller({{"exp", In(-60s)}}), IsRefused("TOKEN_EXPIRED", "60 seconds"));
  EXPECT_THAT(Caller({{"nbf", In(60s)}, {"iat", In(60s)}}), IsOk());
  EXPECT_THAT(Caller({{"nbf", In(61s)}}), IsRefused("TOKEN_NOT_YET_VALID", "nbf is 61 seconds"));
  EXPECT_THAT(Caller({{"iat", In(3min)}}), IsRefused("TOKEN_NOT_YET_VALID", "iat is 3 minutes"));
  ClaimRules exact = Rules();
  exact.clock_skew = 0s;
  EXPECT_THAT(Caller({{"exp", In(0s)}}, exact), IsRefused("TOKEN_EXPIRED", "0 seconds"));
  EXPECT_THAT(Caller({{"exp", In(1s)}}, exact), IsOk());
}

TEST(Claims, TimesAreSecondsWithOrWithoutAFraction) {
  EXPECT_THAT(Caller({{"exp", static_cast<double>(In(1s)) + 0.5}}), IsOk());
  EXPECT_THAT(Caller({{"exp", nullptr}}), IsRefused("TOKEN_MALFORMED", "has no exp"));
  for (const json& wrong :
       {json("tomorrow"), json(-1), json(1e300), json(true), json::array({In(600s)})}) {
    EXPECT_THAT(Caller({{"exp", wrong}}), IsRefused("TOKEN_MALFORMED", "exp is no time"));
    EXPECT_THAT(Caller({{"nbf", wrong}}), IsRefused("TOKEN_MALFORMED", "nbf is no time"));
  }
}

TEST(Claims, TheAudienceIsATextOrAList) {
  EXPECT_THAT(Caller({{"aud", {"other", "todo-service"}}}), IsOk());
  EXPECT_THAT(
      Caller({{"aud", "account"}}),
      IsRefused("TOKEN_AUDIENCE", R"(the token's audience is "account", expected "todo-service")"));
  EXPECT_THAT(Caller({{"aud", {"a", "b"}}}), IsRefused("TOKEN_AUDIENCE", R"(is "a", "b", exp)"));
  for (const json& none : {json(nullptr), json(7), json::array(), json({"todo-service", 7})})
    EXPECT_THAT(Caller({{"aud", none}}), IsRefused("TOKEN_AUDIENCE", "has no audience (aud)"));
}

TEST(Claims, QuotedPiecesAreShortAndOnOneLine) {
  const std::string forged = fmt::format("x\nline two {}", std::string(5000, 'y'));
  const auto caller = Caller({{"aud", std::vector<std::string>(50, forged)}});
  EXPECT_THAT(caller, IsRefused("TOKEN_AUDIENCE", "and 45 more"));
  EXPECT_THAT(std::string(caller.status().message()), Not(HasSubstr("\n")));
  EXPECT_LT(caller.status().message().size(), 700u);
}

TEST(Claims, TheUserClaimMayBeAnyText) {
  ClaimRules rules = Rules();
  rules.user_claim = "email";
  EXPECT_EQ(Caller({{"email", "ada@example.org"}}, rules)->identity.user.value, "ada@example.org");
  rules.user_claim = "https://example.org/user.id";
  EXPECT_EQ(Caller({{rules.user_claim, "u1"}}, rules)->identity.user.value, "u1");
  rules.user_claim = "profile.id";
  EXPECT_EQ(Caller({{"profile", {{"id", "u2"}}}}, rules)->identity.user.value, "u2");
  rules.user_prefix = "partner:";
  EXPECT_EQ(Caller({{"profile", {{"id", "u2"}}}}, rules)->identity.user.value, "partner:u2");
}

TEST(Claims, ATokenWithoutAPossibleUserIsRefused) {
  EXPECT_THAT(Caller({{"sub", nullptr}}), IsRefused("TOKEN_USER", "its claim sub is missing"));
  EXPECT_THAT(Caller({{"sub", ""}}), IsRefused("TOKEN_USER", "sub is empty"));
  EXPECT_THAT(Caller({{"sub", 7}}), IsRefused("TOKEN_USER", "sub is not a text"));
  EXPECT_THAT(Caller({{"sub", std::string(201, 'x')}}), IsRefused("TOKEN_USER", "no user id"));
  EXPECT_THAT(Caller({{"sub", std::string("a\0b", 3)}}), IsRefused("TOKEN_USER", "no user id"));
}

TEST(Claims, OperatorsAreMadeByTextsWordsAndLists) {
  ClaimRules rules = Rules();
  const auto is_operator = [&rules](const json& changes) {
    return Caller(changes, rules)->identity.Has(ports::Role::kOperator);
  };
  EXPECT_TRUE(is_operator({{"roles", "admin"}}));
  EXPECT_FALSE(is_operator({{"roles", "read  todo-operator write"}})) << "a text is no list";
  EXPECT_TRUE(is_operator({{"roles", {"user", "todo-operator"}}}));
  for (const json& other : {json("todo-operators"), json("administrator"), json({"admins"}),
                            json(true), json({{"admin", true}}), json({{"x", {"admin"}}})}) {
    EXPECT_FALSE(is_operator({{"roles", other}})) << other;
  }
  rules.operator_claim = "scope";
  EXPECT_TRUE(is_operator({{"scope", "read  todo-operator write"}}));
  rules.operator_claim = "name";
  EXPECT_FALSE(is_operator({{"name", "Eve todo-operator"}}));
  rules.operator_claim = "realm_access.roles";
  EXPECT_TRUE(is_operator({{"realm_access", {{"roles", {"admin"}}}}}));
  EXPECT_FALSE(is_operator({{"roles", "admin"}}));
  rules.operator_claim = "";
  EXPECT_FALSE(is_operator({{"roles", "admin"}, {"", "admin"}}));
}

TEST(Claims, RequiredClaimsMustBeThere) {
  ClaimRules rules = Rules();
  rules.required_claims = {{"email_verified", "true"}, {"tenant", "7"}};
  EXPECT_THAT(Caller({{"email_verified", true}, {"tenant", 7}}, rules), IsOk());
  EXPECT_THAT(Caller({{"email_verified", "true"}, {"tenant", {"6", "7"}}}, rules), IsOk());
  EXPECT_THAT(Caller({{"tenant", 7}}, rules),
              IsRefused("TOKEN_CLAIM", R"(claim email_verified must be or contain "true")"));
  EXPECT_THAT(Caller({{"email_verified", true}, {"tenant", 77}}, rules),
              IsRefused("TOKEN_CLAIM", "tenant"));
}

}  // namespace
}  // namespace todo::auth
