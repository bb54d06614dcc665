#include "notify/hmac.h"

#include <openssl/evp.h>
#include <openssl/hmac.h>

#include <cassert>

namespace todo::notify {

std::string HmacSha256(std::string_view key, std::string_view text) {
  std::string digest(32, '\0');
  // OpenSSL takes a null key as "the one before", and an empty view may be null.
  const char* key_data = key.empty() ? "" : key.data();
  HMAC(EVP_sha256(), key_data, static_cast<int>(key.size()),
       reinterpret_cast<const unsigned char*>(text.data()), text.size(),
       reinterpret_cast<unsigned char*>(digest.data()), nullptr);
  return digest;
}

std::string HkdfSha256(const HkdfInput& input, std::size_t length) {
  assert(length <= 32);  // one block: the loop of RFC 5869 runs once
  const std::string extracted = HmacSha256(input.salt, input.secret);
  return HmacSha256(extracted, std::string(input.info) + '\x01').substr(0, length);
}

}  // namespace todo::notify
