#include "front/listening_socket.h"

#include <arpa/inet.h>
#include <fmt/format.h>
#include <netdb.h>
#include <netinet/in.h>

#include <array>
#include <cerrno>
#include <cstring>
#include <memory>
#include <utility>

#include "util/status.h"

namespace todo::front {
namespace {

/// Connections that the kernel may finish before we accept them.
constexpr int kBacklog = 1'024;

absl::Status Failure(const char* cause) {
  return util::MakeStatus(absl::StatusCode::kUnavailable, cause);
}

int PortOf(const sockaddr_storage& address) {
  return ntohs(address.ss_family == AF_INET6
                   ? reinterpret_cast<const sockaddr_in6&>(address).sin6_port
                   : reinterpret_cast<const sockaddr_in&>(address).sin_port);
}

absl::StatusOr<ListeningSocket> Open(const sockaddr* address, socklen_t length) {
  Descriptor opened(socket(address->sa_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  if (!opened) return Failure(std::strerror(errno));
  const int on = 1;
  const int off = 0;
  setsockopt(opened.get(), SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
  if (address->sa_family == AF_INET6)
    setsockopt(opened.get(), IPPROTO_IPV6, IPV6_V6ONLY, &off, sizeof(off));
  sockaddr_storage bound{};
  socklen_t bound_length = sizeof(bound);
  if (bind(opened.get(), address, length) != 0 || listen(opened.get(), kBacklog) != 0 ||
      getsockname(opened.get(), reinterpret_cast<sockaddr*>(&bound), &bound_length) != 0)
    return Failure(std::strerror(errno));
  return ListeningSocket{.socket = std::move(opened), .port = PortOf(bound)};
}

}  // namespace

absl::StatusOr<ListeningSocket> OpenListeningSocket(const std::string& address, int port) {
  if (address == "0.0.0.0" || address == "::") {
    sockaddr_in6 any{};
    any.sin6_family = AF_INET6;
    any.sin6_addr = in6addr_any;
    any.sin6_port = htons(static_cast<std::uint16_t>(port));
    auto both = Open(reinterpret_cast<const sockaddr*>(&any), sizeof(any));
    if (both.ok() || address == "::") return both;
  }
  addrinfo hints{};
  hints.ai_socktype = SOCK_STREAM;
  hints.ai_flags = AI_PASSIVE | AI_NUMERICSERV;
  addrinfo* found = nullptr;
  // Callers expect the older family behind this name, and it may come second.
  const std::string host = address == "localhost" ? "127.0.0.1" : address;
  const int error = getaddrinfo(host.c_str(), fmt::to_string(port).c_str(), &hints, &found);
  if (error != 0) return Failure(gai_strerror(error));
  const std::unique_ptr<addrinfo, decltype(&freeaddrinfo)> owned(found, &freeaddrinfo);
  return Open(found->ai_addr, found->ai_addrlen);
}

std::string AddressText(const sockaddr_storage& address) {
  std::array<char, INET6_ADDRSTRLEN> text{};
  if (address.ss_family == AF_INET) {
    const auto& v4 = reinterpret_cast<const sockaddr_in&>(address);
    inet_ntop(AF_INET, &v4.sin_addr, text.data(), text.size());
  } else if (address.ss_family == AF_INET6) {
    const auto& v6 = reinterpret_cast<const sockaddr_in6&>(address);
    if (IN6_IS_ADDR_V4MAPPED(&v6.sin6_addr)) {
      inet_ntop(AF_INET, &v6.sin6_addr.s6_addr[12], text.data(), text.size());
    } else {
      inet_ntop(AF_INET6, &v6.sin6_addr, text.data(), text.size());
    }
  }
  return text.data();
}

}  // namespace todo::front
