#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "util/web_socket.h"

// An HTTP request and the way to answer it, between a server of bytes (edge) and the doors that
// give the bytes a meaning (api). Neither side knows the other.

namespace todo::util {

/// Names in lower case, in the order of the wire.
using HttpHeaders = std::vector<std::pair<std::string, std::string>>;

/// All that a request says before its body.
struct HttpRequestHead {
  std::string method;  // "GET"
  std::string path;    // of the target, as it was sent
  std::string query;   // of the target, without '?', as it was sent
  HttpHeaders headers;
  std::string peer;        // IP address of the client
  bool encrypted = false;  // came over TLS
  std::optional<std::uint64_t> content_length;

  /// The first value of a header; empty when there is none. `name` in lower case.
  std::string_view Find(std::string_view name) const {
    for (const auto& [key, value] : headers)
      if (key == name) return value;
    return {};
  }
  /// All values of a header, in their order. `name` in lower case.
  std::vector<std::string> All(std::string_view name) const {
    std::vector<std::string> values;
    for (const auto& [key, value] : headers)
      if (key == name) values.push_back(value);
    return values;
  }
};

struct HttpResponseHead {
  int status = 200;
  HttpHeaders headers = {};
};

struct HttpResponse {
  int status = 200;
  HttpHeaders headers = {};  // the server adds content-length
  std::string body = {};
};

/// The way back to the client of one request. Exactly one of Respond and Begin is called, once;
/// after Begin come any number of Write and one End. Destroying the exchange unanswered closes the
/// connection. Thread safety: the functions may be called from any thread, one after another;
/// IsCancelled from any thread at any time. Never blocks.
class HttpExchange {
 public:
  HttpExchange() = default;
  virtual ~HttpExchange() = default;
  HttpExchange(const HttpExchange&) = delete;
  HttpExchange& operator=(const HttpExchange&) = delete;

  /// Whether the client is known to have gone. A client that only stops sending may still read, so
  /// one that closes its connection is known to have gone when it is written to.
  virtual bool IsCancelled() const = 0;
  /// `callback` is called once, from any thread, when the client goes before the answer is
  /// complete; at once when it has gone already. It must not block, and may call nothing of the
  /// exchange but End; it may destroy the exchange. A second callback takes the place of the first.
  /// A server that cannot tell never calls it.
  virtual void OnCancel(std::function<void()> callback) { static_cast<void>(callback); }

  virtual void Respond(HttpResponse response) = 0;

  /// A response whose body comes in pieces.
  virtual void Begin(HttpResponseHead head) = 0;
  /// Queues one piece of the body. False: the client has gone, or has left so much unread that the
  /// server closed the connection; then only End remains to be called.
  virtual bool Write(std::string piece) = 0;
  virtual void End() = 0;
  /// `callback` is called once, from any thread, when all pieces have been given to the network, or
  /// the client has gone; at once when that is so already. It must not block. A second callback
  /// takes the place of the first.
  virtual void OnDrained(std::function<void()> callback) { callback(); }
};

/// The body of a request will be read and given to `handle`.
struct HttpAcceptance {
  /// A longer body is refused by the server.
  std::size_t max_body_bytes = 0;
  /// The answer to a longer body; nullopt: the server's own, 413.
  std::optional<HttpResponse> too_long = {};
  /// Whose request it is; the server may bound the requests in progress of each holder. Empty: of
  /// nobody in particular.
  std::string holder = {};
  /// Makes the answer above that bound; empty: the server's own, 429.
  std::function<HttpResponse()> too_many = {};
  /// Called once, on the server's thread, with the whole body; must not block. Not called when the
  /// client goes before its body is complete.
  std::function<void(std::string body, std::unique_ptr<HttpExchange> exchange)> handle;
};

/// The decision about a request whose head has arrived: its answer, given without reading the
/// body, or an acceptance.
using HttpDecision = std::variant<HttpResponse, HttpAcceptance, WebSocketAcceptance>;

/// Takes the requests of a server, or those of a part of its paths.
class HttpHandler {
 public:
  HttpHandler() = default;
  virtual ~HttpHandler() = default;
  HttpHandler(const HttpHandler&) = delete;
  HttpHandler& operator=(const HttpHandler&) = delete;

  /// Called on the server's thread when the head has arrived; must not block. An exception becomes
  /// a 500.
  virtual HttpDecision Decide(const HttpRequestHead& head) = 0;
};

}  // namespace todo::util
