#include "app/streams.h"

#include "domain/event/event_reader.h"

namespace todo::app {

std::vector<Stream> StreamsOf(const Config& config) {
  if (!config.takes_events()) return {};
  return {{.pubsub = config.pubsub,
           .topic = config.task_events_topic,
           .route = "/events/tasks",
           .parse = &service::EventStream::Parse<domain::ParseTaskEventRecord>,
           .consumers = {&Consumers::recurring_tasks, &Consumers::task_webhooks}},
          {.pubsub = config.pubsub,
           .topic = config.reminders_topic,
           .route = "/events/reminders",
           .parse = &service::EventStream::Parse<domain::ParseReminderEventRecord>,
           .consumers = {&Consumers::reminder_notifier}}};
}

std::vector<appcallback::Subscription> SubscriptionsOf(const std::vector<Stream>& streams,
                                                       ports::RecordHandler& handler) {
  std::vector<appcallback::Subscription> subscriptions;
  for (const Stream& stream : streams) {
    subscriptions.push_back({.pubsub = stream.pubsub,
                             .topic = stream.topic,
                             .route = stream.route,
                             .handler = &handler});
  }
  return subscriptions;
}

std::vector<service::EventStream> EventStreamsOf(const std::vector<Stream>& streams,
                                                 const Consumers& consumers) {
  std::vector<service::EventStream> event_streams;
  for (const Stream& stream : streams) {
    service::EventStream& event_stream = event_streams.emplace_back();
    event_stream.topic = stream.topic;
    event_stream.parse = stream.parse;
    for (const auto consumer : stream.consumers)
      event_stream.consumers.push_back(consumers.*consumer);
  }
  return event_streams;
}

}  // namespace todo::app
