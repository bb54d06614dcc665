#include "notify/p256_key.h"

#include <gtest/gtest.h>

#include "absl/strings/escaping.h"

namespace todo::notify {
namespace {

std::string FromHex(const char* hex) { return absl::HexStringToBytes(hex); }
constexpr auto kInvalid = absl::StatusCode::kInvalidArgument;

TEST(P256Key, BothSidesAgreeOnASecret) {
  const P256Key ada = P256Key::Generate().value();
  const P256Key bob = P256Key::Generate().value();
  EXPECT_NE(ada.public_bytes(), bob.public_bytes());
  EXPECT_EQ(ada.SharedSecret(bob.public_bytes()).value(),
            bob.SharedSecret(ada.public_bytes()).value());
}

TEST(P256Key, ComesFromItsPrivateNumber) {
  // The generator of the curve is the public half of 1.
  std::string one(32, '\0');
  one.back() = '\1';
  EXPECT_EQ(P256Key::FromPrivate(one)->public_bytes(),
            FromHex("046b17d1f2e12c4247f8bce6e563a440f277037d812deb33a0f4a13945d898c296"
                    "4fe342e2fe1a7f9b8ee7eb4a7c0f9e162bce33576b315ececbb6406837bf51f5"));
}

TEST(P256Key, RefusesNumbersOutsideOfTheCurve) {
  for (const std::string& bytes :
       {std::string(), std::string(31, '\1'), std::string(33, '\1'), std::string(32, '\0'),
        // the order of the curve
        FromHex("ffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551"),
        std::string(32, '\xff')})
    EXPECT_EQ(P256Key::FromPrivate(bytes).status().code(), kInvalid);
}

TEST(P256Key, RefusesPeersThatAreNotOnTheCurve) {
  const P256Key key = P256Key::Generate().value();
  std::string off = P256Key::Generate()->public_bytes();
  off[40] = static_cast<char>(off[40] ^ 1);
  std::string compressed = P256Key::Generate()->public_bytes().substr(0, 33);
  compressed[0] = '\2';
  std::string hybrid = P256Key::Generate()->public_bytes();
  hybrid[0] = static_cast<char>(6 + (hybrid[64] & 1));
  for (const std::string& peer : {std::string(), std::string(65, '\0'), std::string(1, '\0'), off,
                                  compressed, hybrid, off + "x"})
    EXPECT_EQ(key.SharedSecret(peer).status().code(), kInvalid);
}

TEST(P256Key, RefusesPemOfOtherKeys) {
  EXPECT_EQ(P256Key::FromPem("").status().code(), kInvalid);
  EXPECT_EQ(P256Key::FromPem("-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n")
                .status()
                .code(),
            kInvalid);
  // Ed25519, the example of RFC 8410.
  EXPECT_EQ(P256Key::FromPem("-----BEGIN PRIVATE KEY-----\n"
                             "MC4CAQAwBQYDK2VwBCIEINTuctv5E1hK1bbY8fdp+K06/nwoy/HU++CXqI9EdVhC\n"
                             "-----END PRIVATE KEY-----\n")
                .status()
                .code(),
            kInvalid);
}

TEST(P256Key, SignaturesHave64Bytes) {
  const P256Key key = P256Key::Generate().value();
  for (int round = 0; round < 300; ++round)  // a DER signature is shorter about once in 128
    ASSERT_EQ(key.Sign("text " + std::to_string(round))->size(), 64u);
}

}  // namespace
}  // namespace todo::notify
