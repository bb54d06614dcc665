#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "domain/event/event.h"
#include "domain/ids.h"
#include "domain/time.h"

// What the bus brings, and what becomes of an event whose effect fails.

namespace todo::domain {

/// One record of a topic, as it lay there.
struct BusRecord {
  std::string topic;
  int partition = -1;        // -1: the bus has none
  std::int64_t offset = -1;  // the same
  std::string key;
  std::string content_type;
  std::string bytes;
};

/// An event and the record that it came in.
struct ReceivedEvent {
  EventHeader event;
  BusRecord record;
};

/// How long after failure number `failures` (1 is the first) an event is tried again; nullopt:
/// never.
std::optional<std::chrono::milliseconds> RetryDelay(int failures);

/// A crash in the same event for the `kMaxCrashes`th time makes it a dead letter.
inline constexpr int kMaxCrashes = 3;

/// An event that a consumer gave up. Whatever the record is like, it is short but for the record's
/// bytes: what tells of it is cut where it is long, the record's key included.
struct DeadLetter {
  Uuid id;  // DeadLetterId: of the row and of the record on the dead-letter topic
  std::string consumer;
  EventId event_id;           // for a record without one: derived from the record
  bool has_event_id = true;   // false: the record did not say
  UserId user;                // empty: the record did not say
  TaskId task_id;             // 0: the record did not say
  Instant event_at;           // decides the inbox day
  std::int64_t identity = 0;  // EventHeader::identity
  int attempts = 1;           // the first try included
  Instant first_failed_at;
  Instant last_failed_at;
  std::string reason;  // for people
  BusRecord record;
};

/// Kafka's default for a batch is 1 MiB less some, and every client adds some of its own. A record
/// that the bus does not take would stop all that is published after it.
inline constexpr std::size_t kMaxDeadLetterBytes = 1'000'000;

/// Two consumers may give up the same event, and each always under the same id.
Uuid DeadLetterId(std::string_view consumer, const EventId& event_id);

/// A stand-in for the event id of a record that cannot be read: the same on every delivery of that
/// record.
EventId UnreadableEventId(const BusRecord& record);

/// The dead letter of a record that is no event at all.
DeadLetter UnreadableDeadLetter(std::string_view consumer, const BusRecord& record,
                                std::string_view reason, Instant now);

/// The dead letter of an event that failed `attempts` times.
DeadLetter DeadLetterOf(std::string_view consumer, const ReceivedEvent& received, int attempts,
                        Instant first_failed_at, Instant last_failed_at, std::string_view reason);

/// The dead-letter topic of a topic.
std::string DeadLetterTopic(std::string_view topic);

/// The CloudEvent for the dead-letter topic: the original record as it came (JSON as data, anything
/// else as data_base64) and the reason in extension attributes. With the key it stays below
/// kMaxDeadLetterBytes: an original that has no room is left out; `dlqreason` then says so, and the
/// row keeps it.
std::string DeadLetterRecord(const DeadLetter& letter);

}  // namespace todo::domain
