#pragma once

#include <openssl/types.h>

#include <memory>
#include <nlohmann/json_fwd.hpp>
#include <string>
#include <string_view>

#include "absl/status/statusor.h"

namespace todo::auth {

/// A key that verifies signatures, and the one algorithm it is for: the key decides the algorithm,
/// never a token. Thread safety: const methods may be called from many threads at once; none
/// blocks.
class VerificationKey {
 public:
  /// The key of a JWK (RFC 7517): RSA of 2048 to 8192 bits with `alg` RS256 to RS512 or PS256 to
  /// PS512; EC on P-256, P-384 or P-521; OKP on Ed25519; oct with `alg` HS256 to HS512 and at least
  /// as many bits. kInvalidArgument, with what is wrong: any other key, one that is not for
  /// verifying (`use`, `key_ops`), or one that is known to be weak. Takes up to 200 ms for the
  /// largest RSA key.
  static absl::StatusOr<VerificationKey> FromJwk(const nlohmann::json& jwk);

  /// May be empty.
  const std::string& id() const { return id_; }
  /// As tokens name it: "RS256".
  const std::string& algorithm() const { return algorithm_; }
  /// Whether a token may name the key's algorithm so. EdDSA has a second name, "Ed25519" (RFC
  /// 9864).
  bool IsFor(std::string_view algorithm) const;
  /// Whether the key is a secret that its issuer shares with this service.
  bool is_shared_secret() const { return public_key_ == nullptr; }

  /// Whether `signature` is that of `text` by this key and its algorithm.
  bool Verifies(std::string_view text, std::string_view signature) const;

 private:
  VerificationKey() = default;

  std::string id_;
  std::string algorithm_;
  const char* digest_ = nullptr;  // OpenSSL's name; null for Ed25519
  std::shared_ptr<EVP_PKEY> public_key_;
  std::string secret_;
};

}  // namespace todo::auth
