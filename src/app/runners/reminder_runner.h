#pragma once

#include <chrono>
#include <stop_token>
#include <thread>

#include "service/reminders/reminder_jobs.h"
#include "service/reminders/reminder_service.h"
#include "util/bell.h"

namespace todo::app {

/// Two threads, from construction until destruction: one plans reminders after their tasks changed
/// and sweeps up what is due and has not fired, the other keeps the scheduler's jobs in line. Two,
/// so that a scheduler which hangs delays no sweep. Both look when they are told to, and after
/// `net` at the latest, for what a replica that died left behind. Everything must outlive it.
/// Thread safety: TasksChanged and Wake may be called from any thread; they do not block.
class ReminderRunner {
 public:
  ReminderRunner(service::ReminderService& reminders, service::ReminderJobs& jobs,
                 std::chrono::milliseconds sweep_interval,
                 std::chrono::milliseconds net = std::chrono::seconds(5));
  /// Returns when what was begun is done.
  ~ReminderRunner();
  ReminderRunner(const ReminderRunner&) = delete;
  ReminderRunner& operator=(const ReminderRunner&) = delete;

  /// Reminders may have to be planned. Only the replica that changed the tasks is told.
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
  std::jthread planner_;  // last: everything else is there before they start
  std::jthread job_writer_;
};

}  // namespace todo::app
