#include "app/runners/reminder_runner.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <map>
#include <mutex>
#include <string>
#include <vector>

#include "app/id_source.h"
#include "app/system_clock.h"
#include "service/tasks/task_service.h"
#include "support/fake_database.h"
#include "support/fake_preferred_zones.h"
#include "support/fake_reminder_store.h"
#include "support/fake_task_store.h"
#include "support/status_matchers.h"

namespace todo::app {
namespace {

using namespace std::chrono_literals;
using support::IsOk;

constexpr auto kNever = 24h;  // what waits for it waits for longer than the test

/// A scheduler in memory, of which a test can wait for something.
class WatchedScheduler final : public ports::JobScheduler {
 public:
  std::vector<absl::Status> Schedule(const std::vector<ports::ScheduledJob>& jobs) override {
    {
      const std::lock_guard lock(mutex_);
      for (const ports::ScheduledJob& job : jobs) due_[job.name] = job.due;
    }
    changed_.notify_all();
    return std::vector<absl::Status>(jobs.size());
  }
  std::vector<absl::Status> Delete(const std::vector<std::string>& names) override {
    {
      const std::lock_guard lock(mutex_);
      for (const std::string& name : names) due_.erase(name);
    }
    changed_.notify_all();
    return std::vector<absl::Status>(names.size());
  }
  /// Whether there is one job, at `due`, before long.
  bool HasOneAt(domain::Instant due) {
    std::unique_lock lock(mutex_);
    return changed_.wait_for(lock, 30s,
                             [&] { return due_.size() == 1 && due_.begin()->second == due; });
  }

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
  std::map<std::string, domain::Instant> due_;
};

TEST(ReminderRunnerTest, AChangedTaskIsPlannedAtOnceAndItsJobMoved) {
  SystemClock clock;
  RandomIdSource ids(clock);
  support::FakeDatabase database;
  std::atomic<ReminderRunner*> told = nullptr;
  support::FakeTaskStore store(database, [&told](int) {
    if (ReminderRunner* const runner = told; runner != nullptr) runner->TasksChanged();
  });
  support::FakePreferredZones zones(database);
  support::FakeReminderStore reminder_store(database);
  service::TaskService tasks(store, zones, clock, ids);
  service::ReminderService reminders(reminder_store, clock, ids, {}, [&told] {
    if (ReminderRunner* const runner = told; runner != nullptr) runner->Wake();
  });
  WatchedScheduler scheduler;
  service::ReminderJobs jobs(reminder_store, scheduler, clock, {});

  const service::CallContext call{
      .user = {"ada"}, .request_id = {}, .fingerprint = "f", .traceparent = {}};
  const domain::Instant due = std::chrono::floor<std::chrono::seconds>(clock.Now()) + 48h;
  service::CreateTaskInput input;
  input.title = "water the plants";
  input.due.due_date = due;
  const auto task = tasks.Create(call, input);
  ASSERT_THAT(task, IsOk());
  ReminderRunner runner(reminders, jobs, kNever, kNever);
  runner.Start();
  told = &runner;
  ASSERT_THAT(reminders.Create(call, task->id, {.at = {}, .before = "PT1H", .time_of_day = {}}),
              IsOk());
  EXPECT_TRUE(scheduler.HasOneAt(due - 1h));

  service::UpdateTaskInput later;
  later.id = task->id;
  later.due.emplace().due_date = due + 1h;
  ASSERT_THAT(tasks.Update(call, later), IsOk());
  EXPECT_TRUE(scheduler.HasOneAt(due));
}

}  // namespace
}  // namespace todo::app
