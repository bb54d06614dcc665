// The vectors of C2SP/wycheproof for JWS and JWK, read where TODO_WYCHEPROOF says that they lie.

#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>
#include <set>
#include <string>

#include "auth/signed_token.h"

namespace todo::auth {
namespace {

using nlohmann::json;

// Vectors that contradict others, or themselves, and the reason.
const std::set<int> kContradictions = {
    346, 350,  // the key says PS256, the token PS384; 338 and 340 say that this is invalid
    347, 351,  // ES521 is the name of no algorithm
    367, 370,  // byte for byte the token of 357, which is valid
    372, 373,  // hold a '?', and the signature is not that of the text
};

json Read(const std::string& name) {
  const char* folder = std::getenv("TODO_WYCHEPROOF");
  if (folder == nullptr) return nullptr;
  std::ifstream file(std::filesystem::path(folder) / name);
  return json::parse(file);
}

bool Accepts(const json& keys, const std::string& token) {
  const auto set = KeySet::Parse(keys.dump(), KeySet::SharedSecrets::kAllowed);
  if (!set.ok()) return false;
  const auto parsed = SignedToken::Parse(token);
  return parsed.ok() && parsed->Verify(*set).ok();
}

void CheckAll(const std::string& name, int expected_count, const std::set<int>& contradictions) {
  const json vectors = Read(name);
  if (vectors.is_null()) GTEST_SKIP() << "TODO_WYCHEPROOF names no folder with " << name;
  int count = 0;
  for (const json& group : vectors["testGroups"]) {
    const json& keys = group.contains("public") ? group["public"] : group["private"];
    for (const json& test : group["tests"]) {
      if (!test.contains("jws")) continue;  // encryption
      ++count;
      const bool valid = (test["result"] == "valid") != contradictions.contains(test["tcId"]);
      const std::string token =
          test["jws"].is_string() ? test["jws"].get<std::string>() : test["jws"].dump();
      EXPECT_EQ(Accepts(keys, token), valid)
          << name << " " << test["tcId"] << " " << test["comment"] << " " << token;
    }
  }
  EXPECT_EQ(count, expected_count);
}

TEST(Wycheproof, JwsAreDecidedAsTheVectorsSay) {
  CheckAll("json_web_signature_test.json", 401, kContradictions);
}
TEST(Wycheproof, KeysAreDecidedAsTheVectorsSay) { CheckAll("json_web_key_test.json", 26, {}); }
TEST(Wycheproof, CryptoIsDecidedAsTheVectorsSay) { CheckAll("json_web_crypto_test.json", 49, {}); }

}  // namespace
}  // namespace todo::auth
