#include "client/dapr_client.h"

#include <gtest/gtest.h>

#include <chrono>
#include <thread>

#include "support/fake_sidecar.h"
#include "support/kept_spans.h"
#include "support/status_matchers.h"

namespace todo::client {
namespace {

using support::StatusIs;

using support::IsOk;

using std::chrono::milliseconds;
using std::chrono::seconds;
using support::FakeSidecar;

TEST(DaprClient, SendsTokenAndDeadlineWithEachCall) {
  FakeSidecar sidecar;
  DaprClient client(
      {.endpoint = sidecar.endpoint(), .api_token = "secret", .metadata_timeout = seconds(30)});
  ASSERT_THAT(client.GetMetadata(), IsOk());
  const FakeSidecar::Call call = sidecar.calls().at(0);
  EXPECT_EQ(call.metadata.at("dapr-api-token"), "secret");
  EXPECT_LE(call.time_left, seconds(31));
  EXPECT_GT(call.time_left, seconds(0));
}

TEST(DaprClient, SendsNoTokenWhenThereIsNone) {
  FakeSidecar sidecar;
  DaprClient client({.endpoint = sidecar.endpoint()});
  ASSERT_THAT(client.GetMetadata(), IsOk());
  EXPECT_FALSE(sidecar.calls().at(0).metadata.contains("dapr-api-token"));
}

TEST(DaprClient, ACallIsAPartOfTheCurrentTrace) {
  FakeSidecar sidecar;
  DaprClient client({.endpoint = sidecar.endpoint()});
  ASSERT_THAT(client.GetMetadata(), IsOk());
  {
    const util::WithTrace trace(support::kCause);
    ASSERT_THAT(client.GetMetadata(), IsOk());
  }
  EXPECT_FALSE(sidecar.calls().at(0).metadata.contains("traceparent"));
  EXPECT_EQ(sidecar.calls().at(1).metadata.at("traceparent"),
            util::FormatTraceparent(support::kCause));
}

TEST(DaprClient, TellsWhatTheSidecarLoaded) {
  FakeSidecar sidecar;
  dapr::proto::runtime::v1::GetMetadataResponse response;
  response.set_id("todo-service");
  response.set_runtime_version("1.17.5");
  auto& component = *response.add_registered_components();
  component.set_name("kafka-pubsub");
  component.set_type("pubsub.kafka");
  component.set_version("v1");
  auto& subscription = *response.add_subscriptions();
  subscription.set_pubsub_name("kafka-pubsub");
  subscription.set_topic("task-events");
  subscription.set_dead_letter_topic("dead");
  auto& rule = *subscription.mutable_rules()->add_rules();
  rule.set_match("event.type == 'x'");
  rule.set_path("/events/tasks");
  sidecar.SetMetadata(response);

  DaprClient client({.endpoint = sidecar.endpoint()});
  const auto metadata = client.GetMetadata();
  ASSERT_THAT(metadata, IsOk());
  EXPECT_EQ(metadata->app_id, "todo-service");
  EXPECT_EQ(metadata->runtime_version, "1.17.5");
  ASSERT_EQ(metadata->components.size(), 1u);
  EXPECT_EQ(metadata->components[0].name, "kafka-pubsub");
  EXPECT_EQ(metadata->components[0].type, "pubsub.kafka");
  EXPECT_EQ(metadata->components[0].version, "v1");
  ASSERT_EQ(metadata->subscriptions.size(), 1u);
  EXPECT_EQ(metadata->subscriptions[0].pubsub_name, "kafka-pubsub");
  EXPECT_EQ(metadata->subscriptions[0].topic, "task-events");
  EXPECT_EQ(metadata->subscriptions[0].dead_letter_topic, "dead");
  ASSERT_EQ(metadata->subscriptions[0].rules.size(), 1u);
  EXPECT_EQ(metadata->subscriptions[0].rules[0].match, "event.type == 'x'");
  EXPECT_EQ(metadata->subscriptions[0].rules[0].path, "/events/tasks");
}

TEST(DaprClient, ErrorsNameTheSidecar) {
  FakeSidecar sidecar;
  sidecar.SetAnswer({grpc::StatusCode::UNAUTHENTICATED, "wrong token"});
  DaprClient client({.endpoint = sidecar.endpoint()});
  EXPECT_EQ(client.GetMetadata().status(),
            absl::UnauthenticatedError("dapr: get metadata: wrong token"));
}

TEST(DaprClient, IsUnavailableWithoutSidecarAndGoesOnWhenItIsBack) {
  FakeSidecar sidecar;
  DaprClient client({.endpoint = sidecar.endpoint()});
  ASSERT_THAT(client.GetMetadata(), IsOk());
  sidecar.Stop();
  EXPECT_THAT(client.GetMetadata(), StatusIs(absl::StatusCode::kUnavailable));
  sidecar.Start();
  const auto give_up = std::chrono::steady_clock::now() + seconds(20);
  absl::Status status = client.GetMetadata().status();
  while (!status.ok() && std::chrono::steady_clock::now() < give_up) {
    std::this_thread::yield();
    status = client.GetMetadata().status();
  }
  EXPECT_THAT(status, IsOk());
}

TEST(DaprClient, GivesUpAtTheDeadline) {
  FakeSidecar sidecar;
  sidecar.Hold();
  DaprClient client({.endpoint = sidecar.endpoint(), .metadata_timeout = milliseconds(50)});
  EXPECT_THAT(client.GetMetadata(), StatusIs(absl::StatusCode::kDeadlineExceeded));
}

}  // namespace
}  // namespace todo::client
