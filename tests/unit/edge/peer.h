#pragma once

#include <arpa/inet.h>
#include <gtest/gtest.h>
#include <linux/filter.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace todo::edge {

/// A plain socket to a port of this machine: its test decides what it sends.
class Peer {
 public:
  /// `receive_buffer_bytes`: of the socket; 0: the usual.
  explicit Peer(int port, int receive_buffer_bytes = 0)
      : socket_(::socket(AF_INET, SOCK_STREAM, 0)) {
    const sockaddr_in address = AddressOf(port);
    const timeval patience{.tv_sec = 60, .tv_usec = 0};
    setsockopt(socket_, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience));
    setsockopt(socket_, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof(patience));
    if (receive_buffer_bytes > 0)
      setsockopt(socket_, SOL_SOCKET, SO_RCVBUF, &receive_buffer_bytes, sizeof(int));
    EXPECT_EQ(connect(socket_, reinterpret_cast<const sockaddr*>(&address), sizeof(address)), 0);
  }
  /// Whether a server listens there.
  static bool CanConnect(int port) {
    const int socket = ::socket(AF_INET, SOCK_STREAM, 0);
    const sockaddr_in address = AddressOf(port);
    const int result =
        connect(socket, reinterpret_cast<const sockaddr*>(&address), sizeof(address));
    close(socket);
    return result == 0;
  }
  ~Peer() { close(socket_); }
  Peer(const Peer&) = delete;
  Peer& operator=(const Peer&) = delete;

  int socket() const { return socket_; }

  /// False: the server has closed.
  bool Send(std::string_view text) const {
    while (!text.empty()) {
      const ssize_t sent = send(socket_, text.data(), text.size(), MSG_NOSIGNAL);
      if (sent <= 0) return false;
      text.remove_prefix(static_cast<std::size_t>(sent));
    }
    return true;
  }
  /// No more bytes will come from this side.
  void Finish() const { shutdown(socket_, SHUT_WR); }
  /// Ends the connection at once, in both directions.
  void Reset() const {
    const sockaddr unspecified{.sa_family = AF_UNSPEC, .sa_data = {}};
    connect(socket_, &unspecified, sizeof(unspecified));
  }
  /// Drops all that comes from now on, unacknowledged, as a cut cable does.
  void Vanish() const {
    sock_filter nothing = BPF_STMT(BPF_RET | BPF_K, 0);
    const sock_fprog program{.len = 1, .filter = &nothing};
    EXPECT_EQ(setsockopt(socket_, SOL_SOCKET, SO_ATTACH_FILTER, &program, sizeof(program)), 0);
  }
  /// Until the server closes.
  std::string ReadAll() const {
    std::string all;
    char part[4096];
    for (ssize_t n = 0; (n = recv(socket_, part, sizeof(part), 0)) > 0;) {
      all.append(part, static_cast<std::size_t>(n));
    }
    return all;
  }
  /// `count` bytes, or fewer if the server closes.
  std::string ReadBytes(std::size_t count) const {
    std::string bytes(count, '\0');
    std::size_t done = 0;
    while (done < count) {
      const ssize_t n = recv(socket_, bytes.data() + done, count - done, 0);
      if (n <= 0) break;
      done += static_cast<std::size_t>(n);
    }
    bytes.resize(done);
    return bytes;
  }
  /// Until `end` has come, or the server closes.
  std::string ReadTo(std::string_view end) const {
    std::string all;
    char c = 0;
    while (!all.ends_with(end) && recv(socket_, &c, 1, 0) == 1) all.push_back(c);
    return all;
  }

 private:
  static sockaddr_in AddressOf(int port) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(static_cast<std::uint16_t>(port));
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    return address;
  }

  int socket_;
};

}  // namespace todo::edge
