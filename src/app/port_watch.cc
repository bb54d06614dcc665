#include "app/port_watch.h"

#include <fmt/format.h>
#include <netdb.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <memory>
#include <utility>

#include "util/log.h"
#include "util/sleep.h"

namespace todo::app {
namespace {

using std::chrono::milliseconds;
using std::chrono::steady_clock;
using util::Severity;

/// An address that reaches a port of this machine which listens on `address`.
std::string Reachable(const std::string& address) {
  return address == "0.0.0.0" || address == "::" ? "localhost" : address;
}

bool WaitFor(int fd, short events, steady_clock::time_point until) {
  const auto left = std::chrono::ceil<milliseconds>(until - steady_clock::now());
  pollfd wanted{.fd = fd, .events = events, .revents = 0};
  return poll(&wanted, 1, static_cast<int>(std::max<milliseconds::rep>(left.count(), 0))) == 1;
}

/// Whether the address answers the greeting or closes the connection.
bool Answers(int fd, const addrinfo& address, std::string_view greeting,
             steady_clock::time_point until) {
  if (connect(fd, address.ai_addr, address.ai_addrlen) != 0) {
    if (errno != EINPROGRESS || !WaitFor(fd, POLLOUT, until)) return false;
    int error = 0;
    socklen_t length = sizeof(error);
    getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &length);
    if (error != 0) return false;
  }
  // Greetings are shorter than any socket's buffer.
  (void)send(fd, greeting.data(), greeting.size(), MSG_NOSIGNAL);
  return WaitFor(fd, POLLIN, until);
}

}  // namespace

std::string_view Http2Greeting() {
  // The preface and an empty SETTINGS frame.
  static constexpr std::string_view kGreeting("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\4\0\0\0\0\0",
                                              24 + 9);
  return kGreeting;
}

std::string_view TlsGreeting() {
  static constexpr std::string_view kGreeting("\x17\x03\x03\x00\x01\x00", 6);
  return kGreeting;
}

std::string_view Http1Greeting() {
  return "HEAD / HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n";
}

bool PortAnswers(const WatchedPort& port, milliseconds patience) {
  const auto until = steady_clock::now() + patience;
  addrinfo hints{};
  hints.ai_socktype = SOCK_STREAM;
  hints.ai_flags = AI_NUMERICSERV;
  addrinfo* found = nullptr;
  const std::string host = Reachable(port.address);
  if (getaddrinfo(host.c_str(), fmt::to_string(port.port).c_str(), &hints, &found) != 0)
    return false;
  const std::unique_ptr<addrinfo, decltype(&freeaddrinfo)> owned(found, &freeaddrinfo);
  for (const addrinfo* address = found; address != nullptr; address = address->ai_next) {
    const int fd = socket(address->ai_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    // Without a descriptor nothing is known about the port.
    if (fd < 0) return errno == EMFILE || errno == ENFILE;
    const bool answers = Answers(fd, *address, port.greeting, until);
    close(fd);
    if (answers) return true;
  }
  return false;
}

void PortWatch::Run(const std::stop_token& stop, const std::vector<WatchedPort>& ports,
                    const GiveUp& give_up) {
  std::vector<int> failures(ports.size(), 0);
  while (util::SleepFor(stop, options_.interval)) {
    for (std::size_t i = 0; i < ports.size() && !stop.stop_requested(); ++i) {
      const bool answers = PortAnswers(ports[i], options_.patience);
      if (stop.stop_requested()) return;
      const int before = std::exchange(failures[i], answers ? 0 : failures[i] + 1);
      if (before == 0 && !answers)
        util::Log(Severity::kError, "port_silent", {{"port", ports[i].name}});
      if (before > 0 && answers)
        util::Log(Severity::kInfo, "port_answers_again", {{"port", ports[i].name}});
      all_answer_ = std::ranges::all_of(failures, [](int count) { return count == 0; });
      if (failures[i] >= options_.max_failures) return give_up(ports[i]);
    }
  }
}

}  // namespace todo::app
