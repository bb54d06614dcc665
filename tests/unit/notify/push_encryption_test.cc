#include "notify/push_encryption.h"

#include <gtest/gtest.h>

#include "unit/notify/base64url.h"

namespace todo::notify {
namespace {

std::string Raw(const char* base64url) { return FromBase64Url(base64url); }

TEST(Aes128Gcm, AgreesWithTheExampleOfOneRecordInRfc8188) {
  const Aes128Gcm coding(Raw("yqdlZ-tYemfogSmv7Ws5PQ"), Raw("I1BsxtFttlv3u_Oo94xnmw"));
  EXPECT_EQ(Base64Url(coding.Header(4096, "") + coding.Seal(0, "I am the walrus\2").value()),
            "I1BsxtFttlv3u_Oo94xnmwAAEAAA-NAVub2qFgBEuQKRapoZu-IxkIva3MEB1PD-ly8Thjg");
}

TEST(Aes128Gcm, AgreesWithTheExampleOfSeveralRecordsInRfc8188) {
  const Aes128Gcm coding(Raw("BO3ZVPxUlnLORbVGMpbT1Q"), Raw("uNCkWiNYzKTnBN9ji3-qWA"));
  const std::string first = std::string("I am th") + Aes128Gcm::kMoreFollows + '\0';
  const std::string last = std::string("e walrus") + Aes128Gcm::kLast;
  EXPECT_EQ(
      Base64Url(coding.Header(25, "a1") + coding.Seal(0, first).value() +
                coding.Seal(1, last).value()),
      "uNCkWiNYzKTnBN9ji3-qWAAAABkCYTHOG8chz_gnvgOqdGYovxyjuqRyJFjEDyoF1Fvkj6hQPdPHI51OEUKEpgz3"
      "SsLWIqS_uA");
}

constexpr char kReceiverPublic[] =
    "BCVxsr7N_eNgVRqvHtD0zTZsEc6-VV-JvLexhqUzORcxaOzi6-AYWXvTBHm4bjyPjs7Vd8pZGH6SRpkNtoIAiw4";
constexpr char kAuth[] = "BTBZMqHH6r4Tts7J_aSIgg";

TEST(EncryptPush, AgreesWithAppendixAOfRfc8291) {
  const P256Key sender =
      P256Key::FromPrivate(Raw("yfWPiYE-n46HLnH0KqZOF1fJJU3MYrct3AELtAQ-oRw")).value();
  EXPECT_EQ(
      Base64Url(sender.public_bytes()),
      "BP4z9KsN6nGRTbVYI_c7VJSPQTBtkgcy27mlmlMoZIIgDll6e3vCYLocInmYWAmS6TlzAC8wEqKK6PBru3jl7A8");
  EXPECT_EQ(Base64Url(sender.SharedSecret(Raw(kReceiverPublic)).value()),
            "kyrL1jIIOHEzg3sM2ZWRHDRB62YACZhhSlknJ672kSs");
  const std::string receiver = Raw(kReceiverPublic);
  const std::string auth = Raw(kAuth);
  EXPECT_EQ(
      Base64Url(EncryptPush({receiver, auth}, "When I grow up, I want to be a watermelon", sender,
                            Raw("DGv6ra1nlYgDCS1FRnbzlw"))
                    .value()),
      "DGv6ra1nlYgDCS1FRnbzlwAAEABBBP4z9KsN6nGRTbVYI_c7VJSPQTBtkgcy27mlmlMoZIIgDll6e3vCYLocInmYWAmS"
      "6TlzAC8wEqKK6PBru3jl7A_yl95bQpu6cVPTpK4Mqgkf1CXztLVBSt2Ks3oZwbuwXPXLWyouBWLVWGNWQexSgSxsj_Qu"
      "lcy4a-fN");
}

TEST(EncryptPush, RefusesInvalidKeys) {
  const P256Key sender = P256Key::Generate().value();
  const std::string salt(Aes128Gcm::kSaltBytes, 's');
  const std::string receiver = Raw(kReceiverPublic);
  const std::string auth = Raw(kAuth);
  const auto code = [&](std::string_view key, std::string_view secret) {
    return EncryptPush({key, secret}, "x", sender, salt).status().code();
  };
  EXPECT_EQ(code(receiver, auth), absl::StatusCode::kOk);
  EXPECT_EQ(code(receiver.substr(1), auth), absl::StatusCode::kInvalidArgument);
  EXPECT_EQ(code(receiver, auth.substr(1)), absl::StatusCode::kInvalidArgument);
  EXPECT_EQ(code("", ""), absl::StatusCode::kInvalidArgument);
}

TEST(EncryptPush, TheBodyHasAtMost4096Bytes) {
  const P256Key sender = P256Key::Generate().value();
  const std::string salt(Aes128Gcm::kSaltBytes, 's');
  const std::string receiver = Raw(kReceiverPublic);
  const std::string auth = Raw(kAuth);
  const PushRecipient recipient{receiver, auth};
  EXPECT_EQ(EncryptPush(recipient, std::string(3993, 'x'), sender, salt)->size(), 4096u);
  EXPECT_EQ(EncryptPush(recipient, std::string(3994, 'x'), sender, salt).status().code(),
            absl::StatusCode::kInvalidArgument);
}

}  // namespace
}  // namespace todo::notify
