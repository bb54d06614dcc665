#pragma once

#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "domain/event.h"
#include "ports/event_inbox.h"

namespace todo::service {

/// Something that takes effect when tasks change.
/// Thread safety: Apply may be called from many threads at once.
class TaskEventConsumer {
 public:
  virtual ~TaskEventConsumer() = default;

  /// Names the consumer in the inbox, for ever.
  virtual std::string_view name() const = 0;

  /// The effect of `events`, all of which this consumer takes for the first time, through
  /// `transaction` alone. Not OK: nothing of it is kept. kInvalidArgument: an event among them can
  /// never succeed. What says that the store cannot do it now (see NotNow) must be passed on as it
  /// is.
  virtual absl::Status Apply(ports::InboxTransaction& transaction,
                             const std::vector<domain::TaskEvent>& events) = 0;
};

}  // namespace todo::service
