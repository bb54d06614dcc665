#include "auth/signed_token.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include "tests_with_tokens.h"
#include "util/digest.h"

namespace todo::auth {
namespace {

using support::StatusIs;
using ::testing::HasSubstr;
using ::testing::Not;

std::string Encoded(std::string_view text) {
  return absl::WebSafeBase64Escape(absl::string_view(text.data(), text.size()));
}

/// A token with this header and payload, signed with the secret of kSecretJwk.
std::string Token(std::string_view header, std::string_view payload = "{}") {
  std::string secret;
  absl::WebSafeBase64Unescape(
      "AyM1SysPpbyDfgZld3umj1qzKObwVMkoqQ-EstJQLr_T-1qS0gZH75aKtMN3Yj0iPS4hcgUuTwjAzZr1Z9CAow",
      &secret);
  const std::string text = Encoded(header) + "." + Encoded(payload);
  return text + "." + Encoded(util::HmacSha256(secret, text));
}

absl::Status Decide(std::string_view token, std::string_view keys = kSecretJwk) {
  const auto set = KeySet::Parse(keys, KeySet::SharedSecrets::kAllowed);
  if (!set.ok()) return set.status();
  const auto parsed = SignedToken::Parse(token);
  if (!parsed.ok()) return parsed.status();
  return parsed->Verify(*set);
}

TEST(SignedToken, OfRfc8037IsGood) {
  EXPECT_THAT(Decide(kEd25519Token, kEd25519Jwk), IsOk());
  EXPECT_EQ(SignedToken::Parse(kEd25519Token)->payload(), "Example of Ed25519 signing");
}

TEST(SignedToken, OneChangedBitAnywhereIsNoticed) {
  const std::string token = Token(R"({"alg":"HS256"})", R"({"sub":"ada"})");
  ASSERT_THAT(Decide(token), IsOk());
  for (std::size_t i = 0; i < token.size(); ++i) {
    std::string changed = token;
    changed[i] = changed[i] == 'A' ? 'B' : 'A';
    EXPECT_THAT(Decide(changed), StatusIs(absl::StatusCode::kUnauthenticated)) << i;
  }
}

TEST(SignedToken, TheKeyDecidesTheAlgorithm) {
  for (const char* algorithm : {"none", "HS512", "RS256", "EdDSA", "hs256", ""}) {
    EXPECT_THAT(Decide(Token(fmt::format(R"({{"alg":"{}"}})", algorithm))),
                StatusIs(absl::StatusCode::kUnauthenticated))
        << algorithm;
  }
}

TEST(SignedToken, AHeaderThatAsksForMoreIsRefused) {
  for (const char* more :
       {R"("crit":["exp"])", R"("zip":"DEF")", R"("b64":false)", R"("jwk":{})",
        R"("jku":"https://example.com")", R"("x5u":"https://example.com")", R"("x5c":[])",
        R"("cty":"JWT")", R"("kid":7)", R"("typ":7)", R"("alg":"HS256")"}) {
    EXPECT_THAT(Decide(Token(fmt::format(R"({{"alg":"HS256",{}}})", more))),
                StatusIs(absl::StatusCode::kUnauthenticated))
        << more;
  }
}

TEST(SignedToken, AnythingButStrictCompactFormIsRefused) {
  const std::string good = Token(R"({"alg":"HS256"})");
  const std::string header = Encoded(R"({"alg":"HS256"})");
  for (const std::string& token :
       {std::string(), std::string("."), std::string(".."), header, good + ".", good + "=",
        good + "\n", " " + good, good + ".a", Token("\xef\xbb\xbf{\"alg\":\"HS256\"}"), Token("[]"),
        Token(R"({"alg":"HS256"} )"),
        Token(R"({"a":{"b":{"c":{"d":{"e":{"f":{"g":{"h":{"i":1}}}}}}}},"alg":"HS256"})"),
        std::string(kMaxTokenBytes + 1, 'a')}) {
    EXPECT_THAT(Decide(token), StatusIs(absl::StatusCode::kUnauthenticated)) << token;
  }
}

TEST(SignedToken, TheReasonDoesNotRepeatTheToken) {
  const std::string token = Token(R"({"alg":"HS256","kid":"a\nb"})", R"({"sub":"secret-name"})");
  const absl::Status status = Decide(token);
  EXPECT_THAT(std::string(status.message()), Not(HasSubstr("secret-name")));
  EXPECT_THAT(std::string(status.message()), Not(HasSubstr("\n")));
  EXPECT_THAT(std::string(status.message()), Not(HasSubstr(token.substr(token.rfind('.')))));
}

}  // namespace
}  // namespace todo::auth
