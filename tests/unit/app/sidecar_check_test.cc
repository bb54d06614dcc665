#include "app/sidecar_check.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace todo::app {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

client::SidecarMetadata Complete() {
  client::SidecarMetadata sidecar;
  sidecar.components = {
      {.name = "kafka-pubsub", .type = "pubsub.kafka", .version = "v1"},
      {.name = "kafka-broadcast", .type = "pubsub.kafka", .version = "v1"},
      {.name = "statestore", .type = "state.postgresql", .version = "v1"},
      {.name = "kubernetes-secrets", .type = "secretstores.local.file", .version = "v1"}};
  sidecar.subscriptions = {{.pubsub_name = "kafka-pubsub",
                            .topic = "task-events",
                            .rules = {{.match = "", .path = "/events/tasks"}},
                            .dead_letter_topic = ""},
                           {.pubsub_name = "kafka-pubsub",
                            .topic = "reminders",
                            .rules = {{.match = "", .path = "/events/reminders"}},
                            .dead_letter_topic = ""},
                           {.pubsub_name = "kafka-broadcast",
                            .topic = "task-updates",
                            .rules = {{.match = "", .path = "/events/updates"}},
                            .dead_letter_topic = ""}};
  return sidecar;
}

TEST(SidecarCheckTest, NothingIsMissingWhenAllIsThere) {
  EXPECT_EQ(FindGaps(Complete(), Config()), SidecarGaps());
}

TEST(SidecarCheckTest, NamesEveryMissingPart) {
  const SidecarGaps gaps = FindGaps({}, Config());
  EXPECT_THAT(gaps.missing,
              ElementsAre("component kafka-pubsub (pubsub.kafka)",
                          "subscription to task-events on kafka-pubsub, route /events/tasks",
                          "subscription to reminders on kafka-pubsub, route /events/reminders"));
  EXPECT_THAT(
      gaps.optional,
      ElementsAre(HasSubstr("component kafka-broadcast (pubsub.kafka): changes reach live "
                            "screens late"),
                  "component statestore (state.)", "component kubernetes-secrets (secretstores.)"));
}

TEST(SidecarCheckTest, ThePubSubMustBeOfTheConfiguredKind) {
  Config config;
  config.bus = Bus::kMemory;
  EXPECT_THAT(FindGaps(Complete(), config).missing,
              ElementsAre("component kafka-pubsub is pubsub.kafka, not pubsub.in-memory"));
  client::SidecarMetadata sidecar = Complete();
  sidecar.components[0].type = "pubsub.in-memory";
  config.broadcast_pubsub = config.pubsub;
  EXPECT_THAT(FindGaps(sidecar, config).missing, IsEmpty());
}

TEST(SidecarCheckTest, ASubscriptionElsewhereDoesNotCount) {
  client::SidecarMetadata sidecar = Complete();
  sidecar.subscriptions[0].rules[0].path = "/events";
  EXPECT_THAT(FindGaps(sidecar, Config()).missing,
              ElementsAre(HasSubstr("has no route /events/tasks")));
  sidecar = Complete();
  sidecar.subscriptions[0].pubsub_name = "other";
  EXPECT_THAT(FindGaps(sidecar, Config()).missing,
              ElementsAre(HasSubstr("subscription to task-events")));
}

TEST(SidecarCheckTest, ADeadLetterTopicOfTheSidecarIsAFault) {
  client::SidecarMetadata sidecar = Complete();
  sidecar.subscriptions[0].dead_letter_topic = "task-events-dlq";
  EXPECT_THAT(FindGaps(sidecar, Config()).missing,
              ElementsAre(HasSubstr("dead-letter topic task-events-dlq")));
}

TEST(SidecarCheckTest, TheRoleForCallsNeedsLiveRecordsOnly) {
  Config config;
  config.role = Role::kApi;
  client::SidecarMetadata sidecar = Complete();
  sidecar.subscriptions.erase(sidecar.subscriptions.begin(), sidecar.subscriptions.begin() + 2);
  std::erase_if(sidecar.components,
                [&](const auto& component) { return component.name == config.pubsub; });
  EXPECT_EQ(FindGaps(sidecar, config), SidecarGaps());

  sidecar.subscriptions.clear();
  const SidecarGaps gaps = FindGaps(sidecar, config);
  EXPECT_THAT(gaps.missing, IsEmpty()) << "calls are answered without";
  EXPECT_THAT(gaps.optional,
              ElementsAre(HasSubstr("subscription to task-updates on kafka-broadcast")));
}

TEST(SidecarCheckTest, TheRoleForEventsNeedsNoLiveRecords) {
  Config config;
  config.role = Role::kEvents;
  client::SidecarMetadata sidecar = Complete();
  sidecar.subscriptions.pop_back();
  std::erase_if(sidecar.components,
                [&](const auto& component) { return component.name == config.broadcast_pubsub; });
  EXPECT_EQ(FindGaps(sidecar, config), SidecarGaps());
}

}  // namespace
}  // namespace todo::app
