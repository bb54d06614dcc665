#pragma once

#include <chrono>
#include <cstddef>
#include <optional>
#include <string>

#include "edge/origin_policy.h"
#include "edge/tls_files.h"

namespace todo::edge {

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
  /// Of one streamed answer, see util::HttpExchange::Write; one piece more is taken.
  std::size_t max_unsent_bytes = 1024UL * 1024;

  /// Of the bodies of all requests in progress. Above it further bodies are refused (503).
  std::size_t max_request_bytes_held = 64UL * 1024 * 1024;
  /// Of the answers to all requests. Above it the connections that hold the most are closed, first
  /// among those whose clients do not read.
  std::size_t max_response_bytes_held = 64UL * 1024 * 1024;
};

}  // namespace todo::edge
