#include "app/make_token.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>

#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>
#include <string>

#include "app/system_clock.h"
#include "auth/key_set.h"
#include "auth/signed_token.h"
#include "support/status_matchers.h"

namespace todo::app {
namespace {

using support::IsOk;
using testing::HasSubstr;
using testing::IsEmpty;

class MakeTokenTest : public testing::Test {
 protected:
  void SetUp() override { std::filesystem::remove(key_); }
  void TearDown() override { std::filesystem::remove(key_); }

  CommandResult Run(const std::vector<std::string>& arguments) {
    return MakeToken(arguments, clock_);
  }

  const SystemClock clock_;
  const std::string key_ = testing::TempDir() + "/make_token_test.pem";
};

TEST_F(MakeTokenTest, ANewKeySignsTokensThatItsPublicHalfVerifies) {
  for (const char* type : {"ec", "ed25519", "rsa"}) {
    const CommandResult jwks = Run({"--new-key=" + key_, "--type", type});
    ASSERT_EQ(jwks.exit_code, 0) << jwks.errors;
    const auto keys = auth::KeySet::Parse(jwks.output, auth::KeySet::SharedSecrets::kRefused);
    ASSERT_THAT(keys, IsOk());
    EXPECT_EQ(Run({"--key", key_, "--print-jwks"}).output, jwks.output);

    const CommandResult made = Run({"--key", key_, "--user", "ada", "--for=8h"});
    ASSERT_EQ(made.exit_code, 0) << made.errors;
    ASSERT_TRUE(made.output.ends_with('\n'));
    const auto token = auth::SignedToken::Parse(made.output.substr(0, made.output.size() - 1));
    ASSERT_THAT(token, IsOk());
    EXPECT_THAT(token->Verify(*keys), IsOk());
    const auto claims = nlohmann::json::parse(token->payload());
    EXPECT_EQ(claims["sub"], "ada");
    EXPECT_EQ(claims["iss"], "todo-local");
    EXPECT_EQ(claims["aud"], "todo-service");
    EXPECT_EQ(claims["exp"].get<int>() - claims["iat"].get<int>(), 8 * 3600);
    EXPECT_FALSE(claims.contains("roles"));
    std::filesystem::remove(key_);
  }
}

TEST_F(MakeTokenTest, AnOperatorHasTheRoleThatTheServiceExpects) {
  Run({"--new-key", key_});
  const CommandResult made =
      Run({"--key", key_, "--user=ada", "--operator", "--issuer=i", "--audience=a"});
  const auto token = auth::SignedToken::Parse(made.output.substr(0, made.output.size() - 1));
  ASSERT_THAT(token, IsOk());
  const auto claims = nlohmann::json::parse(token->payload());
  EXPECT_EQ(claims["roles"], nlohmann::json::array({"todo-operator"}));
  EXPECT_EQ(claims["iss"], "i");
  EXPECT_EQ(claims["aud"], "a");
}

TEST_F(MakeTokenTest, APrivateKeyIsForItsOwnerOnlyAndNeverOverwritten) {
  ASSERT_EQ(Run({"--new-key", key_}).exit_code, 0);
  struct stat file {};
  ASSERT_EQ(stat(key_.c_str(), &file), 0);
  EXPECT_EQ(file.st_mode & 0777U, 0600U);
  const std::string before = Run({"--key", key_, "--print-jwks"}).output;
  const CommandResult again = Run({"--new-key", key_});
  EXPECT_EQ(again.exit_code, 1);
  EXPECT_THAT(again.errors, HasSubstr("File exists"));
  EXPECT_THAT(again.output, IsEmpty());
  EXPECT_EQ(Run({"--key", key_, "--print-jwks"}).output, before);
}

TEST_F(MakeTokenTest, WrongArgumentsAreNamed) {
  Run({"--new-key", key_});
  const std::pair<std::vector<std::string>, const char*> cases[] = {
      {{}, "--key or --new-key is missing"},
      {{"ada"}, "is not expected"},
      {{"--users=ada"}, "--users is unknown"},
      {{"--user"}, "--user needs a value"},
      {{"--user=", "--key=k"}, "--user must not be empty"},
      {{"--operator=yes"}, "takes no value"},
      {{"--key", key_}, "--user is missing"},
      {{"--key", key_, "--user", std::string(201, 'x')}, "200 bytes"},
      {{"--key", key_, "--user=a", "--for=8"}, "--for must be a duration"},
      {{"--key", key_, "--user=a", "--for=9000h"}, "--for must be a duration"},
      {{"--new-key", key_, "--type=dsa"}, "--type must be"},
      {{"--new-key", key_, "--user=a"}, "--new-key goes alone"},
  };
  for (const auto& [arguments, words] : cases) {
    const CommandResult result = Run(arguments);
    EXPECT_EQ(result.exit_code, 2) << words;
    EXPECT_THAT(result.errors, HasSubstr(words));
    EXPECT_THAT(result.output, IsEmpty());
  }
}

TEST_F(MakeTokenTest, AFileThatIsNoKeyIsNamed) {
  EXPECT_EQ(Run({"--key", "/nowhere", "--user=a"}).exit_code, 1);
  std::ofstream(key_) << "secret text";
  const CommandResult result = Run({"--key", key_, "--user=a"});
  EXPECT_NE(result.exit_code, 0);
  EXPECT_THAT(result.errors, HasSubstr("no private key in PEM"));
  EXPECT_THAT(result.errors, testing::Not(HasSubstr("secret text")));
}

TEST_F(MakeTokenTest, HelpIsNoFault) {
  EXPECT_EQ(Run({"--help"}).exit_code, 0);
  EXPECT_THAT(Run({"--help"}).output, HasSubstr("--print-jwks"));
}

}  // namespace
}  // namespace todo::app
