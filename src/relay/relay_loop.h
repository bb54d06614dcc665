#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "ports/event_publisher.h"
#include "ports/outbox_log.h"
#include "relay/batch.h"
#include "relay/bus_watch.h"
#include "relay/mailbox.h"
#include "relay/pace.h"
#include "relay/publish_plan.h"
#include "relay/steady_clock.h"
#include "util/backoff.h"
#include "util/guarded.h"

namespace todo::relay {

struct RelayOptions {
  std::string owner;  // unique to this process
  std::string task_events_topic = "task-events";
  std::string task_updates_topic = "task-updates";
  int batch_limit = 100;  // changes of one shard in one read; events in one publish
  /// How long changes gather at most, after others were read. Few changes wait for a part of it.
  std::chrono::milliseconds gather{40};
  std::chrono::milliseconds lease{4'000};
  std::chrono::milliseconds renew_interval{1'000};
  std::chrono::milliseconds poll_interval{250};
  /// The poll interval while `announced` answers true: other replicas announce their changes.
  std::chrono::milliseconds announced_poll_interval{1'000};
  std::function<bool()> announced = [] { return false; };  // must not block
  std::chrono::milliseconds cursor_interval{1'000};        // between two writes of cursors
  /// Between two writes of cursors that moved although nothing was published.
  std::chrono::milliseconds idle_cursor_interval{60'000};
  std::chrono::milliseconds min_backoff{100};  // after the first failure in a row; doubles up to
  std::chrono::milliseconds max_backoff{1'000};
  int failures_until_error = 30;  // failures in a row of the same events until an error is logged
  /// Whether the replica's own sidecar answers; called only when no publish succeeds. May block for
  /// a small part of a lease.
  std::function<bool()> sidecar_answers = [] { return true; };
  std::chrono::milliseconds give_up_after{10'000};  // time without success until it is asked
  std::chrono::milliseconds probe_interval{1'000};  // between two calls of sidecar_answers
};

/// Figures of the relay. Counts are since the start.
struct RelayStats {
  int owned_shards = 0;
  bool bus_failing = false;           // the last publish of some shard failed
  std::uint64_t published_count = 0;  // changes and messages that all their topics have
  std::uint64_t publish_failures = 0;
};

/// The relay's work, a step at a time, without a thread of its own.
///
/// Pace: a lone change is published at once. Under load changes gather for a moment, and those of
/// several shards go to a topic in one call (PublishPlan).
///
/// Order: for each shard and topic, a change is sent only when the bus has acknowledged all changes
/// before it, with one publish in flight. A failed publish is repeated, never skipped. A cursor
/// moves only when all topics have the whole batch. Nothing is sent after the lease has run out by
/// this process's clock. However replicas freeze, wake and overlap, the first copies of changes
/// therefore come in `seq` order, and only copies repeat. The cursor in the database is the truth:
/// if it is neither the one that was read nor the one that was written last (a backup was restored,
/// or a replica of the database took over), the relay goes on from there.
///
/// Sidecar: a replica whose sidecar stays away releases its shards, and takes shards again when the
/// sidecar is back. While the sidecar answers, the replica keeps its shards: then it is the bus
/// that fails, and other replicas would have the same trouble.
///
/// Thread safety: used by one thread; only `stats` may be called from any. Blocks on the database.
class RelayLoop {
 public:
  /// `log` and `publisher` must outlive this; completions may come later than that.
  RelayLoop(ports::OutboxLog& log, ports::EventPublisher& publisher, RelayOptions options,
            SteadyClock clock, std::shared_ptr<Mailbox> mailbox);
  RelayLoop(const RelayLoop&) = delete;
  RelayLoop& operator=(const RelayLoop&) = delete;

  /// Takes the mail and does the work that is due. Returns when to call it again, unless mail
  /// arrives earlier.
  SteadyTime Step();

  /// True after the last Step, which the mail had asked for. Do not call Step again.
  bool finished() const { return finished_; }
  /// All shards were released and their cursors are durable. Meaningful when finished.
  bool all_released() const { return shards_.empty(); }

  RelayStats stats() { return *stats_.Lock(); }

 private:
  struct Shard {
    std::int64_t epoch = 0;
    ports::OutboxCursor cursor;          // all changes up to here are acknowledged
    ports::OutboxCursor stored;          // the database's cursor, as far as known
    ports::OutboxCursor sent;            // the cursor written last, perhaps without an answer
    std::optional<SteadyTime> write_at;  // when to make the cursor durable; absent: it is
    bool due = true;                     // there may be something to read
    bool leaving = false;                // to be released as soon as nothing is in flight
    std::optional<Batch> batch;
  };
  using Shards = std::map<int, Shard>;

  // The parts of a step; each checks whether it has anything to do.
  void TakeMail();
  void WatchSidecar();
  void Renew();
  void WriteCursors();
  void GiveBack();
  void ReadBatches();
  void PublishReady();
  void Drain();
  SteadyTime NextStep() const;
  void UpdateStats();

  void Adopt(const ports::OutboxShards& answer);
  /// Compares `stored`, the database's cursor, with the cursors of `shard`. True: this replica
  /// wrote it last, and goes on. False: the database was set back, and the shard begins from there.
  static bool Reconcile(Shard& shard, const ports::OutboxCursor& stored);
  void OnCompletion(const Completion& completion);
  bool AnyPartFails() const;
  void Send(PlannedPublish publish);
  SteadyTime NextRead() const;
  bool Release(const std::vector<int>& numbers);
  void TellHeld();

  bool LeaseHolds(SteadyTime now) const { return now < lease_until_; }
  bool DatabaseReady(SteadyTime now) const { return now >= database_retry_at_; }
  bool Idle(int number) const { return !calls_in_flight_.contains(number); }
  bool Readable(int number, const Shard& shard) const;
  util::Backoff NewBackoff() const {
    return util::Backoff(options_.min_backoff, options_.max_backoff);
  }
  /// Notes how a call of the outbox log ended. Returns whether it succeeded.
  bool DatabaseAnswered(const absl::Status& status, std::string_view attempt);
  std::vector<ports::OutboxShard> Cursors(const std::vector<int>& numbers) const;

  ports::OutboxLog& log_;
  ports::EventPublisher& publisher_;
  const RelayOptions options_;
  const SteadyClock clock_;
  const std::shared_ptr<Mailbox> mailbox_;

  Shards shards_;
  std::map<int, int> calls_in_flight_;  // by shard, also of lost shards; no zeros
  std::uint64_t last_batch_id_ = 0;
  SteadyTime lease_until_;
  SteadyTime renew_at_;
  SteadyTime poll_at_;
  SteadyTime cursor_write_at_;  // not before
  SteadyTime database_retry_at_;
  bool database_failing_ = false;
  util::Backoff database_backoff_;
  BusWatch bus_;
  Pace pace_;
  bool resting_ = false;  // the sidecar is away: all shards are released and none is taken
  SteadyTime probe_at_;
  std::optional<SteadyTime> stop_at_;
  bool finished_ = false;
  RelayStats own_stats_;
  util::Guarded<RelayStats> stats_;
};

}  // namespace todo::relay
