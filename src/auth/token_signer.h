#pragma once

#include <openssl/types.h>

#include <memory>
#include <nlohmann/json_fwd.hpp>
#include <string>
#include <string_view>

#include "absl/status/statusor.h"

namespace todo::auth {

/// A private key that signs tokens, for operators without an identity provider and for tests. The
/// service itself signs no tokens. Thread safety: const methods may be called from many threads at
/// once; none blocks.
class TokenSigner {
 public:
  enum class Kind { kEcP256, kEd25519, kRsa };

  /// A private key in PEM without a password, or as a JWK: RSA of at least 2048 bits (signs with
  /// RS256), EC on P-256 (ES256), or Ed25519 (EdDSA). kInvalidArgument, with what is wrong: any
  /// other text.
  static absl::StatusOr<TokenSigner> Read(std::string_view text);

  /// A new key. Takes up to some seconds for RSA.
  static TokenSigner Generate(Kind kind);

  /// The private key in PEM (PKCS #8).
  std::string Pem() const;

  /// The public half as a JWK with `use`, `alg` and `kid`, which is the key's thumbprint
  /// (RFC 7638).
  nlohmann::json PublicJwk() const;

  /// A token (JWT) with these claims, whose `kid` is that of PublicJwk.
  std::string Sign(const nlohmann::json& claims) const;

 private:
  TokenSigner(std::shared_ptr<EVP_PKEY> key, Kind kind) : key_(std::move(key)), kind_(kind) {}

  std::shared_ptr<EVP_PKEY> key_;
  Kind kind_;
};

}  // namespace todo::auth
