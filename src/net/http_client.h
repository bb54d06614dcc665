#pragma once

#include <chrono>
#include <cstddef>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "net/target.h"
#include "net/target_guard.h"

namespace todo::net {

struct HttpRequest {
  enum class Method { kGet, kPost };

  Method method = Method::kGet;
  /// Lines such as "content-type: application/json". Precondition: no control characters in them.
  std::vector<std::string> headers;
  std::string body;  // kPost only
  /// Of the whole exchange, the look-up of the name included.
  std::chrono::milliseconds timeout{15'000};
  /// The transfer ends when the response has a longer body.
  std::size_t max_response_bytes = 64 * 1024;
};

struct HttpResponse {
  int status = 0;
  /// The body up to the limit of the request.
  std::string body;
  /// Whether `body` is all of the body. False: it was longer than the limit, or the connection
  /// broke or the time ran out behind the headers.
  bool complete = true;
  /// The header Retry-After, its date converted to the time until then.
  std::optional<std::chrono::seconds> retry_after;
};

/// Sends HTTP requests, each on a connection of its own. Redirects are not followed: they are
/// responses like all others.
/// Thread safety: all methods may be called from many threads at once.
class HttpClient {
 public:
  struct Options {
    /// Judges the targets that users name. nullopt: every target is the operator's choice.
    std::optional<TargetGuard> guard;
    /// PEM file of the authorities that are trusted instead of the system's; empty: the system's.
    std::string ca_file;
  };
  explicit HttpClient(Options options) : options_(std::move(options)) {}

  /// kPermissionDenied when Send would refuse this URL whatever its host's name leads to, with a
  /// reason for the user who gives it. Does not block.
  absl::Status Check(const std::string& url) const;

  /// Any response is OK, whatever its status. Blocks, at most as long as the request's timeout.
  /// kPermissionDenied: the guard has refused every address of the host, and nothing was sent.
  /// kDeadlineExceeded: no response came in time. kUnavailable: there was no response for another
  /// reason, with libcurl's description. After the last two the server may have received the
  /// request.
  absl::StatusOr<HttpResponse> Send(const Target& target, const HttpRequest& request) const;

 private:
  Options options_;
};

}  // namespace todo::net
