#pragma once

#include <atomic>
#include <functional>
#include <map>
#include <memory>
#include <stop_token>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include "absl/status/status.h"
#include "api/admission.h"
#include "api/connect_door.h"
#include "api/events_door.h"
#include "api/grpc_door.h"
#include "api/mcp_door.h"
#include "api/method.h"
#include "api/socket_door.h"
#include "api/user_limits.h"
#include "app/channel_watch.h"
#include "app/config/config.h"
#include "app/connections.h"
#include "app/database_probe.h"
#include "app/database_setup.h"
#include "app/grpc_ports.h"
#include "app/health.h"
#include "app/http_ports.h"
#include "app/id_source.h"
#include "app/identity_setup.h"
#include "app/metrics.h"
#include "app/port_watch.h"
#include "app/runners/audit_runner.h"
#include "app/runners/delivery_runner.h"
#include "app/runners/reminder_runner.h"
#include "app/runners/retry_runner.h"
#include "app/runners/usage_runner.h"
#include "app/runners/zone_runner.h"
#include "app/sidecar.h"
#include "app/sidecar_watch.h"
#include "app/status_sampler.h"
#include "app/stores.h"
#include "app/streams.h"
#include "app/system_clock.h"
#include "app/ticket_keys.h"
#include "appcallback/app_callback.h"
#include "chat/conversation.h"
#include "live/feed.h"
#include "live/update_reader.h"
#include "page/door.h"
#include "relay/outbox_relay.h"
#include "service/analytics/usage_counter.h"
#include "service/analytics/usage_service.h"
#include "service/audit/auditor.h"
#include "service/consumers/event_processor.h"
#include "service/consumers/recurring_task_service.h"
#include "service/consumers/reminder_notifier.h"
#include "service/consumers/task_webhooks.h"
#include "service/notifications/channel_set.h"
#include "service/notifications/delivery_sender.h"
#include "service/notifications/notification_settings.h"
#include "service/reminders/reminder_jobs.h"
#include "service/reminders/reminder_service.h"
#include "service/tasks/task_service.h"
#include "store/database_clock.h"
#include "store/outbox_signal.h"
#include "telemetry/span_exporter.h"
#include "util/alarms.h"
#include "util/bell.h"
#include "util/worker_pool.h"

namespace todo::app {

/// The whole service: owns all parts, connects them, starts and stops them in order.
///
/// Start opens the ports; the database may be away then. A thread makes the database ready as soon
/// as there is one, then starts the relay and the runners. Until then API calls are rejected as
/// UNAVAILABLE, and the sidecar is told that the app is not healthy, so it keeps its events.
/// The role (Config::role) decides which ports are opened and which threads run.
/// Thread safety: Start and Stop from one thread.
class Application {
 public:
  /// `on_failure` is called at most once, from any thread, when the service cannot continue; then
  /// call Stop. `spans` tells what became of the spans, for /metrics; it is called from any thread
  /// and must not block.
  Application(Config config, std::function<void()> on_failure,
              std::function<telemetry::ExportStats()> spans = {});
  /// Stops, unless Stop was called.
  ~Application();
  Application(const Application&) = delete;
  Application& operator=(const Application&) = delete;

  /// kUnavailable: a port cannot be opened.
  absl::Status Start();

  /// Finishes work in progress, in this order: health becomes "not serving" and no new calls are
  /// taken; calls and events in progress; retries, reminders and deliveries in progress; publishes
  /// in progress, after which the relay's shards are released. The drain timeout is one deadline
  /// for all: calls and events may use 7/10 of it, the relay the rest. The runners have no deadline
  /// of their own, so this may take longer; main ends the process after twice the drain timeout.
  /// True: all calls, events and publishes were finished in time.
  bool Stop();

  bool failed() const { return failed_; }
  // The ports that Start opened; for port 0 in the settings, the free port that was found.
  int api_port() const { return grpc_ports_.api_port(); }
  int app_port() const { return grpc_ports_.app_port(); }
  int web_port() const { return http_ports_.web_port(); }
  int ops_port() const { return http_ports_.ops_port(); }

 private:
  void AddWebRoutes();
  void AddDeliveryRunners();
  CommitNews NewsOfCommits();
  chat::Conversation::Parts PartsOfConversation();
  api::mcp::Server::Parts PartsOfMcp();
  std::vector<api::ServiceDefinition> ServicesOfApi();
  std::string PushPublicKey();
  void OutboxGrew(int shard);
  void OutboxGrewElsewhere(int shard);
  std::vector<service::EventStream> StreamsOfConsumers();
  relay::RelayOptions OptionsOfRelay();
  MetricsSnapshot Figures();
  void Fail(std::string_view event, const absl::Status& status);

  absl::Status OpenPorts();
  void WatchPorts(const std::stop_token& stop);
  absl::Status Recover();
  /// Makes the database ready, starts the relay and the runners, then keeps the database in order.
  void RunDatabase(const std::stop_token& stop);
  void StartRunners();
  void StopRunners();

  const Config config_;
  const std::function<void()> on_failure_;
  const std::function<telemetry::ExportStats()> spans_;
  const SystemClock machine_clock_;
  store::DatabaseClock clock_{machine_clock_};
  RandomIdSource ids_{clock_};
  bool stopped_ = false;
  std::atomic<bool> failed_ = false;

  Health health_;
  HealthPublisher health_publisher_;
  util::Bell delivery_bell_;  // rings when deliveries may be due

  Connections connections_{config_};
  Stores stores_;
  Sidecar sidecar_{config_};
  SidecarWatch sidecar_watch_;

  store::PgOutboxLog outbox_log_{connections_.relay};
  relay::OutboxRelay relay_;
  store::OutboxSignal signal_;

  service::TaskService tasks_{stores_.tasks, stores_.preferred_zones, clock_, ids_};
  service::RecurringTaskService recurring_tasks_{clock_, ids_};
  service::ChannelSet channels_;
  service::ReminderNotifier reminder_notifier_{sidecar_.state, clock_, channels_,
                                               config_.task_updates_topic};
  service::UsageCounter usage_counter_{clock_};
  service::UsageService usage_{stores_.usage, stores_.preferred_zones, clock_};
  service::TaskWebhooks task_webhooks_{stores_.notifications, clock_, channels_};
  service::NotificationSettings notification_settings_{
      {stores_.notifications, sidecar_.state, stores_.preferred_zones, clock_, ids_, channels_}};
  chat::Conversation conversation_;
  service::DeliverySender delivery_sender_{stores_.deliveries, clock_, channels_};
  service::EventProcessor processor_;
  service::Auditor auditor_;
  service::ReminderService reminders_;
  service::ReminderJobs reminder_jobs_{stores_.reminders, sidecar_.jobs, clock_, {}};

  RetryRunner retry_runner_{processor_, clock_, kRetryThreads};
  AuditRunner audit_runner_{auditor_};
  ZoneRunner zone_runner_{notification_settings_};
  UsageRunner usage_runner_{stores_.usage, clock_};
  ReminderRunner reminder_runner_{reminders_, reminder_jobs_, config_.reminder_sweep};
  std::vector<std::unique_ptr<DeliveryRunner>> delivery_runners_;  // one for each pace

  live::Feed feed_;
  live::UpdateReader live_updates_{
      [this](domain::TaskUpdate update) { feed_.Publish(std::move(update)); },
      [this](const domain::UserId& user) { return feed_.PassOver(user); }};

  TicketKeys ticket_keys_{config_.ticket_key_entry, sidecar_.secrets, clock_};
  const IdentitySetup identity_{SetUpIdentity(config_, sidecar_.secrets, clock_)};
  util::Alarms alarms_;  // deadlines of streams
  api::MethodTable methods_;
  api::UserLimits user_limits_;
  // After all that a call uses: a call that Stop could not wait for runs on until its pool is
  // joined, that is destroyed.
  util::WorkerPool api_workers_;
  util::WorkerPool event_workers_;  // of their own: load on the API must not delay events
  api::Admission admission_;
  api::GrpcDoor grpc_door_;
  api::ConnectDoor connect_door_;
  api::SocketDoor socket_door_;
  api::EventsDoor events_door_;
  api::McpDoor mcp_door_;
  page::Door page_door_;
  api::GrpcDoor invoked_door_;  // on the app port, for calls of other apps through their sidecars
  appcallback::AppCallback app_callback_;

  DatabaseSetup database_setup_;
  DatabaseProbe database_probe_;
  StatusSampler status_sampler_;
  ChannelWatch channel_watch_{config_, sidecar_.secrets, clock_, channels_};

  PortWatch port_watch_;
  GrpcPorts grpc_ports_{config_};
  HttpPorts http_ports_;
  std::vector<std::jthread> threads_;  // last: they use all parts above
};

}  // namespace todo::app
