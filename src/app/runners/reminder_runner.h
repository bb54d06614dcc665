#pragma once

#include <chrono>
#include <stop_token>
#include <thread>

#include "service/reminders/reminder_jobs.h"
#include "service/reminders/reminder_service.h"
#include "util/bell.h"

namespace todo::app {

/// Two threads. The planner plans reminders after their tasks changed, and sweeps up due reminders
/// that did not fire. The job writer keeps the scheduler's jobs in line with the reminders. A
/// scheduler that hangs therefore delays no sweep. Both threads look when they are told to, and
/// after `net` at the latest, because a replica that crashed may have left work behind. `reminders`
/// and `jobs` must outlive the runner.
/// Thread safety: TasksChanged and Wake may be called from any thread, also before Start and after
/// Stop, and do not block. Start and Stop from one thread.
class ReminderRunner {
 public:
  ReminderRunner(service::ReminderService& reminders, service::ReminderJobs& jobs,
                 std::chrono::milliseconds sweep_interval,
                 std::chrono::milliseconds net = std::chrono::seconds(5));
  ~ReminderRunner() { Stop(); }
  ReminderRunner(const ReminderRunner&) = delete;
  ReminderRunner& operator=(const ReminderRunner&) = delete;

  /// To be called once.
  void Start();
  /// Waits until both threads have finished their work in progress.
  void Stop();

  /// Reminders may have to be planned: this replica changed tasks.
  void TasksChanged() { tasks_changed_.Ring(); }
  /// There may be jobs to write or delete.
  void Wake() { jobs_wanted_.Ring(); }

 private:
  void RunPlanner(const std::stop_token& stop);
  void RunJobs(const std::stop_token& stop);

  service::ReminderService& reminders_;
  service::ReminderJobs& jobs_;
  const std::chrono::milliseconds sweep_interval_;
  const std::chrono::milliseconds net_;
  util::Bell tasks_changed_;
  util::Bell jobs_wanted_;
  std::jthread planner_;
  std::jthread job_writer_;
};

}  // namespace todo::app
