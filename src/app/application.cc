#include "app/application.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <iterator>
#include <string>
#include <utility>

#include "api/analytics_methods.h"
#include "api/chat_methods.h"
#include "api/notification_methods.h"
#include "api/ops_methods.h"
#include "api/reminder_methods.h"
#include "api/todo_methods.h"
#include "app/config/help.h"
#include "app/config/setting.h"
#include "app/metrics.h"
#include "app/page_setup.h"
#include "app/process_limits.h"
#include "util/log.h"
#include "util/status.h"

namespace todo::app {
namespace {

using std::chrono::milliseconds;
using std::chrono::steady_clock;
using util::Log;
using util::Severity;
using namespace std::chrono_literals;

/// Attempts at the same time, by the pace of the lane. New lanes may all have endpoints that do not
/// answer.
constexpr std::array<std::pair<ports::Pace, int>, 3> kDeliveryThreads = {
    {{ports::Pace::kQuick, 4}, {ports::Pace::kNew, 8}, {ports::Pace::kSlow, 4}}};
/// If events are missing, silence of the sidecar for this long is no mere pause.
constexpr milliseconds kLeastPatience = 15s;

std::size_t Count(int number) { return static_cast<std::size_t>(number); }

/// Calls that wait for the transaction which they share, besides those that run.
constexpr std::size_t kCallsAside = 64;

/// One user's part of the API's workers and of their queue: others always find some free.
util::Share ShareOfUser(const Config& config) {
  return {.running = Count(std::max(1, config.worker_count / 2)),
          .waiting = Count(std::max(1, config.worker_queue / 4)),
          .aside = kCallsAside / 2};
}

api::UserLimitOptions LimitsOf(const Config& config) {
  return {.calls_per_second = config.user_calls_per_second,
          .call_burst = config.user_call_burst,
          .calls_at_a_time = config.user_calls_at_a_time,
          .streams_at_a_time = config.user_streams,
          .streams_per_second = config.user_streams_per_second,
          .stream_burst = config.user_stream_burst};
}

appcallback::AppCallbackOptions CallbackOptions(const Config& config,
                                                const StreamHandlers& handlers) {
  return {.subscriptions = SubscriptionsOf(StreamsOf(config), handlers),
          .bulk = config.bulk_delivery,
          .bulk_max_messages = config.delivery_batch,
          .app_api_token = config.app_api_token};
}

}  // namespace

Application::Application(Config config, std::function<void()> on_failure,
                         std::function<telemetry::ExportStats()> spans)
    : config_(std::move(config)),
      on_failure_(std::move(on_failure)),
      spans_(std::move(spans)),
      health_publisher_(health_, [this](bool healthy) { grpc_ports_.PublishHealth(healthy); }),
      stores_(config_, connections_, NewsOfCommits()),
      sidecar_watch_(config_, health_, [this] { return sidecar_.dapr.GetMetadata(); }),
      relay_(outbox_log_, sidecar_.publisher, OptionsOfRelay()),
      signal_(
          config_.database_url, [this](int shard) { OutboxGrewElsewhere(shard); },
          [this] { delivery_bell_.Ring(); }),
      conversation_(PartsOfConversation()),
      processor_(
          {stores_.inbox, stores_.retry_queue, stores_.crash_log, clock_}, StreamsOfConsumers(),
          [this](domain::Instant due) { retry_runner_.Wake(due); }, &event_workers_),
      // One consumer that takes every task event is enough: an event that it misses is missing for
      // the others too.
      auditor_(stores_.audit_log, clock_, {std::string(recurring_tasks_.name())},
               [this] { return sidecar_watch_.CanDeliver(); },
               {.owner = ids_.NewId().value(),
                .task_events_topic = config_.task_events_topic,
                .delay = config_.audit_delay}),
      reminders_(stores_.reminders, clock_, ids_, {.topic = config_.reminders_topic},
                 [this] { reminder_runner_.Wake(); }),
      feed_({.log = stores_.live_log, .tasks = stores_.live_tasks, .clock = clock_},
            {.max_watches = Count(config_.live_max_screens), .threads = Count(kLiveThreads)}),
      methods_(ServicesOfApi()),
      user_limits_(LimitsOf(config_)),
      api_workers_(Count(config_.worker_count), Count(config_.worker_queue), ShareOfUser(config_),
                   kCallsAside),
      event_workers_(Count(config_.event_worker_count), Count(config_.worker_queue)),
      admission_(*identity_.authenticator, api_workers_,
                 {.ready = [this] { return health_.Admit(); },
                  .limits = &user_limits_,
                  .alarms = &alarms_,
                  .tickets = &ticket_keys_}),
      grpc_door_(methods_, admission_),
      connect_door_(methods_, admission_),
      socket_door_(admission_, feed_, {.allowed_origins = SplitList(config_.web_allowed_origins)}),
      events_door_(admission_, feed_, SplitList(config_.web_allowed_origins)),
      mcp_door_(admission_, PartsOfMcp(), SplitList(config_.web_allowed_origins)),
      page_door_(page::EmbeddedFiles(), PageOptions(config_, [this] { return PushPublicKey(); })),
      invoked_door_(methods_, admission_, config_.app_api_token),
      app_callback_(CallbackOptions(config_, {.work = processor_, .live = live_updates_}),
                    reminders_, event_workers_, machine_clock_,
                    [this] { return health_.IsHealthy(); }),
      database_setup_({.database_url = config_.database_url,
                       .clean_up = connections_.clean_up,
                       .measure_clock = [this] { return clock_.Measure(connections_.probe); },
                       .recover = [this] { return Recover(); }}),
      database_probe_(
          health_, [this] { return clock_.Measure(connections_.probe); },
          // The relay asks the database all the time.
          [this] { return connections_.relay.last_answer(); }),
      status_sampler_(health_,
                      {.sidecar_answers = [this] { return sidecar_watch_.Answers(); },
                       .status = [this] { return stores_.service_status.Read(); },
                       .delivery_count = [this] { return app_callback_.delivery_count(); },
                       .takes_events = config_.takes_events(),
                       .patience = std::max<milliseconds>(config_.audit_delay, kLeastPatience)}),
      http_ports_(config_,
                  {.is_ready = [this] { return health_.IsHealthy() && port_watch_.all_answer(); },
                   .metrics = [this] { return MetricsText(Figures()); }}) {
  AddWebRoutes();
  AddDeliveryRunners();
}

Application::~Application() { Stop(); }

void Application::AddWebRoutes() {
  for (const api::Method& method : methods_.methods())
    http_ports_.web_routes().AddPrefix(fmt::format("/{}/", method.service), connect_door_);
  http_ports_.web_routes().AddPath("/ws", socket_door_);
  http_ports_.web_routes().AddPath("/events", events_door_);
  http_ports_.web_routes().AddPath("/mcp", mcp_door_);
  http_ports_.web_routes().AddPrefix("/", page_door_);
}

void Application::AddDeliveryRunners() {
  for (const auto& [pace, thread_count] : kDeliveryThreads) {
    delivery_runners_.push_back(
        std::make_unique<DeliveryRunner>(delivery_sender_, pace, thread_count, delivery_bell_));
  }
}

CommitNews Application::NewsOfCommits() {
  return {.outbox_grew = [this](int shard) { OutboxGrew(shard); },
          .task_changed =
              [this](int shard) {
                OutboxGrew(shard);
                reminder_runner_.TasksChanged();
              },
          .delivery_queued =
              [this] {
                delivery_bell_.Ring();
                signal_.AnnounceDelivery();  // all threads of this replica may be busy sending
              },
          .retry_queued = [this](domain::Instant due) { retry_runner_.Wake(due); }};
}

chat::Conversation::Parts Application::PartsOfConversation() {
  return {
      .tasks = tasks_,
      .finder = stores_.finder,
      .state = sidecar_.state,
      .clock = clock_,
      .ids = ids_,
      .preferences =
          [this](const domain::UserId& user) -> absl::StatusOr<domain::NotificationPreferences> {
        auto preferences = notification_settings_.GetPreferences(user);
        if (!preferences.ok()) return preferences.status();
        return std::move(preferences->values);
      },
      .usage =
          [this](const domain::UserId& user, const domain::TimeZone& zone,
                 std::optional<service::UsageDays> days) {
            return usage_.Summary(user, zone, days);
          },
      .model = sidecar_.model.get()};
}

api::mcp::Server::Parts Application::PartsOfMcp() {
  return {.methods = methods_,
          .clock = clock_,
          .ids = ids_,
          .finder = &stores_.finder,
          .version = std::string(Version())};
}

std::string Application::PushPublicKey() {
  const auto channels = channels_.Get();
  return channels == nullptr ? "" : channels->push_public_key;
}

std::vector<api::ServiceDefinition> Application::ServicesOfApi() {
  return {api::MakeTodoMethods({.tasks = tasks_,
                                .feed = feed_,
                                .tickets = ticket_keys_,
                                .settings = notification_settings_,
                                .clock = clock_}),
          api::MakeReminderMethods(reminders_),
          api::MakeNotificationMethods(notification_settings_),
          api::MakeChatMethods(conversation_),
          api::MakeAnalyticsMethods(usage_),
          api::MakeOpsMethods(stores_.dead_letters, stores_.service_status, stores_.usage, clock_,
                              [this] { return sidecar_watch_.Describe(); })};
}

void Application::OutboxGrewElsewhere(int shard) {
  relay_.Wake(shard);
  // Replicas of role api change tasks and plan no reminders.
  if (!config_.takes_calls()) reminder_runner_.TasksChanged();
}

void Application::OutboxGrew(int shard) {
  if (!relay_.Wake(shard)) signal_.Announce(shard);
}

std::vector<service::EventStream> Application::StreamsOfConsumers() {
  return EventStreamsOf(StreamsOf(config_), {.recurring_tasks = &recurring_tasks_,
                                             .task_webhooks = &task_webhooks_,
                                             .usage_counter = &usage_counter_,
                                             .reminder_notifier = &reminder_notifier_});
}

relay::RelayOptions Application::OptionsOfRelay() {
  relay::RelayOptions options;
  options.owner = ids_.NewId().value();
  options.task_events_topic = config_.task_events_topic;
  options.task_updates_topic = config_.task_updates_topic;
  options.lease = config_.relay_lease;
  options.renew_interval = config_.relay_lease / 3;
  options.poll_interval = config_.relay_poll;
  options.sidecar_answers = [this] { return sidecar_watch_.Answers(); };
  options.announced_poll_interval = config_.relay_poll * 4;
  options.announced = [this] { return signal_.connected(); };
  return options;
}

void Application::Fail(std::string_view event, const absl::Status& status) {
  Log(Severity::kError, event, {{"status", status.ToString()}});
  if (!failed_.exchange(true)) on_failure_();
}

absl::Status Application::Start() {
  TODO_RETURN_IF_ERROR(OpenPorts());
  Log(Severity::kInfo, "listening",
      {{"api_port", api_port()},
       {"app_port", app_port()},
       {"web_port", web_port()},
       {"ops_port", ops_port()}});
  WarnOfClearText(config_);
  const auto start = [this](auto run) { threads_.emplace_back(std::move(run)); };
  // A thread each: a database that hangs stops the first two, and the others say so.
  start([this](const std::stop_token& stop) { RunDatabase(stop); });
  start([this](const std::stop_token& stop) { database_probe_.Run(stop); });
  start([this](const std::stop_token& stop) { health_publisher_.Run(stop); });
  start([this](const std::stop_token& stop) { sidecar_watch_.Run(stop); });
  start([this](const std::stop_token& stop) { status_sampler_.Run(stop); });
  start([this](const std::stop_token& stop) { channel_watch_.Run(stop, delivery_bell_); });
  for (const auto& keys : identity_.keys)
    start([keys](const std::stop_token& stop) { keys->Run(stop); });
  if (config_.takes_calls()) start([this](const std::stop_token& stop) { ticket_keys_.Run(stop); });
  start([this](const std::stop_token& stop) { WatchPorts(stop); });
  start(ReturnFreeMemory);
  return absl::OkStatus();
}

void Application::WatchPorts(const std::stop_token& stop) {
  std::vector<WatchedPort> ports = grpc_ports_.watched();
  std::ranges::copy(http_ports_.watched(), std::back_inserter(ports));
  port_watch_.Run(stop, ports, [this](const WatchedPort& port) {
    Fail("port_dead", util::MakeStatus(absl::StatusCode::kUnavailable,
                                       fmt::format("the {} port no longer answers", port.name)));
  });
}

absl::Status Application::OpenPorts() {
  if (config_.takes_calls()) {
    TODO_RETURN_IF_ERROR(grpc_ports_.OpenApi(grpc_door_.services()));
    health_publisher_.Publish();
  }
  std::vector<grpc::Service*> app_services = app_callback_.services();
  if (config_.takes_calls())
    std::ranges::copy(invoked_door_.services(), std::back_inserter(app_services));
  TODO_RETURN_IF_ERROR(grpc_ports_.OpenApp(std::move(app_services)));
  if (config_.takes_calls()) TODO_RETURN_IF_ERROR(http_ports_.OpenWeb());
  return http_ports_.OpenOps();
}

absl::Status Application::Recover() {
  if (!config_.takes_events()) return absl::OkStatus();
  TODO_RETURN_IF_ERROR(processor_.Recover());
  return auditor_.Enroll();
}

void Application::RunDatabase(const std::stop_token& stop) {
  if (const absl::Status status = database_setup_.Prepare(stop); !status.ok()) {
    if (!absl::IsCancelled(status)) Fail("database_unfit", status);
    return;
  }
  StartRunners();
  health_.SetReady();
  health_publisher_.Publish();
  Log(Severity::kInfo, "serving",
      {{"api_address", config_.api_address},
       {"api_port", api_port()},
       {"app_address", config_.app_address},
       {"app_port", app_port()},
       {"version", std::string(Version())}});
  if (config_.takes_events()) database_setup_.Keep(stop);
}

void Application::StartRunners() {
  signal_.Start();
  zone_runner_.Start();
  if (!config_.takes_events()) return;
  relay_.Start();
  retry_runner_.Start();
  audit_runner_.Start();
  reminder_runner_.Start();
  usage_runner_.Start();
  for (const auto& runner : delivery_runners_) runner->Start();
}

void Application::StopRunners() {
  retry_runner_.Stop();
  audit_runner_.Stop();
  zone_runner_.Stop();
  reminder_runner_.Stop();
  usage_runner_.Stop();
  // An attempt that is cut off when the process exits is repeated under the id of its delivery.
  for (const auto& runner : delivery_runners_) runner->Stop();
}

bool Application::Stop() {
  if (std::exchange(stopped_, true)) return true;
  const auto begin = steady_clock::now();
  // The relay comes last and needs time too.
  const auto calls_deadline = begin + config_.drain_timeout * 7 / 10;
  const auto relay_deadline = begin + config_.drain_timeout;
  Log(Severity::kInfo, "stopping", {{"drain_timeout_ms", config_.drain_timeout.count()}});
  health_.SetStopping();
  health_publisher_.Publish();
  for (std::jthread& thread : threads_) thread.request_stop();

  feed_.End();  // the screens hear when to come back
  grpc_ports_.Shutdown(calls_deadline);
  const bool web_drained = http_ports_.StopWeb(calls_deadline);
  const bool api_drained = api_workers_.Shutdown(calls_deadline);
  const bool events_drained = event_workers_.Shutdown(calls_deadline);

  threads_.clear();  // joins them: after this no runner is started any more
  StopRunners();
  if (config_.takes_events() && health_.ready() && api_drained && events_drained) {
    const absl::Status cleared = stores_.crash_log.Clear();
    if (!cleared.ok())
      Log(Severity::kWarning, "crash_log_not_cleared", {{"status", cleared.ToString()}});
  }
  const bool relay_drained = relay_.Stop(relay_deadline);

  const bool drained = web_drained && api_drained && events_drained && relay_drained;
  Log(drained ? Severity::kInfo : Severity::kWarning, "stopped",
      {{"drained", drained},
       {"web_drained", web_drained},
       {"api_drained", api_drained},
       {"events_drained", events_drained},
       {"relay_drained", relay_drained},
       {"took_ms", std::chrono::duration_cast<milliseconds>(steady_clock::now() - begin).count()}});
  grpc_ports_.Release();
  http_ports_.StopOps();  // until now it answered that the service is not ready
  return drained;
}

}  // namespace todo::app
