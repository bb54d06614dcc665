#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "domain/event/dead_letter.h"
#include "domain/event/received_event.h"
#include "domain/ids.h"
#include "domain/time.h"

namespace todo::ports {

/// An event that waits to be tried again.
struct RetryEntry {
  std::string consumer;
  domain::EventId event_id;
  int attempts = 0;  // failures so far; 0: it has only waited, or was replayed
  std::optional<domain::Instant> first_failed_at;
  domain::Instant due_at;
  domain::BusRecord record;
};

/// Why an event is tried again, and when.
struct RetrySchedule {
  std::optional<domain::Instant> failed_at;  // nullopt: it has not been tried, it only has to wait
  bool counts = true;                        // as one of its attempts, if it failed
  domain::Instant due_at;
  std::string reason;

  int attempts() const { return failed_at && counts ? 1 : 0; }
};

/// Where failed events wait and where those given up go. Each method is one durable step. An event
/// of a queue waits for those of the same task and consumer that came before it.
///
/// Thread safety: all methods may be called from many threads at once; they block on the database.
/// All can answer kUnavailable and the like (see TaskStore): then nothing was stored, and the bus
/// must deliver again.
class RetryQueue {
 public:
  virtual ~RetryQueue() = default;

  /// Claims the event for `consumer` and puts it into its task's queue, with one attempt if it has
  /// failed and that counts. False: it was taken before, which is as good.
  virtual absl::StatusOr<bool> Enqueue(std::string_view consumer,
                                       const domain::ReceivedEvent& received,
                                       const RetrySchedule& schedule) = 0;

  /// Up to `limit` (> 0) entries of `consumers` that are due at `now`, the longest due first, at
  /// most one of each task.
  virtual absl::StatusOr<std::vector<RetryEntry>> Due(const std::vector<std::string>& consumers,
                                                      domain::Instant now, int limit) = 0;

  /// When the next entry of `consumers` is due; nullopt: none waits.
  virtual absl::StatusOr<std::optional<domain::Instant>> NextDue(
      const std::vector<std::string>& consumers) = 0;

  /// Another failure of `entry`, which counts or not. Does nothing when somebody else has tried it
  /// since and that counted.
  virtual absl::Status Reschedule(const RetryEntry& entry, const RetrySchedule& schedule) = 0;

  /// Gives an event up: its dead letter is stored and posted to the dead-letter topic.
  /// `from_queue`: it leaves the queue that it was put into, and the next of that has its turn;
  /// otherwise it is claimed first. False: somebody else took it.
  virtual absl::StatusOr<bool> AddDeadLetter(const domain::DeadLetter& letter, bool from_queue,
                                             domain::Instant now) = 0;
};

}  // namespace todo::ports
