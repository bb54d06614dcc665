#include "service/reminders/reminder_jobs.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <string>
#include <vector>

#include "fixtures.h"
#include "service/reminders/reminder_service.h"
#include "service/tasks/task_service.h"
#include "support/fake_database.h"
#include "support/fake_preferred_zones.h"
#include "support/fake_reminder_store.h"
#include "support/fake_task_store.h"
#include "support/status_matchers.h"
#include "util/status.h"

namespace todo::service {
namespace {

using support::StatusIs;
using testing::ElementsAre;
using testing::IsEmpty;
using testing::Pair;
using testing::SizeIs;

/// A scheduler in memory, which may be away.
class FakeJobScheduler final : public ports::JobScheduler {
 public:
  std::vector<absl::Status> Schedule(const std::vector<ports::ScheduledJob>& new_jobs) override {
    if (before_answer) before_answer();
    if (away) return std::vector<absl::Status>(new_jobs.size(), absl::UnavailableError("away"));
    for (const ports::ScheduledJob& job : new_jobs) {
      jobs[job.name] = domain::FormatInstant(job.due);
      written.push_back(job.name);
    }
    return std::vector<absl::Status>(new_jobs.size());
  }
  std::vector<absl::Status> Delete(const std::vector<std::string>& names) override {
    if (away) return std::vector<absl::Status>(names.size(), absl::UnavailableError("away"));
    for (const std::string& name : names) jobs.erase(name);
    return std::vector<absl::Status>(names.size());
  }

  bool away = false;
  std::function<void()> before_answer;
  std::map<std::string, std::string> jobs;
  std::vector<std::string> written;
};

class ReminderJobsTest : public testing::Test {
 protected:
  void SetUp() override {
    CreateTaskInput input;
    input.title = "water the plants";
    input.due.due_date = At("2026-03-30T12:00:00Z");
    task_ = *tasks_.Create(Call(), input);
  }
  static CallContext Call() {
    return {.user = {"alice"}, .request_id = {}, .fingerprint = "f", .traceparent = {}};
  }
  void Remind(std::string before) {
    const auto made = reminders_.Create(Call(), task_.id,
                                        {.at = {}, .before = std::move(before), .time_of_day = {}});
    EXPECT_TRUE(made.ok()) << made.status();
  }
  /// Until there is nothing more to do.
  void RunAll() {
    for (;;) {
      const auto more = jobs_.Run();
      ASSERT_TRUE(more.ok()) << more.status();
      if (!*more) return;
    }
  }

  support::FakeDatabase database_;
  support::FakeTaskStore store_{database_};
  support::FakePreferredZones zones_{database_};
  support::FakeReminderStore reminder_store_{database_};
  SetClock clock_{"2026-03-27T08:00:00Z"};
  CountedIds ids_;
  TaskService tasks_{store_, zones_, clock_, ids_};
  ReminderService reminders_{reminder_store_, clock_, ids_, {}};
  FakeJobScheduler scheduler_;
  ReminderJobs jobs_{reminder_store_, scheduler_, clock_, {.batch = 2}};
  domain::Task task_;
};

TEST_F(ReminderJobsTest, EachPendingReminderGetsItsJobOnce) {
  Remind("PT1H");
  Remind("PT2H");
  Remind("PT3H");
  RunAll();
  EXPECT_THAT(scheduler_.jobs, ElementsAre(Pair("reminder-task-1", "2026-03-30T11:00:00Z"),
                                           Pair("reminder-task-1-2", "2026-03-30T10:00:00Z"),
                                           Pair("reminder-task-1-3", "2026-03-30T09:00:00Z")));
  RunAll();
  EXPECT_THAT(scheduler_.written,
              ElementsAre("reminder-task-1-3", "reminder-task-1-2", "reminder-task-1"))
      << "the soonest first, none twice";
}

TEST_F(ReminderJobsTest, CompletingDeletesAndUncompletingWritesAgain) {
  Remind("PT1H");
  RunAll();
  ASSERT_TRUE(tasks_.SetCompleted(Call(), task_.id, {}, true).ok());
  ASSERT_TRUE(reminders_.PlanBacklog().ok());
  RunAll();
  EXPECT_THAT(scheduler_.jobs, IsEmpty());
  ASSERT_TRUE(tasks_.SetCompleted(Call(), task_.id, {}, false).ok());
  ASSERT_TRUE(reminders_.PlanBacklog().ok());
  RunAll();
  EXPECT_THAT(scheduler_.jobs, SizeIs(1));
}

TEST_F(ReminderJobsTest, SnoozingMovesTheJobAndDeletingDeletesIt) {
  Remind("PT1H");
  RunAll();
  ASSERT_TRUE(
      reminders_.Snooze(Call(), task_.id, 1, {.until = At("2026-03-30T13:00:00Z"), .duration = {}})
          .ok());
  RunAll();
  EXPECT_THAT(scheduler_.jobs, ElementsAre(Pair("reminder-task-1", "2026-03-30T13:00:00Z")));
  ASSERT_TRUE(reminders_.Delete(Call(), task_.id, 1).ok());
  RunAll();
  EXPECT_THAT(scheduler_.jobs, IsEmpty());
  EXPECT_TRUE(database_.Read()->reminders.empty());
}

TEST_F(ReminderJobsTest, JobsThatTheSchedulerRefusedAreWrittenAgain) {
  Remind("PT1H");
  scheduler_.away = true;
  EXPECT_TRUE(absl::IsUnavailable(jobs_.Run().status()));
  scheduler_.away = false;
  clock_.Set("2026-03-27T08:00:10Z");  // the claim has run out
  RunAll();
  EXPECT_THAT(scheduler_.jobs, SizeIs(1));
}

TEST_F(ReminderJobsTest, AReminderThatMovesWhileItsJobIsWrittenGetsAnother) {
  Remind("PT1H");
  scheduler_.before_answer = [this] {
    scheduler_.before_answer = {};
    ASSERT_TRUE(
        reminders_
            .Snooze(Call(), task_.id, 1, {.until = At("2026-03-30T13:00:00Z"), .duration = {}})
            .ok());
  };
  RunAll();
  EXPECT_THAT(scheduler_.jobs, ElementsAre(Pair("reminder-task-1", "2026-03-30T13:00:00Z")));
}

TEST_F(ReminderJobsTest, AJobWrittenForAReminderThatWasCancelledMeanwhileIsDeleted) {
  Remind("PT1H");
  scheduler_.before_answer = [this] {
    scheduler_.before_answer = {};
    ASSERT_TRUE(tasks_.Delete(Call(), task_.id, {}).ok());
    ASSERT_TRUE(reminders_.PlanBacklog().ok());
  };
  RunAll();
  EXPECT_THAT(scheduler_.jobs, IsEmpty());
}

TEST_F(ReminderJobsTest, DoubtedJobsAreWrittenAgainSoonestFirst) {
  for (const char* before : {"PT1H", "PT2H", "PT3H", "PT4H", "PT5H"}) Remind(before);
  RunAll();
  scheduler_.jobs.clear();
  scheduler_.written.clear();
  jobs_.Doubt();
  clock_.Set("2026-03-27T09:00:00Z");
  RunAll();
  EXPECT_THAT(scheduler_.written,
              ElementsAre("reminder-task-1-5", "reminder-task-1-4", "reminder-task-1-3",
                          "reminder-task-1-2", "reminder-task-1"));
  scheduler_.written.clear();
  RunAll();
  EXPECT_THAT(scheduler_.written, IsEmpty());
}

TEST_F(ReminderJobsTest, RepeatedDoubtsDoNotKeepARewriteFromFinishing) {
  for (const char* before : {"PT1H", "PT2H", "PT3H", "PT4H", "PT5H"}) Remind(before);
  RunAll();
  scheduler_.jobs.clear();
  clock_.Set("2026-03-27T09:00:00Z");
  for (int i = 0; i < 20; ++i) {
    jobs_.Doubt();
    ASSERT_TRUE(jobs_.Run().ok());
  }
  EXPECT_THAT(scheduler_.jobs, SizeIs(5));

  scheduler_.jobs.clear();
  RunAll();
  EXPECT_THAT(scheduler_.jobs, IsEmpty()) << "not again so soon";
  clock_.Set("2026-03-27T09:00:30Z");
  RunAll();
  EXPECT_THAT(scheduler_.jobs, SizeIs(5)) << "but the doubt is not forgotten";
}

TEST_F(ReminderJobsTest, AfterAnOutageOfTheSchedulerAllJobsAreWrittenAgain) {
  Remind("PT1H");
  RunAll();
  scheduler_.jobs.clear();  // it comes back without its data
  scheduler_.away = true;
  Remind("PT2H");
  EXPECT_THAT(jobs_.Run(), StatusIs(absl::StatusCode::kUnavailable));
  scheduler_.away = false;
  clock_.Set("2026-03-27T08:00:10Z");
  RunAll();
  EXPECT_THAT(scheduler_.jobs, SizeIs(2));
}

}  // namespace
}  // namespace todo::service
