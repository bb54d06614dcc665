#pragma once

#include <functional>
#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "domain/event.h"
#include "ports/event_inbox.h"

namespace todo::service {

/// Something that takes effect when events of a topic come.
/// Thread safety: Prepare, and what it answers, may be called from many threads at once.
class EventConsumer {
 public:
  /// The effect of `taken`, all of which the consumer takes for the first time, through
  /// `transaction` alone. May be called more than once, each time in a new transaction. Not OK:
  /// nothing of it is kept. kInvalidArgument: an event among them can never succeed. What says that
  /// the store cannot do it now (see NotNow) must be passed on as it is.
  using Effect = std::function<absl::Status(ports::InboxTransaction& transaction,
                                            const std::vector<domain::Event>& taken)>;

  virtual ~EventConsumer() = default;

  /// Names the consumer in the inbox, for ever.
  virtual std::string_view name() const = 0;

  /// The effect of some or all of `events`. What it needs from elsewhere than the transaction is
  /// read now: nobody may wait for another service while locks are held. Statuses as those of the
  /// effect.
  virtual absl::StatusOr<Effect> Prepare(const std::vector<domain::Event>& events) = 0;
};

}  // namespace todo::service
