#include <gmock/gmock.h>
#include <google/protobuf/wrappers.pb.h>
#include <grpcpp/grpcpp.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <functional>
#include <future>
#include <list>
#include <memory>
#include <stdexcept>
#include <string>
#include <vector>

#include "appcallback/app_callback.h"
#include "dapr/proto/runtime/v1/appcallback.grpc.pb.h"
#include "service/reminders/reminder_service.h"
#include "service/tasks/task_service.h"
#include "support/fake_database.h"
#include "support/fake_preferred_zones.h"
#include "support/fake_reminder_store.h"
#include "support/fake_task_store.h"
#include "support/kept_spans.h"

namespace todo::appcallback {
namespace {

namespace runtime = dapr::proto::runtime::v1;
using testing::ElementsAre;

class SetClock final : public ports::Clock {
 public:
  domain::Instant Now() const override { return now; }
  std::atomic<domain::Instant> now = *domain::ParseInstant("2026-03-27T09:00:00Z");
};

/// The machine's clock, which deadlines of calls go by, or one ahead of it.
class MachineClock final : public ports::Clock {
 public:
  domain::Instant Now() const override {
    return std::chrono::floor<std::chrono::microseconds>(std::chrono::system_clock::now()) +
           ahead.load();
  }
  std::atomic<std::chrono::microseconds> ahead = std::chrono::microseconds(0);
};

class CountedIds final : public ports::IdSource {
 public:
  domain::Uuid NewId() override {
    if (throws) throw std::runtime_error("a bug");
    std::string bytes(16, '\0');
    const int number = ++count_;
    bytes[14] = static_cast<char>(number >> 8);
    bytes[15] = static_cast<char>(number);
    return domain::Uuid::FromBytes(bytes, 7);
  }
  std::atomic<bool> throws = false;

 private:
  std::atomic<int> count_ = 0;
};

/// The callbacks as the sidecar calls them, over a channel within the process.
class JobCallbackTest : public testing::Test {
 protected:
  JobCallbackTest() {
    grpc::ServerBuilder builder;
    for (grpc::Service* service : callback_.services()) builder.RegisterService(service);
    server_ = builder.BuildAndStart();
    const auto channel = server_->InProcessChannel({});
    stable_ = runtime::AppCallback::NewStub(channel);
    alpha_ = runtime::AppCallbackAlpha::NewStub(channel);

    MakeTask("alice");
  }
  ~JobCallbackTest() override { server_->Shutdown(); }

  /// With a reminder at nine, which it is now. The first one has the id 1, and so on.
  void MakeTask(const std::string& user) {
    const domain::Instant nine = clock_.now;
    clock_.now = nine - std::chrono::hours(1);
    service::CreateTaskInput input;
    input.title = "water the plants";
    const service::CallContext call{
        .user = {user}, .request_id = {}, .fingerprint = "f", .traceparent = {}};
    const auto task = tasks_.Create(call, input);
    ASSERT_TRUE(task.ok()) << task.status();
    const auto made =
        reminders_.Create(call, task->id, {.at = nine, .before = {}, .time_of_day = {}});
    ASSERT_TRUE(made.ok()) << made.status();
    clock_.now = nine;
  }

  static std::unique_ptr<grpc::ClientContext> Context(const std::string& token = "secret") {
    auto context = std::make_unique<grpc::ClientContext>();
    if (!token.empty()) context->AddMetadata("dapr-api-token", token);
    context->set_deadline(std::chrono::system_clock::now() + std::chrono::seconds(60));
    return context;
  }
  static runtime::JobEventRequest Job(const std::string& name, const std::string& data = "{}") {
    google::protobuf::StringValue text;
    text.set_value(data);
    runtime::JobEventRequest request;
    request.set_name(name);
    request.mutable_data()->PackFrom(text);
    return request;
  }
  grpc::Status Call(const runtime::JobEventRequest& request, const std::string& token = "secret") {
    runtime::JobEventResponse response;
    return stable_->OnJobEvent(Context(token).get(), request, &response);
  }
  std::size_t posted() { return database_.Read()->messages.size(); }

  /// Calls that have begun and wait for a worker, because this test keeps them all.
  class Waiting {
   public:
    explicit Waiting(JobCallbackTest& test) : test_(test) {
      for (int n = 0; n < kWorkers; ++n)
        EXPECT_TRUE(test_.workers_.TrySubmit([released = released_] { released.wait(); }));
    }
    void Begin(const std::string& name) {
      One& call = calls_.emplace_back();
      call.request = Job(name);
      test_.stable_->async()->OnJobEvent(call.context.get(), &call.request, &call.response,
                                         [this, &call](const grpc::Status& status) {
                                           if (!any_answered_.exchange(true)) first_.set_value();
                                           call.code.set_value(status.error_code());
                                         });
    }
    void AwaitFirst() { first_.get_future().wait(); }
    void Release() { release_.set_value(); }
    /// Of each call, in the order in which they began.
    std::vector<grpc::StatusCode> Codes() {
      std::vector<grpc::StatusCode> codes;
      for (One& call : calls_) codes.push_back(call.code.get_future().get());
      return codes;
    }

   private:
    struct One {
      std::unique_ptr<grpc::ClientContext> context = Context();
      runtime::JobEventRequest request;
      runtime::JobEventResponse response;
      std::promise<grpc::StatusCode> code;
    };
    JobCallbackTest& test_;
    std::promise<void> release_;
    std::shared_future<void> released_ = release_.get_future().share();
    std::atomic<bool> any_answered_ = false;
    std::promise<void> first_;
    std::list<One> calls_;
  };

  static constexpr int kWorkers = 2;
  static constexpr int kMaxWaiting = 300;

  support::FakeDatabase database_;
  support::FakeTaskStore store_{database_};
  support::FakePreferredZones zones_{database_};
  std::atomic<int> posts_ = 0;
  support::FakeReminderStore reminder_store_{database_, [this](int) { ++posts_; }};
  SetClock clock_;
  MachineClock machine_clock_;
  CountedIds ids_;
  service::TaskService tasks_{store_, zones_, clock_, ids_};
  service::ReminderService reminders_{reminder_store_, clock_, ids_, {}};
  util::WorkerPool workers_{kWorkers, 100};
  std::function<bool()> healthy_ = [] { return true; };
  AppCallback callback_{
      {.subscriptions = {}, .max_waiting_jobs = kMaxWaiting, .app_api_token = "secret"},
      reminders_,
      workers_,
      machine_clock_,
      [this] { return healthy_(); }};
  std::unique_ptr<grpc::Server> server_;
  std::unique_ptr<runtime::AppCallback::Stub> stable_;
  std::unique_ptr<runtime::AppCallbackAlpha::Stub> alpha_;
};

TEST_F(JobCallbackTest, FiresUnderEitherNameAndOnlyOnce) {
  const runtime::JobEventRequest job = Job("reminder-task-1");
  runtime::JobEventResponse response;
  grpc::Status status = alpha_->OnJobEventAlpha1(Context().get(), job, &response);
  EXPECT_TRUE(status.ok()) << status.error_message();
  EXPECT_EQ(posted(), 1u);
  status = Call(job);
  EXPECT_TRUE(status.ok()) << status.error_message();
  EXPECT_EQ(posted(), 1u) << "repeated";
}

TEST_F(JobCallbackTest, TheStableNameFiresToo) {
  EXPECT_TRUE(Call(Job("reminder-task-1", "no JSON at all")).ok());
  EXPECT_EQ(posted(), 1u);
}

TEST_F(JobCallbackTest, WhatFiresIsLinkedToTheJobThatMadeItFire) {
  support::KeptSpans kept;
  EXPECT_TRUE(Call(Job("reminder-task-1")).ok());
  const auto triggers = kept.Named("trigger reminders");
  const auto firings = kept.Named("fire reminder");
  ASSERT_EQ(triggers.size(), 1u);
  ASSERT_EQ(firings.size(), 1u);
  EXPECT_THAT(firings[0].links, ElementsAre(triggers[0].context));
  EXPECT_FALSE(triggers[0].failed);
}

TEST_F(JobCallbackTest, AJobThatCannotBeDoneHasFailed) {
  support::KeptSpans kept;
  clock_.now = *domain::ParseInstant("2026-03-27T08:59:59Z");
  EXPECT_EQ(Call(Job("reminder-task-1")).error_code(), grpc::UNAVAILABLE);
  const auto triggers = kept.Named("trigger reminders");
  ASSERT_EQ(triggers.size(), 1u);
  EXPECT_TRUE(triggers[0].failed);
}

TEST_F(JobCallbackTest, AJobOfAnotherNameMaySayItInItsData) {
  EXPECT_TRUE(Call(Job("wake-me", R"({"task_id":1})")).ok());
  EXPECT_EQ(posted(), 1u);
}

TEST_F(JobCallbackTest, AnEarlyJobIsRepeated) {
  clock_.now = *domain::ParseInstant("2026-03-27T08:59:59Z");
  EXPECT_EQ(Call(Job("reminder-task-1")).error_code(), grpc::UNAVAILABLE);
  EXPECT_EQ(posted(), 0u);
}

TEST_F(JobCallbackTest, AnUnknownOrOutdatedJobIsAnsweredOk) {
  clock_.now = *domain::ParseInstant("2026-03-27T08:00:00Z");
  for (const char* name : {"reminder-task-1", "reminder-task-1-2", "reminder-task-4711", "",
                           "reminder-task-x", "somebody-elses"}) {
    EXPECT_TRUE(Call(Job(name)).ok()) << name;
  }
  EXPECT_EQ(posted(), 0u);
  EXPECT_TRUE(Call(Job(std::string(100'000, 'x'))).ok());
  EXPECT_TRUE(Call(runtime::JobEventRequest()).ok());
}

TEST_F(JobCallbackTest, OnlyTheSidecarMayCall) {
  for (const char* token : {"", "wrong!", "secret "}) {
    EXPECT_EQ(Call(Job("reminder-task-1"), token).error_code(), grpc::UNAUTHENTICATED) << token;
  }
  EXPECT_EQ(posted(), 0u);
}

TEST_F(JobCallbackTest, WaitingJobsAreProcessedTogetherAndTheirNumberIsLimited) {
  for (int n = 1; n <= kMaxWaiting; ++n) MakeTask("alice");
  Waiting calls(*this);
  for (int n = 1; n <= kMaxWaiting + 1; ++n) calls.Begin("reminder-task-" + std::to_string(n));
  calls.AwaitFirst();  // the call beyond the limit: all others wait by now
  calls.Release();
  const std::vector<grpc::StatusCode> codes = calls.Codes();
  EXPECT_EQ(std::ranges::count(codes, grpc::OK), kMaxWaiting);
  EXPECT_EQ(std::ranges::count(codes, grpc::UNAVAILABLE), 1);
  EXPECT_EQ(posted(), static_cast<std::size_t>(kMaxWaiting));
  EXPECT_EQ(posts_, 2) << "transactions, of 200 and of 100 jobs";
}

TEST_F(JobCallbackTest, EachJobHasItsOwnStatus) {
  MakeTask("bob");
  MakeTask("alice");
  reminder_store_.FailFor({"bob"}, absl::AbortedError("others held a lock for too long"));
  Waiting calls(*this);
  for (const char* task : {"1", "2", "3", "4711"})
    calls.Begin(std::string("reminder-task-") + task);
  calls.Release();
  EXPECT_THAT(calls.Codes(), ElementsAre(grpc::OK, grpc::UNAVAILABLE, grpc::OK, grpc::OK));
  EXPECT_EQ(posted(), 2u);
}

TEST_F(JobCallbackTest, AJobWhoseDeadlineHasPassedIsNotProcessed) {
  Waiting calls(*this);
  calls.Begin("reminder-task-1");
  machine_clock_.ahead = std::chrono::hours(1);
  calls.Release();
  EXPECT_THAT(calls.Codes(), ElementsAre(grpc::UNAVAILABLE));
  machine_clock_.ahead = std::chrono::microseconds(0);
  EXPECT_TRUE(Call(Job("reminder-task-4711")).ok()) << "a later call is served";
  EXPECT_EQ(posted(), 0u);
}

TEST_F(JobCallbackTest, JobsThatWaitAreRefusedWhenTheServiceStops) {
  workers_.Shutdown(std::chrono::steady_clock::now());
  for (int n = 0; n < 3; ++n)
    EXPECT_EQ(Call(Job("reminder-task-1")).error_code(), grpc::UNAVAILABLE) << n;
  EXPECT_EQ(posted(), 0u);
}

TEST_F(JobCallbackTest, Trap01AnExceptionBringsTheJobAgain) {
  ids_.throws = true;
  EXPECT_EQ(Call(Job("reminder-task-1")).error_code(), grpc::UNAVAILABLE);
  ids_.throws = false;
  healthy_ = []() -> bool { throw std::runtime_error("a bug"); };
  EXPECT_EQ(Call(Job("reminder-task-1")).error_code(), grpc::UNAVAILABLE);
  healthy_ = [] { return true; };
  EXPECT_TRUE(Call(Job("reminder-task-1")).ok());
  EXPECT_EQ(posted(), 1u);
}

TEST_F(JobCallbackTest, WithoutTheDatabaseAJobIsRepeated) {
  database_.FailWith(absl::UnavailableError("away"));
  EXPECT_EQ(Call(Job("reminder-task-1")).error_code(), grpc::UNAVAILABLE);
  database_.FailWith(absl::OkStatus());
  healthy_ = [] { return false; };
  EXPECT_EQ(Call(Job("reminder-task-1")).error_code(), grpc::UNAVAILABLE);
  healthy_ = [] { return true; };
  EXPECT_EQ(posted(), 0u);
  EXPECT_TRUE(Call(Job("reminder-task-1")).ok());
  EXPECT_EQ(posted(), 1u);
}

}  // namespace
}  // namespace todo::appcallback
