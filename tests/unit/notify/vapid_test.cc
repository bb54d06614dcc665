#include "notify/vapid.h"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "absl/strings/str_split.h"
#include "absl/strings/strip.h"
#include "unit/notify/base64url.h"
#include "unit/notify/set_clock.h"

namespace todo::notify {
namespace {

constexpr char kRawKey[] = "yfWPiYE-n46HLnH0KqZOF1fJJU3MYrct3AELtAQ-oRw";
constexpr char kOrigin[] = "https://push.example";

class VapidTest : public ::testing::Test {
 protected:
  std::string Ask(const std::string& origin = kOrigin) {
    return vapid_.Authorization(origin).value();
  }
  static nlohmann::json Claims(const std::string& authorization) {
    const std::vector<std::string> pieces = absl::StrSplit(authorization, '.');
    return nlohmann::json::parse(FromBase64Url(pieces.at(1)));
  }

  SetClock clock_;
  Vapid vapid_{Vapid::ParseKey(kRawKey).value(), "mailto:ops@example.com", clock_};
};

TEST_F(VapidTest, SaysWhoSendsToWhomAndUntilWhen) {
  const std::string authorization = Ask();
  EXPECT_EQ(authorization.substr(0, 8), "vapid t=");
  const std::string header = authorization.substr(8, authorization.find('.') - 8);
  EXPECT_EQ(nlohmann::json::parse(FromBase64Url(header)),
            (nlohmann::json{{"typ", "JWT"}, {"alg", "ES256"}}));
  EXPECT_EQ(Claims(authorization), (nlohmann::json{{"aud", "https://push.example"},
                                                   {"exp", 1'795'430'096 + 12 * 3600},
                                                   {"sub", "mailto:ops@example.com"}}));
  EXPECT_EQ(authorization.substr(authorization.find(",k=") + 3), vapid_.PublicKey());
}

TEST_F(VapidTest, ATokenIsUsedForSixHoursPerOrigin) {
  const std::string first = Ask();
  clock_.now += Vapid::kReuse - std::chrono::microseconds{1};
  EXPECT_EQ(Ask(), first);
  EXPECT_NE(Ask("https://other.example"), first);
  clock_.now += std::chrono::microseconds{1};
  const std::string second = Ask();
  EXPECT_NE(second, first);
  EXPECT_EQ(Ask(), second);
}

TEST_F(VapidTest, AClockThatWasSetBackMakesANewToken) {
  const std::string first = Ask();
  clock_.now -= std::chrono::hours{48};
  EXPECT_EQ(Claims(Ask())["exp"], 1'795'430'096 + (12 - 48) * 3600);
}

TEST_F(VapidTest, ManyOriginsDoNotFillTheMemory) {
  const std::string first = Ask();
  for (std::size_t number = 0; number < Vapid::kMaxOrigins; ++number)
    Ask("https://" + std::to_string(number) + ".example");
  EXPECT_NE(Ask(), first);  // ECDSA draws a number for each signature
}

TEST(VapidKey, IsPemOrBase64Url) {
  constexpr char kPem[] =
      "-----BEGIN PRIVATE KEY-----\n"
      "MIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQgyfWPiYE+n46HLnH0\n"
      "KqZOF1fJJU3MYrct3AELtAQ+oRyhRANCAAT+M/SrDepxkU21WCP3O1SUj0EwbZIH\n"
      "Mtu5pZpTKGSCIA5Zent7wmC6HCJ5mFgJkuk5cwAvMBKiiujwa7t45ewP\n"
      "-----END PRIVATE KEY-----\n";
  const auto raw = Vapid::ParseKey(std::string(" ") + kRawKey + "\n");
  const auto padded = Vapid::ParseKey(std::string(kRawKey) + "=");
  const auto pem = Vapid::ParseKey(kPem);
  ASSERT_TRUE(raw.ok() && padded.ok() && pem.ok()) << pem.status();
  EXPECT_EQ(raw->public_bytes(), pem->public_bytes());
  EXPECT_EQ(raw->public_bytes(), padded->public_bytes());
}

TEST(VapidKey, RefusalsDoNotQuoteTheKey) {
  for (const char* text : {"", "not a key", "c2VjcmV0LXNlY3JldA", "-----BEGIN secret-----"}) {
    const auto key = Vapid::ParseKey(text);
    EXPECT_EQ(key.status().code(), absl::StatusCode::kInvalidArgument);
    EXPECT_EQ(key.status().message().find("secret"), absl::string_view::npos);
  }
}

}  // namespace
}  // namespace todo::notify
