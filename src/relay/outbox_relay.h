#pragma once

#include <memory>
#include <thread>

#include "ports/event_publisher.h"
#include "ports/outbox_log.h"
#include "relay/mailbox.h"
#include "relay/relay_loop.h"
#include "relay/steady_clock.h"

namespace todo::relay {

/// Publishes the committed changes of the shards that this replica holds, with a thread of its own,
/// from construction until Stop. What exactly it promises about order and copies: see RelayLoop.
///
/// `log` and `publisher` must outlive it. `log` is used by its thread only; the publisher may call
/// `done` later than the relay lives. Thread safety: Wake and stats may be called from many threads
/// at once; Stop from one.
class OutboxRelay {
 public:
  using Options = RelayOptions;
  using Stats = RelayStats;

  OutboxRelay(ports::OutboxLog& log, ports::EventPublisher& publisher, Options options,
              SteadyClock clock = std::chrono::steady_clock::now);
  /// Stops without waiting for what is in flight.
  ~OutboxRelay();
  OutboxRelay(const OutboxRelay&) = delete;
  OutboxRelay& operator=(const OutboxRelay&) = delete;

  /// To be called when a change of `shard` was committed. Never blocks. True: it is published at
  /// once. False: this relay does not hold the shard, so the caller should tell the other replicas;
  /// their poll is the net.
  bool Wake(int shard);

  /// Sends nothing more, waits for what is in flight, makes the cursors durable and gives the
  /// shards back, for another replica to take at once. Blocks until that is done, or until
  /// `deadline` and the end of the database call then under way. True: all was given back.
  /// Otherwise the leases run out by themselves, and up to a second of events is sent again.
  /// Calling it again is harmless.
  bool Stop(SteadyTime deadline);

  Stats stats() { return loop_.stats(); }

 private:
  void Run();

  const SteadyClock clock_;
  const std::shared_ptr<Mailbox> mailbox_;
  RelayLoop loop_;
  std::jthread thread_;  // last: everything else is there before it starts
};

}  // namespace todo::relay
