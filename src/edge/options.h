#pragma once

#include <chrono>
#include <cstddef>
#include <optional>
#include <string>

#include "edge/origin_policy.h"
#include "edge/tls_files.h"

namespace todo::edge {

/// The bounds of each WebSocket, beside those of its util::WebSocketAcceptance. A part of a message
/// and an unread message have the time of a body and of an answer, see HttpServerOptions.
struct WebSocketOptions {
  /// A client that has sent nothing for this time is asked for a sign of life (ping).
  std::chrono::milliseconds ping_after = std::chrono::seconds(30);
  /// For any byte after that; then the connection ends.
  std::chrono::milliseconds pong_patience = std::chrono::seconds(30);
  /// For the client's close frame, after the server's; then the connection ends.
  std::chrono::milliseconds close_patience = std::chrono::seconds(5);
  int max_fragments = 1'024;  // of one message
  /// Pings and pongs of the client; above it the socket closes with 1008.
  double control_frames_per_second = 10;
  double control_frame_burst = 60;
};

/// Every resource that a stranger could use up has a bound here.
struct HttpServerOptions {
  /// In errors and logs; "web" stands for the settings --web-address and --web-port.
  std::string name = "ops";
  std::string address = "127.0.0.1";  // an IP address, or "localhost"
  int port = 0;                       // 0: any free one
  std::optional<TlsFiles> tls = {};   // nullopt: in the clear
  OriginPolicy::Options origins = {};

  int max_connections = 256;
  int max_connections_per_peer = 0;  // of one IP address; 0: no such bound
  /// From the head to the end of the answer, see util::HttpAcceptance; 0: no such bound.
  int max_requests_per_holder = 0;

  std::size_t max_head_bytes = 16UL * 1024;
  std::size_t max_head_fields = 100;
  /// For a handshake, for a head, and in addition to what `min_bytes_per_second` grants for a body
  /// and for each 64 KiB of an answer.
  std::chrono::milliseconds patience = std::chrono::seconds(10);
  /// For the next request on a connection.
  std::chrono::milliseconds idle_patience = std::chrono::seconds(60);
  std::size_t min_bytes_per_second = 8UL * 1024;
  /// Sent bytes that the client's kernel has not acknowledged for so long end the connection: the
  /// client or the way to it is gone. Few bytes, as a ping, fit into the buffers of the socket, so
  /// no other patience would notice.
  std::chrono::milliseconds acknowledge_patience = std::chrono::seconds(40);
  /// Of one streamed answer, see util::HttpExchange::Write; one piece more is taken.
  std::size_t max_unsent_bytes = 1024UL * 1024;
  WebSocketOptions web_sockets = {};

  /// Of the bodies of all requests in progress, and of all incomplete messages of WebSockets. Above
  /// it further ones are refused (503, or close code 1013).
  std::size_t max_request_bytes_held = 64UL * 1024 * 1024;
  /// Of the answers to all requests, and of all messages to WebSockets. Above it the connections
  /// that hold the most are closed, first among those whose clients do not read.
  std::size_t max_response_bytes_held = 64UL * 1024 * 1024;
};

}  // namespace todo::edge
