#pragma once

#include <grpcpp/server.h>

#include <memory>
#include <string>
#include <vector>

#include "absl/status/statusor.h"

namespace todo::app {

struct ListenerOptions {
  std::string name;  // for messages: "api", "app"
  std::string address;
  int port = 0;  // 0: any free one
  std::vector<grpc::Service*> services;
  int max_receive_bytes = 0;           // of a message
  int max_metadata_bytes = 0;          // of a call; 0: gRPC's default, 8 KiB
  std::size_t max_buffered_bytes = 0;  // of all calls together, about; 0: no bound
  bool public_api = false;  // with reflection, and with bounds for callers that nobody vouches for
};

struct Listener {
  std::unique_ptr<grpc::Server> server;
  int port = 0;
};

/// Starts a server. kUnavailable, with port and cause, when it cannot have its port: another
/// process's included, which gRPC would share silently by default.
absl::StatusOr<Listener> Listen(const ListenerOptions& options);

}  // namespace todo::app
