#pragma once

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <stop_token>
#include <thread>
#include <vector>

#include "absl/status/status.h"
#include "api/admission.h"
#include "api/grpc_door.h"
#include "api/method.h"
#include "api/ops_methods.h"
#include "app/config/config.h"
#include "app/id_source.h"
#include "app/listener.h"
#include "app/runners/audit_runner.h"
#include "app/runners/delivery_runner.h"
#include "app/runners/reminder_runner.h"
#include "app/runners/retry_runner.h"
#include "app/system_clock.h"
#include "appcallback/app_callback.h"
#include "client/dapr_client.h"
#include "client/dapr_job_scheduler.h"
#include "client/dapr_publisher.h"
#include "client/dapr_secret_store.h"
#include "client/dapr_state_store.h"
#include "edge/http_server.h"
#include "ports/authenticator.h"
#include "relay/outbox_relay.h"
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
#include "store/connection_pool.h"
#include "store/database_clock.h"
#include "store/outbox_signal.h"
#include "store/pg_audit_log.h"
#include "store/pg_delivery_store.h"
#include "store/pg_event_inbox.h"
#include "store/pg_notification_store.h"
#include "store/pg_outbox_log.h"
#include "store/pg_preferred_zones.h"
#include "store/pg_reminder_store.h"
#include "store/pg_retry_queue.h"
#include "store/pg_task_store.h"
#include "util/bell.h"
#include "util/guarded.h"
#include "util/worker_pool.h"

namespace todo::app {

/// The whole service: owns every part, knows the order in which they start and stop.
///
/// Start opens both ports; the database may be away then. A thread of its own brings the database
/// up to date, as soon as there is one, starts the relay, and watches the database from then on.
/// Until it is ready, API calls are refused as UNAVAILABLE and the sidecar hears that the app is
/// not healthy, and so keeps its events. Thread safety: Start and Stop from one thread.
class Application {
 public:
  /// `on_failure` is called at most once, from any thread, when the service cannot go on; then Stop
  /// it.
  Application(Config config, std::function<void()> on_failure);
  /// Stops, if that has not been done.
  ~Application();
  Application(const Application&) = delete;
  Application& operator=(const Application&) = delete;

  /// kUnavailable: a port cannot be had.
  absl::Status Start();

  /// In order: health to not serving; no new calls; calls and events that have begun are finished;
  /// what the relay has in flight is finished and its shards are given back; connections are
  /// closed. Waits for all of that together as long as the drain timeout. False: something was not
  /// finished.
  bool Stop();

  bool failed() const { return failed_; }
  // What Start bound; for port 0 the port that was free.
  int api_port() const { return api_listener_.port; }
  int app_port() const { return app_listener_.port; }
  int http_port() const { return http_.port(); }

 private:
  /// Never blocks.
  bool IsHealthy() const;
  absl::Status Ready() const;
  void OnChange(int shard);
  void OnTaskChange(int shard);
  void OnDelivery();
  void OnRetryQueued(domain::Instant due);
  /// Whether the sidecar is there and brings us what it has. Blocks.
  bool CanDeliver();
  void OnReminder();
  absl::StatusOr<api::SidecarSummary> DescribeSidecar();
  edge::HttpResponse MetricsPage();
  void Fail(std::string_view event, const absl::Status& status);

  // One thread each. A hanging database stops the first two; the others say so.
  void RunCaretaker(const std::stop_token& stop);  // makes ready, then keeps the tables in order
  void RunDatabaseProbe(const std::stop_token& stop);    // asks the database for a sign of life
  void RunHealthPublisher(const std::stop_token& stop);  // tells what has changed
  void RunSidecarCheck(const std::stop_token& stop);     // until the sidecar has all that we need
  void RunStatusSampler(const std::stop_token& stop);  // asks the database what waits, for /metrics
  void RunChannelSetup(const std::stop_token& stop);   // until all channels have what they need

  /// Also of tasks that a replica of an older version writes meanwhile.
  absl::Status FoldSearchTexts(const std::stop_token& stop);
  bool PrepareDatabase(const std::stop_token& stop);
  absl::Status MakeDays();
  /// False: not all of it could be done.
  bool KeepTables(const std::stop_token& stop);
  void StartRelay();
  void PublishHealth();
  /// False: stop was requested.
  bool Sleep(const std::stop_token& stop, std::chrono::milliseconds duration);

  const Config config_;
  const std::function<void()> on_failure_;
  const SystemClock machine_clock_;
  store::DatabaseClock clock_{machine_clock_};
  RandomIdSource ids_{clock_};
  std::atomic<bool> ready_ = false;
  std::atomic<std::chrono::steady_clock::time_point> last_answer_{};  // of the database
  std::atomic<bool> stopping_ = false;
  std::atomic<bool> failed_ = false;
  std::atomic<bool> deliveries_stopped_ = false;

  util::Bell delivery_bell_;  // deliveries may be due

  // Each owner of connections has its own, so that load on one is not an outage of another.
  store::ConnectionPool pool_;
  store::ConnectionPool relay_pool_;
  store::ConnectionPool watch_pool_;
  store::ConnectionPool retry_pool_;
  store::ConnectionPool crash_pool_;
  store::ConnectionPool audit_pool_;
  store::ConnectionPool delivery_pool_;
  store::ConnectionPool clean_up_pool_;
  store::PgTaskStore task_store_;
  store::PgPreferredZones preferred_zones_;
  store::PgEventInbox inbox_;
  store::PgOutboxLog outbox_log_;
  store::PgRetryQueue retry_queue_;
  store::PgReminderStore reminder_store_;
  store::PgCrashLog crash_log_;
  store::PgAuditLog audit_log_;
  store::PgNotificationStore notification_store_;
  store::PgDeliveryStore delivery_store_;

  client::DaprClient dapr_;
  client::DaprPublisher publisher_;
  client::DaprJobScheduler job_scheduler_;
  client::DaprStateStore state_store_;
  client::DaprSecretStore secret_store_;

  // Made when the database is ready; the pointers appear when all is made.
  std::unique_ptr<relay::OutboxRelay> relay_;
  std::unique_ptr<store::OutboxSignal> signal_;
  std::atomic<relay::OutboxRelay*> running_relay_ = nullptr;
  std::atomic<store::OutboxSignal*> running_signal_ = nullptr;

  service::TaskService tasks_;
  service::RecurringTaskService recurring_tasks_;
  service::ChannelSet channels_;
  service::ReminderNotifier reminder_notifier_;
  service::TaskWebhooks task_webhooks_;
  service::NotificationSettings notification_settings_;
  service::DeliverySender delivery_sender_;
  service::EventProcessor processor_;
  std::unique_ptr<RetryRunner> retry_runner_;
  std::atomic<RetryRunner*> running_retry_runner_ = nullptr;
  service::Auditor auditor_;
  std::unique_ptr<AuditRunner> audit_runner_;
  service::ReminderService reminders_;
  service::ReminderJobs reminder_jobs_;
  std::unique_ptr<ReminderRunner> reminder_runner_;
  std::atomic<ReminderRunner*> running_reminder_runner_ = nullptr;
  std::vector<std::unique_ptr<DeliveryRunner>> delivery_runners_;

  util::WorkerPool api_workers_;
  util::WorkerPool event_workers_;  // of their own: load on the API must not hold events back
  const std::unique_ptr<ports::Authenticator> authenticator_;
  api::MethodTable methods_;
  api::Admission admission_;
  api::GrpcDoor grpc_door_;
  appcallback::AppCallback app_callback_;
  std::mutex health_mutex_;
  Listener api_listener_;
  Listener app_listener_;
  util::Guarded<std::optional<ports::StoreStatus>> sampled_status_;
  edge::HttpServer http_;

  std::mutex sleep_mutex_;
  std::condition_variable_any sleep_;
  std::vector<std::jthread> threads_;  // last: they use all of the above
};

}  // namespace todo::app
