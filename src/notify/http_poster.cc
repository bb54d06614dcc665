#include "notify/http_poster.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstddef>

#include "notify/send_outcome.h"
#include "util/one_line.h"
#include "util/status.h"

namespace todo::notify {
namespace {

using ports::SendOutcome;
using Kind = SendOutcome::Kind;

constexpr std::size_t kMaxResponseBytes = 8 * 1024;
constexpr std::size_t kQuotedBytes = 200;
constexpr std::chrono::seconds kMaxRetryAfter = std::chrono::hours{24};

SendOutcome OutcomeOf(const net::HttpResponse& response) {
  SendOutcome outcome;
  outcome.status_code = response.status;
  const int hundreds = response.status / 100;
  if (hundreds == 2) outcome.kind = Kind::kDelivered;
  if (response.status == 410) outcome.kind = Kind::kGone;
  outcome.detail = fmt::format("HTTP {}", response.status);
  if (hundreds == 3) outcome.detail += ": redirects are not followed";
  if (hundreds != 2 && !response.body.empty())
    outcome.detail += ": " + util::OneLine(response.body.substr(0, kQuotedBytes), kQuotedBytes);
  if (outcome.kind == Kind::kRetry && response.retry_after)
    outcome.retry_after = std::min(*response.retry_after, kMaxRetryAfter);
  return outcome;
}

}  // namespace

absl::StatusOr<HttpPoster> HttpPoster::Create(HttpOptions options) {
  TODO_ASSIGN_OR_RETURN(net::TargetGuard guard, net::TargetGuard::Create(options.allowed_hosts));
  net::HttpClient client({.guard = std::move(guard), .ca_file = std::move(options.ca_file)});
  return HttpPoster(std::move(client), options.timeout);
}

SendOutcome HttpPoster::Post(const net::Target& target, std::vector<std::string> headers,
                             std::string body) const {
  const auto response = client_.Send(target, {.method = net::HttpRequest::Method::kPost,
                                              .headers = std::move(headers),
                                              .body = std::move(body),
                                              .timeout = timeout_,
                                              .max_response_bytes = kMaxResponseBytes});
  if (response.ok()) return OutcomeOf(*response);
  const bool forbidden = absl::IsPermissionDenied(response.status());
  return Unanswered(forbidden ? Kind::kForbidden : Kind::kRetry, response.status());
}

}  // namespace todo::notify
