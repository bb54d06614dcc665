#include <gmock/gmock.h>
#include <google/protobuf/wrappers.pb.h>
#include <grpcpp/grpcpp.h>
#include <gtest/gtest.h>

#include <atomic>
#include <chrono>
#include <memory>
#include <string>

#include "appcallback/app_callback.h"
#include "dapr/proto/runtime/v1/appcallback.grpc.pb.h"
#include "service/event_processor.h"
#include "service/reminder_service.h"
#include "service/task_service.h"
#include "support/fake_database.h"
#include "support/fake_event_inbox.h"
#include "support/fake_preferred_zones.h"
#include "support/fake_reminder_store.h"
#include "support/fake_retry_queue.h"
#include "support/fake_task_store.h"

namespace todo::appcallback {
namespace {

namespace runtime = dapr::proto::runtime::v1;
using testing::SizeIs;

class SetClock final : public ports::Clock {
 public:
  domain::Instant Now() const override { return now; }
  std::atomic<domain::Instant> now = *domain::ParseInstant("2026-03-27T08:00:00Z");
};

class CountedIds final : public ports::IdSource {
 public:
  domain::Uuid NewId() override {
    std::string bytes(16, '\0');
    bytes[15] = static_cast<char>(++count_);
    return domain::Uuid::FromBytes(bytes, 7);
  }

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

    service::CreateTaskInput input;
    input.title = "water the plants";
    const service::CallContext call{
        .user = {"alice"}, .request_id = {}, .fingerprint = "f", .traceparent = {}};
    task_ = *tasks_.Create(call, input);
    const auto made = reminders_.Create(
        call, task_.id,
        {.at = *domain::ParseInstant("2026-03-27T09:00:00Z"), .before = {}, .time_of_day = {}});
    EXPECT_TRUE(made.ok()) << made.status();
    clock_.now = *domain::ParseInstant("2026-03-27T09:00:00Z");
  }
  ~JobCallbackTest() override { server_->Shutdown(); }

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

  support::FakeDatabase database_;
  support::FakeTaskStore store_{database_};
  support::FakePreferredZones zones_{database_};
  support::FakeReminderStore reminder_store_{database_};
  support::FakeEventInbox inbox_{database_};
  support::FakeRetryQueue retries_{database_};
  support::FakeCrashLog crashes_;
  SetClock clock_;
  CountedIds ids_;
  service::TaskService tasks_{store_, zones_, clock_, ids_};
  service::ReminderService reminders_{reminder_store_, clock_, ids_, {}};
  service::EventProcessor processor_{{inbox_, retries_, crashes_, clock_}, {}};
  util::WorkerPool workers_{2, 100};
  std::atomic<bool> healthy_ = true;
  AppCallback callback_{
      {.subscriptions = {}, .app_api_token = "secret"}, processor_, reminders_, workers_, [this] {
        return healthy_.load();
      }};
  std::unique_ptr<grpc::Server> server_;
  std::unique_ptr<runtime::AppCallback::Stub> stable_;
  std::unique_ptr<runtime::AppCallbackAlpha::Stub> alpha_;
  domain::Task task_;
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

TEST_F(JobCallbackTest, AJobOfAnotherNameMaySayItInItsData) {
  EXPECT_TRUE(Call(Job("wake-me", R"({"task_id":1})")).ok());
  EXPECT_EQ(posted(), 1u);
}

TEST_F(JobCallbackTest, WhatIsUnknownStaleOrEarlyIsAnsweredOk) {
  clock_.now = *domain::ParseInstant("2026-03-27T08:59:59Z");
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

TEST_F(JobCallbackTest, WithoutTheDatabaseItMustComeAgain) {
  database_.FailWith(absl::UnavailableError("away"));
  EXPECT_EQ(Call(Job("reminder-task-1")).error_code(), grpc::UNAVAILABLE);
  database_.FailWith(absl::OkStatus());
  healthy_ = false;
  EXPECT_EQ(Call(Job("reminder-task-1")).error_code(), grpc::UNAVAILABLE);
  healthy_ = true;
  EXPECT_EQ(posted(), 0u);
  EXPECT_TRUE(Call(Job("reminder-task-1")).ok());
  EXPECT_EQ(posted(), 1u);
}

}  // namespace
}  // namespace todo::appcallback
