#pragma once

#include <functional>
#include <optional>
#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "domain/event/event.h"
#include "ports/event_inbox.h"

namespace todo::service {

/// Takes effect when events of a topic come, once for each event.
/// Thread safety: all methods, and the effects that Prepare answers, may be called from many
/// threads at once.
class EventConsumer {
 public:
  /// Applies `taken`, events that the consumer takes for the first time, through `transaction`
  /// alone. May be called more than once, each time in a new transaction. On a failure the
  /// transaction is rolled back and then:
  /// - kInvalidArgument: an event among `taken` can never succeed and becomes a dead letter;
  /// - a status for which ports::IsTemporary holds must come from the transaction, unchanged: the
  ///   bus delivers the events again;
  /// - anything else: the event is tried again on the schedule of retries.
  /// A status that names the event (see Blame) saves trying all events one by one.
  using Effect = std::function<absl::Status(ports::InboxTransaction& transaction,
                                            const std::vector<domain::Event>& taken)>;

  virtual ~EventConsumer() = default;

  /// Names the consumer in the database. Never change it.
  virtual std::string_view name() const = 0;

  /// Whether Concerns leaves events out. Such a consumer gets no dead letter for a record that
  /// cannot be read, since the record may not concern it.
  virtual bool picks_events() const { return false; }

  /// For each of `events`, whether it has an effect for this consumer. Events without an effect
  /// leave no trace in the inbox. May block on the database; statuses as the effect's.
  virtual absl::StatusOr<std::vector<bool>> Concerns(const std::vector<domain::Event>& events) {
    return std::vector<bool>(events.size(), true);
  }

  /// The effect of some or all of `events`. Reads everything that the effect needs from elsewhere
  /// than the transaction, because an effect must not wait for another service while it holds
  /// locks. May block on that service. Statuses as the effect's, with one difference: a temporary
  /// failure means that the other service is away, and the consumer's events then wait in the retry
  /// queue until it is back.
  virtual absl::StatusOr<Effect> Prepare(const std::vector<domain::Event>& events) = 0;
};

/// `status` (not OK) of a batch, with the name of the event that it is about. Events before it in
/// the batch must not depend on it.
absl::Status Blame(absl::Status status, const domain::EventId& event);
/// The event that `status` names; nullopt: it names none.
std::optional<domain::EventId> BlamedIn(const absl::Status& status);

}  // namespace todo::service
