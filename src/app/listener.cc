#include "app/listener.h"

#include <fmt/format.h>
#include <grpcpp/ext/proto_server_reflection_plugin.h>
#include <grpcpp/resource_quota.h>
#include <grpcpp/security/server_credentials.h>
#include <grpcpp/security/tls_certificate_provider.h>
#include <grpcpp/security/tls_credentials_options.h>
#include <grpcpp/server_builder.h>

#include <algorithm>
#include <chrono>
#include <optional>
#include <utility>

#include "grpc/health/v1/health.pb.h"
#include "util/status.h"

namespace todo::app {
namespace {

using namespace std::chrono_literals;
using grpc::experimental::ExternalConnectionAcceptor;

// Limits for callers. Together with the places of the front, the quota of gRPC (which counts
// messages, not calls) and the bound of unread answers, they bound the memory that callers can make
// the process use.
constexpr int kMaxCallsPerConnection = 128;
/// gRPC announces its limit and enforces it late, so the front ends a connection that has twice as
/// many calls. Clients assume no more than 100 until they have read the announcement.
constexpr int kEnforcedCallsPerConnection = 2 * kMaxCallsPerConnection;
/// Of all connections together; for a moment, gRPC may know a third more, and a few of each
/// connection. It keeps about 11 KiB for a call whose request has not come, and the metadata.
constexpr std::size_t kMaxApiCalls = 3'072;
/// The sidecar has one connection.
constexpr std::size_t kMaxAppCalls = 1'024;
constexpr int kKeepaliveMs = 20'000;
constexpr int kKeepaliveTimeoutMs = 20'000;
constexpr int kHandshakeTimeoutMs = 5'000;
/// gRPC counts a call as over before its answer has been read, so this is longer than any reader
/// may take.
constexpr int kMaxIdleMs = 120'000;
// Reflection is the only service with threads of its own, one for each call in progress.
constexpr int kMaxReflectionThreads = 16;
constexpr unsigned kTlsFilesCheckSeconds = 1;
/// A delivery of the sidecar may be large.
constexpr auto kAppRequestTime = 10min;

void LimitChannels(const ListenerOptions& options, grpc::ServerBuilder& builder) {
  builder.SetMaxReceiveMessageSize(options.max_receive_bytes);
  if (options.max_metadata_bytes > 0)
    builder.AddChannelArgument(GRPC_ARG_MAX_METADATA_SIZE, options.max_metadata_bytes);
  // A small compressed message may unpack to a large one, and gRPC checks the size only after
  // that. The sidecar compresses nothing.
  builder.AddChannelArgument(GRPC_COMPRESSION_CHANNEL_ENABLED_ALGORITHMS_BITSET,
                             1 << GRPC_COMPRESS_NONE);
  builder.AddChannelArgument(GRPC_ARG_ENABLE_PER_MESSAGE_DECOMPRESSION, 0);
  builder.AddChannelArgument(GRPC_ARG_MAX_CONCURRENT_STREAMS, kMaxCallsPerConnection);
  builder.AddChannelArgument(GRPC_ARG_SERVER_HANDSHAKE_TIMEOUT_MS, kHandshakeTimeoutMs);
  builder.AddChannelArgument(GRPC_ARG_KEEPALIVE_TIME_MS, kKeepaliveMs);
  builder.AddChannelArgument(GRPC_ARG_KEEPALIVE_TIMEOUT_MS, kKeepaliveTimeoutMs);
  // The sidecar keeps its connections.
  if (options.public_api) builder.AddChannelArgument(GRPC_ARG_MAX_CONNECTION_IDLE_MS, kMaxIdleMs);
  if (options.max_buffered_bytes == 0) return;
  grpc::ResourceQuota quota(options.name);
  quota.Resize(options.max_buffered_bytes);
  if (options.public_api) quota.SetMaxThreads(kMaxReflectionThreads);
  builder.SetResourceQuota(quota);
}

front::FrameLimits FrameLimitsOf(const ListenerOptions& options) {
  front::FrameLimits limits{.max_open_calls = kEnforcedCallsPerConnection};
  const auto metadata = static_cast<std::size_t>(std::max(options.max_metadata_bytes, 0));
  if (metadata > limits.max_header_block_bytes) {
    // gRPC's frames have at least 16 KiB.
    limits.max_continuations = static_cast<int>(metadata / limits.max_header_block_bytes) + 1;
    limits.max_header_block_bytes = metadata;
  }
  if (!options.public_api) limits.request_time = kAppRequestTime;
  return limits;
}

std::shared_ptr<grpc::ServerCredentials> CredentialsOf(const ListenerOptions& options) {
  if (options.tls_cert_file.empty()) return grpc::InsecureServerCredentials();
  namespace tls = grpc::experimental;
  tls::TlsServerCredentialsOptions tls_options(
      std::make_shared<tls::FileWatcherCertificateProvider>(
          options.tls_key_file, options.tls_cert_file, options.tls_client_ca_file,
          kTlsFilesCheckSeconds));
  tls_options.watch_identity_key_cert_pairs();
  if (!options.tls_client_ca_file.empty()) {
    tls_options.watch_root_certs();
    tls_options.set_cert_request_type(GRPC_SSL_REQUEST_AND_REQUIRE_CLIENT_CERTIFICATE_AND_VERIFY);
  }
  return tls::TlsServerCredentials(tls_options);
}

std::unique_ptr<front::Front> MakeFront(const ListenerOptions& options) {
  front::FrontOptions front_options{
      .name = options.name,
      .address = options.address,
      .port = options.port,
      .frames = FrameLimitsOf(options),
      .max_waiting = options.max_connections,
      .max_served = options.max_connections,
      .max_served_per_peer = options.max_connections,
      .max_open_calls = options.public_api ? kMaxApiCalls : kMaxAppCalls};
  // One address may be a proxy with many callers behind it, but it must leave places to others.
  // The other port has one peer.
  if (options.public_api)
    front_options.max_served_per_peer = std::max<std::size_t>(options.max_connections * 3 / 4, 1);
  if (!options.tls_cert_file.empty()) front_options.frames = std::nullopt;
  return std::make_unique<front::Front>(std::move(front_options));
}

}  // namespace

Listener::~Listener() { Shutdown(std::chrono::system_clock::now()); }

Listener& Listener::operator=(Listener&& other) noexcept {
  if (this == &other) return *this;
  Shutdown(std::chrono::system_clock::now());
  front_ = std::move(other.front_);
  server_ = std::move(other.server_);
  shut_down_ = other.shut_down_;
  return *this;
}

void Listener::Shutdown(std::chrono::system_clock::time_point deadline) {
  if (server_ == nullptr || std::exchange(shut_down_, true)) return;
  // gRPC would leak a connection that it gets after its shutdown.
  front_->StopAccepting();
  server_->Shutdown(deadline);
  front_->Stop();
}

absl::StatusOr<Listener> Listen(const ListenerOptions& options) {
  // Switches reflection on for every server of the process; linking the library does so anyway.
  grpc::reflection::InitProtoReflectionServerBuilderPlugin();
  // Keeps the declarations of the health service in the program, so that reflection shows them.
  grpc::health::v1::HealthCheckRequest::descriptor();

  Listener listener;
  listener.front_ = MakeFront(options);
  if (const absl::Status status = listener.front_->Open(); !status.ok()) {
    const bool is_v6 = options.address.find(':') != std::string::npos;
    return util::MakeStatus(
        absl::StatusCode::kUnavailable,
        fmt::format("cannot listen on {1}{0}{2}:{3} for the {4} port: {5}; choose another with "
                    "--{4}-address and --{4}-port",
                    options.address, is_v6 ? "[" : "", is_v6 ? "]" : "", options.port, options.name,
                    util::FromAbsl(status.message())));
  }
  grpc::ServerBuilder builder;
  LimitChannels(options, builder);
  const std::shared_ptr<grpc::ServerCredentials> credentials = CredentialsOf(options);
  std::shared_ptr<ExternalConnectionAcceptor> acceptor =
      builder.experimental().AddExternalConnectionAcceptor(
          grpc::ServerBuilder::experimental_type::ExternalConnectionType::FROM_FD, credentials);
  for (grpc::Service* service : options.services) builder.RegisterService(service);
  listener.server_ = builder.BuildAndStart();
  if (listener.server_ == nullptr) {
    return util::MakeStatus(
        absl::StatusCode::kInvalidArgument,
        fmt::format("the {} port cannot be served: see the lines of the log before", options.name));
  }
  listener.front_->Start([acceptor = std::move(acceptor)](int fd) {
    ExternalConnectionAcceptor::NewConnectionParameters connection;
    connection.fd = fd;
    acceptor->HandleNewConnection(&connection);
  });
  return listener;
}

}  // namespace todo::app
