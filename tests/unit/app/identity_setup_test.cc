#include "app/identity_setup.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <string>

#include "app/make_token.h"
#include "app/system_clock.h"
#include "support/fake_secret_store.h"
#include "support/status_matchers.h"

namespace todo::app {
namespace {

using support::HasReason;
using support::IsOk;

class IdentitySetupTest : public testing::Test {
 protected:
  void SetUp() override {
    testing::internal::CaptureStderr();
    std::filesystem::remove(key_);
    std::ofstream(jwks_) << MakeToken({"--new-key", key_}, clock_).output;
  }
  void TearDown() override {
    testing::internal::GetCapturedStderr();
    std::filesystem::remove(key_);
    std::filesystem::remove(jwks_);
  }

  IdentitySetup SetUpWith(std::vector<std::string> flags) {
    flags.emplace_back("--database-url=host=none");
    const LoadedConfig loaded = LoadConfig(flags, {});
    EXPECT_THAT(loaded.faults, testing::IsEmpty());
    IdentitySetup setup = SetUpIdentity(loaded.config, secrets_, clock_);
    for (const auto& keys : setup.keys) keys->Refresh();
    return setup;
  }
  std::string Token(std::vector<std::string> flags = {}) {
    flags.insert(flags.begin(), {"--key", key_, "--user=ada"});
    std::string token = MakeToken(flags, clock_).output;
    token.pop_back();
    return token;
  }
  static absl::StatusOr<ports::Identity> Call(const IdentitySetup& setup,
                                              const std::string& token) {
    return setup.authenticator->Authenticate(
        {.authorization = {"Bearer " + token}, .user_ids = {"eve"}, .user_roles = {}});
  }

  const SystemClock clock_;
  support::FakeSecretStore secrets_;
  const std::string key_ = testing::TempDir() + "/identity_setup_test.pem";
  const std::string jwks_ = testing::TempDir() + "/identity_setup_test.json";
};

TEST_F(IdentitySetupTest, WithoutAnySettingEveryCallIsRefused) {
  EXPECT_THAT(Call(SetUpWith({}), Token()), HasReason("IDENTITY_NOT_CONFIGURED"));
}

TEST_F(IdentitySetupTest, DevIdentityBelievesTheCaller) {
  const auto identity = Call(SetUpWith({"--dev-identity"}), Token());
  ASSERT_THAT(identity, IsOk());
  EXPECT_EQ(identity->user.value, "eve");
}

TEST_F(IdentitySetupTest, TheDefaultsOfMakeTokenAreThoseOfTheService) {
  const IdentitySetup setup = SetUpWith({"--auth-issuer=todo-local", "--auth-jwks-file=" + jwks_});
  const auto user = Call(setup, Token());
  ASSERT_THAT(user, IsOk());
  EXPECT_EQ(user->user.value, "ada");
  EXPECT_FALSE(user->Has(ports::Role::kOperator));
  EXPECT_TRUE(Call(setup, Token({"--operator"}))->Has(ports::Role::kOperator));
  EXPECT_THAT(Call(setup, Token({"--audience=others"})), HasReason("TOKEN_AUDIENCE"));
  EXPECT_THAT(Call(setup, Token({"--issuer=others"})), HasReason("TOKEN_ISSUER"));
}

TEST_F(IdentitySetupTest, ASecretComesFromTheSecretStoreOnly) {
  std::ofstream(jwks_) << R"({"kty":"oct","alg":"HS256","k":")" << std::string(43, 'A') << "\"}";
  const IdentitySetup in_file =
      SetUpWith({"--auth-issuer=todo-local", "--auth-jwks-file=" + jwks_});
  EXPECT_THAT(Call(in_file, Token()), HasReason("KEYS_UNAVAILABLE"));

  secrets_.values["token-secret"] = std::string(32, 's');
  const IdentitySetup in_store =
      SetUpWith({"--auth-issuer=todo-local", "--auth-secret-entry=token-secret"});
  EXPECT_THAT(Call(in_store, Token()), HasReason("TOKEN_ALGORITHM"))
      << "the secret is read, and the token is of another algorithm";
}

}  // namespace
}  // namespace todo::app
