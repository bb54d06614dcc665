#include "app/application.h"

#include <grpcpp/health_check_service_interface.h>

#include <algorithm>
#include <array>
#include <string>
#include <utility>

#include "api/notification_methods.h"
#include "api/ops_methods.h"
#include "api/reminder_methods.h"
#include "api/todo_methods.h"
#include "app/channel_watch.h"
#include "app/delivery_watch.h"
#include "app/metrics.h"
#include "app/sidecar_check.h"
#include "appcallback/delivery_limits.h"
#include "auth/development_authenticator.h"
#include "auth/refusing_authenticator.h"
#include "store/maintenance.h"
#include "store/migrations.h"
#include "store/search_texts.h"
#include "util/log.h"
#include "util/status.h"

namespace todo::app {
namespace {

using std::chrono::milliseconds;
using std::chrono::steady_clock;
using util::Log;
using util::Severity;
using namespace std::chrono_literals;

constexpr int kMaxApiMessageBytes = 1024 * 1024;
constexpr std::size_t kMaxApiBufferedBytes = 256UL * 1024 * 1024;
constexpr int kRetryThreads = 2;
constexpr int kReminderThreads = 2;
// Of each kind of lanes, attempts at a time.
// Those for new lanes may meet one that does not answer each time.
constexpr std::array<std::pair<ports::Pace, int>, 3> kDeliveryThreads = {
    {{ports::Pace::kQuick, 4}, {ports::Pace::kNew, 8}, {ports::Pace::kSlow, 4}}};
constexpr milliseconds kFirstRetry = 100ms;
constexpr milliseconds kLastRetry = 5s;
constexpr milliseconds kWatchInterval = 1s;
constexpr milliseconds kMeasureInterval = 10s;  // of the database's clock
// Without an answer of the database for so long, it counts as gone.
constexpr milliseconds kMaxSilence = 5s;
constexpr milliseconds kMaintenanceInterval = 10min;
constexpr milliseconds kMaintenanceRetry = 1min;
constexpr milliseconds kHealthInterval = 250ms;
constexpr milliseconds kStatusInterval = 10s;
// With events missing, so long without a delivery is no pause.
constexpr milliseconds kLeastPatience = 15s;

std::unique_ptr<ports::Authenticator> MakeAuthenticator(const Config& config) {
  if (config.dev_identity) return std::make_unique<auth::DevelopmentAuthenticator>();
  return std::make_unique<auth::RefusingAuthenticator>();
}

store::PoolOptions SessionsOf(const Config& config) {
  // Retries and reminders run beside the deliveries: a full house of those must not stop them.
  return {.max_connections = config.database_pool_size + kRetryThreads + kReminderThreads};
}

store::PoolOptions RelaySession(const Config& config) {
  store::PoolOptions options{.max_connections = 1, .application_name = "todo-service relay"};
  // A heartbeat that takes longer than the lease is of no use.
  options.statement_timeout = std::min(options.statement_timeout, config.relay_lease * 3 / 4);
  return options;
}

store::PoolOptions AuditSession() {
  // Nobody waits for it, and after an import it may have much to look at.
  return {.max_connections = 1, .statement_timeout = 30s, .application_name = "todo-service audit"};
}

store::PoolOptions WatchSession() {
  return {.max_connections = 1, .statement_timeout = 2s, .application_name = "todo-service watch"};
}

/// To store what failed: a full house of work must not keep its failures from being stored.
store::PoolOptions RetrySessions() {
  return {.max_connections = kRetryThreads + 4, .application_name = "todo-service retries"};
}

/// One for each thread that may process events; the rows only have to outlive the process.
store::PoolOptions CrashSessions(const Config& config) {
  return {.max_connections = config.event_worker_count + kRetryThreads,
          .asynchronous_commit = true,
          .application_name = "todo-service crash log"};
}

/// Held only before and after an attempt, never during it. What a crash of the machine undoes is
/// sent again under its id.
store::PoolOptions DeliverySessions() {
  return {.max_connections = 4,
          .asynchronous_commit = true,
          .application_name = "todo-service deliveries"};
}

/// Nobody waits for it. What a crash of the machine undoes is too old the next time as well.
store::PoolOptions CleanUpSession() {
  return {.max_connections = 1,
          .statement_timeout = 60s,
          .asynchronous_commit = true,
          .application_name = "todo-service clean-up"};
}

appcallback::AppCallbackOptions CallbackOptions(const Config& config) {
  return {.pubsub = config.pubsub,
          .subscriptions = SubscriptionsOf(config),
          .bulk = config.bulk_delivery,
          .bulk_max_messages = config.delivery_batch,
          .app_api_token = config.app_api_token};
}

/// Of the sidecar's port. One large delivery is under way at a time; of what somebody else sends,
/// the app token is looked at only when all of it is there.
std::size_t MaxBufferedBytes(std::int64_t max_delivery_bytes) {
  return static_cast<std::size_t>(2 * max_delivery_bytes) + kMaxApiBufferedBytes;
}

/// `parse` as EventStream takes it.
template <auto parse>
absl::StatusOr<domain::Event> Parse(std::string_view record) {
  auto event = parse(record);
  if (!event.ok()) return event.status();
  return *std::move(event);
}

/// A first wait, doubled by each failure in a row.
class Backoff {
 public:
  milliseconds Next() { return std::exchange(wait_, std::min(wait_ * 2, kLastRetry)); }

 private:
  milliseconds wait_ = kFirstRetry;
};

}  // namespace

Application::Application(Config config, std::function<void()> on_failure)
    : config_(std::move(config)),
      on_failure_(std::move(on_failure)),
      pool_(config_.database_url, SessionsOf(config_)),
      relay_pool_(config_.database_url, RelaySession(config_)),
      watch_pool_(config_.database_url, WatchSession()),
      retry_pool_(config_.database_url, RetrySessions()),
      crash_pool_(config_.database_url, CrashSessions(config_)),
      audit_pool_(config_.database_url, AuditSession()),
      delivery_pool_(config_.database_url, DeliverySessions()),
      clean_up_pool_(config_.database_url, CleanUpSession()),
      task_store_(pool_, [this](int shard) { OnTaskChange(shard); }),
      preferred_zones_(pool_),
      inbox_(
          pool_, [this](int shard) { OnTaskChange(shard); }, [this] { OnDelivery(); }),
      outbox_log_(relay_pool_),
      retry_queue_(
          retry_pool_, [this](int shard) { OnChange(shard); },
          [this](domain::Instant due) { OnRetryQueued(due); }),
      reminder_store_(pool_, [this](int shard) { OnChange(shard); }),
      crash_log_(crash_pool_, config_.instance),
      audit_log_(audit_pool_, [this](int shard) { OnChange(shard); }),
      notification_store_(pool_, [this] { OnDelivery(); }),
      delivery_store_(delivery_pool_),
      // The relay asks too, and its leases must not run out meanwhile.
      dapr_({.endpoint = config_.dapr_grpc_endpoint,
             .api_token = config_.dapr_api_token,
             .metadata_timeout = std::min<milliseconds>(2s, config_.relay_lease / 4)}),
      publisher_(dapr_, {.pubsub_name = config_.pubsub, .bulk = config_.bus == Bus::kKafka}),
      job_scheduler_(dapr_),
      state_store_(dapr_, {.component = config_.statestore}),
      secret_store_(dapr_, {.component = config_.secretstore, .secret = config_.secret}),
      tasks_(task_store_, preferred_zones_, clock_, ids_),
      recurring_tasks_(clock_, ids_),
      reminder_notifier_(state_store_, clock_, channels_, config_.task_updates_topic),
      task_webhooks_(notification_store_, clock_, channels_),
      notification_settings_(
          {notification_store_, state_store_, preferred_zones_, clock_, ids_, channels_}),
      delivery_sender_(delivery_store_, clock_, channels_),
      processor_({inbox_, retry_queue_, crash_log_, clock_},
                 {{.topic = config_.task_events_topic,
                   .parse = &Parse<domain::ParseTaskEventRecord>,
                   .consumers = {&recurring_tasks_, &task_webhooks_}},
                  {.topic = config_.reminders_topic,
                   .parse = &Parse<domain::ParseReminderEventRecord>,
                   .consumers = {&reminder_notifier_}}},
                 [this](domain::Instant due) { OnRetryQueued(due); }),
      // One that takes every event is enough: what it misses, the others miss too.
      auditor_(audit_log_, clock_, {std::string(recurring_tasks_.name())},
               [this] { return CanDeliver(); },
               {.owner = ids_.NewId().value(),
                .task_events_topic = config_.task_events_topic,
                .delay = config_.audit_delay}),
      reminders_(reminder_store_, clock_, ids_, {.topic = config_.reminders_topic},
                 [this] { OnReminder(); }),
      reminder_jobs_(reminder_store_, job_scheduler_, clock_, {}),
      api_workers_(static_cast<std::size_t>(config_.worker_count),
                   static_cast<std::size_t>(config_.worker_queue)),
      event_workers_(static_cast<std::size_t>(config_.event_worker_count),
                     static_cast<std::size_t>(config_.worker_queue)),
      authenticator_(MakeAuthenticator(config_)),
      methods_({api::MakeTodoMethods(tasks_), api::MakeReminderMethods(reminders_),
                api::MakeNotificationMethods(notification_settings_),
                api::MakeOpsMethods(retry_queue_, clock_, [this] { return DescribeSidecar(); })}),
      admission_(*authenticator_, api_workers_, {.ready = [this] { return Ready(); }}),
      grpc_door_(methods_, admission_),
      app_callback_(CallbackOptions(config_), processor_, reminders_, event_workers_,
                    machine_clock_, [this] { return IsHealthy(); }),
      http_({.address = config_.http_address, .port = config_.http_port},
            {{"/healthz", [] { return edge::HttpResponse{.body = "alive\n"}; }},
             {"/readyz",
              [this] {
                return IsHealthy() ? edge::HttpResponse{.body = "ready\n"}
                                   : edge::HttpResponse{.status = 503, .body = "not ready\n"};
              }},
             {"/metrics", [this] { return MetricsPage(); }}}) {}

Application::~Application() { Stop(); }

bool Application::IsHealthy() const {
  return ready_ && !stopping_ && steady_clock::now() - last_answer_.load() < kMaxSilence;
}

absl::Status Application::Ready() const {
  const auto refused = [](std::string_view why, std::string_view reason) {
    return util::WithReason(util::MakeStatus(absl::StatusCode::kUnavailable, why), reason);
  };
  if (stopping_) return refused("the server is stopping: try again", "SERVER_STOPPING");
  if (!ready_)
    return refused("the database is not ready yet: try again in a moment", "SERVER_NOT_READY");
  // Waiting for it would only fill the queue.
  if (!IsHealthy())
    return refused("the database does not answer: try again in a moment", "SERVER_NOT_READY");
  return absl::OkStatus();
}

void Application::OnChange(int shard) {
  relay::OutboxRelay* const relay = running_relay_;
  store::OutboxSignal* const signal = running_signal_;
  if (relay != nullptr && relay->Wake(shard)) return;
  if (signal != nullptr) signal->Announce(shard);
}

void Application::OnTaskChange(int shard) {
  OnChange(shard);
  if (ReminderRunner* const runner = running_reminder_runner_; runner != nullptr)
    runner->TasksChanged();
}

void Application::OnDelivery() {
  delivery_bell_.Ring();
  // Here all threads may be busy sending.
  if (store::OutboxSignal* const signal = running_signal_; signal != nullptr)
    signal->AnnounceDelivery();
}

void Application::OnRetryQueued(domain::Instant due) {
  if (RetryRunner* const runner = running_retry_runner_; runner != nullptr) runner->Wake(due);
}

bool Application::CanDeliver() {
  if (!IsHealthy()) return false;
  const absl::StatusOr<client::SidecarMetadata> sidecar = dapr_.GetMetadata();
  return sidecar.ok() && FindGaps(*sidecar, config_).missing.empty();
}

void Application::OnReminder() {
  if (ReminderRunner* const runner = running_reminder_runner_; runner != nullptr) runner->Wake();
}

absl::StatusOr<api::SidecarSummary> Application::DescribeSidecar() {
  TODO_ASSIGN_OR_RETURN(const client::SidecarMetadata metadata, dapr_.GetMetadata());
  api::SidecarSummary summary;
  for (const auto& component : metadata.components) {
    summary.components.push_back(component.name + " (" + component.type + ")");
  }
  for (const auto& subscription : metadata.subscriptions) {
    summary.subscriptions.push_back(subscription.topic + " on " + subscription.pubsub_name);
  }
  return summary;
}

edge::HttpResponse Application::MetricsPage() {
  MetricsSnapshot snapshot{.now = clock_.Now(),
                           .version = std::string(Version()),
                           .healthy = IsHealthy(),
                           .pools = {{"calls", pool_.stats()},
                                     {"relay", relay_pool_.stats()},
                                     {"retries", retry_pool_.stats()},
                                     {"crash_log", crash_pool_.stats()},
                                     {"audit", audit_pool_.stats()},
                                     {"deliveries", delivery_pool_.stats()}},
                           .queued_calls = {{"api", api_workers_.queued_count()},
                                            {"events", event_workers_.queued_count()}},
                           .reused_event_ids = processor_.reused_id_count(),
                           .relay = {},
                           .delivery_count = app_callback_.delivery_count(),
                           .deliveries_stopped = deliveries_stopped_,
                           .store = *sampled_status_.Lock(),
                           .delivery_attempts = delivery_sender_.attempts()};
  if (relay::OutboxRelay* const relay = running_relay_; relay != nullptr) {
    snapshot.relay = relay->stats();
  }
  return {.content_type = "text/plain; version=0.0.4; charset=utf-8",
          .body = MetricsText(snapshot)};
}

void Application::Fail(std::string_view event, const absl::Status& status) {
  Log(Severity::kError, event, {{"status", status.ToString()}});
  if (!failed_.exchange(true)) on_failure_();
}

absl::Status Application::Start() {
  grpc::EnableDefaultHealthCheckService(true);
  auto api = Listen({.name = "api",
                     .address = config_.api_address,
                     .port = config_.api_port,
                     .services = grpc_door_.services(),
                     .max_receive_bytes = kMaxApiMessageBytes,
                     .max_buffered_bytes = kMaxApiBufferedBytes,
                     .public_api = true});
  if (!api.ok()) return api.status();
  api_listener_ = *std::move(api);
  PublishHealth();
  const std::int64_t max_delivery_bytes = appcallback::MaxDeliveryBytes(
      config_.record_limit, config_.bulk_delivery ? config_.delivery_batch : 1);
  // The sidecar asks for the subscriptions as soon as this port is open, and only then.
  auto app = Listen({.name = "app",
                     .address = config_.app_address,
                     .port = config_.app_port,
                     .services = app_callback_.services(),
                     .max_receive_bytes = static_cast<int>(max_delivery_bytes),
                     .max_metadata_bytes = static_cast<int>(
                         appcallback::MaxDeliveryMetadataBytes(config_.record_limit)),
                     .max_buffered_bytes = MaxBufferedBytes(max_delivery_bytes)});
  if (!app.ok()) return app.status();
  app_listener_ = *std::move(app);
  TODO_RETURN_IF_ERROR(http_.Start());
  Log(Severity::kInfo, "listening",
      {{"api_port", api_port()}, {"app_port", app_port()}, {"http_port", http_port()}});

  const auto start = [this](auto method) {
    threads_.emplace_back([this, method](const std::stop_token& stop) { (this->*method)(stop); });
  };
  start(&Application::RunCaretaker);
  start(&Application::RunDatabaseProbe);
  start(&Application::RunHealthPublisher);
  start(&Application::RunSidecarCheck);
  start(&Application::RunStatusSampler);
  start(&Application::RunChannelSetup);
  return absl::OkStatus();
}

bool Application::Stop() {
  if (stopping_.exchange(true)) return true;
  const auto begin = steady_clock::now();
  // The relay comes last and needs time of its own, so what comes before it must leave it some.
  const auto calls_deadline = begin + config_.drain_timeout * 7 / 10;
  const auto relay_deadline = begin + config_.drain_timeout;
  Log(Severity::kInfo, "stopping", {{"drain_timeout_ms", config_.drain_timeout.count()}});
  PublishHealth();
  for (std::jthread& thread : threads_) thread.request_stop();

  const auto shut_down = [&](Listener& listener) {
    if (listener.server == nullptr) return;
    const auto left = std::max<steady_clock::duration>(calls_deadline - steady_clock::now(), 0ms);
    listener.server->Shutdown(std::chrono::system_clock::now() + left);
  };
  shut_down(api_listener_);
  shut_down(app_listener_);
  const bool api_drained = api_workers_.Shutdown(calls_deadline);
  const bool events_drained = event_workers_.Shutdown(calls_deadline);

  threads_.clear();  // joins them; the relay may have been in the making
  running_retry_runner_ = nullptr;
  retry_runner_.reset();
  audit_runner_.reset();
  running_reminder_runner_ = nullptr;
  reminder_runner_.reset();
  delivery_runners_.clear();  // waits for what is being sent; what is cut off is sent again
  if (ready_ && api_drained && events_drained) {
    const absl::Status cleared = crash_log_.Clear();
    if (!cleared.ok())
      Log(Severity::kWarning, "crash_log_not_cleared", {{"status", cleared.ToString()}});
  }
  const bool relay_drained = relay_ == nullptr || relay_->Stop(relay_deadline);

  const bool drained = api_drained && events_drained && relay_drained;
  Log(drained ? Severity::kInfo : Severity::kWarning, "stopped",
      {{"drained", drained},
       {"api_drained", api_drained},
       {"events_drained", events_drained},
       {"relay_drained", relay_drained},
       {"took_ms", std::chrono::duration_cast<milliseconds>(steady_clock::now() - begin).count()}});

  {
    const std::lock_guard lock(health_mutex_);
    api_listener_.server.reset();
    app_listener_.server.reset();
  }
  http_.Stop();  // until here it says that we are not ready; its pages ask the relay
  running_signal_ = nullptr;
  signal_.reset();  // it calls the relay
  running_relay_ = nullptr;
  relay_.reset();
  return drained;
}

bool Application::Sleep(const std::stop_token& stop, milliseconds duration) {
  std::unique_lock lock(sleep_mutex_);
  sleep_.wait_for(lock, stop, duration, [] { return false; });
  return !stop.stop_requested();
}

void Application::PublishHealth() {
  const std::lock_guard lock(health_mutex_);
  if (api_listener_.server == nullptr) return;
  grpc::HealthCheckServiceInterface* const health = api_listener_.server->GetHealthCheckService();
  if (health == nullptr) return;
  health->SetServingStatus(IsHealthy());
  health->SetServingStatus("todo.v1.TodoService", IsHealthy());
}

void Application::RunCaretaker(const std::stop_token& stop) {
  if (!PrepareDatabase(stop)) return;
  StartRelay();
  retry_runner_ = std::make_unique<RetryRunner>(processor_, clock_, kRetryThreads);
  running_retry_runner_ = retry_runner_.get();
  audit_runner_ = std::make_unique<AuditRunner>(auditor_);
  reminder_runner_ =
      std::make_unique<ReminderRunner>(reminders_, reminder_jobs_, config_.reminder_sweep);
  running_reminder_runner_ = reminder_runner_.get();
  for (const auto& [pace, thread_count] : kDeliveryThreads) {
    delivery_runners_.push_back(
        std::make_unique<DeliveryRunner>(delivery_sender_, pace, thread_count, delivery_bell_));
  }
  last_answer_ = steady_clock::now();
  ready_ = true;
  PublishHealth();
  Log(Severity::kInfo, "serving",
      {{"api_address", config_.api_address},
       {"api_port", api_port()},
       {"app_address", config_.app_address},
       {"app_port", app_port()},
       {"version", std::string(Version())}});
  milliseconds wait = 0ms;
  while (Sleep(stop, wait)) wait = KeepTables(stop) ? kMaintenanceInterval : kMaintenanceRetry;
}

bool Application::KeepTables(const std::stop_token& stop) {
  absl::Status status = store::MakeInboxDays(clean_up_pool_);
  status.Update(FoldSearchTexts(stop));
  status.Update(
      store::CleanUp(clean_up_pool_, [&](milliseconds duration) { return Sleep(stop, duration); }));
  if (!status.ok()) Log(Severity::kWarning, "maintenance_failed", {{"status", status.ToString()}});
  return status.ok();
}

absl::Status Application::MakeDays() {
  const absl::Status status = store::MakeInboxDays(clean_up_pool_);
  // Others are using it, so it is in order, and there is time.
  if (!absl::IsAborted(status) && !absl::IsDeadlineExceeded(status)) return status;
  Log(Severity::kWarning, "maintenance_failed", {{"status", status.ToString()}});
  return absl::OkStatus();
}

absl::Status Application::FoldSearchTexts(const std::stop_token& stop) {
  const absl::StatusOr<std::int64_t> count =
      store::FoldSearchTexts(pool_, [&stop] { return !stop.stop_requested(); });
  if (!count.ok()) return count.status();
  if (*count > 0) Log(Severity::kInfo, "search_texts_folded", {{"tasks", *count}});
  return absl::OkStatus();
}

bool Application::PrepareDatabase(const std::stop_token& stop) {
  Backoff backoff;
  for (int attempt = 1;; ++attempt) {
    // The lock is waited for in short portions, so that stopping does not have to wait long.
    absl::Status status = store::Migrate(config_.database_url, {.lock_wait = 5s});
    if (status.ok()) status = clock_.Measure(watch_pool_);
    if (status.ok()) status = MakeDays();
    if (status.ok()) status = processor_.Recover();
    if (status.ok()) status = auditor_.Enroll();
    if (status.ok()) return true;
    switch (status.code()) {
      case absl::StatusCode::kFailedPrecondition:
      case absl::StatusCode::kInvalidArgument:
      case absl::StatusCode::kInternal: Fail("database_unfit", status); return false;
      default: break;
    }
    const milliseconds wait = backoff.Next();
    Log(Severity::kWarning, "database_not_ready",
        {{"attempt", attempt}, {"status", status.ToString()}, {"next_attempt_ms", wait.count()}});
    if (!Sleep(stop, wait)) return false;
  }
}

void Application::StartRelay() {
  relay::RelayOptions options;
  options.owner = ids_.NewId().value();
  options.task_events_topic = config_.task_events_topic;
  options.task_updates_topic = config_.task_updates_topic;
  options.lease = config_.relay_lease;
  options.renew_interval = config_.relay_lease / 3;
  options.poll_interval = config_.relay_poll;
  options.sidecar_answers = [this] {
    const absl::Status status = dapr_.GetMetadata().status();
    return !absl::IsUnavailable(status) && !absl::IsDeadlineExceeded(status);
  };
  options.announced_poll_interval = config_.relay_poll * 4;
  options.announced = [this] {
    const store::OutboxSignal* const signal = running_signal_;
    return signal != nullptr && signal->connected();
  };
  relay_ = std::make_unique<relay::OutboxRelay>(outbox_log_, publisher_, std::move(options));
  running_relay_ = relay_.get();
  signal_ = std::make_unique<store::OutboxSignal>(
      config_.database_url, [relay = relay_.get()](int shard) { relay->Wake(shard); },
      [this] { delivery_bell_.Ring(); });
  running_signal_ = signal_.get();
}

void Application::RunDatabaseProbe(const std::stop_token& stop) {
  bool answers = true;
  steady_clock::time_point measured{};
  while (Sleep(stop, kWatchInterval)) {
    if (!ready_) continue;
    // The relay asks all the time, and what it hears is a sign of life.
    const steady_clock::time_point heard = relay_pool_.last_answer();
    const steady_clock::time_point now = steady_clock::now();
    if (answers && now - heard < 2 * kWatchInterval && now - measured < kMeasureInterval) {
      last_answer_ = std::max(last_answer_.load(), heard);
      continue;
    }
    const absl::Status status = clock_.Measure(watch_pool_);
    if (status.ok()) last_answer_ = measured = steady_clock::now();
    if (std::exchange(answers, status.ok()) == status.ok()) continue;
    if (status.ok()) {
      Log(Severity::kInfo, "database_back");
    } else {
      Log(Severity::kWarning, "database_lost", {{"status", status.ToString()}});
    }
  }
}

void Application::RunHealthPublisher(const std::stop_token& stop) {
  bool healthy = false;
  while (Sleep(stop, kHealthInterval)) {
    const bool now = IsHealthy();
    if (std::exchange(healthy, now) == now) continue;
    Log(healthy ? Severity::kInfo : Severity::kError, healthy ? "healthy" : "unhealthy");
    PublishHealth();
  }
}

void Application::RunStatusSampler(const std::stop_token& stop) {
  DeliveryWatch watch(std::max<milliseconds>(config_.audit_delay, kLeastPatience));
  while (Sleep(stop, kStatusInterval)) {
    if (!IsHealthy()) continue;
    absl::StatusOr<ports::StoreStatus> status = retry_queue_.Status();
    if (!status.ok()) {
      Log(Severity::kWarning, "status_not_sampled", {{"status", status.status().ToString()}});
    }
    if (status.ok()) {
      deliveries_stopped_ = watch.Look({.deliveries = app_callback_.delivery_count(),
                                        .missing = status->missing_events,
                                        .lost = status->lost_events},
                                       steady_clock::now());
    }
    // Rather nothing than figures of long ago.
    *sampled_status_.Lock() = status.ok() ? std::optional(*std::move(status)) : std::nullopt;
  }
}

void Application::RunChannelSetup(const std::stop_token& stop) {
  constexpr milliseconds kRecheck = 60s;
  ChannelWatch watch(config_, secret_store_, clock_, channels_);
  Backoff backoff;
  for (;;) {
    const ChannelWatch::Again again = watch.Look();
    if (again != ChannelWatch::Again::kSoon) delivery_bell_.Ring();  // there may be a new way out
    if (again == ChannelWatch::Again::kNever) return;
    if (!Sleep(stop, again == ChannelWatch::Again::kSoon ? backoff.Next() : kRecheck)) return;
  }
}

void Application::RunSidecarCheck(const std::stop_token& stop) {
  // After its first answer the sidecar still has to ask for the subscriptions: what is missing then
  // is no news yet.
  constexpr milliseconds kGrace = 15s;
  constexpr milliseconds kRecheck = 500ms;
  constexpr milliseconds kSlowRecheck = 5s;
  // And it asks only when it has found the app healthy.
  while (!IsHealthy()) {
    if (!Sleep(stop, kRecheck)) return;
  }
  Backoff backoff;
  bool was_away = false;
  std::optional<steady_clock::time_point> grace_end;
  std::optional<SidecarGaps> reported;
  for (;;) {
    const absl::StatusOr<client::SidecarMetadata> sidecar = dapr_.GetMetadata();
    if (stop.stop_requested()) return;
    if (!sidecar.ok()) {
      if (!std::exchange(was_away, true)) {
        Log(absl::IsUnavailable(sidecar.status()) ? Severity::kInfo : Severity::kWarning,
            "sidecar_not_there",
            {{"endpoint", config_.dapr_grpc_endpoint}, {"status", sidecar.status().ToString()}});
      }
      if (!Sleep(stop, backoff.Next())) return;
      continue;
    }
    backoff = {};
    was_away = false;
    const SidecarGaps gaps = FindGaps(*sidecar, config_);
    const auto now = steady_clock::now();
    if (!grace_end) grace_end = now + kGrace;
    const bool settled = gaps.missing.empty() || now >= *grace_end;
    if (settled && reported != gaps) {
      Log(gaps.missing.empty() ? (gaps.optional.empty() ? Severity::kInfo : Severity::kWarning)
                               : Severity::kError,
          "sidecar_checked",
          {{"missing", gaps.missing},
           {"missing_optional", gaps.optional},
           {"app_id", sidecar->app_id},
           {"runtime_version", sidecar->runtime_version}});
      reported = gaps;
    }
    if (gaps.missing.empty() && gaps.optional.empty()) return;
    if (!Sleep(stop, now < *grace_end ? kRecheck : kSlowRecheck)) return;
  }
}

}  // namespace todo::app
