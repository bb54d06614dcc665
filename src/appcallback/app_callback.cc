#include "appcallback/app_callback.h"

#include <google/protobuf/empty.pb.h>
#include <grpcpp/grpcpp.h>
#include <openssl/crypto.h>

#include <atomic>
#include <charconv>
#include <exception>
#include <optional>
#include <string_view>
#include <utility>

#include "appcallback/job_batches.h"
#include "appcallback/job_data.h"
#include "dapr/proto/runtime/v1/appcallback.grpc.pb.h"
#include "domain/event/received_event.h"
#include "domain/reminder/reminder.h"
#include "util/fault_point.h"
#include "util/log.h"

namespace todo::appcallback {
namespace {

namespace dapr = ::dapr::proto::runtime::v1;
using google::protobuf::Empty;
using grpc::CallbackServerContext;
using grpc::ServerUnaryReactor;
using Verdict = dapr::TopicEventResponse::TopicEventResponseStatus;

constexpr std::size_t kMaxLoggedNameBytes = 100;

ServerUnaryReactor* Finish(CallbackServerContext* context, const grpc::Status& status) {
  ServerUnaryReactor* reactor = context->DefaultReactor();
  reactor->Finish(status);
  return reactor;
}

/// Undoes what the component's setting escapeHeaders does to a record's key.
std::string Unescape(std::string_view text) {
  std::string bytes;
  for (std::size_t i = 0; i < text.size(); ++i) {
    unsigned char byte = 0;
    const char* const digits = text.data() + i + 1;
    if (text[i] == '%' && i + 2 < text.size() &&
        std::from_chars(digits, digits + 2, byte, 16).ptr == digits + 2) {
      bytes += static_cast<char>(byte);
      i += 2;
    } else {
      bytes += text[i] == '+' ? ' ' : text[i];
    }
  }
  return bytes;
}

}  // namespace

/// What the three services share.
class AppCallback::Core {
 public:
  Core(AppCallbackOptions options, service::EventProcessor& processor,
       service::ReminderService& reminders, util::WorkerPool& workers, const ports::Clock& clock,
       std::function<bool()> healthy)
      : options_(std::move(options)),
        processor_(processor),
        workers_(workers),
        jobs_(reminders, workers, clock, options_.max_waiting_jobs),
        healthy_(std::move(healthy)) {}

  bool Authorized(const CallbackServerContext& context) const {
    if (options_.app_api_token.empty()) return true;
    const auto [first, last] = context.client_metadata().equal_range("dapr-api-token");
    for (auto it = first; it != last; ++it) {
      if (it->second.size() == options_.app_api_token.size() &&
          CRYPTO_memcmp(it->second.data(), options_.app_api_token.data(), it->second.size()) == 0) {
        return true;
      }
    }
    return false;
  }

  bool IsHealthy() const { return healthy_(); }
  std::uint64_t delivery_count() const { return delivery_count_; }

  void DescribeSubscriptions(dapr::ListTopicSubscriptionsResponse& response) const {
    for (const Subscription& wanted : options_.subscriptions) {
      dapr::TopicSubscription& subscription = *response.add_subscriptions();
      subscription.set_pubsub_name(options_.pubsub);
      subscription.set_topic(wanted.topic);
      // The record's own bytes, JSON or not: we alone decide what becomes of them. No dead-letter
      // topic here for the same reason.
      (*subscription.mutable_metadata())["rawPayload"] = "true";
      subscription.mutable_routes()->set_default_(wanted.route);
      if (options_.bulk) {
        dapr::BulkSubscribeConfig& bulk = *subscription.mutable_bulk_subscribe();
        bulk.set_enabled(true);
        bulk.set_max_messages_count(options_.bulk_max_messages);
        bulk.set_max_await_duration_ms(options_.bulk_max_await_ms);
      }
    }
  }

  ServerUnaryReactor* TakeOne(CallbackServerContext* context,
                              const dapr::TopicEventRequest* request,
                              dapr::TopicEventResponse* response) {
    return Take(context, [this, context, request, response] {
      domain::BusRecord record;
      record.bytes = request->data();
      for (const auto& [name, value] : context->client_metadata()) {
        Describe(record, {name.data(), name.size()}, {value.data(), value.size()});
      }
      record.topic = request->topic();
      record.content_type = request->data_content_type();
      response->set_status(Process({record}).front());
    });
  }

  ServerUnaryReactor* TakeMany(CallbackServerContext* context,
                               const dapr::TopicEventBulkRequest* request,
                               dapr::TopicEventBulkResponse* response) {
    return Take(context, [this, request, response] {
      std::vector<domain::BusRecord> records;
      records.reserve(static_cast<std::size_t>(request->entries_size()));
      for (const dapr::TopicEventBulkRequestEntry& entry : request->entries()) {
        domain::BusRecord& record = records.emplace_back();
        record.bytes = entry.has_cloud_event() ? entry.cloud_event().data() : entry.bytes();
        for (const auto& [name, value] : entry.metadata()) Describe(record, name, value);
        record.topic = request->topic();
        record.content_type = entry.content_type();
      }
      const std::vector<Verdict> verdicts = Process(records);
      for (int i = 0; i < request->entries_size(); ++i) {
        dapr::TopicEventBulkResponseEntry& status = *response->add_statuses();
        status.set_entry_id(request->entries(i).entry_id());
        status.set_status(verdicts[static_cast<std::size_t>(i)]);
      }
    });
  }

  /// A reminder's time has come, says the scheduler. Which task it is stands in the name; a job
  /// that somebody else made under another name can say it in its data.
  ServerUnaryReactor* TakeJob(CallbackServerContext* context,
                              const dapr::JobEventRequest* request) {
    using Answer = std::optional<grpc::Status>;
    return Admit(context, [this, context, request](ServerUnaryReactor* reactor) -> Answer {
      std::optional<domain::TaskId> task;
      if (const auto target = domain::ParseReminderJobName(request->name())) {
        task = target->task_id;
      } else {
        task = TaskOfJobData(request->data());
      }
      if (!task) {
        util::Log(util::Severity::kWarning, "unknown_job",
                  {{"name", request->name().substr(0, kMaxLoggedNameBytes)}});
        return grpc::Status::OK;
      }
      jobs_.Add({.task = *task, .deadline = context->deadline(), .reactor = reactor});
      return std::nullopt;
    });
  }

 private:
  /// Hands a call over that may be taken now. `hand_over(reactor)` answers how to finish it, or
  /// nullopt when somebody else will. When anything goes wrong the call fails with a status that
  /// the sidecar takes as "deliver again". An exception must not leave the handler: gRPC would
  /// answer UNIMPLEMENTED, which the sidecar takes as an acknowledgement.
  template <typename HandOver>
  ServerUnaryReactor* Admit(CallbackServerContext* context, const HandOver& hand_over) {
    ServerUnaryReactor* reactor = context->DefaultReactor();
    std::optional<grpc::Status> answer;
    try {
      answer = Refusal(*context);
      if (answer->ok()) answer = hand_over(reactor);
    } catch (const std::exception& error) {
      answer = Failed(error);
    }
    if (answer) reactor->Finish(*answer);
    return reactor;
  }

  /// Runs `work` on a worker and finishes the call.
  template <typename Work>
  ServerUnaryReactor* Take(CallbackServerContext* context, Work work) {
    using Answer = std::optional<grpc::Status>;
    return Admit(context, [this, &work](ServerUnaryReactor* reactor) -> Answer {
      ++delivery_count_;
      if (workers_.TrySubmit([reactor, work] { reactor->Finish(Run(work)); })) return std::nullopt;
      return grpc::Status(grpc::StatusCode::UNAVAILABLE, "busy or shutting down: deliver again");
    });
  }

  /// Why an event cannot be taken now; OK: it can.
  grpc::Status Refusal(const CallbackServerContext& context) const {
    if (!Authorized(context)) {
      return {grpc::StatusCode::UNAUTHENTICATED,
              "this port is for the sidecar: the app token (dapr-api-token) is missing or wrong"};
    }
    if (!IsHealthy()) {
      return {grpc::StatusCode::UNAVAILABLE, "the database is away: deliver again"};
    }
    return grpc::Status::OK;
  }

  template <typename Work>
  static grpc::Status Run(const Work& work) {
    try {
      work();
      TODO_FAULT_POINT("before-answer").IgnoreError();
      return grpc::Status::OK;
    } catch (const std::exception& error) {
      return Failed(error);
    }
  }

  static grpc::Status Failed(const std::exception& error) {
    util::Log(util::Severity::kError, "callback_failed", {{"error", error.what()}});
    return {grpc::StatusCode::UNAVAILABLE, "internal error: deliver again"};
  }

  /// What the sidecar says of the record besides its bytes.
  static void Describe(domain::BusRecord& record, std::string_view name, std::string_view value) {
    if (name == "__key") {
      record.key = Unescape(value);
    } else if (name == "__partition") {
      std::from_chars(value.data(), value.data() + value.size(), record.partition);
    } else if (name == "__offset") {
      std::from_chars(value.data(), value.data() + value.size(), record.offset);
    }
  }

  std::vector<Verdict> Process(const std::vector<domain::BusRecord>& records) {
    std::vector<Verdict> verdicts(records.size(), dapr::TopicEventResponse::RETRY);
    const std::vector<absl::Status> statuses = processor_.Process(records);
    for (std::size_t i = 0; i < statuses.size(); ++i) {
      if (statuses[i].ok() || TODO_PLANTED("ack-before-commit")) {
        verdicts[i] = dapr::TopicEventResponse::SUCCESS;
      } else {
        util::Log(util::Severity::kWarning, "event_to_come_again",
                  {{"topic", records[i].topic},
                   {"partition", records[i].partition},
                   {"offset", records[i].offset},
                   {"error", statuses[i].ToString()}});
      }
    }
    return verdicts;
  }

  const AppCallbackOptions options_;
  service::EventProcessor& processor_;
  util::WorkerPool& workers_;
  JobBatches jobs_;
  const std::function<bool()> healthy_;
  std::atomic<std::uint64_t> delivery_count_ = 0;
};

namespace {

template <typename Core>
class Callbacks final : public dapr::AppCallback::CallbackService {
 public:
  explicit Callbacks(Core& core) : core_(core) {}

  // Asked once, when the sidecar finds the port open, without a token.
  ServerUnaryReactor* ListTopicSubscriptions(
      CallbackServerContext* context, const Empty*,
      dapr::ListTopicSubscriptionsResponse* response) override {
    core_.DescribeSubscriptions(*response);
    return Finish(context, grpc::Status::OK);
  }
  ServerUnaryReactor* ListInputBindings(CallbackServerContext* context, const Empty*,
                                        dapr::ListInputBindingsResponse*) override {
    return Finish(context, grpc::Status::OK);
  }
  ServerUnaryReactor* OnTopicEvent(CallbackServerContext* context,
                                   const dapr::TopicEventRequest* request,
                                   dapr::TopicEventResponse* response) override {
    return core_.TakeOne(context, request, response);
  }
  ServerUnaryReactor* OnBulkTopicEvent(CallbackServerContext* context,
                                       const dapr::TopicEventBulkRequest* request,
                                       dapr::TopicEventBulkResponse* response) override {
    return core_.TakeMany(context, request, response);
  }
  ServerUnaryReactor* OnJobEvent(CallbackServerContext* context,
                                 const dapr::JobEventRequest* request,
                                 dapr::JobEventResponse*) override {
    return core_.TakeJob(context, request);
  }

 private:
  Core& core_;
};

template <typename Core>
class AlphaCallbacks final : public dapr::AppCallbackAlpha::CallbackService {
 public:
  explicit AlphaCallbacks(Core& core) : core_(core) {}

  ServerUnaryReactor* OnBulkTopicEventAlpha1(CallbackServerContext* context,
                                             const dapr::TopicEventBulkRequest* request,
                                             dapr::TopicEventBulkResponse* response) override {
    return core_.TakeMany(context, request, response);
  }
  ServerUnaryReactor* OnJobEventAlpha1(CallbackServerContext* context,
                                       const dapr::JobEventRequest* request,
                                       dapr::JobEventResponse*) override {
    return core_.TakeJob(context, request);
  }

 private:
  Core& core_;
};

template <typename Core>
class HealthCallbacks final : public dapr::AppCallbackHealthCheck::CallbackService {
 public:
  explicit HealthCallbacks(Core& core) : core_(core) {}

  // Answered at once, never behind the events: a slow answer counts as a sick app.
  ServerUnaryReactor* HealthCheck(CallbackServerContext* context, const Empty*,
                                  dapr::HealthCheckResponse*) override {
    return Finish(context, core_.IsHealthy() ? grpc::Status::OK
                                             : grpc::Status(grpc::StatusCode::UNAVAILABLE,
                                                            "the database is away"));
  }

 private:
  Core& core_;
};

}  // namespace

AppCallback::AppCallback(AppCallbackOptions options, service::EventProcessor& processor,
                         service::ReminderService& reminders, util::WorkerPool& workers,
                         const ports::Clock& clock, std::function<bool()> healthy)
    : core_(std::make_unique<Core>(std::move(options), processor, reminders, workers, clock,
                                   std::move(healthy))) {
  services_.push_back(std::make_unique<Callbacks<Core>>(*core_));
  services_.push_back(std::make_unique<AlphaCallbacks<Core>>(*core_));
  services_.push_back(std::make_unique<HealthCallbacks<Core>>(*core_));
}

AppCallback::~AppCallback() = default;

std::uint64_t AppCallback::delivery_count() const { return core_->delivery_count(); }

std::vector<grpc::Service*> AppCallback::services() {
  std::vector<grpc::Service*> services;
  for (const auto& service : services_) services.push_back(service.get());
  return services;
}

}  // namespace todo::appcallback
