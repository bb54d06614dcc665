#include "app/application.h"

#include <gmock/gmock.h>
#include <grpcpp/grpcpp.h>
#include <gtest/gtest.h>

#include <chrono>
#include <memory>
#include <string>

#include "dapr/proto/runtime/v1/appcallback.grpc.pb.h"
#include "google/protobuf/empty.pb.h"
#include "grpc/health/v1/health.grpc.pb.h"
#include "support/status_matchers.h"
#include "todo/v1/todo_service.grpc.pb.h"

namespace todo::app {
namespace {

using support::IsOk;
using support::StatusIs;
using testing::HasSubstr;
using namespace std::chrono_literals;
namespace health = grpc::health::v1;
namespace runtime = dapr::proto::runtime::v1;

/// Free ports, and a database and a sidecar that are not there.
Config Alone() {
  LoadedConfig loaded = LoadConfig({"--api-port=0", "--app-port=0", "--web-port=0", "--ops-port=0",
                                    "--dev-identity", "--dapr-grpc-endpoint=127.0.0.1:1",
                                    "--database-url=host=127.0.0.1 port=1 user=nobody dbname=none"},
                                   {});
  EXPECT_TRUE(loaded.faults.empty());
  return loaded.config;
}

std::shared_ptr<grpc::Channel> ChannelTo(int port) {
  return grpc::CreateChannel("127.0.0.1:" + std::to_string(port),
                             grpc::InsecureChannelCredentials());
}

/// The context of one call, with a deadline that only a hanging test meets.
std::unique_ptr<grpc::ClientContext> Context() {
  auto context = std::make_unique<grpc::ClientContext>();
  context->set_deadline(std::chrono::system_clock::now() + 60s);
  return context;
}

class ApplicationTest : public testing::Test {
 protected:
  void SetUp() override {
    testing::internal::CaptureStderr();
    const absl::Status status = application_.Start();
    ASSERT_THAT(status, IsOk());
  }
  void TearDown() override { testing::internal::GetCapturedStderr(); }

  Application application_{Alone(), [] { ADD_FAILURE() << "an absent database is no failure"; }};
};

TEST_F(ApplicationTest, WithoutItsDatabaseTheApiSaysToComeBack) {
  const auto stub = v1::TodoService::NewStub(ChannelTo(application_.api_port()));
  const auto context = Context();
  context->AddMetadata("x-user-id", "alice");
  v1::ListTasksResponse response;
  const grpc::Status status = stub->ListTasks(context.get(), {}, &response);
  EXPECT_EQ(status.error_code(), grpc::UNAVAILABLE);
  EXPECT_THAT(status.error_message(), HasSubstr("the database is not ready yet"));
}

TEST_F(ApplicationTest, HealthOfTheApiIsThatOfTheDatabase) {
  const auto stub = health::Health::NewStub(ChannelTo(application_.api_port()));
  for (const std::string service : {"", "todo.v1.TodoService"}) {
    health::HealthCheckRequest request;
    request.set_service(service);
    health::HealthCheckResponse response;
    const grpc::Status status = stub->Check(Context().get(), request, &response);
    ASSERT_TRUE(status.ok()) << status.error_message();
    EXPECT_EQ(response.status(), health::HealthCheckResponse::NOT_SERVING) << service;
  }
}

TEST_F(ApplicationTest, TheSidecarLearnsTheSubscriptionsButKeepsItsEvents) {
  const auto channel = ChannelTo(application_.app_port());
  const auto callback = runtime::AppCallback::NewStub(channel);
  runtime::ListTopicSubscriptionsResponse subscriptions;
  ASSERT_TRUE(callback->ListTopicSubscriptions(Context().get(), {}, &subscriptions).ok());
  EXPECT_GT(subscriptions.subscriptions_size(), 0);
  const auto app_health = runtime::AppCallbackHealthCheck::NewStub(channel);
  runtime::HealthCheckResponse response;
  EXPECT_EQ(app_health->HealthCheck(Context().get(), {}, &response).error_code(),
            grpc::UNAVAILABLE);
}

// trap_03: the sidecar puts the headers of a whole batch of events into the metadata of one call.
TEST_F(ApplicationTest, Trap03TheSidecarMaySendMuchMetadata) {
  const auto callback = runtime::AppCallback::NewStub(ChannelTo(application_.app_port()));
  const auto context = Context();
  for (int i = 0; i < 400; ++i) {
    context->AddMetadata("header-" + std::to_string(i), std::string(10'000, 'x'));
  }
  runtime::TopicEventBulkResponse response;
  const grpc::Status status = callback->OnBulkTopicEvent(context.get(), {}, &response);
  EXPECT_THAT(status.error_message(), HasSubstr("the database is away")) << "it was taken and read";
}

TEST_F(ApplicationTest, StopsCleanlyWithoutEverHavingBeenReady) {
  EXPECT_TRUE(application_.Stop());
  EXPECT_FALSE(application_.failed());
}

TEST_F(ApplicationTest, APortInUseEndsTheStart) {
  Config config = Alone();
  config.app_port = application_.app_port();
  Application second(config, [] {});
  const absl::Status status = second.Start();
  EXPECT_THAT(status, StatusIs(absl::StatusCode::kUnavailable));
  EXPECT_THAT(std::string(status.message()), HasSubstr("for the app port: Address already in use"));
}

}  // namespace
}  // namespace todo::app
