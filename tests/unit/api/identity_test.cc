#include "api/identity.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "util/status.h"

namespace todo::api {
namespace {

using Pairs = std::vector<std::pair<std::string, std::string>>;

struct Sent {
  explicit Sent(Pairs sent) : pairs(std::move(sent)) {
    for (const auto& [key, value] : pairs) {
      metadata.emplace(grpc::string_ref(key.data(), key.size()),
                       grpc::string_ref(value.data(), value.size()));
    }
  }
  Pairs pairs;
  Metadata metadata;
};

absl::StatusOr<Identity> IdentifyDev(const Pairs& pairs) {
  return Identify(Sent(pairs).metadata, true);
}

TEST(IdentityTest, NobodyIsBelievedWithoutDevIdentity) {
  const auto identity =
      Identify(Sent({{"x-user-id", "alice"}, {"x-user-role", "operator"}}).metadata, false);
  EXPECT_EQ(identity.status().code(), absl::StatusCode::kUnauthenticated);
  EXPECT_EQ(util::ReasonOf(identity.status()), "IDENTITY_NOT_CONFIGURED");
}

TEST(IdentityTest, DevIdentityBelievesTheMetadata) {
  const auto alice = IdentifyDev({{"x-user-id", "alice"}});
  ASSERT_TRUE(alice.ok());
  EXPECT_EQ(alice->user.value, "alice");
  EXPECT_FALSE(alice->is_operator);
  const auto op = IdentifyDev({{"x-user-id", "auth0|0123"}, {"x-user-role", "operator"}});
  ASSERT_TRUE(op.ok());
  EXPECT_TRUE(op->is_operator);
  EXPECT_TRUE(IdentifyDev({{"x-user-id", std::string(200, 'x')}}).ok());
}

TEST(IdentityTest, WhatCannotBeAUserIsRefused) {
  const Pairs cases[] = {
      {{"x-user-id", ""}},
      {{"x-user-id", std::string(201, 'x')}},
      {{"x-user-id", "a b"}},
      {{"x-user-id", "a\n"}},
      {{"x-user-id", std::string("a\0b", 3)}},
      {{"x-user-id", "J\xc3\xb6rg"}},
      {{"x-user-id", "alice"}, {"x-user-id", "bob"}},
      {{"x-user-id", "alice"}, {"x-user-role", "admin"}},
      {{"x-user-id", "alice"}, {"x-user-role", "operator"}, {"x-user-role", "admin"}},
  };
  for (const Pairs& pairs : cases) {
    const auto identity = IdentifyDev(pairs);
    EXPECT_EQ(identity.status().code(), absl::StatusCode::kUnauthenticated) << pairs[0].second;
    EXPECT_EQ(util::ReasonOf(identity.status()), "IDENTITY_INVALID") << pairs[0].second;
  }
}

TEST(IdentityTest, OtherMetadataIsNoIdentity) {
  for (const Pairs& pairs :
       {Pairs{}, Pairs{{"x-user-id-bin", "alice"}}, Pairs{{"x-user-role", "operator"}}}) {
    EXPECT_EQ(util::ReasonOf(IdentifyDev(pairs).status()), "IDENTITY_MISSING");
  }
}

TEST(TraceparentTest, OnlyWellFormedOnesAreCarried) {
  const std::string good = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";
  const std::pair<std::string, std::string> cases[] = {
      {good, good},
      {good + "-more", ""},
      {"cc" + good.substr(2) + "-more", good},
      {"cc" + good.substr(2), good},
      {"cc" + good.substr(2) + "more", ""},
      {"ff" + good.substr(2), ""},
      {"00-0AF7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01", ""},
      {"00-00000000000000000000000000000000-b7ad6b7169203331-01", ""},
      {"00-0af7651916cd43dd8448eb211c80319c-0000000000000000-01", ""},
      {"00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-0", ""},
      {"00_0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01", ""},
      {"", ""},
  };
  for (const auto& [sent, carried] : cases) {
    EXPECT_EQ(TraceparentOf(Sent({{"traceparent", sent}}).metadata), carried) << sent;
  }
  EXPECT_EQ(TraceparentOf(Sent({}).metadata), "");
  EXPECT_EQ(TraceparentOf(Sent({{"traceparent", good}, {"traceparent", good}}).metadata), "");
}

}  // namespace
}  // namespace todo::api
