#include "appcallback/app_callback.h"

#include <google/protobuf/empty.pb.h>
#include <grpcpp/grpcpp.h>

#include <utility>

#include "appcallback/intake.h"
#include "dapr/proto/runtime/v1/appcallback.grpc.pb.h"

namespace todo::appcallback {
namespace {

namespace dapr = ::dapr::proto::runtime::v1;
using google::protobuf::Empty;
using grpc::CallbackServerContext;
using grpc::ServerUnaryReactor;

ServerUnaryReactor* Finish(CallbackServerContext* context, const grpc::Status& status) {
  ServerUnaryReactor* reactor = context->DefaultReactor();
  reactor->Finish(status);
  return reactor;
}

class Callbacks final : public dapr::AppCallback::CallbackService {
 public:
  explicit Callbacks(Intake& intake) : intake_(intake) {}

  // The sidecar asks once, when it finds the port open, and without a token.
  ServerUnaryReactor* ListTopicSubscriptions(
      CallbackServerContext* context, const Empty*,
      dapr::ListTopicSubscriptionsResponse* response) override {
    return Finish(context, intake_.DescribeSubscriptions(*context, *response));
  }
  ServerUnaryReactor* ListInputBindings(CallbackServerContext* context, const Empty*,
                                        dapr::ListInputBindingsResponse*) override {
    return Finish(context, grpc::Status::OK);
  }
  ServerUnaryReactor* OnTopicEvent(CallbackServerContext* context,
                                   const dapr::TopicEventRequest* request,
                                   dapr::TopicEventResponse* response) override {
    return intake_.TakeOne(context, request, response);
  }
  ServerUnaryReactor* OnBulkTopicEvent(CallbackServerContext* context,
                                       const dapr::TopicEventBulkRequest* request,
                                       dapr::TopicEventBulkResponse* response) override {
    return intake_.TakeMany(context, request, response);
  }
  ServerUnaryReactor* OnJobEvent(CallbackServerContext* context,
                                 const dapr::JobEventRequest* request,
                                 dapr::JobEventResponse*) override {
    return intake_.TakeJob(context, request);
  }

 private:
  Intake& intake_;
};

/// The older names of two methods, which some sidecars use.
class AlphaCallbacks final : public dapr::AppCallbackAlpha::CallbackService {
 public:
  explicit AlphaCallbacks(Intake& intake) : intake_(intake) {}

  ServerUnaryReactor* OnBulkTopicEventAlpha1(CallbackServerContext* context,
                                             const dapr::TopicEventBulkRequest* request,
                                             dapr::TopicEventBulkResponse* response) override {
    return intake_.TakeMany(context, request, response);
  }
  ServerUnaryReactor* OnJobEventAlpha1(CallbackServerContext* context,
                                       const dapr::JobEventRequest* request,
                                       dapr::JobEventResponse*) override {
    return intake_.TakeJob(context, request);
  }

 private:
  Intake& intake_;
};

class HealthCallbacks final : public dapr::AppCallbackHealthCheck::CallbackService {
 public:
  explicit HealthCallbacks(Intake& intake) : intake_(intake) {}

  // Answered at once and never queued behind events: the sidecar takes a slow answer for a sick
  // app.
  ServerUnaryReactor* HealthCheck(CallbackServerContext* context, const Empty*,
                                  dapr::HealthCheckResponse*) override {
    return Finish(context, intake_.IsHealthy() ? grpc::Status::OK
                                               : grpc::Status(grpc::StatusCode::UNAVAILABLE,
                                                              "the database is away"));
  }

 private:
  Intake& intake_;
};

}  // namespace

AppCallback::AppCallback(AppCallbackOptions options, service::ReminderService& reminders,
                         util::WorkerPool& workers, const ports::Clock& clock,
                         std::function<bool()> healthy)
    : intake_(std::make_unique<Intake>(std::move(options), reminders, workers, clock,
                                       std::move(healthy))) {
  services_.push_back(std::make_unique<Callbacks>(*intake_));
  services_.push_back(std::make_unique<AlphaCallbacks>(*intake_));
  services_.push_back(std::make_unique<HealthCallbacks>(*intake_));
}

AppCallback::~AppCallback() = default;

std::uint64_t AppCallback::delivery_count() const { return intake_->delivery_count(); }

std::vector<grpc::Service*> AppCallback::services() {
  std::vector<grpc::Service*> services;
  for (const auto& service : services_) services.push_back(service.get());
  return services;
}

}  // namespace todo::appcallback
