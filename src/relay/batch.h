#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "ports/event_publisher.h"
#include "ports/outbox_log.h"
#include "relay/steady_clock.h"
#include "util/backoff.h"

namespace todo::relay {

/// The events of a batch for one topic, and how far their publishing has come. They are published
/// in order, one run of events at a time; a run that failed is published again.
///
/// If publishing keeps failing, one event of the run may be to blame. Then the run is halved until
/// that event stands alone, so that the events before it are not sent over and over with it.
class BatchPart {
 public:
  BatchPart(std::string topic, std::vector<ports::OutgoingEvent> events, util::Backoff backoff)
      : topic_(std::move(topic)),
        events_(std::move(events)),
        run_(events_.size()),
        backoff_(backoff) {}

  const std::string& topic() const { return topic_; }
  bool done() const { return acknowledged_ == events_.size(); }
  /// Nothing is in flight and there is something left to publish, at `retry_at` or later.
  bool waits() const { return in_flight_ == 0 && !done(); }
  SteadyTime retry_at() const { return retry_at_; }

  /// Copies of the events to publish next.
  std::vector<ports::OutgoingEvent> NextRun() const;
  /// NextRun is on its way.
  void NoteSent();
  void NoteAcknowledged();
  /// `event_to_blame`: one of the events, not the connection, may be the cause.
  void NoteFailed(SteadyTime now, bool event_to_blame);

  /// Failures in a row of the same events, and since when.
  int failures() const { return failures_; }
  SteadyTime failing_since() const { return failing_since_; }
  /// The first event that is not acknowledged. Precondition: not done.
  const std::string& next_event_id() const { return events_[acknowledged_].entry_id; }
  std::size_t run() const { return run_; }

 private:
  std::size_t NextCount() const { return std::min(run_, events_.size() - acknowledged_); }

  std::string topic_;
  std::vector<ports::OutgoingEvent> events_;
  std::size_t acknowledged_ = 0;  // the events before this index are on the topic
  std::size_t in_flight_ = 0;     // the number of the next events that are on their way
  int failures_ = 0;
  SteadyTime failing_since_;
  SteadyTime retry_at_;
  std::size_t suspect_end_ = 0;  // the event to blame is before this index; 0: no suspicion
  std::size_t run_;              // how many events to publish at once
  util::Backoff backoff_;
};

/// Changes and messages that were read of one shard at once, on their way to all topics.
struct Batch {
  std::uint64_t id = 0;
  ports::OutboxCursor next;  // the shard's cursor when all is published
  std::size_t count = 0;     // of changes and messages
  std::vector<BatchPart> parts;

  bool done() const;
  /// On its way for the first time: no part of it has failed.
  bool is_fresh() const;
};

/// The topics of task changes.
struct ChangeTopics {
  std::string task_events;
  std::string task_updates;
};

/// The batch of `content`: each change goes to both topics, each message to its own.
Batch MakeBatch(std::uint64_t id, ports::OutboxBatch content, const ChangeTopics& topics,
                const util::Backoff& backoff);

}  // namespace todo::relay
