#pragma once

#include <grpcpp/impl/service_type.h>

#include <chrono>
#include <map>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "app/config/config.h"
#include "app/listener.h"
#include "app/port_watch.h"

namespace todo::app {

struct GrpcPortStats {
  int open_count = 0;      // connections
  int accepted_count = 0;  // connections, since the start
};

/// The two gRPC ports: the api port for users, the app port for the sidecar. The settings decide
/// about addresses, limits and TLS.
/// Thread safety: one thread for everything but PublishHealth and stats, which any thread may call
/// once the ports are open.
class GrpcPorts {
 public:
  /// `config` must outlive this object.
  explicit GrpcPorts(const Config& config);

  // To be called once each. The services must outlive this object. Statuses as of Listen.
  absl::Status OpenApi(std::vector<grpc::Service*> services);
  /// As soon as this port is open, and only then, the sidecar asks for the subscriptions.
  absl::Status OpenApp(std::vector<grpc::Service*> services);

  /// The answer of grpc.health.v1.Health on the api port from now on.
  void PublishHealth(bool healthy);

  /// Closes the ports and lets calls in progress end until `deadline`. Blocks.
  void Shutdown(std::chrono::steady_clock::time_point deadline);
  /// Frees the servers, after Shutdown.
  void Release();

  int api_port() const { return api_.port(); }
  int app_port() const { return app_.port(); }
  /// The open ports.
  std::vector<WatchedPort> watched() const;
  /// By port: "api", "app". Thread-safe.
  std::map<std::string, GrpcPortStats> stats() const;

 private:
  const Config& config_;
  std::size_t max_api_connections_ = 0;
  std::size_t max_app_connections_ = 0;
  Listener api_;
  Listener app_;
};

}  // namespace todo::app
