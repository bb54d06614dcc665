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

#include "domain/time.h"
#include "ports/event_publisher.h"
#include "ports/outbox_log.h"
#include "relay/mailbox.h"
#include "relay/steady_clock.h"
#include "util/guarded.h"

namespace todo::relay {

struct RelayOptions {
  std::string owner;  // unique to this process
  std::string task_events_topic = "task-events";
  std::string task_updates_topic = "task-updates";
  int batch_limit = 100;  // changes of one shard in one publish
  std::chrono::milliseconds lease{4'000};
  std::chrono::milliseconds renew_interval{1'000};
  std::chrono::milliseconds poll_interval{250};
  /// The same while `announced` says that changes of other replicas are announced to this one.
  std::chrono::milliseconds announced_poll_interval{1'000};
  std::function<bool()> announced = [] { return false; };  // must not block
  std::chrono::milliseconds cursor_interval{1'000};        // between two writes of cursors
  std::chrono::milliseconds idle_cursor_interval{
      60'000};                                 // the same for cursors that only became fresher
  std::chrono::milliseconds min_backoff{100};  // after the first failure in a row; doubles up to
  std::chrono::milliseconds max_backoff{1'000};
  int failures_until_error = 30;  // in a row of the same events, until a person is asked to look
  /// Whether the replica's own sidecar answers, asked only when nothing gets through. May block for
  /// well less than a lease.
  std::function<bool()> sidecar_answers = [] { return true; };
  std::chrono::milliseconds give_up_after{10'000};  // without an answer of the sidecar
  std::chrono::milliseconds probe_interval{1'000};  // between two questions whether it answers
};

/// What the relay shows of itself. Counts are since the start.
struct RelayStats {
  int owned_shards = 0;
  bool lease_held = false;
  bool bus_failing = false;           // some shard's last publish failed
  bool database_failing = false;      // the last call of the outbox log failed
  std::uint64_t published_count = 0;  // changes, each on all topics
  std::uint64_t publish_failures = 0;
  std::uint64_t database_failures = 0;
  std::string last_error;  // of any kind; stays after recovery
  /// Of the oldest change that was read and is not yet acknowledged; what was never read is not
  /// known.
  std::optional<domain::Instant> oldest_unpublished;
};

/// What the relay does, a step at a time, without a thread of its own.
///
/// Promises: per shard and topic, a change is sent only when the bus has acknowledged all before
/// it, with one publish in flight; what failed is sent again, never skipped; a cursor moves only
/// when all topics have the whole batch; nothing is sent after the lease has run out by our own
/// clock. So however replicas freeze, wake and overlap, first copies come in `seq` order and only
/// copies repeat. The cursor in the database is the truth: when it is neither what was read nor
/// what was written last (a backup was restored, a replica of the database took over), it is taken.
///
/// A replica whose sidecar stays away gives its shards to the others, and takes shards again when
/// the sidecar is back. As long as the sidecar answers it keeps them, for then it is the bus that
/// fails, and the others would fare no better.
///
/// Thread safety: one thread only; `stats` may be called from any. Blocks on the database.
class RelayLoop {
 public:
  /// `log` and `publisher` must outlive this; completions may come later than that.
  RelayLoop(ports::OutboxLog& log, ports::EventPublisher& publisher, RelayOptions options,
            SteadyClock clock, std::shared_ptr<Mailbox> mailbox);
  RelayLoop(const RelayLoop&) = delete;
  RelayLoop& operator=(const RelayLoop&) = delete;

  /// Takes the mail and does what is due. Answers when to come again, if no mail calls earlier.
  SteadyTime Step();

  /// True after a Step that ended the work, as the mail had asked for. No more steps then.
  bool finished() const { return finished_; }
  /// All shards were given back, with all that was acknowledged. Meaningful when finished.
  bool all_released() const { return shards_.empty(); }

  RelayStats stats() { return *stats_.Lock(); }

 private:
  /// The way of a part of a batch to one topic. The events before `acknowledged` are there, the
  /// next `in_flight` on their way.
  struct Stream {
    std::string topic;
    std::vector<ports::OutgoingEvent> events;
    std::size_t acknowledged = 0;
    std::size_t in_flight = 0;
    int failures = 0;  // in a row
    SteadyTime failing_since;
    SteadyTime retry_at;  // the beginning of time: now
    // When sending keeps failing, one of the events may be to blame. Then the run that fails is
    // halved until that one stands alone, so that those before it are not sent over and over with
    // it.
    std::size_t suspect_end = 0;  // the one to blame is before this index; 0: no suspicion
    std::size_t run = 0;          // how many to send at once
  };
  struct Batch {
    std::uint64_t id = 0;
    ports::OutboxCursor next;
    domain::Instant oldest;
    std::size_t count = 0;  // of changes and messages
    std::vector<Stream> streams;
  };
  struct Shard {
    std::int64_t epoch = 0;
    ports::OutboxCursor cursor;          // all up to here is acknowledged
    ports::OutboxCursor stored;          // what the database has, as far as we know
    ports::OutboxCursor sent;            // what was written last, perhaps without an answer
    std::optional<SteadyTime> write_at;  // when to make it durable; absent: nothing new
    bool due = true;                     // there may be something to read
    bool leaving = false;                // to be given back as soon as nothing is in flight
    std::optional<Batch> batch;
  };
  using Shards = std::map<int, Shard>;

  // The parts of a step; each looks for itself whether it has anything to do.
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
  /// The database's cursor of a shard that we hold: ours goes on from it if nobody but us wrote it.
  /// False: the database was set back, and we begin from there.
  static bool Reconcile(Shard& shard, const ports::OutboxCursor& stored);
  void OnCompletion(const Completion& completion);
  void OnAcknowledged(Stream& stream);
  void OnFailed(int number, Batch& batch, std::size_t index, const absl::Status& status);
  void ReportIfStuck(int number, const Batch& batch, std::size_t index, const absl::Status& status);
  bool AnyStreamFails() const;
  Batch MakeBatch(ports::OutboxBatch content);
  void Send(int number, Batch& batch, std::size_t index);
  bool Release(const std::vector<int>& numbers);
  void TellHeld();

  bool LeaseHolds(SteadyTime now) const { return now < lease_until_; }
  bool DatabaseReady(SteadyTime now) const { return now >= database_retry_at_; }
  bool Idle(int number) const { return !calls_in_flight_.contains(number); }
  bool Readable(int number, const Shard& shard) const;
  static bool Sendable(const Stream& stream);
  SteadyTime::duration Backoff(int failures) const;
  /// Notes how a call of the outbox log ended; answers whether it was well.
  bool DatabaseAnswered(const absl::Status& status, std::string_view attempt);
  std::vector<ports::OutboxShard> Cursors(const std::vector<int>& numbers) const;

  ports::OutboxLog& log_;
  ports::EventPublisher& publisher_;
  const RelayOptions options_;
  const SteadyClock clock_;
  const std::shared_ptr<Mailbox> mailbox_;

  Shards shards_;
  std::map<int, int> calls_in_flight_;  // by shard, those of lost shards included; no zeros
  std::uint64_t last_batch_id_ = 0;
  SteadyTime lease_until_;
  SteadyTime renew_at_;
  SteadyTime poll_at_;
  SteadyTime cursor_write_at_;  // not before
  SteadyTime database_retry_at_;
  int database_failures_ = 0;  // in a row
  SteadyTime last_acknowledged_;
  bool bus_failing_ = false;
  SteadyTime bus_failing_since_;
  bool resting_ = false;  // the sidecar is away: all shards are given back and none is taken
  SteadyTime probe_at_;
  bool outage_reported_ = false;
  std::optional<SteadyTime> stop_at_;
  bool finished_ = false;
  RelayStats own_stats_;
  util::Guarded<RelayStats> stats_;
};

}  // namespace todo::relay
