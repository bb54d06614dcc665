#include "util/same_secret.h"

#include <openssl/crypto.h>

namespace todo::util {

bool IsSameSecret(std::string_view given, std::string_view secret) {
  return given.size() == secret.size() &&
         CRYPTO_memcmp(given.data(), secret.data(), secret.size()) == 0;
}

}  // namespace todo::util
