#pragma once

#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "service/consumers/apply_events.h"
#include "util/span.h"

namespace todo::service {

/// The spans of one consumer's work on a batch: one of the batch, which has the events as its
/// links, and one of each event, which is a part of the event's own trace. A batch of one event has
/// one span, which is a part of that trace. Thread safety: none; it belongs to the thread that
/// works on the batch.
class EventSpans {
 public:
  /// Gives each of `batch.events` the place of its span as its traceparent, so that everything that
  /// the consumer makes of the event is a part of it.
  EventSpans(std::string_view consumer, EventBatch& batch);

  /// Of the batch.
  const util::Span& span() const { return batch_; }
  /// Ends all spans with the result of the work.
  void End(const absl::Status& status);

 private:
  util::Span batch_;
  std::vector<util::Span> events_;  // of those events that somebody records
};

}  // namespace todo::service
