#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "ports/clock.h"
#include "service/consumers/event_processor.h"
#include "service/reminders/reminder_service.h"
#include "util/worker_pool.h"

namespace grpc {
class Service;
}

namespace todo::appcallback {

/// One topic, and the path under which the sidecar knows what takes its events.
struct Subscription {
  std::string topic;
  std::string route;
};

struct AppCallbackOptions {
  std::string pubsub = "kafka-pubsub";
  std::vector<Subscription> subscriptions;
  /// Deliveries of many events at once. Off for the in-memory bus, which gains nothing from it.
  bool bulk = true;
  int bulk_max_messages = 100;
  int bulk_max_await_ms = 10;
  /// Jobs that may wait to be settled; more are told to come again.
  std::size_t max_waiting_jobs = 10'000;
  /// When set, every callback that carries events must bring it as `dapr-api-token`.
  std::string app_api_token;
};

/// The services that the sidecar calls: AppCallback, AppCallbackAlpha and AppCallbackHealthCheck.
///
/// Decodes, classifies, hands over and answers; nothing else. An event is acknowledged only after
/// its effect is durable; everything else is answered RETRY, and the broker keeps it. No exception
/// and no UNIMPLEMENTED leaves an event handler: the sidecar would take it for an acknowledgement.
/// A job is answered OK when there is nothing more to do for it; any error makes it come again.
///
/// Thread safety: the handlers run on gRPC's threads, do not block, and let `workers` do the rest.
class AppCallback {
 public:
  /// `processor`, `reminders`, `workers` and `clock` must outlive this object, and so must the
  /// server that serves it end before it does. `healthy` is asked on gRPC's threads: it must not
  /// block. While it says no, the sidecar holds events back.
  AppCallback(AppCallbackOptions options, service::EventProcessor& processor,
              service::ReminderService& reminders, util::WorkerPool& workers,
              const ports::Clock& clock, std::function<bool()> healthy);
  ~AppCallback();

  /// How many deliveries of events have come since the start. Thread-safe.
  std::uint64_t delivery_count() const;

  /// To be registered with one server.
  std::vector<grpc::Service*> services();

 private:
  class Core;
  std::unique_ptr<Core> core_;
  std::vector<std::unique_ptr<grpc::Service>> services_;
};

}  // namespace todo::appcallback
