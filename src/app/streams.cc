#include "app/streams.h"

#include <chrono>

#include "domain/event/event_reader.h"

namespace todo::app {
namespace {

/// How long the sidecar may collect live records for one call. All of it is a delay that somebody
/// sees; without it, each record would be a call of its own.
constexpr std::chrono::milliseconds kLiveAwait{2};

}  // namespace

std::vector<Stream> StreamsOf(const Config& config) {
  std::vector<Stream> streams;
  if (config.takes_events()) {
    streams.push_back({.pubsub = config.pubsub,
                       .topic = config.task_events_topic,
                       .route = "/events/tasks",
                       .parse = &service::EventStream::Parse<domain::ParseTaskEventRecord>,
                       .consumers = {&Consumers::recurring_tasks, &Consumers::task_webhooks,
                                     &Consumers::usage_counter}});
    streams.push_back({.pubsub = config.pubsub,
                       .topic = config.reminders_topic,
                       .route = "/events/reminders",
                       .parse = &service::EventStream::Parse<domain::ParseReminderEventRecord>,
                       .consumers = {&Consumers::reminder_notifier}});
  }
  if (config.takes_calls()) {
    streams.push_back({.kind = Stream::Kind::kLive,
                       .pubsub = config.broadcast_pubsub,
                       .topic = config.task_updates_topic,
                       .route = "/events/updates"});
  }
  return streams;
}

std::vector<appcallback::Subscription> SubscriptionsOf(const std::vector<Stream>& streams,
                                                       const StreamHandlers& handlers) {
  std::vector<appcallback::Subscription> subscriptions;
  for (const Stream& stream : streams) {
    appcallback::Subscription& subscription = subscriptions.emplace_back();
    subscription.pubsub = stream.pubsub;
    subscription.topic = stream.topic;
    subscription.route = stream.route;
    subscription.handler = &handlers.work;
    if (stream.kind == Stream::Kind::kLive) {
      subscription.handler = &handlers.live;
      subscription.does_not_block = true;
      subscription.bulk_max_await = kLiveAwait;
    }
  }
  return subscriptions;
}

std::vector<service::EventStream> EventStreamsOf(const std::vector<Stream>& streams,
                                                 const Consumers& consumers) {
  std::vector<service::EventStream> event_streams;
  for (const Stream& stream : streams) {
    if (stream.kind != Stream::Kind::kWork) continue;
    service::EventStream& event_stream = event_streams.emplace_back();
    event_stream.topic = stream.topic;
    event_stream.parse = stream.parse;
    for (const auto consumer : stream.consumers)
      event_stream.consumers.push_back(consumers.*consumer);
  }
  return event_streams;
}

}  // namespace todo::app
