#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "domain/event/event.h"
#include "domain/time.h"

namespace todo::ports {

/// From when to when a look at the change log goes.
struct AuditScope {
  domain::Instant now;
  domain::Instant overdue_before;  // younger changes may still be under way
  domain::Instant oldest;          // of older ones the inbox may know nothing any more
  domain::Instant due_at;          // of what is found missing
};

/// What a look came to.
struct AuditFindings {
  bool more = false;  // it ended at a limit of its own: look again soon
  int missing = 0;    // that are not given up
  /// When the consumer last took an event that it had been missing and that was not published
  /// again: it is behind, and the others may still come. nullopt: it never did.
  std::optional<domain::Instant> late_take;
};

/// An event that was published and that a consumer has not taken.
struct MissingEvent {
  std::int64_t change_id = 0;  // in the order of the log; opaque
  domain::Change change;
  int repeats = 0;  // how often it was published again
};

/// A missing event on its way back to the bus.
struct Repetition {
  std::int64_t change_id = 0;
  int repeats = 0;         // so far, as read: if that is no longer true, somebody else repeated it
  domain::Instant due_at;  // of the next
  std::string record;      // the CloudEvent, the same bytes as the first time
};

/// Compares what was published with what consumers have taken, whatever became of it there: done,
/// waiting in the retry queue and dead are all taken. Thread safety: all methods may be called from
/// many threads at once; they block on the database. All can answer kUnavailable and the like (see
/// TaskStore): try again later.
class AuditLog {
 public:
  virtual ~AuditLog() = default;

  /// Begins the audit of those of `consumers` that were never audited, with what is committed from
  /// now on: what was before is none of their business. Harmless to repeat.
  virtual absl::Status Enroll(const std::vector<std::string>& consumers) = 0;

  /// Whether `owner` (unique to this process) may audit for `lease` from now on, as one at a time.
  virtual absl::StatusOr<bool> TakeTurn(const std::string& owner,
                                        std::chrono::milliseconds lease) = 0;

  /// Whether nothing that was committed before `before` still waits to be published.
  virtual absl::StatusOr<bool> OutboxFlows(domain::Instant before) = 0;

  /// Forgets what `consumer` has taken since it was found missing, then goes on through the change
  /// log from where the last look ended: each change is looked at once, after it was published.
  /// Precondition: enrolled.
  virtual absl::StatusOr<AuditFindings> Look(std::string_view consumer,
                                             const AuditScope& scope) = 0;

  /// Up to `limit` (> 0) missing events that were due at `now`, in the order of the log. Not those
  /// given up.
  virtual absl::StatusOr<std::vector<MissingEvent>> Due(std::string_view consumer,
                                                        domain::Instant now, int limit) = 0;

  /// Up to `limit` (> 0) missing events that the bus has passed over: the consumer has taken one of
  /// the user's next few changes. Not those that were published again.
  virtual absl::StatusOr<std::vector<MissingEvent>> PassedOver(std::string_view consumer,
                                                               int limit) = 0;

  /// Posts `repetitions` to `topic`, in their order, for every consumer that misses the events.
  virtual absl::Status Repeat(std::string_view consumer, const std::string& topic,
                              const std::vector<Repetition>& repetitions) = 0;

  /// Counts the events as lost (StoreStatus::lost_events) until they are taken after all, or until
  /// they are too old to tell.
  virtual absl::Status GiveUp(std::string_view consumer,
                              const std::vector<std::int64_t>& change_ids, domain::Instant now) = 0;
};

}  // namespace todo::ports
