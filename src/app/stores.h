#pragma once

#include <functional>

#include "app/config/config.h"
#include "app/connections.h"
#include "domain/time.h"
#include "store/pg_audit_log.h"
#include "store/pg_crash_log.h"
#include "store/pg_dead_letter_store.h"
#include "store/pg_delivery_store.h"
#include "store/pg_event_inbox.h"
#include "store/pg_live_log.h"
#include "store/pg_notification_store.h"
#include "store/pg_outbox_log.h"
#include "store/pg_preferred_zones.h"
#include "store/pg_reminder_store.h"
#include "store/pg_retry_queue.h"
#include "store/pg_service_status.h"
#include "store/pg_task_finder.h"
#include "store/pg_task_store.h"
#include "store/pg_usage_store.h"

namespace todo::app {

/// The stores' news after a commit, for the threads that go on with it. Each may be called from any
/// thread and must not block.
struct CommitNews {
  std::function<void(int shard)> outbox_grew;   // a shard of the outbox has a new row
  std::function<void(int shard)> task_changed;  // the same, and the change is of a task
  std::function<void()> delivery_queued;
  std::function<void(domain::Instant due)> retry_queued;
};

/// All stores.
struct Stores {
  /// `connections` must outlive the stores.
  Stores(const Config& config, Connections& connections, const CommitNews& news);

  store::PgTaskStore tasks;
  store::PgTaskFinder finder;
  store::PgPreferredZones preferred_zones;
  store::PgEventInbox inbox;
  store::PgRetryQueue retry_queue;
  store::PgDeadLetterStore dead_letters;
  store::PgServiceStatus service_status;
  store::PgReminderStore reminders;
  store::PgCrashLog crash_log;
  store::PgAuditLog audit_log;
  store::PgNotificationStore notifications;
  store::PgDeliveryStore deliveries;
  store::PgUsageStore usage;
  // For live screens, which have connections of their own and only read.
  store::PgLiveLog live_log;
  store::PgTaskStore live_tasks;
};

}  // namespace todo::app
