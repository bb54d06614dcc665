#pragma once

#include <array>
#include <atomic>
#include <boost/asio/io_context.hpp>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <unordered_map>
#include <utility>

#include "edge/options.h"
#include "edge/origin_policy.h"
#include "edge/places.h"
#include "util/http_exchange.h"

namespace todo::edge {

/// What the connections of one server share. Thread safety: none, the server's thread only; the
/// counters may be read from any thread.
struct ServerState {
  ServerState(HttpServerOptions server_options, util::HttpHandler& server_handler)
      : options(std::move(server_options)),
        handler(server_handler),
        origins(options.origins),
        places(options.max_connections, options.max_connections_per_peer) {}

  const HttpServerOptions options;
  util::HttpHandler& handler;
  const OriginPolicy origins;
  Places places;
  std::unordered_map<std::string, int> requests_of;  // in progress, by holder
  std::size_t request_bytes = 0;                     // held, of all connections
  std::size_t response_bytes = 0;                    // held, of all connections
  bool stopping = false;
  std::array<char, 16UL * 1024> scratch;  // see Transport::Receive
  std::array<char, 4UL * 1024> dropped;   // bytes that nobody reads
  std::function<void()> on_left;          // called when a connection has given its place back
  std::atomic<int> open_count = 0;
  std::atomic<std::int64_t> refused_count = 0;  // for want of a place
  std::atomic<std::int64_t> request_count = 0;
  /// Shared with the exchanges, which may outlive the server: waking it is harmless then.
  const std::shared_ptr<boost::asio::io_context> io = std::make_shared<boost::asio::io_context>(1);
};

}  // namespace todo::edge
