#pragma once

#include <chrono>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "net/http_client.h"
#include "ports/notification_senders.h"

namespace todo::notify {

struct HttpOptions {
  /// The operator's list of hosts that may be private and may be called over http: see
  /// net::TargetGuard.
  std::vector<std::string> allowed_hosts;
  /// PEM file of the authorities that are trusted instead of the system's; empty: the system's.
  std::string ca_file;
  /// Of one attempt, the look-up of the name included.
  std::chrono::milliseconds timeout{15'000};
};

/// Makes one attempt to POST to a target that a user has chosen, and judges the response.
/// Thread safety: all methods may be called from many threads at once.
class HttpPoster {
 public:
  /// kInvalidArgument names an entry of `allowed_hosts` that cannot be on the list.
  static absl::StatusOr<HttpPoster> Create(HttpOptions options);

  /// kPermissionDenied when Post would answer kForbidden for this URL whatever its host's name
  /// leads to. Does not block.
  absl::Status Check(const std::string& url) const { return client_.Check(url); }

  /// Blocks, at most as long as the timeout. 2xx is kDelivered, 410 kGone, every other status
  /// kRetry, a redirect too: redirects are not followed. kForbidden: the guard refused all
  /// addresses of the host. `headers` are lines such as "ttl: 60"; precondition: no control
  /// characters in them.
  ports::SendOutcome Post(const net::Target& target, std::vector<std::string> headers,
                          std::string body) const;

 private:
  HttpPoster(net::HttpClient client, std::chrono::milliseconds timeout)
      : client_(std::move(client)), timeout_(timeout) {}

  net::HttpClient client_;
  std::chrono::milliseconds timeout_;
};

}  // namespace todo::notify
