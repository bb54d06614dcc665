#pragma once

#include <cstddef>
#include <map>
#include <string>
#include <vector>

#include "ports/event_publisher.h"
#include "relay/batch.h"
#include "relay/mailbox.h"

namespace todo::relay {

/// Events that go to their topic in one call, and what becomes of it: a completion for each part,
/// still without a status.
struct PlannedPublish {
  std::string topic;
  std::vector<ports::OutgoingEvent> events;
  std::vector<Completion> completions;
};

/// Puts together what several shards have for one topic: a call costs the sidecar and the broker
/// much more than an event does. A part that failed before is published on its own, so that a bad
/// event holds up its own shard only.
class PublishPlan {
 public:
  /// A call has at most `limit` events, unless a single part has more.
  explicit PublishPlan(std::size_t limit) : limit_(limit) {}

  /// Precondition: `batch.parts[index]` waits.
  void Add(int shard, const Batch& batch, std::size_t index);
  /// All that was added, once.
  std::vector<PlannedPublish> Take();

 private:
  std::size_t limit_;
  std::map<std::string, PlannedPublish> open_;  // by topic
  std::vector<PlannedPublish> full_;
};

}  // namespace todo::relay
