#include "auth/issuer_keys.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <map>
#include <string>
#include <thread>
#include <vector>

#include "auth/key_sources.h"
#include "support/fake_secret_store.h"
#include "tests_with_tokens.h"
#include "util/bell.h"

namespace todo::auth {
namespace {

using namespace std::chrono_literals;
using support::StatusIs;
using testing::AllOf;
using testing::HasSubstr;
using Secrets = KeySet::SharedSecrets;

constexpr char kOtherJwk[] =
    R"({"kty":"OKP","crv":"Ed25519","kid":"other","x":"O2onvM62pC1io6jQKm8Nc2UyFXcd4kOmOsBIoYtZ2ik"})";

/// Answers with what the test has put into `answer`, and counts.
class IssuerKeysTest : public testing::Test {
 protected:
  void SetUp() override { testing::internal::CaptureStderr(); }
  void TearDown() override { testing::internal::GetCapturedStderr(); }

  IssuerKeys::Options Options() {
    return {.issuer = "issuer", .read = [this] {
              ++reads_;
              read_.Ring();
              return answer_;
            }};
  }
  bool Has(const IssuerKeys& keys, const char* id) {
    const auto current = keys.Current();
    return current != nullptr && current->keys.Find(id) != nullptr;
  }
  /// Until there were `count` reads.
  void WaitForReads(int count) {
    const auto deadline = std::chrono::steady_clock::now() + 30s;
    while (reads_ < count && std::chrono::steady_clock::now() < deadline) {
      const auto heard = read_.rings();
      if (reads_ < count) read_.Wait({}, heard, 100ms);
    }
    EXPECT_GE(reads_, count);
  }

  absl::StatusOr<std::string> answer_ = std::string(kEd25519Jwk);
  std::atomic<int> reads_ = 0;
  util::Bell read_;
};

TEST_F(IssuerKeysTest, ThereAreNoneBeforeTheFirstRead) {
  IssuerKeys keys(Options());
  EXPECT_EQ(keys.Current(), nullptr);
  EXPECT_EQ(keys.Refresh(), 10min);
  EXPECT_TRUE(Has(keys, "ed"));
}

TEST_F(IssuerKeysTest, TheLastGoodKeysStayWhenAReadFails) {
  IssuerKeys keys(Options());
  keys.Refresh();
  const absl::StatusOr<std::string> failures[] = {absl::UnavailableError("away"), std::string("[]"),
                                                  std::string()};
  for (const absl::StatusOr<std::string>& failure : failures) {
    answer_ = failure;
    EXPECT_LT(keys.Refresh(), 10min);
    EXPECT_TRUE(Has(keys, "ed"));
    EXPECT_EQ(keys.Current()->generation, 1u);
  }
}

TEST_F(IssuerKeysTest, FailuresAreRepeatedLaterAndLater) {
  answer_ = absl::UnavailableError("away");
  IssuerKeys keys(Options());
  EXPECT_EQ(keys.Refresh(), 1s);
  EXPECT_EQ(keys.Refresh(), 2s);
  for (int i = 0; i < 10; ++i) keys.Refresh();
  EXPECT_EQ(keys.Refresh(), 60s);
  EXPECT_EQ(keys.Current(), nullptr);
  answer_ = std::string(kEd25519Jwk);
  EXPECT_EQ(keys.Refresh(), 10min);
  EXPECT_TRUE(Has(keys, "ed"));
}

TEST_F(IssuerKeysTest, ARemovedKeyIsGoneAndTheGenerationChangesOnlyWithTheKeys) {
  IssuerKeys keys(Options());
  keys.Refresh();
  keys.Refresh();
  EXPECT_EQ(keys.Current()->generation, 1u);
  answer_ = std::string(kOtherJwk);
  keys.Refresh();
  EXPECT_EQ(keys.Current()->generation, 2u);
  EXPECT_FALSE(Has(keys, "ed"));
  EXPECT_TRUE(Has(keys, "other"));
}

TEST_F(IssuerKeysTest, AnUnknownKeyCausesARead) {
  IssuerKeys::Options options = Options();
  options.refresh = 1h;
  options.least_pause = 0ms;
  IssuerKeys keys(options);
  std::jthread runner([&keys](const std::stop_token& stop) { keys.Run(stop); });
  WaitForReads(1);
  keys.Missed();
  WaitForReads(2);
}

TEST_F(IssuerKeysTest, ManyUnknownKeysCauseOneReadInTheLeastPause) {
  IssuerKeys::Options options = Options();
  options.refresh = 1h;
  options.least_pause = 50ms;
  std::vector<std::chrono::steady_clock::time_point> begins;  // the runner's until it is joined
  options.read = [this, &begins]() -> absl::StatusOr<std::string> {
    begins.push_back(std::chrono::steady_clock::now());
    ++reads_;
    return std::string(kEd25519Jwk);
  };
  IssuerKeys keys(options);
  {
    std::jthread runner([&keys](const std::stop_token& stop) { keys.Run(stop); });
    const auto deadline = std::chrono::steady_clock::now() + 30s;
    while (reads_ < 4 && std::chrono::steady_clock::now() < deadline) keys.Missed();
  }
  ASSERT_GE(begins.size(), 4u);
  for (std::size_t i = 1; i < begins.size(); ++i) EXPECT_GE(begins[i] - begins[i - 1], 50ms);
}

TEST_F(IssuerKeysTest, AReaderSeesOneWholeSnapshotWhileKeysChange) {
  IssuerKeys::Options options = Options();
  options.read = [this]() -> absl::StatusOr<std::string> {
    return std::string(++reads_ % 2 == 0 ? kEd25519Jwk : kOtherJwk);
  };
  IssuerKeys keys(options);
  keys.Refresh();
  std::jthread reader([&keys](const std::stop_token& stop) {
    while (!stop.stop_requested()) EXPECT_EQ(keys.Current()->keys.keys().size(), 1u);
  });
  for (int i = 0; i < 200; ++i) keys.Refresh();
  EXPECT_EQ(keys.Current()->generation, 201u);
}

/// The documents of an issuer by URL.
Fetch Documents(std::map<std::string, std::string> documents) {
  return [documents = std::move(documents)](const std::string& url) -> absl::StatusOr<std::string> {
    const auto found = documents.find(url);
    if (found == documents.end()) return absl::UnavailableError(url + " is not there");
    return found->second;
  };
}

TEST(KeySources, DiscoveryLeadsToTheKeys) {
  const std::string keys_url = "https://id.example/keys";
  for (const char* issuer : {"https://id.example", "https://id.example/realms/todo"}) {
    const std::string document = std::string(R"( {"issuer":")") + issuer + R"(","jwks_uri":")" +
                                 keys_url + "\",\"more\":[{}]}\n";
    const Fetch fetch = Documents(
        {{std::string(issuer) + "/.well-known/openid-configuration", document}, {keys_url, "K"}});
    EXPECT_EQ(*KeysOfIssuer(fetch, issuer)(), "K");
  }
}

TEST(KeySources, AnIssuerWithASlashAtItsEndKeepsItInItsName) {
  const Fetch fetch =
      Documents({{"https://id.example/.well-known/openid-configuration",
                  R"({"issuer":"https://id.example/","jwks_uri":"https://id.example/k"})"},
                 {"https://id.example/k", "K"}});
  EXPECT_EQ(*KeysOfIssuer(fetch, "https://id.example/")(), "K");
  EXPECT_THAT(KeysOfIssuer(fetch, "https://id.example")(),
              StatusIs(absl::StatusCode::kFailedPrecondition, HasSubstr("names another issuer")));
}

TEST(KeySources, ADiscoveryThatSaysSomethingElseIsRefused) {
  const std::string url = "https://id.example/.well-known/openid-configuration";
  for (const auto& [document, words] :
       {std::pair{R"({"issuer":"https://evil.example","jwks_uri":"https://id.example/k"})",
                  "names another issuer"},
        {R"({"jwks_uri":"https://id.example/k"})", "names another issuer"},
        {R"({"issuer":"https://id.example"})", "has no jwks_uri"},
        {"<html>", "is not one JSON object"},
        {R"({"issuer":"https://evil.example","issuer":"https://id.example","jwks_uri":"k"})",
         "is not one JSON object"}}) {
    EXPECT_THAT(KeysOfIssuer(Documents({{url, document}}), "https://id.example")(),
                StatusIs(absl::StatusCode::kFailedPrecondition, HasSubstr(words)));
  }
}

TEST(KeySources, KeysTravelEncryptedUnlessOnLoopback) {
  for (const char* url : {"https://id.example/keys", "http://localhost:8080/keys",
                          "http://127.0.0.1/keys", "http://[::1]:7/keys"}) {
    EXPECT_THAT(CheckKeyUrl(url), IsOk()) << url;
  }
  for (const char* url : {"http://id.example/keys", "http://127.example.org/", "ftp://id.example/",
                          "http://localhost.example/", "https://user:pw@id.example/", "keys", ""}) {
    EXPECT_THAT(CheckKeyUrl(url), StatusIs(absl::StatusCode::kInvalidArgument)) << url;
  }
}

TEST(KeySources, AFileIsReadAnewEachTime) {
  const std::string path = testing::TempDir() + "/keys_file_test.json";
  const KeyReader read = KeysInFile(path);
  std::filesystem::remove(path);
  EXPECT_THAT(read(), StatusIs(absl::StatusCode::kFailedPrecondition,
                               AllOf(HasSubstr(path), HasSubstr("cannot be opened"))));
  std::ofstream(path) << "one";
  EXPECT_EQ(*read(), "one");
  std::ofstream(path) << "two";
  EXPECT_EQ(*read(), "two");
  std::ofstream(path) << std::string(300'000, 'x');
  EXPECT_THAT(read(), StatusIs(absl::StatusCode::kFailedPrecondition, HasSubstr("262144")));
  std::filesystem::remove(path);
}

TEST(KeySources, ASecretIsAKeyForHs256OrAJwk) {
  support::FakeSecretStore secrets;
  const KeyReader read = KeysInSecret(secrets, "entry");
  EXPECT_THAT(read(), StatusIs(absl::StatusCode::kNotFound));
  secrets.values["entry"] = std::string(32, '?');
  const auto keys = KeySet::Parse(*read(), Secrets::kAllowed);
  ASSERT_THAT(keys, IsOk());
  EXPECT_EQ(keys->keys().front().algorithm(), "HS256");
  secrets.values["entry"] = std::string(31, '?');
  EXPECT_THAT(KeySet::Parse(*read(), Secrets::kAllowed),
              StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("32 bytes")));
  secrets.values["entry"] = kSecretJwk;
  EXPECT_THAT(KeySet::Parse(*read(), Secrets::kAllowed), IsOk());
}

}  // namespace
}  // namespace todo::auth
