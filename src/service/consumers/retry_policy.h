#pragma once

#include <chrono>
#include <optional>
#include <string>

#include "absl/status/status.h"
#include "domain/event/dead_letter.h"
#include "domain/time.h"
#include "ports/retry_queue.h"

// The fate of an event whose effect failed. Pure functions.

namespace todo::service {

/// The crash that makes a suspect a dead letter.
inline constexpr int kMaxCrashes = 3;

/// The words for a failure, for the reader of a queue or of a dead letter.
std::string ReasonFor(const absl::Status& failure);

/// How the event is tried again after failure number `failures` (1 is the first), whose status is
/// `failure`; nullopt: it becomes a dead letter. An event is tried again 1 s, 2 s and 4 s after its
/// first three failures. kInvalidArgument says that no retry can succeed. A statement timeout says
/// that the database is slow rather than that the event is bad: for an hour after the first failure
/// (at `since`) it counts as no attempt.
std::optional<ports::RetrySchedule> ScheduleRetry(const absl::Status& failure, int failures,
                                                  domain::Instant since, domain::Instant now);

/// The failure of a suspect that has crashed the process `crashes` times. ScheduleRetry gives it
/// up.
absl::Status CrashedTooOften(int crashes);

/// The attempts for the dead letter of an event that failed with `failure` at attempt number
/// `attempt`: the crashes count too.
int AttemptsOf(const absl::Status& failure, int attempt);

/// The dead letter of an entry of the retry queue, under the id that it waited under. `received` is
/// its event as read now; a record that was unreadable when it was enqueued waits under
/// domain::UnreadableEventId.
domain::DeadLetter DeadLetterOf(const ports::RetryEntry& entry, domain::ReceivedEvent received,
                                int attempts, domain::Instant now, std::string_view reason);

}  // namespace todo::service
