#pragma once

#include <grpcpp/support/server_callback.h>

#include <chrono>
#include <cstddef>
#include <deque>
#include <vector>

#include "domain/ids.h"
#include "ports/clock.h"
#include "service/reminders/reminder_service.h"
#include "util/guarded.h"
#include "util/worker_pool.h"

namespace todo::appcallback {

/// Combines reminder jobs that arrive while others are being processed: the thousand reminders of
/// nine o'clock take a few transactions, not a thousand. A single job is processed at once.
///
/// `reminders`, `workers` and `clock` must outlive it. The server must end before it does.
/// Thread safety: Add may be called from many threads at once; it does not block.
class JobBatches {
 public:
  JobBatches(service::ReminderService& reminders, util::WorkerPool& workers,
             const ports::Clock& clock, std::size_t max_waiting)
      : reminders_(reminders), workers_(workers), clock_(clock), max_waiting_(max_waiting) {}

  /// One call from the sidecar, to be answered.
  struct Job {
    domain::TaskId task;
    std::chrono::system_clock::time_point deadline;
    grpc::ServerUnaryReactor* reactor = nullptr;
  };
  /// Triggers the task's due reminders soon, then finishes the call with OK or with UNAVAILABLE,
  /// which makes the sidecar repeat it. UNAVAILABLE also if too many jobs wait, or if the deadline
  /// passed while the job waited. If this throws, the call is not finished.
  void Add(const Job& job);

 private:
  struct Batch {
    std::vector<Job> jobs;
    bool last = true;  // no further job waits
  };

  [[nodiscard]] bool Submit();
  void RefuseAll();
  Batch Take();
  void Run();
  /// One status for each job.
  [[nodiscard]] std::vector<grpc::Status> SettleBatch(const std::vector<Job>& jobs);

  service::ReminderService& reminders_;
  util::WorkerPool& workers_;
  const ports::Clock& clock_;
  const std::size_t max_waiting_;
  util::Guarded<std::deque<Job>> waiting_;  // if not empty, a worker is about to take the jobs
};

}  // namespace todo::appcallback
