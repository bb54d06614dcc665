#include "net/http_poster.h"

#include <fmt/format.h>
#include <sys/socket.h>

#include <algorithm>
#include <cstddef>

#include "net/curl_handle.h"
#include "net/unanswered.h"
#include "util/one_line.h"
#include "util/status.h"

namespace todo::net {
namespace {

using ports::SendOutcome;
using Kind = SendOutcome::Kind;

constexpr std::size_t kMaxHeaderBytes = 64 * 1024;
constexpr std::size_t kMaxBodyBytes = 8 * 1024;
constexpr std::size_t kQuotedBytes = 200;
constexpr std::chrono::seconds kMaxRetryAfter = std::chrono::hours{24};

/// What the callbacks of one transfer share.
struct Exchange {
  Exchange(const TargetGuard& the_guard, const Target& the_target)
      : guard(the_guard), target(the_target) {}

  const TargetGuard& guard;
  const Target& target;
  bool any_socket = false;  // the guard agreed to an address
  absl::Status refusal;     // the guard's last one
  bool headers_ended = false;
  std::size_t header_bytes = 0;
  std::size_t body_bytes = 0;
  std::string quoted;  // the beginning of the answer's body
};

/// libcurl asks for a socket for exactly the address that it is about to connect to.
curl_socket_t OpenSocket(void* data, curlsocktype purpose, curl_sockaddr* address) {
  auto& exchange = *static_cast<Exchange*>(data);
  const auto ip = IpAddress::FromSocket(address->addr);
  if (purpose != CURLSOCKTYPE_IPCXN || !ip) return CURL_SOCKET_BAD;
  if (absl::Status allowed = exchange.guard.MayConnect(exchange.target, *ip); !allowed.ok()) {
    exchange.refusal = std::move(allowed);
    return CURL_SOCKET_BAD;
  }
  exchange.any_socket = true;
  return socket(address->family, address->socktype | SOCK_CLOEXEC, address->protocol);
}

/// Ends transfers whose headers never do: libcurl keeps them all.
std::size_t OnHeader(char* begin, std::size_t, std::size_t bytes, void* data) {
  auto& exchange = *static_cast<Exchange*>(data);
  exchange.headers_ended = std::string_view(begin, bytes) == "\r\n";
  exchange.header_bytes += bytes;
  return exchange.header_bytes <= kMaxHeaderBytes ? bytes : 0;
}

/// Keeps the beginning of the body, and ends the transfer when there is more than anybody needs.
std::size_t OnBody(char* begin, std::size_t, std::size_t bytes, void* data) {
  auto& exchange = *static_cast<Exchange*>(data);
  exchange.quoted.append(begin, std::min(bytes, kQuotedBytes - exchange.quoted.size()));
  exchange.body_bytes += bytes;
  return exchange.body_bytes <= kMaxBodyBytes ? bytes : 0;
}

SendOutcome FromAnswer(CurlHandle& curl, const Exchange& exchange) {
  SendOutcome outcome;
  outcome.status_code = curl.StatusCode();
  const int hundreds = outcome.status_code / 100;
  if (hundreds == 2) outcome.kind = Kind::kDelivered;
  if (outcome.status_code == 410) outcome.kind = Kind::kGone;
  outcome.detail = fmt::format("HTTP {}", outcome.status_code);
  if (hundreds == 3) outcome.detail += ": redirects are not followed";
  if (hundreds != 2 && !exchange.quoted.empty())
    outcome.detail += ": " + util::OneLine(exchange.quoted, kQuotedBytes);

  curl_off_t wait =
      0;  // libcurl reads both forms of Retry-After; a date gives the seconds until it
  curl_easy_getinfo(curl.get(), CURLINFO_RETRY_AFTER, &wait);
  if (outcome.kind == Kind::kRetry && wait > 0)
    outcome.retry_after = std::min(std::chrono::seconds{wait}, kMaxRetryAfter);
  return outcome;
}

}  // namespace

absl::StatusOr<HttpPoster> HttpPoster::Create(HttpOptions options) {
  TODO_ASSIGN_OR_RETURN(TargetGuard guard, TargetGuard::Create(options.allowed_hosts));
  return HttpPoster(std::move(options), std::move(guard));
}

absl::Status HttpPoster::Check(const std::string& url) const {
  TODO_ASSIGN_OR_RETURN(const Target target, ParseTarget(url));
  return guard_.MayEver(target);
}

SendOutcome HttpPoster::Post(const Target& target, const std::vector<std::string>& headers,
                             const std::string& body) const {
  Exchange exchange(guard_, target);
  CurlHandle curl(options_.timeout, options_.ca_file);
  curl.Set(CURLOPT_CURLU, target.url.get());
  curl.Set(CURLOPT_PROTOCOLS_STR, "http,https");
  curl.Set(CURLOPT_HTTP_VERSION, static_cast<long>(CURL_HTTP_VERSION_1_1));
  curl.Set(CURLOPT_OPENSOCKETFUNCTION, OpenSocket);
  curl.Set(CURLOPT_OPENSOCKETDATA, &exchange);
  curl.Set(CURLOPT_HEADERFUNCTION, OnHeader);
  curl.Set(CURLOPT_HEADERDATA, &exchange);
  curl.Set(CURLOPT_WRITEFUNCTION, OnBody);
  curl.Set(CURLOPT_WRITEDATA, &exchange);
  curl.Set(CURLOPT_USERAGENT, "todo-service");
  curl.SetList(CURLOPT_HTTPHEADER, headers);
  curl.Set(CURLOPT_POSTFIELDSIZE_LARGE, static_cast<curl_off_t>(body.size()));
  curl.Set(CURLOPT_POSTFIELDS, body.data());

  const CURLcode code = curl.Perform();
  // Behind its headers the status is final: a body that does not end changes nothing.
  if (code == CURLE_OK || exchange.headers_ended) return FromAnswer(curl, exchange);
  if (!exchange.any_socket && !exchange.refusal.ok())
    return Unanswered(Kind::kForbidden, exchange.refusal);
  return Unanswered(Kind::kRetry, curl.Describe(code));
}

}  // namespace todo::net
