#pragma once

#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "util/trace_context.h"

namespace todo::ports {

/// One whole CloudEvent (structured mode) for a topic.
struct OutgoingEvent {
  std::string key;                // record key: the user id
  std::string entry_id;           // unique within the batch
  std::string payload;            // published byte for byte
  util::TraceContext cause = {};  // of the event, as the payload says; not valid: none
};

/// Publishes to topics of the bus.
/// Thread safety: may be called from many threads at once. Does not block.
class EventPublisher {
 public:
  virtual ~EventPublisher() = default;

  /// Publishes `events` in order and then calls `done` once, from a thread of the publisher's;
  /// `done` must not block. The publisher has a deadline of its own. OK: the broker has all of the
  /// events, durably. Anything else: the broker may have some of them, in any number of copies;
  /// publish all of them again under the same ids. The calls that this takes are a part of the
  /// thread's current trace. See IsUnanswered (ports/failure.h) for whether one of the events may
  /// be to blame.
  virtual void Publish(std::string_view topic, std::vector<OutgoingEvent> events,
                       std::function<void(absl::Status)> done) = 0;
};

}  // namespace todo::ports
