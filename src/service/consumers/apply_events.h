#pragma once

#include <set>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"
#include "domain/event/event.h"
#include "domain/event/received_event.h"
#include "domain/time.h"
#include "ports/event_inbox.h"
#include "ports/retry_queue.h"
#include "service/consumers/event_consumer.h"

// The body of a consumer's transaction: take the events, then apply the consumer's effect.

namespace todo::service {

/// Events on their way to one consumer. The lists are parallel: the same events in three forms.
struct EventBatch {
  std::vector<domain::Event> events;
  std::vector<domain::ReceivedEvent> received;
  std::vector<domain::EventHeader> headers;

  void Add(domain::Event event, domain::ReceivedEvent received_event);
  /// Whether two events have one id and are known to be no copies of each other.
  bool HoldsTwoOfOneId() const;
};

/// The result of a transaction, once it is committed.
struct Applied {
  /// False: it was not the turn of the entry of the retry queue.
  bool ours = true;
  /// Every event had its effect now. False: some were taken before, or wait behind others.
  bool all_done = true;
  std::set<domain::EventId> reused;      // ports::Claimed::reused
  std::vector<domain::Instant> applied;  // the times of the events that had their effect now
};

/// Claims the events of `batch`, which came from the bus, for `consumer`, and applies `effect` to
/// those that are fresh. Not OK: roll the transaction back.
absl::StatusOr<Applied> ApplyFromBus(ports::InboxTransaction& transaction,
                                     std::string_view consumer, const EventBatch& batch,
                                     const EventConsumer::Effect& effect);

/// Takes up `entry` of the retry queue, whose event is all of `batch`, applies `effect` to it and
/// removes it from its queue. Not OK: roll the transaction back.
absl::StatusOr<Applied> ApplyFromQueue(ports::InboxTransaction& transaction,
                                       const ports::RetryEntry& entry, const EventBatch& batch,
                                       const EventConsumer::Effect& effect, domain::Instant now);

}  // namespace todo::service
