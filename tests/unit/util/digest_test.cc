#include "util/digest.h"

#include <gtest/gtest.h>

#include "absl/strings/escaping.h"
#include "util/status.h"

namespace todo::util {
namespace {

std::string ToHex(std::string_view bytes) { return absl::BytesToHexString(ToAbsl(bytes)); }
std::string FromHex(const char* hex) { return absl::HexStringToBytes(hex); }

TEST(Sha256, GivesTheDigestsOfTheStandard) {
  EXPECT_EQ(ToHex(Sha256("")), "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
  EXPECT_EQ(ToHex(Sha256("abc")),
            "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
}

TEST(Sha256, ReadsBeyondNul) {
  EXPECT_NE(Sha256(std::string_view("a\0b", 3)), Sha256(std::string_view("a\0c", 3)));
}

TEST(HmacSha256, AgreesWithRfc4231) {
  EXPECT_EQ(ToHex(HmacSha256(std::string(20, '\x0b'), "Hi There")),
            "b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7");
  EXPECT_EQ(ToHex(HmacSha256("Jefe", "what do ya want for nothing?")),
            "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843");
}

TEST(HmacSha256, AnEmptyKeyIsAKey) {
  EXPECT_EQ(ToHex(HmacSha256({}, {})),
            "b613679a0814d9ec772f95d778c35fc5ff1697c493715653c6c712144292c5ad");
}

TEST(HkdfSha256, AgreesWithTheFirstBlocksOfRfc5869) {
  const std::string secret(22, '\x0b');
  EXPECT_EQ(
      ToHex(HkdfSha256(
          {FromHex("000102030405060708090a0b0c"), secret, FromHex("f0f1f2f3f4f5f6f7f8f9")}, 32)),
      "3cb25f25faacd57a90434f64d0362f2a2d2d0a90cf1a5a4c5db02d56ecc4c5bf");
  EXPECT_EQ(ToHex(HkdfSha256({"", secret, ""}, 16)), "8da4e775a563c18f715f802a063c5a31");
}

}  // namespace
}  // namespace todo::util
