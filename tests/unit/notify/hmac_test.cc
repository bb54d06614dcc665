#include "notify/hmac.h"

#include <gtest/gtest.h>

#include "absl/strings/escaping.h"

namespace todo::notify {
namespace {

std::string Hex(const std::string& bytes) { return absl::BytesToHexString(bytes); }
std::string FromHex(const char* hex) { return absl::HexStringToBytes(hex); }

TEST(HmacSha256, AgreesWithRfc4231) {
  EXPECT_EQ(Hex(HmacSha256(std::string(20, '\x0b'), "Hi There")),
            "b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7");
  EXPECT_EQ(Hex(HmacSha256("Jefe", "what do ya want for nothing?")),
            "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843");
}

TEST(HmacSha256, AnEmptyKeyIsAKey) {
  EXPECT_EQ(Hex(HmacSha256({}, {})),
            "b613679a0814d9ec772f95d778c35fc5ff1697c493715653c6c712144292c5ad");
}

TEST(HkdfSha256, AgreesWithTheFirstBlocksOfRfc5869) {
  const std::string secret(22, '\x0b');
  EXPECT_EQ(
      Hex(HkdfSha256(
          {FromHex("000102030405060708090a0b0c"), secret, FromHex("f0f1f2f3f4f5f6f7f8f9")}, 32)),
      "3cb25f25faacd57a90434f64d0362f2a2d2d0a90cf1a5a4c5db02d56ecc4c5bf");
  EXPECT_EQ(Hex(HkdfSha256({"", secret, ""}, 16)), "8da4e775a563c18f715f802a063c5a31");
}

}  // namespace
}  // namespace todo::notify
