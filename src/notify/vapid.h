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

/// Identifies this server to push services (VAPID, RFC 8292).
/// Thread safety: all methods may be called from many threads at once. Does not block.
class Vapid {
 public:
  /// A token is valid for kLifetime (the RFC allows at most a day) and reused for kReuse.
  static constexpr std::chrono::hours kLifetime{12};
  static constexpr std::chrono::hours kReuse{6};
  /// The tokens of at most this many origins are kept: users choose the origins, so there may be
  /// any number.
  static constexpr std::size_t kMaxOrigins = 256;

  /// `contact` is a mailto: or https: URL by which a push service reaches the operator; `clock`
  /// must outlive this.
  Vapid(P256Key key, std::string contact, const ports::Clock& clock);

  /// Reads a private key in PEM, or its 32 bytes in base64url, the usual form of Web Push tools.
  /// kInvalidArgument: `text` is neither; the message does not quote it.
  static absl::StatusOr<P256Key> ParseKey(std::string_view text);

  /// The public key in base64url: browsers subscribe with it (applicationServerKey).
  std::string PublicKey() const;

  /// The value of the header Authorization for a push service at `origin` ("https://host:port").
  /// kInternal: OpenSSL failed.
  absl::StatusOr<std::string> Authorization(const std::string& origin);

 private:
  struct Made {
    std::string authorization;
    domain::Instant until;  // then the next one is made
  };

  const P256Key key_;
  const std::string contact_;
  const ports::Clock& clock_;
  util::Guarded<std::map<std::string, Made>> made_;
};

}  // namespace todo::notify
