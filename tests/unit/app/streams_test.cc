#include "app/streams.h"

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

TEST(StreamsTest, SubscriptionsAndEventStreamsAreThoseOfTheOneList) {
  Config config;
  config.pubsub = "bus";
  config.task_events_topic = "changes";
  const std::vector<Stream> streams = StreamsOf(config);
  Handler handler;
  std::vector<std::string> subscriptions;
  for (const appcallback::Subscription& one : SubscriptionsOf(streams, handler)) {
    EXPECT_EQ(one.handler, &handler);
    subscriptions.push_back(one.pubsub + " " + one.topic + " " + one.route);
  }
  EXPECT_THAT(subscriptions,
              ElementsAre("bus changes /events/tasks", "bus reminders /events/reminders"));

  Consumer recurring_tasks;
  Consumer task_webhooks;
  Consumer reminder_notifier;
  const std::vector<service::EventStream> event_streams =
      EventStreamsOf(streams, {.recurring_tasks = &recurring_tasks,
                               .task_webhooks = &task_webhooks,
                               .reminder_notifier = &reminder_notifier});
  ASSERT_EQ(event_streams.size(), 2u);
  EXPECT_EQ(event_streams[0].topic, "changes");
  EXPECT_THAT(event_streams[0].consumers, ElementsAre(&recurring_tasks, &task_webhooks));
  EXPECT_EQ(event_streams[1].topic, "reminders");
  EXPECT_THAT(event_streams[1].consumers, ElementsAre(&reminder_notifier));
}

}  // namespace
}  // namespace todo::app
