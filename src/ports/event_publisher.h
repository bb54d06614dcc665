#pragma once

#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/status.h"

namespace todo::ports {

/// One whole CloudEvent (structured mode) on its way to a topic.
struct OutgoingEvent {
  std::string key;       // record key: the user id
  std::string entry_id;  // unique within the batch
  std::string payload;   // published byte for byte
};

/// Publishes to topics of the bus.
/// Thread safety: may be called from many threads at once. Does not block.
class EventPublisher {
 public:
  virtual ~EventPublisher() = default;

  /// Publishes `events` in order and then calls `done` once, from a thread of the publisher's.
  /// OK: the broker has them all, durably. Anything else: some may be there, in any number of
  /// copies: publish all again, under the same ids. Has a deadline of its own. `done` must not
  /// block.
  virtual void Publish(std::string_view topic, std::vector<OutgoingEvent> events,
                       std::function<void(absl::Status)> done) = 0;
};

}  // namespace todo::ports
