#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "appcallback/subscription.h"
#include "ports/clock.h"
#include "service/reminders/reminder_service.h"
#include "util/worker_pool.h"

namespace grpc {
class Service;
}

namespace todo::appcallback {

class Intake;

struct AppCallbackOptions {
  /// No two of one component and topic. The handlers must outlive the AppCallback.
  std::vector<Subscription> subscriptions;
  /// Ask the sidecar for many records in one call. Off for the in-memory bus, which gains nothing.
  bool bulk = true;
  int bulk_max_messages = 100;
  std::chrono::milliseconds bulk_max_await{10};
  /// How many reminder jobs may wait; the sidecar is told to repeat any further one.
  std::size_t max_waiting_jobs = 10'000;
  /// If set, every callback with records or a job must carry it as `dapr-api-token`.
  std::string app_api_token;
};

/// The services that the sidecar calls: AppCallback, AppCallbackAlpha and AppCallbackHealthCheck.
///
/// Records go to the handler of their subscription. A record is acknowledged when its handler
/// answers OK, that is when its effect is durable; otherwise, also when no subscription fits, it is
/// answered RETRY and the broker keeps it. No exception and no UNIMPLEMENTED leaves a callback: the
/// sidecar would take both for an acknowledgement. A job is answered OK when it is done; any error
/// makes the sidecar repeat it.
///
/// Calls that other apps make through Dapr's service invocation are refused as PERMISSION_DENIED:
/// their events and jobs could be made up.
///
/// Thread safety: the callbacks run on gRPC's threads and do not block. `workers` do the work, but
/// for handlers that do not block.
class AppCallback {
 public:
  /// `reminders`, `workers` and `clock` must outlive this object. The server that serves it must
  /// end before this object does. `healthy` is called on gRPC's threads and must not block. While
  /// it answers false, records and jobs are refused, but for the records of handlers that do not
  /// block; and the sidecar, once it has noticed, holds back all of them.
  AppCallback(AppCallbackOptions options, service::ReminderService& reminders,
              util::WorkerPool& workers, const ports::Clock& clock, std::function<bool()> healthy);
  ~AppCallback();

  /// The number of the sidecar's calls with records since the start, but for those of handlers that
  /// do not block. Thread-safe.
  std::uint64_t delivery_count() const;

  /// To be registered with one server.
  std::vector<grpc::Service*> services();

 private:
  std::unique_ptr<Intake> intake_;
  std::vector<std::unique_ptr<grpc::Service>> services_;
};

}  // namespace todo::appcallback
