#include "service/audit/auditor.h"

#include <algorithm>
#include <utility>

#include "domain/event/event.h"
#include "domain/event/event_writer.h"
#include "util/log.h"
#include "util/status.h"

namespace todo::service {
namespace {

using domain::Instant;
using ports::MissingEvent;
using std::chrono::milliseconds;
using util::Severity;

constexpr milliseconds kShortestInterval{250};
constexpr milliseconds kLongestInterval{15'000};
/// The interval while there is more to do than fits into a round.
constexpr milliseconds kBusyInterval{1'000};
/// The lease is three intervals, or this if that is longer.
constexpr milliseconds kShortestLease{5'000};
/// A row that has been in the outbox for longer waits for the bus, not for its turn.
constexpr milliseconds kOutboxPatience{10'000};
/// The inbox forgets a day after 30 days. Two days are for clocks that differ and for the time that
/// a look takes.
constexpr std::chrono::hours kOldest{28 * 24};

}  // namespace

Auditor::Auditor(ports::AuditLog& log, const ports::Clock& clock,
                 std::vector<std::string> consumers, std::function<bool()> can_deliver,
                 AuditOptions options)
    : log_(log),
      clock_(clock),
      consumers_(std::move(consumers)),
      can_deliver_(std::move(can_deliver)),
      options_(std::move(options)),
      interval_(std::clamp(options_.delay / 4, kShortestInterval, kLongestInterval)),
      lease_(std::max(3 * interval_, kShortestLease)) {}

absl::StatusOr<milliseconds> Auditor::RunRound() {
  absl::StatusOr<milliseconds> again = Round();
  if (!again.ok()) flowing_since_.reset();  // without the database, no consumer takes events either
  return again;
}

absl::StatusOr<milliseconds> Auditor::Round() {
  TODO_ASSIGN_OR_RETURN(const bool ours, log_.TakeTurn(options_.owner, lease_));
  if (!ours) {
    flowing_since_.reset();
    return interval_;
  }
  const bool can_deliver = can_deliver_();
  const Instant now = clock_.Now();
  // A pause of this process, if it was frozen, may have been a pause of the consumers too.
  if (now - std::exchange(last_round_, now) > lease_) flowing_since_.reset();
  TODO_ASSIGN_OR_RETURN(const bool flows,
                        log_.OutboxFlows(now - std::min(options_.delay, kOutboxPatience)));
  if (!can_deliver || !flows) {
    flowing_since_.reset();
  } else if (!flowing_since_) {
    flowing_since_ = now;
  }

  const ports::AuditScope scope{.now = now,
                                .overdue_before = now - options_.delay,
                                .oldest = std::max(now - kOldest, domain::kMinInstant),
                                .due_at = now + options_.delay};
  bool more = false;
  for (const std::string& consumer : consumers_) {
    TODO_ASSIGN_OR_RETURN(const ports::AuditFindings findings, log_.Look(consumer, scope));
    more = more || findings.more;
    if (findings.missing == 0 || !flowing_since_) continue;
    TODO_ASSIGN_OR_RETURN(const std::size_t count, Judge(consumer, now, findings.late_take));
    more = more || count == kRepeatsPerRound;
  }
  return more ? std::min(interval_, kBusyInterval) : interval_;
}

absl::StatusOr<std::size_t> Auditor::Judge(const std::string& consumer, Instant now,
                                           std::optional<Instant> late_take) {
  const Instant silent_since = std::max(*flowing_since_, late_take.value_or(*flowing_since_));
  const bool silent = now - silent_since >= options_.delay;
  TODO_ASSIGN_OR_RETURN(std::vector<MissingEvent> lost,
                        log_.PassedOver(consumer, kRepeatsPerRound));
  if (lost.empty() && silent) {
    TODO_ASSIGN_OR_RETURN(lost, log_.Due(consumer, now, kRepeatsPerRound));
  }
  std::vector<MissingEvent> again;
  std::vector<MissingEvent> given_up;
  for (const MissingEvent& event : lost)
    (event.repeats < kMaxRepeats ? again : given_up).push_back(event);
  TODO_RETURN_IF_ERROR(Repeat(consumer, now, again));
  TODO_RETURN_IF_ERROR(GiveUp(consumer, now, given_up));
  return lost.size();
}

absl::Status Auditor::Repeat(const std::string& consumer, Instant now,
                             const std::vector<MissingEvent>& lost) {
  if (lost.empty()) return absl::OkStatus();
  std::vector<ports::Repetition> repetitions;
  for (const MissingEvent& event : lost) {
    repetitions.push_back({.change_id = event.change_id,
                           .repeats = event.repeats,
                           .due_at = now + options_.delay * (1 << event.repeats),
                           .record = domain::TaskEventRecord(event.change)});
  }
  TODO_RETURN_IF_ERROR(log_.Repeat(consumer, options_.task_events_topic, repetitions));
  util::Log(Severity::kWarning, "events_published_again",
            {{"consumer", consumer},
             {"count", lost.size()},
             {"first_event_id", lost.front().change.event_id.value()}});
  return absl::OkStatus();
}

absl::Status Auditor::GiveUp(const std::string& consumer, Instant now,
                             const std::vector<MissingEvent>& lost) {
  if (lost.empty()) return absl::OkStatus();
  std::vector<std::int64_t> ids;
  for (const MissingEvent& event : lost) ids.push_back(event.change_id);
  TODO_RETURN_IF_ERROR(log_.GiveUp(consumer, ids, now));
  util::Log(Severity::kError, "events_lost",
            {{"consumer", consumer},
             {"count", lost.size()},
             {"first_event_id", lost.front().change.event_id.value()}});
  return absl::OkStatus();
}

}  // namespace todo::service
