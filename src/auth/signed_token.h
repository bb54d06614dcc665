#pragma once

#include <cstddef>
#include <string>
#include <string_view>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "auth/key_set.h"

namespace todo::auth {

/// A token of more bytes is refused before any work.
inline constexpr std::size_t kMaxTokenBytes = 8 * 1024;

/// A compact JWS (RFC 7515), taken apart and not verified yet: nothing in it can be trusted.
/// Thread safety: as std::string.
class SignedToken {
 public:
  /// kUnauthenticated with reason TOKEN_MALFORMED, and what is wrong: `token` is not a compact JWS
  /// in strict form, or its header asks for something that is not supported: `crit`, `zip`, `b64`,
  /// a nested token
  /// (`cty`), or a key inside or behind the header (`jwk`, `jku`, `x5u`, `x5c`).
  static absl::StatusOr<SignedToken> Parse(std::string_view token);

  /// Empty when the header names no key.
  const std::string& key_id() const { return key_id_; }
  /// The bytes that were signed; of a JWT, its claims.
  const std::string& payload() const { return payload_; }
  /// In lower case; empty when the header has no `typ`.
  const std::string& type() const { return type_; }

  /// kUnauthenticated, by reason: TOKEN_KEY, the token names an unknown key; TOKEN_ALGORITHM, it
  /// names another algorithm than that of its key; TOKEN_SIGNATURE, the signature is wrong.
  absl::Status Verify(const KeySet& keys) const;

 private:
  SignedToken() = default;

  std::string algorithm_;
  std::string key_id_;
  std::string type_;
  std::string signed_text_;
  std::string payload_;
  std::string signature_;
};

}  // namespace todo::auth
