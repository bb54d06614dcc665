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

/// Something that takes effect when events of a topic come.
/// Thread safety: Prepare, and what it answers, may be called from many threads at once.
class EventConsumer {
 public:
  /// The effect of `taken`, all of which the consumer takes for the first time, through
  /// `transaction` alone. May be called more than once, each time in a new transaction. Not OK:
  /// nothing of it is kept. kInvalidArgument: an event among them can never succeed. Saying which
  /// event failed (see Blame) saves trying the others one by one. What says that the store cannot
  /// do it now (ports::IsTemporary) must be passed on as it is.
  using Effect = std::function<absl::Status(ports::InboxTransaction& transaction,
                                            const std::vector<domain::Event>& taken)>;

  virtual ~EventConsumer() = default;

  /// Names the consumer in the inbox, for ever.
  virtual std::string_view name() const = 0;

  /// Whether Concerns passes events over. Such a consumer gets no dead letter of a record that
  /// cannot be read: nobody is known to have wanted it.
  virtual bool picks_events() const { return false; }

  /// For each of `events`, whether there is something to do for this consumer. Those for which
  /// there is not leave no trace: nobody notes that the consumer has seen them.
  virtual absl::StatusOr<std::vector<bool>> Concerns(const std::vector<domain::Event>& events) {
    return std::vector<bool>(events.size(), true);
  }

  /// The effect of some or all of `events`. What it needs from elsewhere than the transaction is
  /// read now: nobody may wait for another service while locks are held. Statuses as those of the
  /// effect, but what says that it cannot be done now (ports::IsTemporary) is about what it needs
  /// from elsewhere: then the consumer's events, these and those that come, wait until that is
  /// back.
  virtual absl::StatusOr<Effect> Prepare(const std::vector<domain::Event>& events) = 0;
};

/// `status` (not OK) of a batch, naming the event that it is about. Events before it in the batch
/// must not depend on it.
absl::Status Blame(absl::Status status, const domain::EventId& event);
/// The event that `status` names; nullopt: it names none.
std::optional<domain::EventId> BlamedIn(const absl::Status& status);

}  // namespace todo::service
