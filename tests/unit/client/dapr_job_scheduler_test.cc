#include "client/dapr_job_scheduler.h"

#include <gmock/gmock.h>
#include <google/protobuf/wrappers.pb.h>
#include <gtest/gtest.h>

#include <chrono>
#include <set>
#include <string>
#include <thread>
#include <vector>

#include "support/fake_sidecar.h"
#include "support/status_matchers.h"

namespace todo::client {
namespace {

using std::chrono::milliseconds;
using support::FakeSidecar;
using support::StatusIs;
using testing::Each;
using testing::ElementsAre;
using testing::SizeIs;

class DaprJobSchedulerTest : public testing::Test {
 protected:
  static std::vector<ports::ScheduledJob> Jobs(int count) {
    std::vector<ports::ScheduledJob> jobs;
    for (int n = 1; n <= count; ++n) {
      jobs.push_back({.name = "reminder-task-" + std::to_string(n),
                      .due = *domain::ParseInstant("2026-03-30T09:00:00.25Z"),
                      .data = R"({"task_id":1})"});
    }
    return jobs;
  }
  std::vector<std::string> Methods() {
    std::vector<std::string> methods;
    for (const FakeSidecar::Call& call : sidecar_.calls()) methods.push_back(call.method);
    return methods;
  }

  FakeSidecar sidecar_;
  DaprClient client_{{.endpoint = sidecar_.endpoint(), .api_token = "secret"}};
  DaprJobScheduler scheduler_{client_, {.timeout = milliseconds(20'000), .parallel_calls = 4}};
};

TEST_F(DaprJobSchedulerTest, ReplacesAJobOfTheNameAndRepeatsItUntilItSucceeds) {
  EXPECT_THAT(scheduler_.Schedule(Jobs(1)), ElementsAre(absl::OkStatus()));
  const auto calls = sidecar_.calls();
  ASSERT_THAT(calls, SizeIs(1));
  EXPECT_EQ(calls[0].method, "ScheduleJob");
  EXPECT_EQ(calls[0].metadata.at("dapr-api-token"), "secret");
  EXPECT_LT(calls[0].time_left, milliseconds(30'000)) << "a deadline";
  EXPECT_TRUE(calls[0].schedule.overwrite());
  const auto& job = calls[0].schedule.job();
  EXPECT_EQ(job.name(), "reminder-task-1");
  EXPECT_EQ(job.due_time(), "2026-03-30T09:00:00.250Z");
  EXPECT_FALSE(job.has_schedule());
  ASSERT_TRUE(job.failure_policy().has_constant()) << "unset, it would be lost after 3 failures";
  EXPECT_GT(job.failure_policy().constant().interval().seconds(), 0);
  EXPECT_FALSE(job.failure_policy().constant().has_max_retries());
  google::protobuf::StringValue data;
  ASSERT_TRUE(job.data().UnpackTo(&data));
  EXPECT_EQ(data.value(), R"({"task_id":1})");
}

TEST_F(DaprJobSchedulerTest, EveryJobHasItsStatusHoweverManyThereAre) {
  EXPECT_THAT(scheduler_.Schedule(Jobs(11)), SizeIs(11));
  EXPECT_THAT(scheduler_.Schedule({}), SizeIs(0));
  std::set<std::string> names;
  for (const FakeSidecar::Call& call : sidecar_.calls()) names.insert(call.schedule.job().name());
  EXPECT_THAT(names, SizeIs(11));
}

TEST_F(DaprJobSchedulerTest, RemembersThatTheSidecarKnowsOnlyTheAlphaNames) {
  sidecar_.SetUnimplemented({"ScheduleJob", "DeleteJob"});
  EXPECT_THAT(scheduler_.Schedule(Jobs(1)), ElementsAre(absl::OkStatus()));
  EXPECT_THAT(scheduler_.Delete({"a"}), ElementsAre(absl::OkStatus()));
  EXPECT_THAT(Methods(), ElementsAre("ScheduleJob", "ScheduleJobAlpha1", "DeleteJobAlpha1"));
  // A newer sidecar that has dropped them.
  sidecar_.SetUnimplemented({"ScheduleJobAlpha1", "DeleteJobAlpha1"});
  EXPECT_THAT(scheduler_.Delete({"a"}), ElementsAre(absl::OkStatus()));
  EXPECT_THAT(scheduler_.Schedule(Jobs(1)), ElementsAre(absl::OkStatus()));
  EXPECT_EQ(Methods().back(), "ScheduleJob");
}

TEST_F(DaprJobSchedulerTest, UnderstandsHowDaprdSaysThatItDoesNotKnowAMethod) {
  sidecar_.SetUnimplemented({"ScheduleJob", "DeleteJob"},
                            {grpc::StatusCode::UNKNOWN,
                             "failed to proxy request: required metadata dapr-callee-app-id or "
                             "dapr-app-id not found"});
  EXPECT_THAT(scheduler_.Schedule(Jobs(1)), ElementsAre(absl::OkStatus()));
  EXPECT_THAT(scheduler_.Delete({"a"}), ElementsAre(absl::OkStatus()));
  EXPECT_THAT(Methods(), ElementsAre("ScheduleJob", "ScheduleJobAlpha1", "DeleteJobAlpha1"));
}

TEST_F(DaprJobSchedulerTest, ASidecarWithoutJobsIsSaidAsItIs) {
  sidecar_.SetUnimplemented({"ScheduleJob", "ScheduleJobAlpha1"});
  EXPECT_THAT(scheduler_.Schedule(Jobs(1)).at(0), StatusIs(absl::StatusCode::kUnimplemented));
}

TEST_F(DaprJobSchedulerTest, DeletesByName) {
  EXPECT_THAT(scheduler_.Delete({"reminder-task-7", "reminder-task-7-2"}), SizeIs(2));
  std::set<std::string> names;
  for (const FakeSidecar::Call& call : sidecar_.calls()) names.insert(call.remove.name());
  EXPECT_THAT(names, ElementsAre("reminder-task-7", "reminder-task-7-2"));
}

TEST_F(DaprJobSchedulerTest, WithoutASidecarTheRestIsNotTried) {
  sidecar_.SetAnswer({grpc::StatusCode::UNAVAILABLE, "no scheduler"});
  const auto statuses = scheduler_.Schedule(Jobs(11));
  EXPECT_THAT(statuses, SizeIs(11));
  for (const absl::Status& status : statuses)
    EXPECT_THAT(status, StatusIs(absl::StatusCode::kUnavailable)) << status;
  EXPECT_THAT(sidecar_.calls(), SizeIs(4)) << "one round";
}

TEST_F(DaprJobSchedulerTest, AHangingSidecarIsGivenUpAtTheDeadline) {
  DaprJobScheduler hasty(client_, {.timeout = milliseconds(100)});
  sidecar_.Hold();
  EXPECT_THAT(hasty.Schedule(Jobs(1)).at(0), StatusIs(absl::StatusCode::kDeadlineExceeded));
}

}  // namespace
}  // namespace todo::client
