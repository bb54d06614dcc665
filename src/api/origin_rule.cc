#include "api/origin_rule.h"

#include <algorithm>
#include <string_view>

#include "util/status.h"

namespace todo::api {
namespace {

/// Host and port, without a port that the scheme implies.
std::string_view WithoutDefaultPort(std::string_view host, bool is_https) {
  const std::string_view port = is_https ? ":443" : ":80";
  if (host.ends_with(port)) host.remove_suffix(port.size());
  return host;
}

/// Whether a page of this origin came from the host of the request. A proxy may end TLS before the
/// server, so a page of https is at home on a server without TLS, but not the other way round.
bool IsOwnOrigin(std::string_view origin, const util::HttpRequestHead& head) {
  const bool is_https = origin.starts_with("https://");
  if (!is_https && (head.encrypted || !origin.starts_with("http://"))) return false;
  origin.remove_prefix(is_https ? 8 : 7);
  const std::string_view host = head.Find("host");
  return !host.empty() &&
         WithoutDefaultPort(origin, is_https) == WithoutDefaultPort(host, is_https);
}

}  // namespace

absl::Status OriginRule::Check(const util::HttpRequestHead& head) const {
  const std::vector<std::string> origins = head.All("origin");
  if (origins.empty()) return absl::OkStatus();
  if (origins.size() == 1 && (IsOwnOrigin(origins.front(), head) ||
                              std::ranges::find(allowed_, origins.front()) != allowed_.end())) {
    return absl::OkStatus();
  }
  return util::WithReason(
      absl::PermissionDeniedError("this origin is not among --web-allowed-origins"),
      "WRONG_ORIGIN");
}

}  // namespace todo::api
