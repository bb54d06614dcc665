#pragma once

#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "util/http_exchange.h"

namespace todo::api {

/// Which pages may watch: those of the server's own origin and of the allowed ones. Browsers do not
/// ask before they open a WebSocket, so the server must look. Immutable.
class OriginRule {
 public:
  /// Such as "https://app.example.org".
  explicit OriginRule(std::vector<std::string> allowed) : allowed_(std::move(allowed)) {}

  /// OK for a page that may watch, and for a client that sends no origin, because it is no browser.
  /// kPermissionDenied, with reason WRONG_ORIGIN: for any other.
  absl::Status Check(const util::HttpRequestHead& head) const;

 private:
  const std::vector<std::string> allowed_;
};

}  // namespace todo::api
