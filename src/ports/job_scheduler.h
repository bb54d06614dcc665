#pragma once

#include <string>
#include <vector>

#include "absl/status/status.h"
#include "domain/time.h"

namespace todo::ports {

/// A call that we ask for at a time: once, and repeated for as long as it is not answered OK.
struct ScheduledJob {
  std::string name;
  domain::Instant due;  // in the past: at once
  std::string data;     // JSON
};

/// Jobs of the sidecar's scheduler. A job is a hint to wake up, no promise: the scheduler can lose
/// its data. So nothing may depend on a job alone.
/// Thread safety: all methods may be called from many threads at once. Both block until all answers
/// are there, each at most as long as the adapter's deadline; never call them in a transaction.
class JobScheduler {
 public:
  virtual ~JobScheduler() = default;

  /// Writes the jobs over any of the same name; one status for each. kUnavailable,
  /// kDeadlineExceeded: the scheduler is away, or the outcome is unknown: repeat, which is
  /// harmless.
  [[nodiscard]] virtual std::vector<absl::Status> Schedule(
      const std::vector<ScheduledJob>& jobs) = 0;

  /// Deletes the jobs; one that does not exist is as good as deleted. Statuses as above.
  [[nodiscard]] virtual std::vector<absl::Status> Delete(const std::vector<std::string>& names) = 0;
};

}  // namespace todo::ports
