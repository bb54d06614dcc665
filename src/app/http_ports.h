#pragma once

#include <chrono>
#include <functional>
#include <map>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "app/config/config.h"
#include "app/port_watch.h"
#include "edge/http_server.h"
#include "edge/router.h"

namespace todo::app {

/// The two HTTP ports: the web port for users, the ops port for machines (metrics and probes). Each
/// has a server of its own, so that users cannot starve probes.
/// Thread safety: one thread for everything but `stats`.
class HttpPorts {
 public:
  /// Called on the ops server's thread; must not block.
  struct OpsSources {
    std::function<bool()> is_ready;
    std::function<std::string()> metrics;
  };

  /// `config` must outlive this object.
  HttpPorts(const Config& config, OpsSources sources);

  /// The handlers of the web port: add them before OpenWeb. They must outlive this object.
  edge::Router& web_routes() { return web_routes_; }

  // kUnavailable, kInvalidArgument: as edge::HttpServer::Start.
  absl::Status OpenOps() { return ops_.Start(); }
  absl::Status OpenWeb() { return web_.Start(); }

  /// Waits until `deadline` for requests in progress. True: none was cut off.
  bool StopWeb(std::chrono::steady_clock::time_point deadline) { return web_.Stop(deadline); }
  void StopOps() { ops_.Stop(); }

  int web_port() const { return web_.port(); }
  int ops_port() const { return ops_.port(); }

  /// The open ports.
  std::vector<WatchedPort> watched() const;

  /// By port: "web", "ops".
  std::map<std::string, edge::HttpServerStats> stats() const {
    return {{"web", web_.stats()}, {"ops", ops_.stats()}};
  }

 private:
  const Config& config_;
  edge::Page healthz_;
  edge::Page readyz_;
  edge::Page metrics_;
  edge::Router ops_routes_;
  edge::Router web_routes_;
  edge::HttpServer ops_;
  edge::HttpServer web_;
};

/// What is wrong with the settings of the HTTP ports and of TLS, one sentence each.
std::vector<std::string> HttpFaults(const Config& config);

/// Logs a warning for each port of users that is open to the network without TLS.
void WarnOfClearText(const Config& config);

}  // namespace todo::app
