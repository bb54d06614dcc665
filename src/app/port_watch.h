#pragma once

#include <atomic>
#include <chrono>
#include <functional>
#include <stop_token>
#include <string>
#include <string_view>
#include <vector>

namespace todo::app {

/// A port of this process, and how to find out whether somebody serves it: the kernel takes
/// connections for a port on its own, so only an answer proves it.
struct WatchedPort {
  std::string name;     // for messages: "api", "web"
  std::string address;  // that it listens on
  int port = 0;
  std::string greeting;  // bytes that the port answers, or whose connection it closes
};

/// The greeting for a gRPC port without TLS.
std::string_view Http2Greeting();
/// The greeting for a port with TLS: a record that is no handshake.
std::string_view TlsGreeting();
/// The greeting for an HTTP port without TLS.
std::string_view Http1Greeting();

/// Whether the port answers within `patience`. Blocks.
bool PortAnswers(const WatchedPort& port, std::chrono::milliseconds patience);

/// Looks at the process's own ports again and again. While one does not answer, the process is not
/// ready; a port that stays silent is given up, so that the process ends and is started again.
/// Thread safety: Run by one thread; all_answer from any.
class PortWatch {
 public:
  struct Options {
    std::chrono::milliseconds interval{3'000};
    std::chrono::milliseconds patience{5'000};  // for an answer
    int max_failures = 6;                       // in a row, then the port is given up
  };
  using GiveUp = std::function<void(const WatchedPort& port)>;

  PortWatch() : PortWatch(Options{}) {}
  explicit PortWatch(Options options) : options_(options) {}

  /// Watches the ports until `stop`. Logs when a port falls silent (`port_silent`) and when it
  /// answers again. Calls `give_up` at most once, and ends.
  void Run(const std::stop_token& stop, const std::vector<WatchedPort>& ports,
           const GiveUp& give_up);

  /// Whether all ports answered the last time.
  bool all_answer() const { return all_answer_; }

 private:
  const Options options_;
  std::atomic<bool> all_answer_ = true;
};

}  // namespace todo::app
