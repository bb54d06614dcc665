#pragma once

#include <string>
#include <vector>

#include "absl/status/status.h"
#include "domain/time.h"

namespace todo::ports {

/// A job: at its time the scheduler calls the service, and repeats the call until it is answered
/// OK.
struct ScheduledJob {
  std::string name;
  domain::Instant due;  // a time in the past means at once
  std::string data;     // JSON
};

/// Jobs of the sidecar's scheduler. The scheduler can lose its data, so nothing may depend on a job
/// alone.
/// Thread safety: both methods may be called from many threads at once. Both block until all
/// answers have arrived, at most for the adapter's deadline; never call them in a transaction.
class JobScheduler {
 public:
  virtual ~JobScheduler() = default;

  /// Writes the jobs; a job replaces one with an equal name. Answers one status for each.
  /// kUnavailable, kDeadlineExceeded: the scheduler cannot be reached, or the outcome is unknown:
  /// repeat the call, which is harmless.
  [[nodiscard]] virtual std::vector<absl::Status> Schedule(
      const std::vector<ScheduledJob>& jobs) = 0;

  /// Deletes the jobs; OK also for a job that does not exist. Statuses as of Schedule.
  [[nodiscard]] virtual std::vector<absl::Status> Delete(const std::vector<std::string>& names) = 0;
};

}  // namespace todo::ports
