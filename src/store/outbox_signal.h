#pragma once

#include <atomic>
#include <chrono>
#include <cstdint>
#include <functional>
#include <string>
#include <thread>

#include "util/require.h"

namespace todo::store {

struct OutboxSignalOptions {
  std::chrono::milliseconds send_interval{5};        // at least, between two notifications
  std::chrono::milliseconds answer_deadline{5'000};  // of the database, connecting included
  std::chrono::milliseconds first_retry{100};        // after a lost connection; doubles
  std::chrono::milliseconds last_retry{5'000};
};

/// Tells the other replicas which shards have new changes and that deliveries may be due, and hears
/// such news from them. The news only saves waiting: relays and delivery runners also look for work
/// from time to time. It is sent after the commit and on a connection of its own, because a NOTIFY
/// inside a transaction makes all commits of the server wait for each other.
/// Owned by the app. Runs one thread, from Start on, which the destructor joins within a second,
/// whether the database answers or not. Thread safety: the methods may be called from any thread.
/// None blocks.
class OutboxSignal {
 public:
  /// The thread of the signal calls `on_announced(shard)` and `on_delivery` for the news of other
  /// replicas. It also calls `on_delivery` when it begins to hear them, since it may have missed
  /// news before. They must not block, and must stay callable until the destructor returns.
  OutboxSignal(std::string conninfo, std::function<void(int shard)> on_announced,
               std::function<void()> on_delivery = {}, OutboxSignalOptions options = {});
  ~OutboxSignal();
  OutboxSignal(const OutboxSignal&) = delete;
  OutboxSignal& operator=(const OutboxSignal&) = delete;

  /// Starts the thread. To be called once.
  void Start();

  /// Tells the other replicas soon, once for any number of calls. News waits while there is no
  /// connection. Precondition: 0 <= shard < 63.
  void Announce(int shard) noexcept {
    TODO_REQUIRE(0 <= shard && shard < 63);
    Tell(std::uint64_t{1} << shard);
  }
  void AnnounceDelivery() noexcept { Tell(kDelivery); }

  /// Whether it hears the other replicas.
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
