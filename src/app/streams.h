#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"
#include "app/config/config.h"
#include "appcallback/subscription.h"
#include "domain/event/event.h"
#include "ports/record_handler.h"
#include "service/consumers/event_consumer.h"
#include "service/consumers/event_processor.h"

namespace todo::app {

/// The consumers of this program.
struct Consumers {
  service::EventConsumer* recurring_tasks = nullptr;
  service::EventConsumer* task_webhooks = nullptr;
  service::EventConsumer* usage_counter = nullptr;
  service::EventConsumer* reminder_notifier = nullptr;
};

/// A topic that this program reads.
struct Stream {
  enum class Kind {
    kWork,  // its events are shared by the replicas; the consumers take each exactly once
    kLive,  // every replica gets all of its records, for the screens that are connected to it
  };
  Kind kind = Kind::kWork;
  std::string pubsub;  // the Dapr component
  std::string topic;
  std::string route;  // the path under which the sidecar knows the subscription
  // Of kWork only.
  absl::StatusOr<domain::Event> (*parse)(std::string_view record) = nullptr;
  std::vector<service::EventConsumer* Consumers::*> consumers = {};
};

/// All streams of the role: the one place that names them. The subscriptions at the sidecar, the
/// check of the sidecar and the event processor's streams derive from this list.
std::vector<Stream> StreamsOf(const Config& config);

/// The takers of records. They must outlive the subscriptions.
struct StreamHandlers {
  ports::RecordHandler& work;
  ports::RecordHandler& live;  // must not block
};

/// A subscription to each stream.
std::vector<appcallback::Subscription> SubscriptionsOf(const std::vector<Stream>& streams,
                                                       const StreamHandlers& handlers);

/// The streams of kind kWork as the event processor takes them.
std::vector<service::EventStream> EventStreamsOf(const std::vector<Stream>& streams,
                                                 const Consumers& consumers);

}  // namespace todo::app
