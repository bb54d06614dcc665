#pragma once

#include <grpcpp/support/server_callback.h>

#include <atomic>
#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "appcallback/app_callback.h"
#include "appcallback/job_batches.h"
#include "dapr/proto/runtime/v1/appcallback.pb.h"
#include "domain/event/bus_record.h"

namespace todo::appcallback {

/// The common part of the three callback services: admits the sidecar's calls, gives records and
/// jobs to their handlers, and answers. The contract is that of AppCallback.
class Intake {
 public:
  Intake(AppCallbackOptions options, service::ReminderService& reminders, util::WorkerPool& workers,
         const ports::Clock& clock, std::function<bool()> healthy);

  /// Writes the subscriptions into `response`. PERMISSION_DENIED: another app asks for them.
  grpc::Status DescribeSubscriptions(
      const grpc::CallbackServerContext& context,
      dapr::proto::runtime::v1::ListTopicSubscriptionsResponse& response) const;

  // Each answers the reactor of its call, and finishes the call then or later.
  grpc::ServerUnaryReactor* TakeOne(grpc::CallbackServerContext* context,
                                    const dapr::proto::runtime::v1::TopicEventRequest* request,
                                    dapr::proto::runtime::v1::TopicEventResponse* response);
  grpc::ServerUnaryReactor* TakeMany(grpc::CallbackServerContext* context,
                                     const dapr::proto::runtime::v1::TopicEventBulkRequest* request,
                                     dapr::proto::runtime::v1::TopicEventBulkResponse* response);
  grpc::ServerUnaryReactor* TakeJob(grpc::CallbackServerContext* context,
                                    const dapr::proto::runtime::v1::JobEventRequest* request);

  bool IsHealthy() const { return healthy_(); }
  std::uint64_t delivery_count() const { return delivery_count_; }

 private:
  using Verdict = dapr::proto::runtime::v1::TopicEventResponse::TopicEventResponseStatus;

  enum class Needs { kNothing, kDatabase };

  template <typename HandOver>
  grpc::ServerUnaryReactor* Admit(grpc::CallbackServerContext* context, Needs needs,
                                  const HandOver& hand_over);
  template <typename Work>
  grpc::ServerUnaryReactor* Take(grpc::CallbackServerContext* context,
                                 const Subscription* subscription, Work work);

  bool Authorized(const grpc::CallbackServerContext& context) const;
  /// Why a call cannot be taken now; OK: it can.
  grpc::Status Refusal(const grpc::CallbackServerContext& context, Needs needs) const;
  /// nullptr: there is no such subscription.
  const Subscription* SubscriptionTo(std::string_view pubsub, std::string_view topic) const;
  /// One answer for each of `records`, which `request` brought for `subscription` (nullptr: none).
  template <typename Request>
  std::vector<Verdict> Process(const Subscription* subscription, const Request& request,
                               const std::vector<domain::BusRecord>& records);

  const AppCallbackOptions options_;
  util::WorkerPool& workers_;
  JobBatches jobs_;
  const std::function<bool()> healthy_;
  std::atomic<std::uint64_t> delivery_count_ = 0;
};

}  // namespace todo::appcallback
