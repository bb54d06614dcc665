#include "app/grpc_ports.h"

#include <grpcpp/health_check_service_interface.h>

#include <algorithm>
#include <string>
#include <utility>

#include "app/process_limits.h"
#include "appcallback/delivery_limits.h"
#include "util/status.h"

namespace todo::app {
namespace {

constexpr int kMaxApiMessageBytes = 1024 * 1024;
constexpr int kMaxApiMetadataBytes = 16 * 1024;  // a token may have 8 KiB
constexpr std::size_t kMaxApiBufferedBytes = 256UL * 1024 * 1024;

/// Of the sidecar's port. It brings one large call at a time. Calls of other programs count too:
/// their app token is looked at only when the whole call has arrived.
std::size_t MaxAppBufferedBytes(std::int64_t max_call_bytes) {
  return static_cast<std::size_t>(2 * max_call_bytes) + kMaxApiBufferedBytes;
}

}  // namespace

GrpcPorts::GrpcPorts(const Config& config) : config_(config) {
  const ConnectionShares shares = ConnectionSharesOf(
      RaiseDescriptorLimit(), static_cast<std::size_t>(config.web_max_connections));
  max_api_connections_ = shares.api;
  max_app_connections_ = shares.app;
}

absl::Status GrpcPorts::OpenApi(std::vector<grpc::Service*> services) {
  grpc::EnableDefaultHealthCheckService(true);
  TODO_ASSIGN_OR_RETURN(api_, Listen({.name = "api",
                                      .address = config_.api_address,
                                      .port = config_.api_port,
                                      .services = std::move(services),
                                      .max_receive_bytes = kMaxApiMessageBytes,
                                      .max_metadata_bytes = kMaxApiMetadataBytes,
                                      .max_buffered_bytes = kMaxApiBufferedBytes,
                                      .public_api = true,
                                      .max_connections = max_api_connections_,
                                      .tls_cert_file = config_.tls_cert,
                                      .tls_key_file = config_.tls_key,
                                      .tls_client_ca_file = config_.tls_client_ca}));
  return absl::OkStatus();
}

absl::Status GrpcPorts::OpenApp(std::vector<grpc::Service*> services) {
  const std::int64_t max_call_bytes = appcallback::MaxDeliveryBytes(
      config_.record_limit, config_.bulk_delivery ? config_.delivery_batch : 1);
  TODO_ASSIGN_OR_RETURN(app_,
                        Listen({.name = "app",
                                .address = config_.app_address,
                                .port = config_.app_port,
                                .services = std::move(services),
                                .max_receive_bytes = static_cast<int>(max_call_bytes),
                                .max_metadata_bytes = static_cast<int>(
                                    appcallback::MaxDeliveryMetadataBytes(config_.record_limit)),
                                .max_buffered_bytes = MaxAppBufferedBytes(max_call_bytes),
                                .max_connections = max_app_connections_}));
  return absl::OkStatus();
}

void GrpcPorts::PublishHealth(bool healthy) {
  if (api_.server() == nullptr) return;
  grpc::HealthCheckServiceInterface* const service = api_.server()->GetHealthCheckService();
  if (service == nullptr) return;
  service->SetServingStatus(healthy);
  service->SetServingStatus("todo.v1.TodoService", healthy);
}

void GrpcPorts::Shutdown(std::chrono::steady_clock::time_point deadline) {
  using std::chrono::steady_clock;
  for (Listener* listener : {&api_, &app_}) {
    const auto left =
        std::max<steady_clock::duration>(deadline - steady_clock::now(), steady_clock::duration(0));
    listener->Shutdown(std::chrono::system_clock::now() + left);
  }
}

void GrpcPorts::Release() {
  api_ = {};
  app_ = {};
}

std::map<std::string, GrpcPortStats> GrpcPorts::stats() const {
  std::map<std::string, GrpcPortStats> stats;
  for (const auto& [name, listener] : {std::pair{"api", &api_}, {"app", &app_}}) {
    if (listener->server() == nullptr) continue;
    stats[name] = {.open_count = listener->connection_count(),
                   .accepted_count = listener->accepted_count()};
  }
  return stats;
}

std::vector<WatchedPort> GrpcPorts::watched() const {
  std::vector<WatchedPort> ports = {{.name = "app",
                                     .address = config_.app_address,
                                     .port = app_port(),
                                     .greeting = std::string(Http2Greeting())}};
  if (api_.server() == nullptr) return ports;
  ports.push_back(
      {.name = "api",
       .address = config_.api_address,
       .port = api_port(),
       .greeting = std::string(config_.tls_cert.empty() ? Http2Greeting() : TlsGreeting())});
  return ports;
}

}  // namespace todo::app
