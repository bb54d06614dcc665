#pragma once

#include <chrono>
#include <functional>
#include <map>
#include <memory>
#include <string>

#include "absl/status/status.h"

namespace todo::edge {

struct HttpServerOptions {
  std::string address = "127.0.0.1";  // an IP address
  int port = 8080;                    // 0: any free one
  int max_connections = 256;          // a further connection is closed without an answer
  std::chrono::seconds patience{10};  // for a whole request, and for the client to read its answer
  std::size_t max_header_bytes = 8 * 1024;
};

struct HttpResponse {
  int status = 200;
  std::string content_type = "text/plain; charset=utf-8";
  std::string body;
};

/// Answers GET and HEAD requests for a fixed set of paths over HTTP/1.1. Rejects requests with a
/// body. Owns one thread. Thread safety: Start and Stop from one thread.
class HttpServer {
 public:
  /// Called on the server's thread, one call at a time; must not block. An exception becomes a 500.
  using Handler = std::function<HttpResponse()>;

  /// `routes`: the handler of each path (without query). Objects that the handlers use must outlive
  /// the server.
  HttpServer(HttpServerOptions options, std::map<std::string, Handler, std::less<>> routes);
  /// Stops.
  ~HttpServer();
  HttpServer(const HttpServer&) = delete;
  HttpServer& operator=(const HttpServer&) = delete;

  /// kUnavailable: the port cannot be opened; the text says why and which settings choose another.
  absl::Status Start();
  /// Closes the port and all connections. Calling it again is harmless.
  void Stop();

  /// The port that Start opened.
  int port() const;

 private:
  class Server;
  std::unique_ptr<Server> server_;
};

}  // namespace todo::edge
