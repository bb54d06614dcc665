#include "app/streams.h"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "service/consumers/task_event_consumer.h"

namespace todo::app {
namespace {

using testing::ElementsAre;

class Consumer final : public service::TaskEventConsumer {
 public:
  std::string_view name() const override { return "consumer"; }
  absl::Status Apply(ports::InboxTransaction&, const std::vector<domain::TaskEvent>&) override {
    return absl::OkStatus();
  }
};

class Handler final : public ports::RecordHandler {
 public:
  std::vector<absl::Status> Process(const std::vector<domain::BusRecord>& records) override {
    return std::vector<absl::Status>(records.size());
  }
};

/// The subscriptions to `streams` and the handler of each.
std::vector<std::string> Named(const std::vector<Stream>& streams) {
  Handler work;
  Handler live;
  std::vector<std::string> subscriptions;
  for (const auto& one : SubscriptionsOf(streams, {.work = work, .live = live})) {
    // Nothing holds up live records.
    EXPECT_EQ(one.does_not_block, one.handler == &live);
    EXPECT_EQ(one.bulk_max_await.has_value(), one.handler == &live);
    subscriptions.push_back(fmt::format("{} {} {} {}", one.pubsub, one.topic, one.route,
                                        one.handler == &live ? "live" : "work"));
  }
  return subscriptions;
}

TEST(StreamsTest, EveryRoleReadsTheTopicsOfItsWork) {
  Config config;
  config.role = Role::kApi;
  EXPECT_THAT(Named(StreamsOf(config)),
              ElementsAre("kafka-broadcast task-updates /events/updates live"));
  config.role = Role::kEvents;
  EXPECT_THAT(Named(StreamsOf(config)),
              ElementsAre("kafka-pubsub task-events /events/tasks work",
                          "kafka-pubsub reminders /events/reminders work"));
}

TEST(StreamsTest, SubscriptionsAndEventStreamsAreThoseOfTheOneList) {
  Config config;
  config.pubsub = "bus";
  config.broadcast_pubsub = "all";
  config.task_events_topic = "changes";
  const std::vector<Stream> streams = StreamsOf(config);
  EXPECT_THAT(Named(streams),
              ElementsAre("bus changes /events/tasks work", "bus reminders /events/reminders work",
                          "all task-updates /events/updates live"));

  Consumer recurring_tasks;
  Consumer task_webhooks;
  Consumer usage_counter;
  Consumer reminder_notifier;
  const std::vector<service::EventStream> event_streams =
      EventStreamsOf(streams, {.recurring_tasks = &recurring_tasks,
                               .task_webhooks = &task_webhooks,
                               .usage_counter = &usage_counter,
                               .reminder_notifier = &reminder_notifier});
  ASSERT_EQ(event_streams.size(), 2u);
  EXPECT_EQ(event_streams[0].topic, "changes");
  EXPECT_THAT(event_streams[0].consumers,
              ElementsAre(&recurring_tasks, &task_webhooks, &usage_counter));
  EXPECT_EQ(event_streams[1].topic, "reminders");
  EXPECT_THAT(event_streams[1].consumers, ElementsAre(&reminder_notifier));
}

}  // namespace
}  // namespace todo::app
