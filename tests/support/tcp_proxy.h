#pragma once

#include <atomic>
#include <cstdint>
#include <mutex>
#include <thread>
#include <vector>

namespace todo::support {

/// Passes bytes between the clients of a loopback port and a server, and breaks what it is told to
/// break. Thread safety: all methods may be called from any thread.
class TcpProxy {
 public:
  /// For a server on 127.0.0.1.
  explicit TcpProxy(std::uint16_t server_port);
  ~TcpProxy();
  TcpProxy(const TcpProxy&) = delete;
  TcpProxy& operator=(const TcpProxy&) = delete;

  std::uint16_t port() const { return port_; }

  /// From now on the server's answers vanish, while what clients send still reaches it; the first
  /// answer that vanishes ends its connection after that, as seen by the client. Lasts until Mend.
  void DropAnswers() { mode_ = Mode::kDropAnswers; }
  /// From now on nothing passes in either direction, and nobody is told, as if the server had
  /// frozen. New connections are accepted. Lasts until Mend.
  void Freeze() { mode_ = Mode::kFrozen; }
  /// Ends all connections; new ones are accepted and closed at once.
  void Cut();
  void Mend() { mode_ = Mode::kPass; }

  int dropped_answer_count() const { return dropped_answer_count_; }

 private:
  enum class Mode { kPass, kDropAnswers, kFrozen, kCut };
  void Accept(const std::stop_token& stop);
  void Pass(int client, const std::stop_token& stop);

  const std::uint16_t server_port_;
  std::uint16_t port_ = 0;
  int listener_ = -1;
  std::atomic<Mode> mode_{Mode::kPass};
  std::atomic<int> dropped_answer_count_{0};
  std::mutex mutex_;
  std::vector<std::jthread> passers_;  // guarded by mutex_
  std::jthread acceptor_;              // last: stops first
};

}  // namespace todo::support
