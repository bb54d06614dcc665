#pragma once

#include <chrono>
#include <map>
#include <string>
#include <string_view>

#include "absl/status/statusor.h"
#include "notify/p256_key.h"
#include "ports/clock.h"
#include "util/guarded.h"

namespace todo::notify {

/// Says to push services who sends (VAPID, RFC 8292).
/// Thread safety: all methods may be called from many threads at once. Does not block.
class Vapid {
 public:
  /// A token is used for kReuse and valid for kLifetime, of the day that the RFC allows at most.
  static constexpr std::chrono::hours kLifetime{12};
  static constexpr std::chrono::hours kReuse{6};
  /// How many origins are remembered: users choose them, so there may be any number.
  static constexpr std::size_t kMaxOrigins = 256;

  /// `contact` is a mailto: or https: URL by which a push service reaches the operator; `clock`
  /// must outlive this.
  Vapid(P256Key key, std::string contact, const ports::Clock& clock);

  /// The private key as an operator has it: PEM, or the 32 bytes in base64url as most tools for
  /// Web Push write it. kInvalidArgument, without a word of the text, when it is neither.
  static absl::StatusOr<P256Key> ParseKey(std::string_view text);

  /// What a browser needs for subscribing (applicationServerKey): the public key in base64url.
  std::string PublicKey() const;

  /// The value of the header Authorization for a push service at `origin` ("https://host:port").
  absl::StatusOr<std::string> Authorization(const std::string& origin);

 private:
  struct Made {
    std::string authorization;
    domain::Instant until;  // when the next one is made
  };

  const P256Key key_;
  const std::string contact_;
  const ports::Clock& clock_;
  util::Guarded<std::map<std::string, Made>> made_;
};

}  // namespace todo::notify
