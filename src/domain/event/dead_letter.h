#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "domain/event/bus_record.h"
#include "domain/event/received_event.h"
#include "domain/ids.h"
#include "domain/time.h"

// The parts of an event that a dead letter keeps, and its form on the dead-letter topic.

namespace todo::domain {

/// An event that a consumer gave up, or a record that is no event. The record's bytes are kept
/// whole. Every other text is cut at 1,000 bytes, the record's key included, so that any record
/// that the bus can bring fits.
struct DeadLetter {
  Uuid id;  // DeadLetterId: of the row and of the record on the dead-letter topic
  std::string consumer;
  EventId event_id;           // UnreadableEventId when `has_event_id` is false
  bool has_event_id = true;   // false: the record did not say
  UserId user;                // empty: the record did not say
  TaskId task_id;             // 0: the record did not say
  Instant event_at;           // decides the inbox day
  std::int64_t identity = 0;  // EventHeader::identity
  int attempts = 1;           // the first one included
  Instant first_failed_at;
  Instant last_failed_at;
  std::string reason;  // for people
  BusRecord record;
};

/// The limit of a record on a dead-letter topic: Kafka's default limit for a batch is 1 MiB, and
/// clients add headers of their own. A record above the bus's limit would stop every later record
/// of its shard.
inline constexpr std::size_t kMaxDeadLetterBytes = 1'000'000;

/// The id of the dead letter of `event_id`. Each consumer has one of its own, and giving the event
/// up again yields the same id.
Uuid DeadLetterId(std::string_view consumer, const EventId& event_id);

/// Stands in for the event id of a record that cannot be read. Every redelivery of the record
/// yields the same id.
EventId UnreadableEventId(const BusRecord& record);

/// The dead letter of a record that is no event.
DeadLetter UnreadableDeadLetter(std::string_view consumer, const BusRecord& record,
                                std::string_view reason, Instant now);

/// The dead letter of an event that failed `attempts` times.
DeadLetter DeadLetterOf(std::string_view consumer, const ReceivedEvent& received, int attempts,
                        Instant first_failed_at, Instant last_failed_at, std::string_view reason);

/// The dead-letter topic of a topic.
std::string DeadLetterTopic(std::string_view topic);

/// The CloudEvent for the dead-letter topic: the record's bytes (JSON as `data`, anything else as
/// `data_base64`) and the reason in extension attributes. Key and CloudEvent together stay below
/// kMaxDeadLetterBytes: bytes that do not fit are left out, `dlqreason` says so, and only the
/// stored dead letter keeps them.
std::string DeadLetterRecord(const DeadLetter& letter);

}  // namespace todo::domain
