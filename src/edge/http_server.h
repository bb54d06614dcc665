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
  int max_connections = 256;          // one more is closed without an answer
  std::chrono::seconds patience{10};  // for a whole request, and for its answer to be taken
  std::size_t max_header_bytes = 8 * 1024;
};

struct HttpResponse {
  int status = 200;
  std::string content_type = "text/plain; charset=utf-8";
  std::string body;
};

/// Answers GET and HEAD of a fixed set of paths over HTTP/1.1. Not for requests with a body: those
/// are refused. Owns one thread. Thread safety: Start and Stop from one thread.
class HttpServer {
 public:
  /// Called on the server's thread, one call at a time: must not block. What it throws ends as 500.
  using Handler = std::function<HttpResponse()>;

  /// `routes`: path (without query) to handler; what they use must outlive the server.
  HttpServer(HttpServerOptions options, std::map<std::string, Handler, std::less<>> routes);
  /// Stops.
  ~HttpServer();
  HttpServer(const HttpServer&) = delete;
  HttpServer& operator=(const HttpServer&) = delete;

  /// kUnavailable: the port cannot be had; the text says why and which settings choose another.
  absl::Status Start();
  /// Closes the port and all connections. Harmless to repeat.
  void Stop();

  /// What Start bound.
  int port() const;

 private:
  class Server;
  std::unique_ptr<Server> server_;
};

}  // namespace todo::edge
