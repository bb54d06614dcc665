#include "net/target_guard.h"

#include <gtest/gtest.h>

#include <random>

namespace todo::net {
namespace {

TargetGuard Guard(const std::vector<std::string>& allowed = {}) {
  return TargetGuard::Create(allowed).value();
}
absl::StatusCode Asked(const TargetGuard& guard, std::string_view url, const char* address) {
  const auto target = ParseTarget(url);
  EXPECT_TRUE(target.ok()) << url << ": " << target.status();
  return guard.MayConnect(*target, IpAddress::Parse(address).value()).code();
}

constexpr auto kOk = absl::StatusCode::kOk;
constexpr auto kDenied = absl::StatusCode::kPermissionDenied;

absl::StatusCode AskedWhenGiven(const TargetGuard& guard, std::string_view url) {
  return guard.MayEver(*ParseTarget(url)).code();
}

TEST(TargetGuard, KnowsWhichUrlsItCanNeverAgreeTo) {
  const TargetGuard nothing_listed = Guard();
  for (const char* url :
       {"http://hooks.example/", "http://93.184.216.34/", "https://127.0.0.1/",
        "https://10.0.0.1:8443/x", "https://[::1]/", "https://[fd00::1]:443/",
        "https://169.254.169.254/latest/meta-data", "https://127.0.0.1./", "https://localhost/",
        "https://LocalHost.:8443/x", "https://hooks.localhost/", "http://localhost/"})
    EXPECT_EQ(AskedWhenGiven(nothing_listed, url), kDenied) << url;
  for (const char* url :
       {"https://hooks.example/", "HTTPS://hooks.example:8443/", "https://93.184.216.34/",
        "https://[2600::1]/", "https://notlocalhost/", "https://localhost.example/"})
    EXPECT_EQ(AskedWhenGiven(nothing_listed, url), kOk) << url << ": a name may lead anywhere";

  const TargetGuard name_listed = Guard({"hooks.internal"});
  EXPECT_EQ(AskedWhenGiven(name_listed, "http://Hooks.Internal/"), kOk);
  EXPECT_EQ(AskedWhenGiven(name_listed, "http://hooks.example/"), kDenied);
  const TargetGuard block_listed = Guard({"10.0.0.0/8"});
  EXPECT_EQ(AskedWhenGiven(block_listed, "http://10.1.2.3/"), kOk);
  EXPECT_EQ(AskedWhenGiven(block_listed, "http://hooks.example/"), kOk) << "it may lead there";
  EXPECT_EQ(AskedWhenGiven(block_listed, "https://192.168.0.1/"), kDenied);

  // Such a name leads to this machine (RFC 6761).
  EXPECT_EQ(AskedWhenGiven(block_listed, "https://localhost/"), kDenied);
  EXPECT_EQ(AskedWhenGiven(block_listed, "http://hooks.localhost/"), kDenied);
  EXPECT_EQ(AskedWhenGiven(Guard({"hooks.localhost"}), "http://hooks.localhost/"), kOk);
  EXPECT_EQ(AskedWhenGiven(Guard({"hooks.localhost"}), "http://localhost/"), kDenied);
  for (const char* loopback : {"127.0.0.0/8", "127.0.0.1", "::1"})
    EXPECT_EQ(AskedWhenGiven(Guard({loopback}), "http://localhost:8080/"), kOk) << loopback;
}

TEST(ParseTarget, ReadsWhereAUrlLeads) {
  const auto target = ParseTarget("HTTPS://Hooks.Example.COM.:8443/a?b#c");
  ASSERT_TRUE(target.ok());
  EXPECT_EQ(target->host, "hooks.example.com");
  EXPECT_EQ(target->origin, "https://hooks.example.com.:8443");
  EXPECT_TRUE(target->encrypted);
  EXPECT_EQ(ParseTarget("https://example.com:443/x")->origin, "https://example.com");
  EXPECT_EQ(ParseTarget("https://xn--bcher-kva.example/")->host, "xn--bcher-kva.example");
  EXPECT_EQ(ParseTarget("https://[2600::1]/")->origin, "https://[2600::1]");
}

TEST(ParseTarget, RefusesUrlsThatAreNotPlainlyHttp) {
  for (const char* url : {"",
                          "example.com",
                          "//example.com/",
                          "https://",
                          "https://.",
                          "https://127%/",
                          "file:///etc/passwd",
                          "ftp://example.com/",
                          "gopher://example.com:25/_HELO",
                          "dict://example.com/",
                          "smb://a/b",
                          "javascript:alert(1)",
                          "https://user@example.com/",
                          "https://user:word@example.com/",
                          "https://:@example.com/",
                          "https://exa mple.com/",
                          "https://example.com:99999/",
                          "https://exam\nple.com/",
                          "https://example.com\r\nx: y/",
                          "https://[::1/",
                          "https://[x]/",
                          "https://b\u00fccher.example/",
                          "https://\u2460\u2461\u2466.0.0.1/",
                          "https://%ef%bc%91/"}) {
    EXPECT_EQ(ParseTarget(url).status().code(), kDenied) << url;
  }
  EXPECT_EQ(ParseTarget(std::string_view("https://a.example\0.b.example/", 29)).status().code(),
            kDenied);
  EXPECT_EQ(ParseTarget("https://a.example/" + std::string(3000, 'a')).status().code(), kDenied);
}

TEST(TargetGuard, TheInternetIsOpenOverHttpsOnly) {
  EXPECT_EQ(Asked(Guard(), "https://example.com/", "93.184.216.34"), kOk);
  EXPECT_EQ(Asked(Guard(), "http://example.com/", "93.184.216.34"), kDenied);
  EXPECT_EQ(Asked(Guard(), "https://example.com/", "10.0.0.1"), kDenied);
  EXPECT_EQ(Asked(Guard(), "https://example.com/", "::1"), kDenied);
}

TEST(TargetGuard, ANameOnTheListIsAllowedWhateverItResolvesTo) {
  const TargetGuard guard = Guard({"Hooks.Internal."});
  EXPECT_EQ(Asked(guard, "http://hooks.internal/", "10.0.0.1"), kOk);
  EXPECT_EQ(Asked(guard, "https://HOOKS.internal./", "10.0.0.1"), kOk);
  EXPECT_EQ(Asked(guard, "http://sub.hooks.internal/", "10.0.0.1"), kDenied);
  EXPECT_EQ(Asked(guard, "http://hooks.internal.example.com/", "10.0.0.1"), kDenied);
  EXPECT_EQ(Asked(guard, "http://hooksxinternal/", "10.0.0.1"), kDenied);
}

TEST(TargetGuard, ABlockOnTheListIsAllowedWhateverTheName) {
  const TargetGuard guard = Guard({"10.1.0.0/16", "fd00::/8", "192.168.1.7"});
  EXPECT_EQ(Asked(guard, "http://any.example/", "10.1.2.3"), kOk);
  EXPECT_EQ(Asked(guard, "https://any.example/", "fd12::1"), kOk);
  EXPECT_EQ(Asked(guard, "https://192.168.1.7/", "192.168.1.7"), kOk);
  EXPECT_EQ(Asked(guard, "https://any.example/", "10.2.0.1"), kDenied);
  EXPECT_EQ(Asked(guard, "https://any.example/", "192.168.1.8"), kDenied);
  EXPECT_EQ(Asked(guard, "http://any.example/", "93.184.216.34"), kDenied);
}

TEST(TargetGuard, TheReasonDoesNotNameTheAddress) {
  const auto target = ParseTarget("https://db.internal/");
  const absl::Status status = Guard().MayConnect(*target, *IpAddress::Parse("10.9.8.7"));
  EXPECT_EQ(status.message().find("10.9"), absl::string_view::npos) << status;
}

TEST(TargetGuard, TheListIsCheckedBeforeItIsUsed) {
  for (const char* entry : {"", "*", "*.internal", "http://hooks.internal", "10.0.0.0/99", "127.1",
                            "0x7f000001", "2130706433", "[::1]", "a b", "hooks.internal:80"}) {
    EXPECT_EQ(TargetGuard::Create({"ok.internal", entry}).status().code(),
              absl::StatusCode::kInvalidArgument)
        << entry;
  }
}

/// Whatever the text, the answer is a host that can be compared or a refusal.
TEST(TargetGuard, AnyTextIsReadOrRefused) {
  const TargetGuard guard = Guard({"hooks.internal"});
  const std::vector<std::string> pieces = {
      "https://", "http://", "ftp:",      "//",     "/",      "\\",   "@",   ":",   "#", "?",
      "[",        "]",       "::1",       "%",      "%2",     "%00",  "%2e", "127", ".", "0x7f",
      "017",      "hooks",   ".internal", "\u3002", "\u2460", "\xff", "\n",  " ",   "a", ";"};
  std::mt19937 random(20261123);
  int read = 0;
  for (int round = 0; round < 20'000; ++round) {
    std::string url = round % 2 == 0 ? "https://" : "";
    for (auto count = random() % 8; count > 0; --count) url += pieces[random() % pieces.size()];
    const auto target = ParseTarget(url);
    if (!target.ok()) {
      ASSERT_EQ(target.status().code(), kDenied) << url;
      continue;
    }
    ++read;
    ASSERT_FALSE(target->host.empty()) << url;
    ASSERT_EQ(target->host.find_first_of("@/\\#?%\n ABCDEFGHIJKLMNOPQRSTUVWXYZ"), std::string::npos)
        << url << " is read as " << target->host;
    const bool listed = target->host == "hooks.internal";
    ASSERT_EQ(guard.MayConnect(*target, *IpAddress::Parse("127.0.0.1")).ok(), listed) << url;
  }
  EXPECT_GT(read, 1000);
}

}  // namespace
}  // namespace todo::net
