#include "service/consumers/retry_policy.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <utility>

#include "util/status.h"

namespace todo::service {
namespace {

using domain::Instant;
using std::chrono::milliseconds;

constexpr std::array kRetryDelays = {milliseconds(1000), milliseconds(2000), milliseconds(4000)};

constexpr std::chrono::seconds kDelayAfterTimeout{10};
constexpr std::chrono::hours kTimeoutPatience{1};

constexpr char kCrashesUrl[] = "todo/crashes";

/// The delay after failure number `failures`; nullopt: there is no further retry.
std::optional<milliseconds> RetryDelay(int failures) {
  if (failures < 1 || failures > static_cast<int>(kRetryDelays.size())) return std::nullopt;
  return kRetryDelays[static_cast<std::size_t>(failures - 1)];
}

}  // namespace

std::string ReasonFor(const absl::Status& failure) {
  return fmt::format("{}: {}", absl::StatusCodeToString(failure.code()),
                     util::FromAbsl(failure.message()));
}

std::optional<ports::RetrySchedule> ScheduleRetry(const absl::Status& failure, int failures,
                                                  Instant since, Instant now) {
  if (absl::IsInvalidArgument(failure)) return std::nullopt;
  if (absl::IsDeadlineExceeded(failure) && now - since < kTimeoutPatience) {
    return ports::RetrySchedule{.failed_at = now,
                                .counts = false,
                                .due_at = now + kDelayAfterTimeout,
                                .reason = ReasonFor(failure)};
  }
  const std::optional<milliseconds> delay = RetryDelay(failures);
  if (!delay) return std::nullopt;
  return ports::RetrySchedule{
      .failed_at = now, .due_at = now + *delay, .reason = ReasonFor(failure)};
}

absl::Status CrashedTooOften(int crashes) {
  absl::Status status = util::MakeStatus(
      absl::StatusCode::kInvalidArgument,
      fmt::format("the process crashed {} times while it applied this event", crashes));
  status.SetPayload(kCrashesUrl, absl::Cord(fmt::format("{}", crashes)));
  return status;
}

int AttemptsOf(const absl::Status& failure, int attempt) {
  const auto crashes = failure.GetPayload(kCrashesUrl);
  return crashes ? std::max(attempt, std::stoi(std::string(*crashes))) : attempt;
}

domain::DeadLetter DeadLetterOf(const ports::RetryEntry& entry, domain::ReceivedEvent received,
                                int attempts, Instant now, std::string_view reason) {
  received.event.id = entry.event_id;
  domain::DeadLetter letter = domain::DeadLetterOf(
      entry.consumer, received, attempts, entry.first_failed_at.value_or(now), now, reason);
  letter.has_event_id = entry.event_id != domain::UnreadableEventId(entry.record);
  return letter;
}

}  // namespace todo::service
