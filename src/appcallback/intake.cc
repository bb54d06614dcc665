#include "appcallback/intake.h"

#include <fmt/format.h>
#include <grpcpp/server_context.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <exception>
#include <optional>
#include <utility>

#include "appcallback/job_data.h"
#include "domain/reminder/reminder.h"
#include "util/fault_point.h"
#include "util/log.h"
#include "util/require.h"
#include "util/same_secret.h"

namespace todo::appcallback {
namespace {

namespace dapr = ::dapr::proto::runtime::v1;
using grpc::CallbackServerContext;
using grpc::ServerUnaryReactor;

constexpr std::size_t kMaxLoggedNameBytes = 100;

/// Whether another app made the call, through service invocation. The sidecar adds the app token to
/// such calls too, but also these names, which its own deliveries never have.
bool IsFromOtherApp(const CallbackServerContext& context) {
  return std::ranges::any_of(
      std::array{"dapr-app-id", "dapr-callee-app-id", "dapr-caller-app-id"},
      [&](const char* name) { return context.client_metadata().contains(name); });
}

grpc::Status OtherAppRefused() {
  return {grpc::StatusCode::PERMISSION_DENIED,
          "callbacks are for this app's own sidecar: no other app may call them"};
}

/// Undoes the effect of the component's setting escapeHeaders on a record's key.
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

/// Adds one entry of a record's metadata.
void Describe(domain::BusRecord& record, std::string_view name, std::string_view value) {
  if (name == "__key") {
    record.key = Unescape(value);
  } else if (name == "__partition") {
    std::from_chars(value.data(), value.data() + value.size(), record.partition);
  } else if (name == "__offset") {
    std::from_chars(value.data(), value.data() + value.size(), record.offset);
  }
}

std::vector<domain::BusRecord> RecordsOf(const dapr::TopicEventBulkRequest& request) {
  std::vector<domain::BusRecord> records;
  records.reserve(static_cast<std::size_t>(request.entries_size()));
  for (const dapr::TopicEventBulkRequestEntry& entry : request.entries()) {
    domain::BusRecord& record = records.emplace_back();
    record.bytes = entry.has_cloud_event() ? entry.cloud_event().data() : entry.bytes();
    for (const auto& [name, value] : entry.metadata()) Describe(record, name, value);
    record.topic = request.topic();
    record.content_type = entry.content_type();
  }
  return records;
}

grpc::Status Failed(const std::exception& error) {
  util::Log(util::Severity::kError, "callback_failed", {{"error", error.what()}});
  return {grpc::StatusCode::UNAVAILABLE, "internal error: deliver again"};
}

template <typename Work>
grpc::Status Run(const Work& work) {
  try {
    work();
    return grpc::Status::OK;
  } catch (const std::exception& error) {
    return Failed(error);
  }
}

}  // namespace

Intake::Intake(AppCallbackOptions options, service::ReminderService& reminders,
               util::WorkerPool& workers, const ports::Clock& clock, std::function<bool()> healthy)
    : options_(std::move(options)),
      workers_(workers),
      jobs_(reminders, workers, clock, options_.max_waiting_jobs),
      healthy_(std::move(healthy)) {
  for (const Subscription& one : options_.subscriptions)
    TODO_REQUIRE(one.handler != nullptr && SubscriptionTo(one.pubsub, one.topic) == &one);
}

grpc::Status Intake::DescribeSubscriptions(const CallbackServerContext& context,
                                           dapr::ListTopicSubscriptionsResponse& response) const {
  if (IsFromOtherApp(context)) return OtherAppRefused();
  for (const Subscription& wanted : options_.subscriptions) {
    dapr::TopicSubscription& subscription = *response.add_subscriptions();
    subscription.set_pubsub_name(wanted.pubsub);
    subscription.set_topic(wanted.topic);
    // Raw: the handler gets the record's own bytes, JSON or not, and alone decides what becomes of
    // them. For the same reason there is no dead-letter topic here.
    (*subscription.mutable_metadata())["rawPayload"] = "true";
    subscription.mutable_routes()->set_default_(wanted.route);
    if (options_.bulk) {
      dapr::BulkSubscribeConfig& bulk = *subscription.mutable_bulk_subscribe();
      bulk.set_enabled(true);
      bulk.set_max_messages_count(options_.bulk_max_messages);
      bulk.set_max_await_duration_ms(
          static_cast<int>(wanted.bulk_max_await.value_or(options_.bulk_max_await).count()));
    }
  }
  return grpc::Status::OK;
}

ServerUnaryReactor* Intake::TakeOne(CallbackServerContext* context,
                                    const dapr::TopicEventRequest* request,
                                    dapr::TopicEventResponse* response) {
  const Subscription* const subscription = SubscriptionTo(request->pubsub_name(), request->topic());
  return Take(context, subscription, [this, context, request, response, subscription] {
    domain::BusRecord record;
    record.bytes = request->data();
    for (const auto& [name, value] : context->client_metadata()) {
      Describe(record, {name.data(), name.size()}, {value.data(), value.size()});
    }
    record.topic = request->topic();
    record.content_type = request->data_content_type();
    response->set_status(Process(subscription, *request, {record}).front());
  });
}

ServerUnaryReactor* Intake::TakeMany(CallbackServerContext* context,
                                     const dapr::TopicEventBulkRequest* request,
                                     dapr::TopicEventBulkResponse* response) {
  const Subscription* const subscription = SubscriptionTo(request->pubsub_name(), request->topic());
  return Take(context, subscription, [this, request, response, subscription] {
    const std::vector<Verdict> verdicts = Process(subscription, *request, RecordsOf(*request));
    for (int i = 0; i < request->entries_size(); ++i) {
      dapr::TopicEventBulkResponseEntry& status = *response->add_statuses();
      status.set_entry_id(request->entries(i).entry_id());
      status.set_status(verdicts[static_cast<std::size_t>(i)]);
    }
  });
}

// The job's name says which task's reminder is due. A job that another program made under another
// name can say it in its data.
ServerUnaryReactor* Intake::TakeJob(CallbackServerContext* context,
                                    const dapr::JobEventRequest* request) {
  using Answer = std::optional<grpc::Status>;
  const auto take = [this, context, request](ServerUnaryReactor* reactor) -> Answer {
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
  };
  return Admit(context, Needs::kDatabase, take);
}

/// Calls `hand_over(reactor)` if the call may be taken now. `hand_over` returns how to finish the
/// call, or nullopt if it will be finished later. On any failure the call gets a status that makes
/// the sidecar deliver again. An exception must not leave the callback: gRPC would answer
/// UNIMPLEMENTED, which the sidecar takes for an acknowledgement.
template <typename HandOver>
ServerUnaryReactor* Intake::Admit(CallbackServerContext* context, Needs needs,
                                  const HandOver& hand_over) {
  ServerUnaryReactor* reactor = context->DefaultReactor();
  std::optional<grpc::Status> answer;
  try {
    answer = Refusal(*context, needs);
    if (answer->ok()) answer = hand_over(reactor);
  } catch (const std::exception& error) {
    answer = Failed(error);
  }
  if (answer) reactor->Finish(*answer);
  return reactor;
}

/// Runs `work` here or on a worker, as the subscription says, and finishes the call.
template <typename Work>
ServerUnaryReactor* Intake::Take(CallbackServerContext* context, const Subscription* subscription,
                                 Work work) {
  using Answer = std::optional<grpc::Status>;
  if (subscription != nullptr && subscription->does_not_block)
    return Admit(context, Needs::kNothing,
                 [&](ServerUnaryReactor*) -> Answer { return Run(work); });
  return Admit(context, Needs::kDatabase, [this, &work](ServerUnaryReactor* reactor) -> Answer {
    ++delivery_count_;
    const auto run = [reactor, work] {
      const grpc::Status status = Run(work);
      TODO_FAULT_POINT("before-answer").IgnoreError();
      reactor->Finish(status);
    };
    if (workers_.TrySubmit(run)) return std::nullopt;
    return grpc::Status(grpc::StatusCode::UNAVAILABLE, "busy or shutting down: deliver again");
  });
}

bool Intake::Authorized(const CallbackServerContext& context) const {
  const std::string& token = options_.app_api_token;
  if (token.empty()) return true;
  const auto [first, last] = context.client_metadata().equal_range("dapr-api-token");
  return std::any_of(first, last, [&token](const auto& entry) {
    return util::IsSameSecret({entry.second.data(), entry.second.size()}, token);
  });
}

grpc::Status Intake::Refusal(const CallbackServerContext& context, Needs needs) const {
  if (IsFromOtherApp(context)) return OtherAppRefused();
  if (!Authorized(context)) {
    return {grpc::StatusCode::UNAUTHENTICATED,
            "this port is for the sidecar: the app token (dapr-api-token) is missing or wrong"};
  }
  if (needs == Needs::kDatabase && !IsHealthy()) {
    return {grpc::StatusCode::UNAVAILABLE, "the database is away: deliver again"};
  }
  return grpc::Status::OK;
}

const Subscription* Intake::SubscriptionTo(std::string_view pubsub, std::string_view topic) const {
  const auto found = std::ranges::find_if(options_.subscriptions, [&](const Subscription& one) {
    return one.pubsub == pubsub && one.topic == topic;
  });
  return found == options_.subscriptions.end() ? nullptr : &*found;
}

template <typename Request>
std::vector<Intake::Verdict> Intake::Process(const Subscription* subscription,
                                             const Request& request,
                                             const std::vector<domain::BusRecord>& records) {
  std::vector<Verdict> verdicts(records.size(), dapr::TopicEventResponse::RETRY);
  const std::vector<absl::Status> statuses =
      subscription != nullptr
          ? subscription->handler->Process(records)
          : std::vector(records.size(), absl::FailedPreconditionError(
                                            fmt::format("no subscription to topic {} on {}",
                                                        request.topic(), request.pubsub_name())));
  TODO_REQUIRE(statuses.size() == records.size());
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

}  // namespace todo::appcallback
