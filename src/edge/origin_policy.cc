#include "edge/origin_policy.h"

#include <algorithm>
#include <string_view>

#include "util/http_problem.h"

namespace todo::edge {
namespace {

constexpr const char* kAllowedMethods = "GET, HEAD, POST";
constexpr const char* kAllowedFields =
    "authorization, content-type, content-encoding, connect-protocol-version, connect-timeout-ms, "
    "x-user-id, x-user-role, traceparent, last-event-id, mcp-protocol-version, mcp-method, "
    "mcp-name";
constexpr const char* kExposedFields =
    "connect-content-encoding, content-encoding, retry-after, www-authenticate, allow";
/// How long a browser may remember the answer to its question. Browsers cut it to two hours.
constexpr const char* kMaxAgeSeconds = "7200";

bool IsLoopbackName(std::string_view host) {
  std::string_view name = host;
  if (name.starts_with('[')) {
    const std::size_t end = name.find(']');
    name = end == std::string_view::npos ? name : name.substr(0, end + 1);
  } else {
    name = name.substr(0, name.find(':'));
  }
  return name == "localhost" || name == "[::1]" || name == "127.0.0.1";
}

}  // namespace

std::optional<util::HttpResponse> OriginPolicy::Answer(const util::HttpRequestHead& head) const {
  if (options_.loopback_names_only && !IsLoopbackName(head.Find("host")))
    return util::HttpProblem(403,
                             "with --dev-identity the host must be localhost, 127.0.0.1 or [::1]");
  const std::string_view origin = head.Find("origin");
  if (head.method != "OPTIONS" || origin.empty() ||
      head.Find("access-control-request-method").empty())
    return std::nullopt;
  if (!Allows(origin))
    return util::HttpProblem(403, "this origin is not among --web-allowed-origins");
  return util::HttpResponse{.status = 204,
                            .headers = {{"access-control-allow-methods", kAllowedMethods},
                                        {"access-control-allow-headers", kAllowedFields},
                                        {"access-control-max-age", kMaxAgeSeconds}},
                            .body = ""};
}

util::HttpHeaders OriginPolicy::FieldsFor(const util::HttpRequestHead& head) const {
  if (options_.allowed_origins.empty()) return {};
  util::HttpHeaders fields = {{"vary", "Origin"}};
  const std::string_view origin = head.Find("origin");
  if (Allows(origin)) {
    fields.emplace_back("access-control-allow-origin", origin);
    fields.emplace_back("access-control-expose-headers", kExposedFields);
  }
  return fields;
}

bool OriginPolicy::Allows(std::string_view origin) const {
  return std::ranges::find(options_.allowed_origins, origin) != options_.allowed_origins.end();
}

}  // namespace todo::edge
