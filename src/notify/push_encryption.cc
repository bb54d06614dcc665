#include "notify/push_encryption.h"

#include <openssl/evp.h>

#include <memory>

#include "util/digest.h"
#include "util/require.h"
#include "util/status.h"

namespace todo::notify {
namespace {

constexpr std::size_t kKeyBytes = 16;
constexpr std::size_t kNonceBytes = 12;
constexpr std::size_t kTagBytes = 16;
constexpr std::size_t kAuthBytes = 16;
constexpr std::size_t kSecretBytes = 32;
constexpr std::uint32_t kRecordBytes = 4096;
constexpr std::size_t kMaxBodyBytes = 4096;

/// A label of the RFCs with its final NUL, which belongs to it.
template <std::size_t N>
std::string_view Label(const char (&text)[N]) {
  return {text, N};
}

unsigned char* Bytes(std::string& text) { return reinterpret_cast<unsigned char*>(text.data()); }
const unsigned char* Bytes(std::string_view text) {
  return reinterpret_cast<const unsigned char*>(text.data());
}

}  // namespace

Aes128Gcm::Aes128Gcm(std::string_view secret, std::string_view salt) : salt_(salt) {
  TODO_REQUIRE(salt.size() == kSaltBytes);
  key_ = util::HkdfSha256({salt, secret, Label("Content-Encoding: aes128gcm")}, kKeyBytes);
  nonce_ = util::HkdfSha256({salt, secret, Label("Content-Encoding: nonce")}, kNonceBytes);
}

std::string Aes128Gcm::Header(std::uint32_t record_bytes, std::string_view key_id) const {
  TODO_REQUIRE(key_id.size() <= 255);
  std::string header = salt_;
  for (int shift = 24; shift >= 0; shift -= 8)
    header += static_cast<char>(record_bytes >> shift & 0xff);
  header += static_cast<char>(key_id.size());
  header += key_id;
  return header;
}

absl::StatusOr<std::string> Aes128Gcm::Seal(std::uint64_t record,
                                            std::string_view plaintext) const {
  std::string nonce = nonce_;
  for (std::size_t back = 0; back < sizeof(record); ++back)
    nonce[kNonceBytes - 1 - back] ^= static_cast<char>(record >> (8 * back) & 0xff);

  const std::unique_ptr<EVP_CIPHER_CTX, decltype(&EVP_CIPHER_CTX_free)> context(
      EVP_CIPHER_CTX_new(), EVP_CIPHER_CTX_free);
  std::string sealed(plaintext.size() + kTagBytes, '\0');
  int size = 0;
  int rest = 0;
  // The nonce's default length is kNonceBytes.
  const bool ok = EVP_EncryptInit_ex(context.get(), EVP_aes_128_gcm(), nullptr, Bytes(key_),
                                     Bytes(nonce)) == 1 &&
                  EVP_EncryptUpdate(context.get(), Bytes(sealed), &size, Bytes(plaintext),
                                    static_cast<int>(plaintext.size())) == 1 &&
                  EVP_EncryptFinal_ex(context.get(), Bytes(sealed) + size, &rest) == 1 &&
                  EVP_CIPHER_CTX_ctrl(context.get(), EVP_CTRL_GCM_GET_TAG, kTagBytes,
                                      Bytes(sealed) + plaintext.size()) == 1;
  if (!ok) return absl::InternalError("the message could not be encrypted");
  return sealed;
}

absl::StatusOr<std::string> EncryptPush(const PushRecipient& recipient, std::string_view payload,
                                        const P256Key& sender, std::string_view salt) {
  if (recipient.auth.size() != kAuthBytes)
    return absl::InvalidArgumentError("the subscription's secret must have 16 bytes");
  TODO_ASSIGN_OR_RETURN(const std::string agreed, sender.SharedSecret(recipient.public_key));
  std::string info(Label("WebPush: info"));
  info += recipient.public_key;
  info += sender.public_bytes();
  const Aes128Gcm coding(util::HkdfSha256({recipient.auth, agreed, info}, kSecretBytes), salt);

  std::string body = coding.Header(kRecordBytes, sender.public_bytes());
  std::string plaintext(payload);
  plaintext += Aes128Gcm::kLast;
  if (body.size() + plaintext.size() + kTagBytes > kMaxBodyBytes)
    return absl::InvalidArgumentError("the message is too long for a push service");
  TODO_ASSIGN_OR_RETURN(const std::string record, coding.Seal(0, plaintext));
  return body + record;
}

}  // namespace todo::notify
