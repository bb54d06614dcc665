#pragma once

#include <grpcpp/server.h>

#include <chrono>
#include <cstddef>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "front/front.h"

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
  std::size_t max_connections = 128;   // and as many that have not spoken yet
  /// Paths of PEM files, read again when they change. Without a certificate there is no TLS. With
  /// TLS the front cannot read frames, so it bounds connections and time only.
  std::string tls_cert_file = {};
  std::string tls_key_file = {};
  std::string tls_client_ca_file = {};  // not empty: clients must show a certificate of these
};

/// A gRPC server behind a front (src/front) that owns the port.
class Listener {
 public:
  Listener() = default;
  /// Shuts down at once; so does an assignment.
  ~Listener();
  Listener(Listener&&) = default;
  Listener& operator=(Listener&& other) noexcept;

  /// Closes the port, lets calls in progress end until `deadline`, cancels the rest. Blocks until
  /// all calls have ended. Calling it again is harmless.
  void Shutdown(std::chrono::system_clock::time_point deadline);

  /// nullptr for a listener that Listen did not make.
  grpc::Server* server() const { return server_.get(); }
  int port() const { return front_ == nullptr ? 0 : front_->port(); }
  int connection_count() const { return front_ == nullptr ? 0 : front_->connection_count(); }
  int accepted_count() const { return front_ == nullptr ? 0 : front_->accepted_count(); }

 private:
  friend absl::StatusOr<Listener> Listen(const ListenerOptions& options);

  std::unique_ptr<grpc::Server> server_;
  std::unique_ptr<front::Front> front_;  // hands connections to the server
  bool shut_down_ = false;
};

/// Starts a gRPC server. kUnavailable, with the port and the cause: the port cannot be opened, for
/// example because another process has it. kInvalidArgument: the files for TLS are not usable.
absl::StatusOr<Listener> Listen(const ListenerOptions& options);

}  // namespace todo::app
