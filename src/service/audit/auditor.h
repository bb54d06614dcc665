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
  std::string owner;  // names this process
  std::string task_events_topic;
  /// For how long an event may be under way, and for how long a consumer must be silent.
  std::chrono::milliseconds delay{300'000};
};

/// Publishes again what the bus has lost. The change log says what there is, so a change that was
/// published and that a consumer has not taken after `delay` is missing. Missing is not lost: the
/// consumer may be behind, or cut off. It is lost
///
/// - when the consumer has taken a later change of the same user, since the bus keeps their order;
/// - or when the consumer has been silent for `delay`: all that time it could be reached, the
/// outbox flowed, and it took nothing else that was missing.
///
/// What is lost is posted again under the same id, up to kMaxRepeats times, each time after twice
/// the silence; then it is given up, with an error in the log. Thread safety: RunRound from one
/// thread, after Enroll.
class Auditor {
 public:
  static constexpr int kMaxRepeats = 5;
  static constexpr int kRepeatsPerRound = 200;

  /// `consumers`: those that take every event of the topic. Who picks some leaves no trace of the
  /// others, and is helped by the copies for these. `can_deliver`: whether the bus could reach the
  /// consumers now; may block. `log` and `clock` must outlive the auditor.
  Auditor(ports::AuditLog& log, const ports::Clock& clock, std::vector<std::string> consumers,
          std::function<bool()> can_deliver, AuditOptions options);

  /// To be called before the first change is accepted.
  absl::Status Enroll() { return log_.Enroll(consumers_); }

  /// One round, if it is our turn. Answers when to come again. Statuses as of AuditLog.
  absl::StatusOr<std::chrono::milliseconds> RunRound();

 private:
  absl::StatusOr<std::chrono::milliseconds> Round();
  /// Answers how many events it dealt with.
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
  /// Since when, without a break, it has been our turn and events could reach the consumers.
  std::optional<domain::Instant> flowing_since_;
  domain::Instant last_round_;
};

}  // namespace todo::service
