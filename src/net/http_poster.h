#pragma once

#include <chrono>
#include <string>
#include <vector>

#include "net/target_guard.h"
#include "ports/notification_senders.h"

namespace todo::net {

struct HttpOptions {
  /// Hosts that may be private and may be called over http: see TargetGuard.
  std::vector<std::string> allowed_hosts;
  /// PEM file of the authorities that are trusted instead of the system's; empty: the system's.
  std::string ca_file;
  std::chrono::milliseconds timeout{15'000};  // of one attempt, name look-up included
};

/// POSTs to targets that a user has chosen, through a TargetGuard.
/// Thread safety: all methods may be called from many threads at once. Post blocks, at most as
/// long as the timeout.
class HttpPoster {
 public:
  /// kInvalidArgument: an entry of `allowed_hosts` is none.
  static absl::StatusOr<HttpPoster> Create(HttpOptions options);

  /// kPermissionDenied: Post would answer kForbidden for this URL, whatever its host's name leads
  /// to.
  absl::Status Check(const std::string& url) const;

  /// 2xx is kDelivered, 410 kGone, all else that came to an answer kRetry, a redirect too: it is
  /// not followed. kForbidden when the guard refused all addresses of the host. `headers` are lines
  /// like "ttl: 60"; precondition: no control characters in them.
  ports::SendOutcome Post(const Target& target, const std::vector<std::string>& headers,
                          const std::string& body) const;

 private:
  HttpPoster(HttpOptions options, TargetGuard guard)
      : options_(std::move(options)), guard_(std::move(guard)) {}

  HttpOptions options_;
  TargetGuard guard_;
};

}  // namespace todo::net
