#include "util/digest.h"

#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <openssl/sha.h>

#include "util/require.h"

namespace todo::util {
namespace {

const unsigned char* Bytes(std::string_view text) {
  return reinterpret_cast<const unsigned char*>(text.data());
}

}  // namespace

std::string Sha256(std::string_view text) {
  std::string digest(SHA256_DIGEST_LENGTH, '\0');
  SHA256(Bytes(text), text.size(), reinterpret_cast<unsigned char*>(digest.data()));
  return digest;
}

std::string HmacSha256(std::string_view key, std::string_view text) {
  std::string digest(SHA256_DIGEST_LENGTH, '\0');
  // OpenSSL reads a null key as "the key of the last call", and an empty view may be null.
  const char* key_data = key.empty() ? "" : key.data();
  HMAC(EVP_sha256(), key_data, static_cast<int>(key.size()), Bytes(text), text.size(),
       reinterpret_cast<unsigned char*>(digest.data()), nullptr);
  return digest;
}

std::string HkdfSha256(const HkdfInput& input, std::size_t length) {
  TODO_REQUIRE(length <= SHA256_DIGEST_LENGTH);  // one block: the loop of RFC 5869 runs once
  const std::string extracted = HmacSha256(input.salt, input.secret);
  return HmacSha256(extracted, std::string(input.info) + '\x01').substr(0, length);
}

}  // namespace todo::util
