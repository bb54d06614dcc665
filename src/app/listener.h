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
  std::size_t max_buffered_bytes = 0;  // of all calls together, roughly; 0: no limit
  bool public_api = false;             // with limits for untrusted callers
};

struct Listener {
  std::unique_ptr<grpc::Server> server;
  int port = 0;
};

/// Starts a gRPC server. kUnavailable, with the port and the cause: the port cannot be opened, for
/// example because another process has it (gRPC alone would share the port silently).
absl::StatusOr<Listener> Listen(const ListenerOptions& options);

}  // namespace todo::app
