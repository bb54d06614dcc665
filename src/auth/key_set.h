#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"
#include "auth/verification_key.h"

namespace todo::auth {

/// The keys of one issuer. Thread safety: const methods may be called from many threads at once.
class KeySet {
 public:
  enum class SharedSecrets { kRefused, kAllowed };

  /// A JWK Set (RFC 7517), or a single JWK. A key that cannot be used is left out (see
  /// skipped_keys) and spoils no other key. kInvalidArgument, with what is wrong: the text is no
  /// key set, no key of it can be used, two keys have one `kid`, or secrets are mixed with public
  /// keys or not allowed. `rsa_algorithm` is the algorithm of RSA keys that name none; empty: such
  /// a key cannot be used. Up to 200 ms for each key: not for a thread that must not block.
  static absl::StatusOr<KeySet> Parse(std::string_view json, SharedSecrets secrets,
                                      std::string_view rsa_algorithm = {});

  /// The key that a token with this `kid` names; null when there is none. A token without `kid`
  /// (an empty one) means the only key of the set.
  const VerificationKey* Find(std::string_view kid) const;

  const std::vector<VerificationKey>& keys() const { return keys_; }
  /// For each key that was left out, its `kid` and why.
  const std::vector<std::string>& skipped_keys() const { return skipped_keys_; }

 private:
  KeySet() = default;

  std::vector<VerificationKey> keys_;
  std::vector<std::string> skipped_keys_;
};

}  // namespace todo::auth
