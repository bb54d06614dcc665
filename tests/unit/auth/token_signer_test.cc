#include "auth/token_signer.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>
#include <string>

#include "auth/key_set.h"
#include "auth/signed_token.h"
#include "support/status_matchers.h"

namespace todo::auth {
namespace {

using nlohmann::json;
using support::IsOk;
using support::StatusIs;
using testing::StartsWith;
using Kind = TokenSigner::Kind;

absl::StatusOr<KeySet> KeysOf(const TokenSigner& signer) {
  return KeySet::Parse(signer.PublicJwk().dump(), KeySet::SharedSecrets::kRefused);
}

TEST(TokenSigner, SignsWhatItsPublicKeyVerifies) {
  for (const Kind kind : {Kind::kEcP256, Kind::kEd25519, Kind::kRsa}) {
    const TokenSigner signer = TokenSigner::Generate(kind);
    const auto keys = KeysOf(signer);
    ASSERT_THAT(keys, IsOk());
    for (int i = 0; i < 20; ++i) {  // r and s of ECDSA sometimes have leading zeros
      const auto token = SignedToken::Parse(signer.Sign({{"sub", "ada"}, {"n", i}}));
      ASSERT_THAT(token, IsOk());
      EXPECT_THAT(token->Verify(*keys), IsOk());
      EXPECT_EQ(json::parse(token->payload())["sub"], "ada");
    }
    const TokenSigner other = TokenSigner::Generate(kind);
    EXPECT_THAT(SignedToken::Parse(other.Sign({}))->Verify(*keys),
                StatusIs(absl::StatusCode::kUnauthenticated));
  }
}

TEST(TokenSigner, APemOfItsKeyIsReadAgain) {
  for (const Kind kind : {Kind::kEcP256, Kind::kEd25519, Kind::kRsa}) {
    const TokenSigner signer = TokenSigner::Generate(kind);
    EXPECT_THAT(signer.Pem(), StartsWith("-----BEGIN PRIVATE KEY-----"));
    const auto again = TokenSigner::Read(signer.Pem());
    ASSERT_THAT(again, IsOk());
    EXPECT_EQ(again->PublicJwk(), signer.PublicJwk());
  }
}

// The keys of RFC 7515 A.3 and RFC 8037 A.1, whose thumbprint stands in RFC 8037 A.3.
TEST(TokenSigner, ReadsPrivateJwks) {
  const auto ec = TokenSigner::Read(
      R"({"kty":"EC","crv":"P-256","x":"f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU",
          "y":"x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0",
          "d":"jpsQnnGQmL-YBIffH1136cspYG6-0iY7X1fCE9-E9LI"})");
  ASSERT_THAT(ec, IsOk());
  const auto ed = TokenSigner::Read(
      R"({"kty":"OKP","crv":"Ed25519","d":"nWGxne_9WmC6hEr0kuwsxERJxWl7MmkZcDusAxyuf2A",
          "x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"})");
  ASSERT_THAT(ed, IsOk());
  EXPECT_EQ(ed->PublicJwk()["x"], "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo");
  EXPECT_EQ(ed->PublicJwk()["kid"], "kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k");
  for (const TokenSigner* signer : {&*ec, &*ed}) {
    const auto keys = KeysOf(*signer);
    ASSERT_THAT(keys, IsOk());
    EXPECT_THAT(SignedToken::Parse(signer->Sign({}))->Verify(*keys), IsOk());
  }
}

TEST(TokenSigner, AnythingElseIsRefused) {
  for (const char* text :
       {"", "{}", "{", "-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n",
        R"({"kty":"oct","k":"AyM1SysPpbyDfgZld3umj1qzKObwVMkoqQ-EstJQLr_T"})",
        R"({"kty":"RSA","n":"AQAB","e":"AQAB"})",
        R"({"kty":"OKP","crv":"Ed25519","x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"})",
        // The public point belongs to another private key.
        R"({"kty":"EC","crv":"P-256","x":"f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU",
            "y":"x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0",
            "d":"jpsQnnGQmL-YBIffH1136cspYG6-0iY7X1fCE9-E9LJ"})"}) {
    EXPECT_THAT(TokenSigner::Read(text), StatusIs(absl::StatusCode::kInvalidArgument)) << text;
  }
}

}  // namespace
}  // namespace todo::auth
