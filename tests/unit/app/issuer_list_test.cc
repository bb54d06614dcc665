#include "app/issuer_list.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <string>

namespace todo::app {
namespace {

using auth::ClaimValue;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

IssuerList OfFile(const std::string& content) {
  IdentitySettings settings;
  settings.auth_issuers_file = testing::TempDir() + "/issuer_list_test.json";
  std::ofstream(settings.auth_issuers_file) << content;
  IssuerList list = DescribeIssuers(settings);
  std::filesystem::remove(settings.auth_issuers_file);
  return list;
}

TEST(IssuerList, IsEmptyWithoutAnIssuer) {
  const IssuerList list = DescribeIssuers({});
  EXPECT_THAT(list.issuers, IsEmpty());
  EXPECT_THAT(list.faults, IsEmpty());
}

TEST(IssuerList, OneIssuerComesFromTheFlags) {
  IdentitySettings settings;
  settings.auth_issuer = "https://id.example";
  settings.auth_audience = "todo-service, todo-web";
  settings.auth_operator_values = "admin";
  settings.auth_required_claims = "email_verified=true,scope=todo";
  settings.auth_clock_skew = std::chrono::seconds(5);
  const IssuerList list = DescribeIssuers(settings);
  EXPECT_THAT(list.faults, IsEmpty());
  ASSERT_EQ(list.issuers.size(), 1u);
  const IssuerDescription& issuer = list.issuers.front();
  EXPECT_EQ(issuer.name, "https://id.example");
  EXPECT_THAT(issuer.rules.audiences, ElementsAre("todo-service", "todo-web"));
  EXPECT_EQ(issuer.rules.user_claim, "sub");
  EXPECT_EQ(issuer.rules.operator_claim, "roles");
  EXPECT_THAT(issuer.rules.operator_values, ElementsAre("admin"));
  EXPECT_THAT(issuer.rules.required_claims,
              ElementsAre(ClaimValue{"email_verified", "true"}, ClaimValue{"scope", "todo"}));
  EXPECT_EQ(issuer.rules.clock_skew, std::chrono::seconds(5));
}

TEST(IssuerList, SeveralComeFromAFileAndFlagsAreTheirDefaults) {
  const IssuerList list = OfFile(R"({"issuers": [
    {"issuer": "https://id.example"},
    {"issuer": "partner", "jwks_file": "keys.json", "audience": ["a", "b"], "user_claim": "email",
     "user_prefix": "partner:", "operator_claim": "scope", "operator_values": "admin",
     "required_claims": {"tenant": "7"}, "rsa_algorithm": "RS256"}]})");
  EXPECT_THAT(list.faults, IsEmpty());
  ASSERT_EQ(list.issuers.size(), 2u);
  EXPECT_THAT(list.issuers[0].rules.audiences, ElementsAre("todo-service"));
  const IssuerDescription& partner = list.issuers[1];
  EXPECT_EQ(partner.jwks_file, "keys.json");
  EXPECT_EQ(partner.rsa_algorithm, "RS256");
  EXPECT_THAT(partner.rules.audiences, ElementsAre("a", "b"));
  EXPECT_EQ(partner.rules.user_claim, "email");
  EXPECT_EQ(partner.rules.user_prefix, "partner:");
  EXPECT_EQ(partner.rules.operator_claim, "scope");
  EXPECT_THAT(partner.rules.operator_values, ElementsAre("admin"));
  EXPECT_THAT(partner.rules.required_claims, ElementsAre(ClaimValue{"tenant", "7"}));
}

TEST(IssuerList, EveryMistakeInTheFileIsNamed) {
  for (const auto& [content, fault] :
       {std::pair{"", "must be a JSON object"},
        {"[]", "must be a JSON object"},
        {R"({"issuers": []})", "a list of 1 to 20"},
        {R"({"issuers": [7]})", "a list of 1 to 20"},
        {R"({"issuers": [{"issuer": "https://a"}], "more": 1})", "must be a JSON object"},
        {R"({"issuers": [{"issuer": "https://a", "issuer": "https://b"}]})", "must be a JSON"},
        {R"({"issuers": [{}]})", "has no name"},
        {R"({"issuers": [{"issuer": "https://a", "audiences": "x"}]})",
         "issuer 1: \"audiences\" is no member"},
        {R"({"issuers": [{"issuer": "https://a", "jwks_url": ""}]})", "jwks_url must be a text"},
        {R"({"issuers": [{"issuer": "https://a", "audience": [7]}]})", "audience must be a text"},
        {R"({"issuers": [{"issuer": "https://a", "audience": []}]})", "has no audience"},
        {R"({"issuers": [{"issuer": "https://a", "required_claims": ["x"]}]})", "be an object"},
        {R"({"issuers": [{"issuer": "https://a", "required_claims": {"x": true}}]})",
         "texts as values"},
        {R"({"issuers": [{"issuer": "https://a"}, {"issuer": "https://a"}]})", "listed twice"},
        {R"({"issuers": [{"issuer": "http://a"}]})", "must begin with https://"},
        {R"({"issuers": [{"issuer": "x", "jwks_file": "f", "secret_entry": "e"}]})",
         "one place"}}) {
    EXPECT_THAT(OfFile(content).faults, ElementsAre(HasSubstr(fault))) << content;
  }
}

}  // namespace
}  // namespace todo::app
