// The least that can send texts to WebSockets: a write for each socket and message, from one
// thread, no library and no queue. Prints its port. Ends with its standard input, whose lines are
// "COUNT TEXT": TEXT goes to every socket COUNT times. What a client sends is read and dropped.

#include <arpa/inet.h>
#include <netinet/tcp.h>
#include <openssl/evp.h>
#include <openssl/sha.h>
#include <poll.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstdlib>
#include <iostream>
#include <map>
#include <set>
#include <stdexcept>
#include <string>
#include <string_view>

namespace {

constexpr char kGuid[] = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11";
constexpr std::size_t kShortBytes = 125;  // longer texts have two more bytes of length

/// The answer of RFC 6455 to the key of a client.
std::string AcceptOf(const std::string& key) {
  const std::string text = key + kGuid;
  std::array<unsigned char, SHA_DIGEST_LENGTH> digest{};
  SHA1(reinterpret_cast<const unsigned char*>(text.data()), text.size(), digest.data());
  std::array<unsigned char, 64> encoded{};
  EVP_EncodeBlock(encoded.data(), digest.data(), static_cast<int>(digest.size()));
  return reinterpret_cast<const char*>(encoded.data());
}

std::string FrameOf(const std::string& text) {
  std::string frame = "\x81";  // a whole text
  if (text.size() > kShortBytes) {
    frame += static_cast<char>(126);
    frame += static_cast<char>(text.size() >> 8);
  }
  frame += static_cast<char>(text.size() & 0xff);
  return frame + text;
}

class Server {
 public:
  Server() : listener_(socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0)), epoll_(epoll_create1(0)) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof address;
    auto* const any = reinterpret_cast<sockaddr*>(&address);
    if (bind(listener_, any, size) != 0 || listen(listener_, SOMAXCONN) != 0)
      throw std::runtime_error("no port");
    getsockname(listener_, any, &size);
    std::cout << ntohs(address.sin_port) << std::endl;
    Watch(listener_);
    Watch(STDIN_FILENO);
  }

  void Run() {
    std::array<epoll_event, 256> events{};
    for (;;) {
      const int count = epoll_wait(epoll_, events.data(), static_cast<int>(events.size()), -1);
      for (int i = 0; i < count; ++i) {
        const int descriptor = events[static_cast<std::size_t>(i)].data.fd;
        if (descriptor == listener_) {
          Accept();
        } else if (descriptor != STDIN_FILENO) {
          Read(descriptor);
        } else if (!Obey()) {
          return;
        }
      }
    }
  }

 private:
  void Watch(int descriptor) const {
    epoll_event event{};
    event.events = EPOLLIN;
    event.data.fd = descriptor;
    epoll_ctl(epoll_, EPOLL_CTL_ADD, descriptor, &event);
  }

  void Accept() {
    for (int client = accept4(listener_, nullptr, nullptr, SOCK_NONBLOCK); client >= 0;
         client = accept4(listener_, nullptr, nullptr, SOCK_NONBLOCK)) {
      const int on = 1;
      setsockopt(client, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
      heads_[client];
      Watch(client);
    }
  }

  void Read(int client) {
    std::array<char, 4096> buffer{};
    const ssize_t count = read(client, buffer.data(), buffer.size());
    if (count <= 0) {
      close(client);
      heads_.erase(client);
      sockets_.erase(client);
      return;
    }
    const auto head = heads_.find(client);
    if (head == heads_.end()) return;
    head->second.append(buffer.data(), static_cast<std::size_t>(count));
    if (!head->second.ends_with("\r\n\r\n")) return;
    constexpr std::string_view kKey = "Sec-WebSocket-Key: ";
    const std::size_t begin = head->second.find(kKey) + kKey.size();
    const std::string key = head->second.substr(begin, head->second.find('\r', begin) - begin);
    Send(client,
         "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
         "Sec-WebSocket-Protocol: todo.v1\r\nSec-WebSocket-Accept: " +
             AcceptOf(key) + "\r\n\r\n");
    heads_.erase(head);
    sockets_.insert(client);
  }

  static void Send(int client, const std::string& bytes) {
    std::size_t sent = 0;
    while (sent < bytes.size()) {
      const ssize_t count = write(client, bytes.data() + sent, bytes.size() - sent);
      if (count >= 0) {
        sent += static_cast<std::size_t>(count);
      } else if (errno == EAGAIN) {
        pollfd ready{client, POLLOUT, 0};
        poll(&ready, 1, -1);
      } else {
        return;
      }
    }
  }

  /// Whether there may be more to obey.
  bool Obey() {
    std::array<char, 65536> buffer{};
    const ssize_t count = read(STDIN_FILENO, buffer.data(), buffer.size());
    if (count <= 0) return false;
    input_.append(buffer.data(), static_cast<std::size_t>(count));
    for (std::size_t end = input_.find('\n'); end != input_.npos; end = input_.find('\n')) {
      const std::size_t space = input_.find(' ');
      const std::string frame = FrameOf(input_.substr(space + 1, end - space - 1));
      for (int n = std::stoi(input_.substr(0, space)); n > 0; --n) {
        for (const int client : sockets_) Send(client, frame);
      }
      input_.erase(0, end + 1);
    }
    return true;
  }

  const int listener_;
  const int epoll_;
  std::map<int, std::string> heads_;  // of clients that have not asked completely
  std::set<int> sockets_;
  std::string input_;
};

}  // namespace

int main() {
  rlimit files{};
  getrlimit(RLIMIT_NOFILE, &files);
  files.rlim_cur = files.rlim_max;
  setrlimit(RLIMIT_NOFILE, &files);
  try {
    Server().Run();
  } catch (const std::exception& error) {
    std::cerr << "raw_sockets: " << error.what() << '\n';
    return EXIT_FAILURE;
  }
  return EXIT_SUCCESS;
}
