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

/// The part of the change log that a look takes in.
struct AuditScope {
  domain::Instant now;
  domain::Instant overdue_before;  // later changes may still be on their way
  domain::Instant oldest;          // the inbox may have forgotten older ones
  domain::Instant due_at;          // of the events that the look finds missing
};

/// The result of a look.
struct AuditFindings {
  bool more = false;  // it ended at a limit of its own: look again soon
  int missing = 0;    // events that are missing now and not given up
  /// When the consumer last took an event that was missing and had not been published again: it is
  /// behind, and the other missing events may still come. nullopt: it never did.
  std::optional<domain::Instant> late_take;
};

/// An event that was published and that a consumer has not taken.
struct MissingEvent {
  std::int64_t change_id = 0;  // in the order of the log; opaque
  domain::Change change;
  int repeats = 0;  // how often the event was published again
};

/// A missing event that is published again.
struct Repetition {
  std::int64_t change_id = 0;
  int repeats = 0;         // as read; if that is no longer true, nothing is posted
  domain::Instant due_at;  // of the next repetition
  std::string record;      // the CloudEvent, the same bytes as the first time
};

/// Compares the events that were published with the events that consumers have taken. An event
/// counts as taken whether it is done, waits in the retry queue or is a dead letter.
/// Thread safety: all methods may be called from many threads at once. They block on the database.
/// All can answer kUnavailable and the like (see TaskStore): try again later.
class AuditLog {
 public:
  virtual ~AuditLog() = default;

  /// Begins the audit of those of `consumers` that were never audited. It covers the changes that
  /// are committed from now on. Harmless to repeat.
  virtual absl::Status Enroll(const std::vector<std::string>& consumers) = 0;

  /// Whether `owner` (unique to this process) may audit for `lease` from now on. Only one owner may
  /// at a time.
  virtual absl::StatusOr<bool> TakeTurn(const std::string& owner,
                                        std::chrono::milliseconds lease) = 0;

  /// Whether every change that was committed before `before` has been published.
  virtual absl::StatusOr<bool> OutboxFlows(domain::Instant before) = 0;

  /// Forgets the missing events that `consumer` has taken by now, then reads on in the change log
  /// from where the last look ended. Each change is looked at once, after it was published.
  /// Precondition: the consumer is enrolled.
  virtual absl::StatusOr<AuditFindings> Look(std::string_view consumer,
                                             const AuditScope& scope) = 0;

  /// Up to `limit` (> 0) missing events that are due at `now`, in the order of the log, without
  /// those given up.
  virtual absl::StatusOr<std::vector<MissingEvent>> Due(std::string_view consumer,
                                                        domain::Instant now, int limit) = 0;

  /// Up to `limit` (> 0) missing events that the bus has passed over: the consumer has taken one of
  /// the user's next few changes. Without those that were published again.
  virtual absl::StatusOr<std::vector<MissingEvent>> PassedOver(std::string_view consumer,
                                                               int limit) = 0;

  /// Posts `repetitions` to `topic`, in their order. They count for every consumer that misses the
  /// events.
  virtual absl::Status Repeat(std::string_view consumer, const std::string& topic,
                              const std::vector<Repetition>& repetitions) = 0;

  /// Counts the events as lost (StoreStatus::lost_events) until the consumer takes them after all,
  /// or until the inbox may have forgotten them.
  virtual absl::Status GiveUp(std::string_view consumer,
                              const std::vector<std::int64_t>& change_ids, domain::Instant now) = 0;
};

}  // namespace todo::ports
