#pragma once

#include <memory>
#include <thread>

#include "ports/event_publisher.h"
#include "ports/outbox_log.h"
#include "relay/mailbox.h"
#include "relay/relay_loop.h"
#include "relay/steady_clock.h"

namespace todo::relay {

/// Publishes the committed changes and messages of the shards that this replica holds, in a thread
/// of its own, from Start until Stop. RelayLoop promises in which order and how often.
///
/// `log` and `publisher` must outlive it. Only its thread uses `log`; the publisher may call `done`
/// after the relay is gone. Thread safety: Wake and stats may be called from many threads at once,
/// also before Start and after Stop; Start and Stop from one thread.
class OutboxRelay {
 public:
  using Options = RelayOptions;
  using Stats = RelayStats;

  OutboxRelay(ports::OutboxLog& log, ports::EventPublisher& publisher, Options options,
              SteadyClock clock = std::chrono::steady_clock::now);
  /// Stops without waiting for publishes in flight.
  ~OutboxRelay();
  OutboxRelay(const OutboxRelay&) = delete;
  OutboxRelay& operator=(const OutboxRelay&) = delete;

  /// To be called once.
  void Start();

  /// To be called after a commit that wrote a change or message of `shard`. Never blocks. True:
  /// this relay publishes it at once. False: this relay does not hold the shard; tell the other
  /// replicas, which otherwise notice at their next poll.
  bool Wake(int shard);

  /// Starts no further publish, waits for those in flight, makes the cursors durable and releases
  /// the shards, so that another replica can take them at once. Blocks until that is done, or until
  /// `deadline` and the end of the database call in progress then. True: all shards were released.
  /// False: their leases run out by themselves, and up to a second of events is published again.
  /// Calling it again is harmless.
  bool Stop(SteadyTime deadline);

  Stats stats() { return loop_.stats(); }

 private:
  void Run();

  const SteadyClock clock_;
  const std::shared_ptr<Mailbox> mailbox_;
  RelayLoop loop_;
  std::jthread thread_;
};

}  // namespace todo::relay
