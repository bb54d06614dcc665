#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "absl/status/statusor.h"
#include "notify/p256_key.h"

// The content coding aes128gcm (RFC 8188), and its use by Web Push (RFC 8291).

namespace todo::notify {

/// Makes the parts of an aes128gcm body: a header, then records. Each record is sealed with the
/// body's keys and its own number, counted from 0. Thread safety: const methods may be called from
/// many threads at once.
class Aes128Gcm {
 public:
  static constexpr std::size_t kSaltBytes = 16;
  static constexpr char kMoreFollows = '\x01';  // ends the plaintext of a record; zeros may follow
  static constexpr char kLast = '\x02';

  /// `secret` is the input keying material. Precondition: the salt has kSaltBytes.
  Aes128Gcm(std::string_view secret, std::string_view salt);

  /// Precondition: `key_id` has at most 255 bytes.
  std::string Header(std::uint32_t record_bytes, std::string_view key_id) const;
  /// `plaintext` ends with kMoreFollows or kLast and its zeros. kInternal: OpenSSL failed.
  absl::StatusOr<std::string> Seal(std::uint64_t record, std::string_view plaintext) const;

 private:
  std::string salt_;
  std::string key_;
  std::string nonce_;
};

/// The keys of a browser's subscription: only this browser can read the message.
struct PushRecipient {
  std::string_view public_key;  // p256dh, raw
  std::string_view auth;        // raw
};

/// The body of a push message: a header and one record. `sender` and `salt` must be fresh for each
/// message. kInvalidArgument: the recipient's keys are invalid, or the body would be longer than
/// the 4,096 bytes that every push service takes. kInternal: OpenSSL failed.
absl::StatusOr<std::string> EncryptPush(const PushRecipient& recipient, std::string_view payload,
                                        const P256Key& sender, std::string_view salt);

}  // namespace todo::notify
