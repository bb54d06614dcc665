#include "edge/origin_policy.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

namespace todo::edge {
namespace {

using testing::Contains;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Pair;

util::HttpRequestHead Request(std::string method, util::HttpHeaders headers) {
  return {.method = std::move(method),
          .path = "/a",
          .query = "",
          .headers = std::move(headers),
          .peer = "127.0.0.1",
          .encrypted = false,
          .content_length = {}};
}

util::HttpRequestHead Preflight(const std::string& origin) {
  return Request("OPTIONS",
                 {{"host", "x"}, {"origin", origin}, {"access-control-request-method", "POST"}});
}

const OriginPolicy kPolicy({.allowed_origins = {"https://app.example.org",
                                                "http://localhost:3000"}});

TEST(OriginPolicyTest, AnAllowedOriginMayAskAndRead) {
  const util::HttpRequestHead head = Preflight("http://localhost:3000");
  const auto answer = kPolicy.Answer(head);
  ASSERT_TRUE(answer);
  EXPECT_EQ(answer->status, 204);
  EXPECT_THAT(answer->headers, Contains(Pair("access-control-allow-headers",
                                             HasSubstr("connect-protocol-version"))));
  EXPECT_THAT(answer->headers, Contains(Pair("access-control-max-age", "7200")));
  EXPECT_THAT(kPolicy.FieldsFor(head),
              ElementsAre(Pair("vary", "Origin"),
                          Pair("access-control-allow-origin", "http://localhost:3000"),
                          Pair("access-control-expose-headers", HasSubstr("retry-after"))));
}

TEST(OriginPolicyTest, AnotherOriginMayNeither) {
  for (const char* origin : {"https://evil.example", "https://app.example.org.evil.example",
                             "http://app.example.org", "https://APP.example.org", "null"}) {
    const util::HttpRequestHead head = Preflight(origin);
    const auto answer = kPolicy.Answer(head);
    ASSERT_TRUE(answer);
    EXPECT_EQ(answer->status, 403);
    EXPECT_THAT(kPolicy.FieldsFor(head), ElementsAre(Pair("vary", "Origin"))) << origin;
  }
}

TEST(OriginPolicyTest, CallsGoOnToTheHandler) {
  EXPECT_FALSE(
      kPolicy.Answer(Request("POST", {{"host", "x"}, {"origin", "https://evil.example"}})));
  EXPECT_FALSE(kPolicy.Answer(Request("OPTIONS", {{"host", "x"}})));
}

TEST(OriginPolicyTest, WithoutAllowedOriginsResponsesSayNothing) {
  EXPECT_THAT(OriginPolicy({}).FieldsFor(Preflight("https://a.example")), IsEmpty());
}

TEST(OriginPolicyTest, OnlyLoopbackNamesWhenAskedFor) {
  const OriginPolicy policy({.allowed_origins = {}, .loopback_names_only = true});
  for (const char* host : {"localhost", "localhost:8080", "127.0.0.1:1", "[::1]", "[::1]:8080"})
    EXPECT_FALSE(policy.Answer(Request("GET", {{"host", host}}))) << host;
  for (const char* host : {"evil.example", "localhost.evil.example:8080", "", "127.0.0.1.nip.io",
                           "[::2]", "[", "0.0.0.0"}) {
    const auto answer = policy.Answer(Request("GET", {{"host", host}}));
    ASSERT_TRUE(answer) << host;
    EXPECT_EQ(answer->status, 403);
  }
  EXPECT_TRUE(policy.Answer(Request("GET", {})));
}

}  // namespace
}  // namespace todo::edge
