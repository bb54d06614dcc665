#pragma once

#include <openssl/evp.h>

#include <memory>
#include <string>
#include <string_view>

#include "absl/status/statusor.h"

namespace todo::notify {

/// A key pair on the curve P-256: signs (ES256) and agrees on secrets (ECDH).
/// Thread safety: const methods may be called from many threads at once. Copies share the key.
class P256Key {
 public:
  static constexpr std::size_t kPublicBytes = 65;  // 0x04, x, y
  static constexpr std::size_t kPrivateBytes = 32;

  /// A fresh pair. kInternal: OpenSSL has no random bytes.
  static absl::StatusOr<P256Key> Generate();
  /// Reads the 32 bytes of the private number. kInvalidArgument: `bytes` are no private key of
  /// P-256.
  static absl::StatusOr<P256Key> FromPrivate(std::string_view bytes);
  /// Reads a private key in PEM, not encrypted. kInvalidArgument: `pem` is something else.
  static absl::StatusOr<P256Key> FromPem(const std::string& pem);

  /// The public half, uncompressed: kPublicBytes bytes.
  const std::string& public_bytes() const { return public_bytes_; }

  /// The 32 bytes on which this key and the owner of `peer_public` agree. kInvalidArgument:
  /// `peer_public` is not an uncompressed point of the curve.
  absl::StatusOr<std::string> SharedSecret(std::string_view peer_public) const;

  /// The 64 bytes of an ES256 signature (RFC 7518 section 3.4) of `text`. kInternal: OpenSSL
  /// failed.
  absl::StatusOr<std::string> Sign(std::string_view text) const;

 private:
  P256Key(std::shared_ptr<EVP_PKEY> key, std::string public_bytes)
      : key_(std::move(key)), public_bytes_(std::move(public_bytes)) {}
  static absl::StatusOr<P256Key> Adopt(EVP_PKEY* key);

  std::shared_ptr<EVP_PKEY> key_;
  std::string public_bytes_;
};

}  // namespace todo::notify
