#pragma once

#include <chrono>
#include <condition_variable>
#include <functional>
#include <mutex>
#include <stop_token>
#include <thread>

#include "service/reminder_jobs.h"
#include "service/reminder_service.h"

namespace todo::app {

/// Two threads, from construction until destruction: one plans reminders after their tasks changed
/// and sweeps up what is due and has not fired, the other keeps the scheduler's jobs in line. Two,
/// so that a scheduler which hangs delays no sweep. Everything must outlive it. Thread safety: Wake
/// may be called from any thread; it does not block.
class ReminderRunner {
 public:
  ReminderRunner(service::ReminderService& reminders, service::ReminderJobs& jobs,
                 std::chrono::milliseconds sweep_interval);
  /// Returns when what was begun is done.
  ~ReminderRunner();
  ReminderRunner(const ReminderRunner&) = delete;
  ReminderRunner& operator=(const ReminderRunner&) = delete;

  /// There may be jobs to write or delete.
  void Wake();

 private:
  void RunPlanner(const std::stop_token& stop);
  void RunJobs(const std::stop_token& stop);
  /// False: stop was requested.
  bool Sleep(const std::stop_token& stop, std::chrono::milliseconds duration,
             const std::function<bool()>& woken);

  service::ReminderService& reminders_;
  service::ReminderJobs& jobs_;
  const std::chrono::milliseconds sweep_interval_;
  std::mutex mutex_;
  std::condition_variable_any wake_;
  bool jobs_wanted_ = false;
  std::jthread planner_;  // last: everything else is there before they start
  std::jthread job_writer_;
};

}  // namespace todo::app
