#include "auth/token_authenticator.h"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <nlohmann/json.hpp>
#include <string>
#include <thread>
#include <vector>

#include "absl/strings/escaping.h"
#include "auth/signed_token.h"
#include "auth/token_signer.h"
#include "support/status_matchers.h"

namespace todo::auth {
namespace {

using namespace std::chrono_literals;
using nlohmann::json;
using ports::Credentials;
using support::HasReason;
using support::IsOk;
using support::StatusIs;
using testing::AllOf;
using testing::HasSubstr;
using testing::Not;

class FakeClock final : public ports::Clock {
 public:
  domain::Instant Now() const override { return now; }
  domain::Instant now = domain::ParseInstant("2026-11-27T12:00:00Z").value();
};

/// Two issuers; the keys of the first one are `set_`.
class TokenAuthenticatorTest : public testing::Test {
 protected:
  void SetUp() override { testing::internal::CaptureStderr(); }
  void TearDown() override { testing::internal::GetCapturedStderr(); }

  static std::shared_ptr<IssuerKeys> Keys(const json& set) {
    return std::make_shared<IssuerKeys>(
        IssuerKeys::Options{.issuer = "x", .read = [&set] { return set.dump(); }});
  }
  static ClaimRules Rules() {
    ClaimRules rules;
    rules.audiences = {"todo-service"};
    rules.operator_claim = "roles";
    rules.operator_values = {"todo-operator"};
    return rules;
  }
  json Claims(std::chrono::seconds life = 10min) const {
    const auto now = std::chrono::floor<std::chrono::seconds>(clock_.now);
    return {{"iss", "https://id.example"},
            {"aud", "todo-service"},
            {"sub", "ada"},
            {"exp", (now + life).time_since_epoch().count()}};
  }
  absl::StatusOr<ports::Identity> Call(const std::string& token) {
    return authenticator_.Authenticate(
        {.authorization = {"Bearer " + token}, .user_ids = {}, .user_roles = {}});
  }

  FakeClock clock_;
  const TokenSigner signer_ = TokenSigner::Generate(TokenSigner::Kind::kEcP256);
  const TokenSigner partner_ = TokenSigner::Generate(TokenSigner::Kind::kEd25519);
  json set_ = {{"keys", {signer_.PublicJwk()}}};
  json partner_set_ = partner_.PublicJwk();
  std::shared_ptr<IssuerKeys> keys_ = Keys(set_);
  std::shared_ptr<IssuerKeys> partner_keys_ = Keys(partner_set_);
  TokenAuthenticator authenticator_{
      {{"https://id.example", Rules(), keys_}, {"https://partner.example", Rules(), partner_keys_}},
      clock_};
};

TEST_F(TokenAuthenticatorTest, BelievesAGoodToken) {
  keys_->Refresh();
  json claims = Claims();
  claims["roles"] = {"todo-operator"};
  const std::string token = signer_.Sign(claims);
  for (int i = 0; i < 3; ++i) {
    const auto identity = Call(token);
    ASSERT_THAT(identity, IsOk());
    EXPECT_EQ(identity->user.value, "ada");
    EXPECT_TRUE(identity->Has(ports::Role::kOperator));
  }
}

TEST_F(TokenAuthenticatorTest, UntilTheKeysAreThereCallersShouldTryAgain) {
  const std::string token = signer_.Sign(Claims());
  EXPECT_THAT(Call(token),
              AllOf(StatusIs(absl::StatusCode::kUnavailable), HasReason("KEYS_UNAVAILABLE")));
  keys_->Refresh();
  EXPECT_THAT(Call(token), IsOk());
}

TEST_F(TokenAuthenticatorTest, OneBearerTokenIsExpected) {
  keys_->Refresh();
  const std::string token = signer_.Sign(Claims());
  const std::vector<std::string> cases[] = {{},
                                            {"Bearer " + token, "Bearer " + token},
                                            {token},
                                            {"Basic YTpi"},
                                            {"Bearer"},
                                            {"Bearer  "},
                                            {"Bearer" + token}};
  for (const std::vector<std::string>& values : cases) {
    EXPECT_THAT(authenticator_.Authenticate(
                    {.authorization = values, .user_ids = {"ada"}, .user_roles = {"operator"}}),
                AllOf(StatusIs(absl::StatusCode::kUnauthenticated), HasReason("TOKEN_MISSING")));
  }
  EXPECT_THAT(authenticator_.Authenticate(
                  {.authorization = {"bearer  " + token}, .user_ids = {}, .user_roles = {}}),
              IsOk());
}

TEST_F(TokenAuthenticatorTest, TheHeadersOfDevelopmentCountForNothing) {
  keys_->Refresh();
  const auto identity =
      authenticator_.Authenticate({.authorization = {"Bearer " + signer_.Sign(Claims())},
                                   .user_ids = {"eve"},
                                   .user_roles = {"operator"}});
  ASSERT_THAT(identity, IsOk());
  EXPECT_EQ(identity->user.value, "ada");
  EXPECT_TRUE(identity->roles.empty());
}

TEST_F(TokenAuthenticatorTest, TheIssuerDecidesWhichKeysCount) {
  keys_->Refresh();
  partner_keys_->Refresh();
  EXPECT_THAT(Call(partner_.Sign(Claims())), HasReason("TOKEN_KEY"))
      << "a token of the first issuer, signed by the second";
  json claims = Claims();
  claims["iss"] = "https://partner.example";
  EXPECT_THAT(Call(partner_.Sign(claims)), IsOk());
  for (const json& issuer : {json("https://evil.example"), json(nullptr), json(7)}) {
    claims["iss"] = issuer;
    const auto refused = Call(partner_.Sign(claims));
    EXPECT_THAT(refused,
                AllOf(StatusIs(absl::StatusCode::kUnauthenticated), HasReason("TOKEN_ISSUER")));
    EXPECT_THAT(std::string(refused.status().message()), Not(HasSubstr("evil")));
  }
}

TEST_F(TokenAuthenticatorTest, TellsFromWhenOnATokenIsRefused) {
  keys_->Refresh();
  const std::string token = signer_.Sign(Claims());
  for (const char* source : {"the token", "what is known of it"}) {
    const auto identity = Call(token);
    ASSERT_THAT(identity, IsOk());
    EXPECT_EQ(identity->expiry, clock_.now + 10min + 60s) << source;
  }
  clock_.now += 10min + 60s;
  EXPECT_THAT(Call(token), HasReason("TOKEN_EXPIRED"));
}

TEST_F(TokenAuthenticatorTest, AKnownTokenExpires) {
  keys_->Refresh();
  const std::string token = signer_.Sign(Claims());
  EXPECT_THAT(Call(token), IsOk());
  clock_.now += 10min + 59s;
  EXPECT_THAT(Call(token), IsOk());
  clock_.now += 1s;
  EXPECT_THAT(Call(token), HasReason("TOKEN_EXPIRED"));
}

TEST_F(TokenAuthenticatorTest, AKnownTokenOfARemovedKeyCountsNoMore) {
  keys_->Refresh();
  const std::string token = signer_.Sign(Claims());
  EXPECT_THAT(Call(token), IsOk());
  const TokenSigner next = TokenSigner::Generate(TokenSigner::Kind::kEcP256);
  set_ = {{"keys", {next.PublicJwk()}}};
  EXPECT_THAT(Call(next.Sign(Claims())), HasReason("TOKEN_KEY"));
  keys_->Refresh();
  EXPECT_THAT(Call(token), HasReason("TOKEN_KEY"));
  EXPECT_THAT(Call(next.Sign(Claims())), IsOk());
}

TEST_F(TokenAuthenticatorTest, AnUnknownKeyIsFetched) {
  const TokenSigner next = TokenSigner::Generate(TokenSigner::Kind::kEcP256);
  std::atomic<bool> rotated = false;
  const auto keys = std::make_shared<IssuerKeys>(
      IssuerKeys::Options{.issuer = "x",
                          .read = [&] { return (rotated ? next : signer_).PublicJwk().dump(); },
                          .refresh = 1h,
                          .least_pause = 0ms});
  TokenAuthenticator authenticator({{"https://id.example", Rules(), keys}}, clock_);
  keys->Refresh();
  const std::jthread runner([&keys](const std::stop_token& stop) { keys->Run(stop); });
  const Credentials credentials{
      .authorization = {"Bearer " + next.Sign(Claims())}, .user_ids = {}, .user_roles = {}};
  EXPECT_THAT(authenticator.Authenticate(credentials), HasReason("TOKEN_KEY"));
  rotated = true;
  const auto deadline = std::chrono::steady_clock::now() + 30s;
  absl::StatusOr<ports::Identity> identity = absl::UnknownError("");
  while (!identity.ok() && std::chrono::steady_clock::now() < deadline)
    identity = authenticator.Authenticate(credentials);
  EXPECT_THAT(identity, IsOk());
}

TEST_F(TokenAuthenticatorTest, ATokenOfAnotherKindIsRefused) {
  keys_->Refresh();
  const std::string good = signer_.Sign(Claims());
  EXPECT_THAT(Call(good), IsOk());
  // Before the signature is looked at, so it need not be right.
  for (const char* type : {"logout+jwt", "dpop+jwt", "JWE"}) {
    const std::string header =
        absl::WebSafeBase64Escape(fmt::format(R"({{"alg":"ES256","typ":"{}"}})", type));
    EXPECT_THAT(Call(header + good.substr(good.find('.'))),
                AllOf(HasReason("TOKEN_MALFORMED"),
                      StatusIs(absl::StatusCode::kUnauthenticated, HasSubstr("kind (typ)"))));
  }
}

TEST_F(TokenAuthenticatorTest, ALongTokenIsRefusedBeforeAnyWork) {
  EXPECT_THAT(Call(std::string(kMaxTokenBytes + 1, 'a')), HasReason("TOKEN_MALFORMED"));
}

TEST_F(TokenAuthenticatorTest, NoMessageRepeatsTheToken) {
  keys_->Refresh();
  for (const json& change :
       {json{{"exp", 1}}, json{{"aud", "x"}}, json{{"sub", ""}}, json{{"iss", "x"}}}) {
    json claims = Claims();
    claims.update(change);
    const std::string token = signer_.Sign(claims);
    const auto refused = Call(token);
    EXPECT_THAT(refused, StatusIs(absl::StatusCode::kUnauthenticated));
    for (std::size_t i = 0; i + 20 < token.size(); i += 20)
      EXPECT_THAT(std::string(refused.status().message()), Not(HasSubstr(token.substr(i, 20))));
  }
}

TEST_F(TokenAuthenticatorTest, ManyThreadsMayAskWhileKeysChange) {
  keys_->Refresh();
  const std::string token = signer_.Sign(Claims());
  std::vector<std::jthread> callers;
  for (int i = 0; i < 4; ++i) {
    callers.emplace_back([&] {
      for (int call = 0; call < 500; ++call) EXPECT_THAT(Call(token), IsOk());
    });
  }
  for (int i = 0; i < 50; ++i) {
    set_["version"] = i;  // another text, the same keys
    keys_->Refresh();
  }
}

TokenCache::Entry Entry(const std::string& user) {
  return {.identity = {.user = domain::UserId{user}, .roles = {}}, .valid_until = {}};
}

TEST(TokenCache, IsBoundedAndKeepsWhatIsUsed) {
  TokenCache cache(10);
  cache.Put("used", Entry("ada"));
  for (int i = 0; i < 1000; ++i) {
    cache.Put(fmt::format("token {}", i), Entry("bob"));
    const auto used = cache.Find("used");
    ASSERT_NE(used, nullptr);
    EXPECT_EQ(used->identity.user.value, "ada");
    EXPECT_LE(cache.size(), 20u);
  }
  EXPECT_EQ(cache.Find("token 0"), nullptr);
  EXPECT_NE(cache.Find("token 999"), nullptr);
}

TEST(TokenCache, TheLastEntryOfATokenCounts) {
  TokenCache cache(2);
  cache.Put("token", Entry("ada"));
  cache.Put("other", Entry("bob"));  // moves both to the old ones
  cache.Put("token", Entry("eve"));
  EXPECT_EQ(cache.Find("token")->identity.user.value, "eve");
  cache.Put("third", Entry("bob"));
  EXPECT_EQ(cache.Find("token")->identity.user.value, "eve");
}

}  // namespace
}  // namespace todo::auth
