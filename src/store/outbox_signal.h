#pragma once

#include <atomic>
#include <chrono>
#include <cstdint>
#include <functional>
#include <string>
#include <thread>

namespace todo::store {

struct OutboxSignalOptions {
  std::chrono::milliseconds send_interval{5};        // at most one notification in it
  std::chrono::milliseconds answer_deadline{5'000};  // of the database, connecting included
  std::chrono::milliseconds first_retry{100};        // after a lost connection; doubles
  std::chrono::milliseconds last_retry{5'000};
};

/// Tells the other replicas which shards have new changes, and that deliveries may be due, and
/// hears it from them. Only a hint that saves waiting: whoever publishes or sends also looks by
/// himself from time to time. It speaks after the commit and on a connection of its own, because a
/// notification inside a transaction makes all commits of the server wait for each other. Owned by
/// the app. One thread, which begins with Start and which the destructor joins within a second,
/// database or not. Thread safety: the methods may be called from any thread. Nothing here blocks
/// the caller.
class OutboxSignal {
 public:
  /// `on_announced(shard)` and `on_delivery` are called from the thread of the signal for what
  /// other replicas announce, the latter also when it begins to hear them, for what it has missed.
  /// They must not block, and must stay callable until the destructor returns.
  OutboxSignal(std::string conninfo, std::function<void(int shard)> on_announced,
               std::function<void()> on_delivery = {}, OutboxSignalOptions options = {});
  ~OutboxSignal();
  OutboxSignal(const OutboxSignal&) = delete;
  OutboxSignal& operator=(const OutboxSignal&) = delete;

  /// Starts the thread. To be called once.
  void Start();

  /// Tells the others soon, once for any number of calls. While there is no connection, the news
  /// waits. Precondition: 0 <= shard < 63.
  void Announce(int shard) noexcept { Tell(std::uint64_t{1} << shard); }
  void AnnounceDelivery() noexcept { Tell(kDelivery); }

  /// True while it hears the others.
  bool connected() const { return connected_; }

 private:
  class Loop;

  const std::string conninfo_;
  /// The news as a set of bits: one for each shard, and this one.
  static constexpr std::uint64_t kDelivery = std::uint64_t{1} << 63;
  void Tell(std::uint64_t news) noexcept;

  const std::function<void(int shard)> on_announced_;
  const std::function<void()> on_delivery_;
  const OutboxSignalOptions options_;
  std::atomic<std::uint64_t> pending_{0};  // to announce
  std::atomic<bool> connected_{false};
  int wake_fd_ = -1;
  std::jthread thread_;
};

}  // namespace todo::store
