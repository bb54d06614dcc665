#include "app/listener.h"

#include <arpa/inet.h>
#include <fmt/format.h>
#include <grpcpp/ext/proto_server_reflection_plugin.h>
#include <grpcpp/resource_quota.h>
#include <grpcpp/security/server_credentials.h>
#include <grpcpp/server_builder.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <utility>

#include "grpc/health/v1/health.pb.h"
#include "util/status.h"

namespace todo::app {
namespace {

// Limits of the public API. Together they bound the memory that callers can make the process use.
constexpr int kMaxStreamsPerConnection = 256;
constexpr int kKeepaliveMs = 60'000;
constexpr int kKeepaliveTimeoutMs = 20'000;
// Reflection is the only service with threads of its own, one for each call in progress.
constexpr int kMaxReflectionThreads = 16;

/// Why the port cannot be opened. gRPC does not tell, so this tries to open it by hand.
std::string CauseOfFailure(const std::string& address, int port) {
  sockaddr_storage storage{};
  socklen_t length = 0;
  auto* v4 = reinterpret_cast<sockaddr_in*>(&storage);
  auto* v6 = reinterpret_cast<sockaddr_in6*>(&storage);
  const std::string numeric = address == "localhost" ? "127.0.0.1" : address;
  if (inet_pton(AF_INET, numeric.c_str(), &v4->sin_addr) == 1) {
    v4->sin_family = AF_INET;
    v4->sin_port = htons(static_cast<std::uint16_t>(port));
    length = sizeof(sockaddr_in);
  } else if (inet_pton(AF_INET6, numeric.c_str(), &v6->sin6_addr) == 1) {
    v6->sin6_family = AF_INET6;
    v6->sin6_port = htons(static_cast<std::uint16_t>(port));
    length = sizeof(sockaddr_in6);
  } else {
    return "the address is not understood";
  }
  const int socket_fd = socket(storage.ss_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
  if (socket_fd < 0) return std::strerror(errno);
  const int on = 1;
  setsockopt(socket_fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
  int error = 0;
  if (bind(socket_fd, reinterpret_cast<sockaddr*>(&storage), length) != 0 ||
      listen(socket_fd, 1) != 0)
    error = errno;
  close(socket_fd);
  return error == 0 ? "unknown cause" : std::strerror(error);
}

}  // namespace

absl::StatusOr<Listener> Listen(const ListenerOptions& options) {
  // Switches reflection on for every server of the process; linking the library does so anyway.
  grpc::reflection::InitProtoReflectionServerBuilderPlugin();
  // Keeps the declarations of the health service in the program, so that reflection shows them.
  grpc::health::v1::HealthCheckRequest::descriptor();
  grpc::ServerBuilder builder;
  builder.AddChannelArgument(GRPC_ARG_ALLOW_REUSEPORT, 0);
  builder.SetMaxReceiveMessageSize(options.max_receive_bytes);
  if (options.max_metadata_bytes > 0) {
    builder.AddChannelArgument(GRPC_ARG_MAX_METADATA_SIZE, options.max_metadata_bytes);
  }
  // A small compressed message may unpack to a large one, and gRPC checks the size only after
  // that. The sidecar compresses nothing.
  builder.SetCompressionAlgorithmSupportStatus(GRPC_COMPRESS_DEFLATE, false);
  builder.SetCompressionAlgorithmSupportStatus(GRPC_COMPRESS_GZIP, false);
  builder.AddChannelArgument(GRPC_ARG_ENABLE_PER_MESSAGE_DECOMPRESSION, 0);
  if (options.public_api) {
    builder.AddChannelArgument(GRPC_ARG_MAX_CONCURRENT_STREAMS, kMaxStreamsPerConnection);
    builder.AddChannelArgument(GRPC_ARG_KEEPALIVE_TIME_MS, kKeepaliveMs);
    builder.AddChannelArgument(GRPC_ARG_KEEPALIVE_TIMEOUT_MS, kKeepaliveTimeoutMs);
  }
  if (options.max_buffered_bytes > 0) {
    grpc::ResourceQuota quota(options.name);
    quota.Resize(options.max_buffered_bytes);
    if (options.public_api) quota.SetMaxThreads(kMaxReflectionThreads);
    builder.SetResourceQuota(quota);
  }
  const bool is_v6 = options.address.find(':') != std::string::npos;
  const std::string target =
      fmt::format("{}{}{}:{}", is_v6 ? "[" : "", options.address, is_v6 ? "]" : "", options.port);
  Listener listener;
  builder.AddListeningPort(target, grpc::InsecureServerCredentials(), &listener.port);
  for (grpc::Service* service : options.services) builder.RegisterService(service);
  listener.server = builder.BuildAndStart();
  if (listener.server == nullptr || listener.port <= 0) {
    return util::MakeStatus(
        absl::StatusCode::kUnavailable,
        fmt::format("cannot listen on {0} for the {1} port: {2}; choose another with --{1}-address "
                    "and --{1}-port",
                    target, options.name, CauseOfFailure(options.address, options.port)));
  }
  return listener;
}

}  // namespace todo::app
