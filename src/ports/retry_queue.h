#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "domain/event/bus_record.h"
#include "domain/event/dead_letter.h"
#include "domain/event/received_event.h"
#include "domain/ids.h"
#include "domain/time.h"

namespace todo::ports {

/// An event in the retry queue.
struct RetryEntry {
  std::string consumer;
  domain::EventId event_id;
  int attempts = 0;  // that failed and count; 0: the event only waited, or was replayed
  std::optional<domain::Instant> first_failed_at;
  domain::Instant due_at;
  domain::BusRecord record;
};

/// When an event is tried again, and why.
struct RetrySchedule {
  std::optional<domain::Instant> failed_at;  // nullopt: the event was not tried, it only waits
  bool counts = true;                        // whether the failure counts as an attempt
  domain::Instant due_at;
  std::string reason;

  int attempts() const { return failed_at && counts ? 1 : 0; }
};

/// Where an event was taken from that becomes a dead letter.
enum class TakenFrom { kBus, kRetryQueue };

/// The events that wait for a retry. Each task of each consumer has a queue of its own: an event
/// waits for those before it. Every method is one durable step.
///
/// Thread safety: all methods may be called from many threads at once. They block on the database.
/// All can answer kUnavailable and the like (see TaskStore): nothing was stored then, so the bus
/// must deliver the event again.
class RetryQueue {
 public:
  virtual ~RetryQueue() = default;

  /// Claims the event for `consumer` and puts it into its task's queue. False: the consumer has
  /// taken the event before, and nothing was done.
  virtual absl::StatusOr<bool> Enqueue(std::string_view consumer,
                                       const domain::ReceivedEvent& received,
                                       const RetrySchedule& schedule) = 0;

  /// Up to `limit` (> 0) entries of `consumers` that are due at `now`: the longest due first, at
  /// most one of each queue.
  virtual absl::StatusOr<std::vector<RetryEntry>> Due(const std::vector<std::string>& consumers,
                                                      domain::Instant now, int limit) = 0;

  /// When the next entry of `consumers` is due; nullopt: no entry waits.
  virtual absl::StatusOr<std::optional<domain::Instant>> NextDue(
      const std::vector<std::string>& consumers) = 0;

  /// Records another failure of `entry`. Does nothing when the attempts of the entry have changed
  /// since it was read.
  virtual absl::Status Reschedule(const RetryEntry& entry, const RetrySchedule& schedule) = 0;

  /// Gives an event up: stores its dead letter and posts it to the dead-letter topic. An event from
  /// the bus is claimed; one from the retry queue leaves its queue, and the next event of the queue
  /// is due at `now`. False: another thread or replica has taken the event, and nothing was done.
  virtual absl::StatusOr<bool> AddDeadLetter(const domain::DeadLetter& letter, TakenFrom taken_from,
                                             domain::Instant now) = 0;
};

}  // namespace todo::ports
