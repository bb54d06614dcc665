#include "app/http_ports.h"

#include <fmt/format.h>

#include <cstdint>
#include <string_view>
#include <utility>

#include "app/config/checks.h"
#include "app/config/setting.h"
#include "app/origin.h"
#include "app/process_limits.h"
#include "util/log.h"

namespace todo::app {
namespace {

util::HttpResponse TextPage(int status, std::string body,
                            std::string type = "text/plain; charset=utf-8") {
  return {
      .status = status, .headers = {{"content-type", std::move(type)}}, .body = std::move(body)};
}

edge::HttpServerOptions OpsOptions(const Config& config) {
  return {.name = "ops", .address = config.ops_address, .port = config.ops_port};
}

int MaxWebConnections(const Config& config) {
  const std::size_t limit = RaiseDescriptorLimit();
  const auto wanted = static_cast<std::size_t>(config.web_max_connections);
  const auto share = static_cast<int>(ConnectionSharesOf(limit, wanted).web);
  if (share == config.web_max_connections) return share;
  util::Log(util::Severity::kWarning, "web_connections_limited",
            {{"web_max_connections", config.web_max_connections},
             {"used_instead", share},
             {"descriptor_limit", static_cast<std::int64_t>(limit)}});
  return share;
}

/// Twice as many calls as a user's limits allow: some bodies are still on the way, and some answers
/// too.
int MaxRequestsPerUser(const Config& config) {
  return 2 * (config.user_calls_at_a_time + config.user_streams);
}

edge::HttpServerOptions WebOptions(const Config& config) {
  edge::HttpServerOptions options{
      .name = "web",
      .address = config.web_address,
      .port = config.web_port,
      .origins = {.allowed_origins = SplitList(config.web_allowed_origins),
                  .loopback_names_only = config.dev_identity},
      .max_connections = MaxWebConnections(config),
      .max_connections_per_peer = config.web_max_connections_per_peer,
      .max_requests_per_holder = MaxRequestsPerUser(config)};
  if (!config.tls_cert.empty()) {
    options.tls = edge::TlsFiles{
        .certificate = config.tls_cert, .key = config.tls_key, .client_ca = config.tls_client_ca};
  }
  return options;
}

}  // namespace

HttpPorts::HttpPorts(const Config& config, OpsSources sources)
    : config_(config),
      healthz_([] { return TextPage(200, "alive\n"); }),
      readyz_([is_ready = std::move(sources.is_ready)] {
        return is_ready() ? TextPage(200, "ready\n") : TextPage(503, "not ready\n");
      }),
      metrics_([metrics = std::move(sources.metrics)] {
        return TextPage(200, metrics(), "text/plain; version=0.0.4; charset=utf-8");
      }),
      ops_(OpsOptions(config), ops_routes_),
      web_(WebOptions(config), web_routes_) {
  ops_routes_.AddPath("/healthz", healthz_);
  ops_routes_.AddPath("/readyz", readyz_);
  ops_routes_.AddPath("/metrics", metrics_);
}

std::vector<WatchedPort> HttpPorts::watched() const {
  std::vector<WatchedPort> ports = {{.name = "ops",
                                     .address = config_.ops_address,
                                     .port = ops_port(),
                                     .greeting = std::string(Http1Greeting())}};
  if (!config_.takes_calls()) return ports;
  ports.push_back(
      {.name = "web",
       .address = config_.web_address,
       .port = web_port(),
       .greeting = std::string(config_.tls_cert.empty() ? Http1Greeting() : TlsGreeting())});
  return ports;
}

std::vector<std::string> HttpFaults(const Config& config) {
  std::vector<std::string> faults;
  if (config.tls_cert.empty() != config.tls_key.empty())
    faults.emplace_back("--tls-cert and --tls-key belong together: set both or neither");
  if (!config.tls_client_ca.empty() && config.tls_cert.empty())
    faults.emplace_back("--tls-client-ca needs --tls-cert and --tls-key");
  for (const std::string& origin : SplitList(config.web_allowed_origins)) {
    if (IsOrigin(origin)) continue;
    faults.push_back(
        fmt::format("--web-allowed-origins contains {}; an origin is a scheme, a host in small "
                    "letters and perhaps a port: https://app.example.org",
                    Quoted(origin)));
  }
  return faults;
}

void WarnOfClearText(const Config& config) {
  if (!config.takes_calls() || !config.tls_cert.empty()) return;
  for (const auto& [name, address] :
       {std::pair{"web", config.web_address}, {"api", config.api_address}}) {
    if (IsLoopback(address)) continue;
    util::Log(
        util::Severity::kWarning, "tokens_in_clear",
        {{"port", name},
         {"address", address},
         {"advice", "set --tls-cert and --tls-key unless a proxy or mesh encrypts the way here"}});
  }
}

}  // namespace todo::app
