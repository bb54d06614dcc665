#include "net/http_client.h"

#include <sys/socket.h>

#include <algorithm>
#include <string_view>

#include "net/curl_handle.h"
#include "util/status.h"

namespace todo::net {
namespace {

constexpr std::size_t kMaxHeaderBytes = 64 * 1024;

/// State that the callbacks of one transfer share.
struct Exchange {
  const TargetGuard* guard = nullptr;  // null: no guard
  const Target* target = nullptr;
  std::size_t max_response_bytes = 0;

  bool any_socket = false;  // the guard has agreed to an address
  absl::Status refusal;     // the guard's last one
  bool headers_ended = false;
  std::size_t header_bytes = 0;
  std::string body;
};

/// libcurl asks for a socket for exactly the address that it is about to connect to.
curl_socket_t OpenSocket(void* data, curlsocktype purpose, curl_sockaddr* address) {
  auto& exchange = *static_cast<Exchange*>(data);
  const auto ip = IpAddress::FromSocket(address->addr);
  if (purpose != CURLSOCKTYPE_IPCXN || !ip) return CURL_SOCKET_BAD;
  if (exchange.guard != nullptr) {
    absl::Status allowed = exchange.guard->MayConnect(*exchange.target, *ip);
    if (!allowed.ok()) {
      exchange.refusal = std::move(allowed);
      return CURL_SOCKET_BAD;
    }
  }
  exchange.any_socket = true;
  return socket(address->family, address->socktype | SOCK_CLOEXEC, address->protocol);
}

/// Ends transfers with endless headers: libcurl keeps all headers in memory.
std::size_t OnHeader(char* begin, std::size_t, std::size_t bytes, void* data) {
  auto& exchange = *static_cast<Exchange*>(data);
  exchange.headers_ended = std::string_view(begin, bytes) == "\r\n";
  exchange.header_bytes += bytes;
  return exchange.header_bytes <= kMaxHeaderBytes ? bytes : 0;
}

/// Keeps the body up to its limit, and ends the transfer when there is more.
std::size_t OnBody(char* begin, std::size_t, std::size_t bytes, void* data) {
  auto& exchange = *static_cast<Exchange*>(data);
  const std::size_t room = exchange.max_response_bytes - exchange.body.size();
  exchange.body.append(begin, std::min(bytes, room));
  return bytes <= room ? bytes : 0;
}

void SetRequest(CurlHandle& curl, const Target& target, const HttpRequest& request) {
  curl.Set(CURLOPT_CURLU, target.url.get());
  curl.Set(CURLOPT_PROTOCOLS_STR, "http,https");
  curl.Set(CURLOPT_HTTP_VERSION, static_cast<long>(CURL_HTTP_VERSION_1_1));
  curl.Set(CURLOPT_USERAGENT, "todo-service");
  curl.SetList(CURLOPT_HTTPHEADER, request.headers);
  if (request.method == HttpRequest::Method::kGet) return;
  curl.Set(CURLOPT_POSTFIELDSIZE_LARGE, static_cast<curl_off_t>(request.body.size()));
  curl.Set(CURLOPT_POSTFIELDS, request.body.data());
}

void SetCallbacks(CurlHandle& curl, Exchange& exchange) {
  curl.Set(CURLOPT_OPENSOCKETFUNCTION, OpenSocket);
  curl.Set(CURLOPT_OPENSOCKETDATA, &exchange);
  curl.Set(CURLOPT_HEADERFUNCTION, OnHeader);
  curl.Set(CURLOPT_HEADERDATA, &exchange);
  curl.Set(CURLOPT_WRITEFUNCTION, OnBody);
  curl.Set(CURLOPT_WRITEDATA, &exchange);
}

HttpResponse ResponseOf(CurlHandle& curl, CURLcode code, Exchange& exchange) {
  HttpResponse response;
  response.status = curl.StatusCode();
  response.body = std::move(exchange.body);
  response.complete = code == CURLE_OK;
  curl_off_t wait = 0;  // libcurl converts the header's date to the seconds until then
  curl_easy_getinfo(curl.get(), CURLINFO_RETRY_AFTER, &wait);
  if (wait > 0) response.retry_after = std::chrono::seconds(wait);
  return response;
}

}  // namespace

absl::Status HttpClient::Check(const std::string& url) const {
  TODO_ASSIGN_OR_RETURN(const Target target, ParseTarget(url));
  return options_.guard ? options_.guard->MayEver(target) : absl::OkStatus();
}

absl::StatusOr<HttpResponse> HttpClient::Send(const Target& target,
                                              const HttpRequest& request) const {
  Exchange exchange;
  exchange.guard = options_.guard ? &*options_.guard : nullptr;
  exchange.target = &target;
  exchange.max_response_bytes = request.max_response_bytes;
  CurlHandle curl(request.timeout, options_.ca_file);
  SetRequest(curl, target, request);
  SetCallbacks(curl, exchange);

  const CURLcode code = curl.Perform();
  // Behind the headers the status is final, whether or not the body ends.
  if (code == CURLE_OK || exchange.headers_ended) return ResponseOf(curl, code, exchange);
  if (!exchange.any_socket && !exchange.refusal.ok()) return exchange.refusal;
  return util::MakeStatus(code == CURLE_OPERATION_TIMEDOUT ? absl::StatusCode::kDeadlineExceeded
                                                           : absl::StatusCode::kUnavailable,
                          curl.Describe(code));
}

}  // namespace todo::net
