#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "auth/development_authenticator.h"
#include "auth/refusing_authenticator.h"
#include "support/status_matchers.h"

namespace todo::auth {
namespace {

using ports::Credentials;
using ports::Role;
using support::HasReason;
using support::IsOk;
using support::StatusIs;
using testing::AllOf;

absl::StatusOr<ports::Identity> Authenticate(const Credentials& credentials) {
  return DevelopmentAuthenticator().Authenticate(credentials);
}

Credentials Named(std::vector<std::string> users, std::vector<std::string> roles = {}) {
  return {.authorization = {}, .user_ids = std::move(users), .user_roles = std::move(roles)};
}

TEST(RefusingAuthenticatorTest, RefusesEveryCaller) {
  RefusingAuthenticator refusing;
  for (const Credentials& credentials : {Credentials{}, Named({"alice"}, {"operator"})}) {
    EXPECT_THAT(
        refusing.Authenticate(credentials),
        AllOf(StatusIs(absl::StatusCode::kUnauthenticated), HasReason("IDENTITY_NOT_CONFIGURED")));
  }
}

TEST(DevelopmentAuthenticatorTest, BelievesTheCaller) {
  const auto alice = Authenticate(Named({"alice"}));
  ASSERT_THAT(alice, IsOk());
  EXPECT_EQ(alice->user.value, "alice");
  EXPECT_FALSE(alice->Has(Role::kOperator));
  const auto op = Authenticate(Named({"auth0|0123"}, {"operator"}));
  ASSERT_THAT(op, IsOk());
  EXPECT_TRUE(op->Has(Role::kOperator));
  EXPECT_THAT(Authenticate(Named({std::string(200, 'x')})), IsOk());
}

TEST(DevelopmentAuthenticatorTest, RefusesImpossibleUsersAndUnknownRoles) {
  const Credentials cases[] = {
      Named({""}),
      Named({std::string(201, 'x')}),
      Named({"a b"}),
      Named({"a\n"}),
      Named({std::string("a\0b", 3)}),
      Named({"J\xc3\xb6rg"}),
      Named({"alice", "bob"}),
      Named({"alice"}, {"admin"}),
      Named({"alice"}, {"operator", "admin"}),
  };
  for (const Credentials& credentials : cases) {
    EXPECT_THAT(Authenticate(credentials),
                AllOf(StatusIs(absl::StatusCode::kUnauthenticated), HasReason("IDENTITY_INVALID")))
        << credentials.user_ids[0];
  }
}

TEST(DevelopmentAuthenticatorTest, RefusesCallersWithoutAUserId) {
  for (const Credentials& credentials :
       {Credentials{}, Credentials{.authorization = {"Bearer x"}, .user_ids = {}, .user_roles = {}},
        Named({}, {"operator"})}) {
    EXPECT_THAT(Authenticate(credentials),
                AllOf(StatusIs(absl::StatusCode::kUnauthenticated), HasReason("IDENTITY_MISSING")));
  }
}

}  // namespace
}  // namespace todo::auth
