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

/// Gathers the reminder jobs that come while others are being settled: a thousand reminders of nine
/// o'clock are a few transactions, not a thousand. A job that comes alone waits for nobody.
///
/// `reminders`, `workers` and `clock` must outlive it, and the server end before it does. Thread
/// safety: Add may be called from many threads at once; it does not block.
class JobBatches {
 public:
  JobBatches(service::ReminderService& reminders, util::WorkerPool& workers,
             const ports::Clock& clock, std::size_t max_waiting)
      : reminders_(reminders), workers_(workers), clock_(clock), max_waiting_(max_waiting) {}

  /// One call of the sidecar's that has to be answered.
  struct Job {
    domain::TaskId task;
    std::chrono::system_clock::time_point deadline;
    grpc::ServerUnaryReactor* reactor = nullptr;
  };
  /// Triggers the task soon and then finishes the call, each with its own status: OK, or
  /// UNAVAILABLE (also when too many wait), which the sidecar takes as "call again". A call whose
  /// deadline has passed while it waited is not worked for. When this throws, the call is not
  /// finished.
  void Add(const Job& job);

 private:
  struct Batch {
    std::vector<Job> jobs;
    bool last = true;  // none is left
  };

  [[nodiscard]] bool Submit();
  void RefuseAll();
  Batch Take();
  void Run();
  /// One for each.
  [[nodiscard]] std::vector<grpc::Status> SettleBatch(const std::vector<Job>& jobs);

  service::ReminderService& reminders_;
  util::WorkerPool& workers_;
  const ports::Clock& clock_;
  const std::size_t max_waiting_;
  util::Guarded<std::deque<Job>> waiting_;  // not empty: a worker is about to take them
};

}  // namespace todo::appcallback
