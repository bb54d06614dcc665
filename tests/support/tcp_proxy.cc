#include "support/tcp_proxy.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <chrono>
#include <stdexcept>

namespace todo::support {
namespace {

constexpr int kPollMilliseconds = 10;

sockaddr_in Loopback(std::uint16_t port) {
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  address.sin_port = htons(port);
  return address;
}

bool SendAll(int to, const char* data, std::size_t size) {
  while (size > 0) {
    const ssize_t sent = send(to, data, size, MSG_NOSIGNAL);
    if (sent <= 0) return false;
    data += sent;
    size -= static_cast<std::size_t>(sent);
  }
  return true;
}

}  // namespace

TcpProxy::TcpProxy(std::uint16_t server_port)
    : server_port_(server_port), listener_(socket(AF_INET, SOCK_STREAM, 0)) {
  sockaddr_in address = Loopback(0);
  socklen_t size = sizeof address;
  if (bind(listener_, reinterpret_cast<sockaddr*>(&address), size) != 0 ||
      listen(listener_, 16) != 0 ||
      getsockname(listener_, reinterpret_cast<sockaddr*>(&address), &size) != 0) {
    throw std::runtime_error("proxy: no port");
  }
  port_ = ntohs(address.sin_port);
  acceptor_ = std::jthread([this](const std::stop_token& stop) { Accept(stop); });
}

TcpProxy::~TcpProxy() {
  acceptor_.request_stop();
  acceptor_.join();
  passers_.clear();
  close(listener_);
}

void TcpProxy::Cut() {
  mode_ = Mode::kCut;
  std::vector<std::jthread> ended;
  {
    const std::lock_guard<std::mutex> lock(mutex_);
    ended.swap(passers_);
  }
}

void TcpProxy::Accept(const std::stop_token& stop) {
  while (!stop.stop_requested()) {
    pollfd waiting{listener_, POLLIN, 0};
    if (poll(&waiting, 1, kPollMilliseconds) <= 0) continue;
    const int client = accept(listener_, nullptr, nullptr);
    if (client < 0) continue;
    if (mode_ == Mode::kCut) {
      close(client);
      continue;
    }
    const std::lock_guard<std::mutex> lock(mutex_);
    passers_.emplace_back(
        [this, client](const std::stop_token& passer_stop) { Pass(client, passer_stop); });
  }
}

void TcpProxy::Pass(int client, const std::stop_token& stop) {
  const int server = socket(AF_INET, SOCK_STREAM, 0);
  const sockaddr_in address = Loopback(server_port_);
  std::array<char, 65536> buffer;
  bool open = connect(server, reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0;
  while (open && !stop.stop_requested()) {
    if (mode_ == Mode::kFrozen) {
      std::this_thread::sleep_for(std::chrono::milliseconds(kPollMilliseconds));
      continue;
    }
    std::array<pollfd, 2> ends{{{client, POLLIN, 0}, {server, POLLIN, 0}}};
    if (poll(ends.data(), ends.size(), kPollMilliseconds) <= 0) continue;
    if (ends[0].revents != 0) {
      const ssize_t size = recv(client, buffer.data(), buffer.size(), 0);
      open = size > 0 && SendAll(server, buffer.data(), static_cast<std::size_t>(size));
    }
    if (open && ends[1].revents != 0) {
      const ssize_t size = recv(server, buffer.data(), buffer.size(), 0);
      if (size > 0 && mode_ == Mode::kDropAnswers) {
        ++dropped_answer_count_;
        open = false;
      } else {
        open = size > 0 && SendAll(client, buffer.data(), static_cast<std::size_t>(size));
      }
    }
  }
  close(server);
  close(client);
}

}  // namespace todo::support
