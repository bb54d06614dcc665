#pragma once

#include <chrono>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "ports/audit_log.h"
#include "ports/clock.h"

namespace todo::service {

struct AuditOptions {
  std::string owner;  // unique to this process
  std::string task_events_topic;
  /// How long an event may be on its way, and how long a consumer must then be silent, before the
  /// event counts as lost.
  std::chrono::milliseconds delay{300'000};
};

/// Publishes again the events that the bus has lost. The change log is the truth: a change that was
/// published and that a consumer has not taken after `delay` is missing. A missing event may still
/// come, because the consumer is behind or cut off. It counts as lost
///
/// - when the consumer has taken a later change of the same user, since the bus keeps their order;
/// - or when the consumer has been silent for `delay`: all that time the bus could reach it and the
///   outbox flowed, and it took no other missing event.
///
/// A lost event is posted again under its id, up to kMaxRepeats times, after twice the silence each
/// time. Then it is given up, with an error in the log.
/// Thread safety: one thread calls RunRound, after Enroll. Both block on the database.
class Auditor {
 public:
  static constexpr int kMaxRepeats = 5;
  static constexpr int kRepeatsPerRound = 200;

  /// `consumers` must take every event of the topic: a consumer with picks_events() leaves no trace
  /// of the events that it passes over, so it cannot be audited. It gets the events that are
  /// published again for the others. `can_deliver` tells whether the bus can reach the consumers
  /// now, and may block. `log` and `clock` must outlive the auditor.
  Auditor(ports::AuditLog& log, const ports::Clock& clock, std::vector<std::string> consumers,
          std::function<bool()> can_deliver, AuditOptions options);

  /// To be called before the first change is accepted. Statuses as AuditLog's.
  absl::Status Enroll() { return log_.Enroll(consumers_); }

  /// One round, if it is this process's turn. Answers how long to wait before the next call.
  /// Statuses as AuditLog's: try again later.
  absl::StatusOr<std::chrono::milliseconds> RunRound();

 private:
  absl::StatusOr<std::chrono::milliseconds> Round();
  /// Repeats or gives up the lost events of `consumer`, and answers their number.
  absl::StatusOr<std::size_t> Judge(const std::string& consumer, domain::Instant now,
                                    std::optional<domain::Instant> late_take);
  absl::Status Repeat(const std::string& consumer, domain::Instant now,
                      const std::vector<ports::MissingEvent>& lost);
  absl::Status GiveUp(const std::string& consumer, domain::Instant now,
                      const std::vector<ports::MissingEvent>& lost);

  ports::AuditLog& log_;
  const ports::Clock& clock_;
  const std::vector<std::string> consumers_;
  const std::function<bool()> can_deliver_;
  const AuditOptions options_;
  const std::chrono::milliseconds interval_;
  const std::chrono::milliseconds lease_;
  /// The start of the time in which, without a break, it was this process's turn and the bus could
  /// reach the consumers. nullopt: that is not so now.
  std::optional<domain::Instant> flowing_since_;
  domain::Instant last_round_;
};

}  // namespace todo::service
