#include "app/page_setup.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "app/config/config.h"

namespace todo::app {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;
using testing::Pair;

Config Load(std::vector<std::string> arguments) {
  arguments.emplace_back("--database-url=postgresql://todo@127.0.0.1/todo");
  LoadedConfig loaded = LoadConfig(arguments, {});
  EXPECT_THAT(loaded.faults, IsEmpty());
  return loaded.config;
}

page::DoorOptions Options(std::vector<std::string> arguments) {
  return PageOptions(Load(std::move(arguments)), [] { return "BKey"; });
}

TEST(PageSetupTest, WithTheDevelopmentIdentityANameIsEnough) {
  const page::DoorOptions options = Options({"--dev-identity"});
  EXPECT_THAT(options.connect_origins, IsEmpty());
  const page::Settings settings = options.settings();
  EXPECT_EQ(settings.identity, "development");
  EXPECT_EQ(settings.issuer, "");
  EXPECT_EQ(settings.scopes, "");
  EXPECT_EQ(settings.vapid_key, "BKey");
  EXPECT_FALSE(settings.version.empty());
}

TEST(PageSetupTest, WithoutAClientTheUserBringsAToken) {
  EXPECT_EQ(Options({}).settings().identity, "token");
  EXPECT_EQ(Options({"--auth-issuer=https://id.example"}).settings().identity, "token");
}

TEST(PageSetupTest, AClientSignsInWithTheOnlyIssuer) {
  const page::DoorOptions options =
      Options({"--auth-issuer=http://127.0.0.1:4000/realms/todo", "--oidc-client-id=todo-page"});
  EXPECT_THAT(options.connect_origins, ElementsAre("http://127.0.0.1:4000"));
  const page::Settings settings = options.settings();
  EXPECT_EQ(settings.identity, "oidc");
  EXPECT_EQ(settings.issuer, "http://127.0.0.1:4000/realms/todo");
  EXPECT_EQ(settings.client_id, "todo-page");
  EXPECT_EQ(settings.scopes, "openid profile offline_access");
  EXPECT_THAT(settings.parameters, IsEmpty());
  EXPECT_EQ(settings.operator_claim, "roles");
  EXPECT_THAT(settings.operator_values, ElementsAre("todo-operator"));
}

TEST(PageSetupTest, FurtherOriginsFollowThatOfTheIssuer) {
  const page::DoorOptions options =
      Options({"--auth-issuer=https://ID.example/", "--oidc-issuer=https://ID.example/",
               "--oidc-client-id=todo-page", "--oidc-scopes=openid api://todo/tasks",
               "--oidc-origins=https://token.example, https://keys.example:8443"});
  EXPECT_THAT(options.connect_origins, ElementsAre("https://id.example", "https://token.example",
                                                   "https://keys.example:8443"));
  EXPECT_EQ(options.settings().issuer, "https://ID.example/") << "letter for letter";
  EXPECT_EQ(options.settings().scopes, "openid api://todo/tasks");
}

TEST(PageSetupTest, FurtherParametersOfTheSignInComeInTheirOrder) {
  const page::Settings settings =
      Options({"--auth-issuer=https://id.example", "--oidc-client-id=todo-page",
               "--oidc-parameters=audience=https://todo.example/?a=b  ui_locales=de"})
          .settings();
  EXPECT_THAT(settings.parameters,
              ElementsAre(Pair("audience", "https://todo.example/?a=b"), Pair("ui_locales", "de")));
}

}  // namespace
}  // namespace todo::app
