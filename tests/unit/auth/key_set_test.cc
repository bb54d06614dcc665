#include "auth/key_set.h"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "auth/token_signer.h"
#include "tests_with_tokens.h"

namespace todo::auth {
namespace {

using nlohmann::json;
using support::StatusIs;
using ::testing::HasSubstr;
using Secrets = KeySet::SharedSecrets;

std::string Set(const std::vector<std::string>& keys) {
  std::string list;
  for (const std::string& key : keys) list += (list.empty() ? "" : ",") + key;
  return R"({"keys":[)" + list + "]}";
}

TEST(KeySet, TakesASetOrASingleKey) {
  for (const std::string& text :
       {Set({kEd25519Jwk}), std::string(kEd25519Jwk), Set({kEd25519Jwk}) + "\n"}) {
    const auto set = KeySet::Parse(text, Secrets::kRefused);
    ASSERT_THAT(set, IsOk());
    EXPECT_EQ(set->keys().front().algorithm(), "EdDSA");
    EXPECT_EQ(set->keys().front().id(), "ed");
  }
}

TEST(KeySet, AKeyThatCannotBeUsedSpoilsNoOther) {
  const auto set =
      KeySet::Parse(Set({R"({"kty":"new","kid":"future"})", "7", kEd25519Jwk}), Secrets::kRefused);
  ASSERT_THAT(set, IsOk());
  EXPECT_EQ(set->keys().size(), 1u);
  ASSERT_EQ(set->skipped_keys().size(), 2u);
  EXPECT_THAT(set->skipped_keys().front(), HasSubstr("future"));
}

TEST(KeySet, WithoutAKeyThatCanBeUsedItIsRefused) {
  for (const std::string& text :
       {std::string("[]"), std::string("{}"), Set({}), std::string(""), std::string("{\"keys\":7}"),
        "\xef\xbb\xbf" + Set({kEd25519Jwk}), Set({kEd25519Jwk, kEd25519Jwk}),
        std::string(R"({"keys":[],"keys":[)") + kEd25519Jwk + "]}"}) {
    EXPECT_THAT(KeySet::Parse(text, Secrets::kRefused),
                StatusIs(absl::StatusCode::kInvalidArgument))
        << text;
  }
}

TEST(KeySet, TakesSecretsOnlyWhereTheyAreAllowedAndNeverBesidePublicKeys) {
  EXPECT_THAT(KeySet::Parse(kSecretJwk, Secrets::kRefused),
              StatusIs(absl::StatusCode::kInvalidArgument));
  EXPECT_THAT(KeySet::Parse(kSecretJwk, Secrets::kAllowed), IsOk());
  EXPECT_THAT(KeySet::Parse(Set({kSecretJwk, kEd25519Jwk}), Secrets::kAllowed),
              StatusIs(absl::StatusCode::kInvalidArgument));
}

TEST(KeySet, AnRsaKeyWithoutAnAlgorithmHasThatOfTheOperatorOrIsLeftOut) {
  json key = TokenSigner::Generate(TokenSigner::Kind::kRsa).PublicJwk();
  key.erase("alg");
  EXPECT_THAT(KeySet::Parse(key.dump(), Secrets::kRefused),
              StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("must name its alg")));
  const auto set = KeySet::Parse(key.dump(), Secrets::kRefused, "PS384");
  ASSERT_THAT(set, IsOk());
  EXPECT_EQ(set->keys().front().algorithm(), "PS384");
  key["alg"] = "RS256";
  EXPECT_EQ(KeySet::Parse(key.dump(), Secrets::kRefused, "PS384")->keys().front().algorithm(),
            "RS256");
}

TEST(KeySet, FindsByNameAndWithoutANameOnlyTheSingleKey) {
  const auto one = KeySet::Parse(kEd25519Jwk, Secrets::kRefused);
  ASSERT_THAT(one, IsOk());
  EXPECT_NE(one->Find("ed"), nullptr);
  EXPECT_NE(one->Find(""), nullptr);
  EXPECT_EQ(one->Find("other"), nullptr);
}

}  // namespace
}  // namespace todo::auth
