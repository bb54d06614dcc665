#pragma once

#include <chrono>
#include <cstdint>
#include <memory>

#include "absl/status/status.h"
#include "edge/options.h"
#include "util/http_exchange.h"

namespace todo::edge {

/// For metrics.
struct HttpServerStats {
  int open_count = 0;              // connections
  std::int64_t refused_count = 0;  // connections, for want of a place
  std::int64_t request_count = 0;
};

/// An HTTP/1.1 server on one port, with limits for everything that a client could use up. Gives the
/// requests to one handler. Owns one thread. Thread safety: Start and Stop from one thread, the
/// rest from any.
class HttpServer {
 public:
  /// `handler` must outlive the server.
  HttpServer(HttpServerOptions options, util::HttpHandler& handler);
  /// Stops without patience.
  ~HttpServer();
  HttpServer(const HttpServer&) = delete;
  HttpServer& operator=(const HttpServer&) = delete;

  /// kUnavailable: the port cannot be opened; the text says why and which settings choose another.
  /// kInvalidArgument: the files for TLS cannot be used.
  absl::Status Start();
  /// Closes the port and the idle connections, waits until `deadline` for the requests in progress,
  /// then closes the rest. True: none was cut off. Calling it again is harmless.
  bool Stop(std::chrono::steady_clock::time_point deadline = {});

  /// The port that Start opened.
  int port() const;
  HttpServerStats stats() const;

 private:
  class Server;
  std::unique_ptr<Server> server_;
};

}  // namespace todo::edge
