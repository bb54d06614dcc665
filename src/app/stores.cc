#include "app/stores.h"

namespace todo::app {

Stores::Stores(const Config& config, Connections& connections, const CommitNews& news)
    : tasks(connections.calls, news.task_changed,
            {.open_task_limit = config.user_open_tasks, .search_timeout = config.search_timeout}),
      finder(connections.calls, config.search_timeout),
      preferred_zones(connections.calls),
      inbox(connections.calls, news.task_changed, news.delivery_queued),
      retry_queue(connections.retries, news.outbox_grew),
      dead_letters(connections.retries, news.retry_queued),
      service_status(connections.retries),
      reminders(connections.calls, news.outbox_grew),
      crash_log(connections.crash_log, config.instance),
      audit_log(connections.audit, news.outbox_grew),
      notifications(connections.calls, news.delivery_queued),
      deliveries(connections.deliveries),
      usage(connections.calls),
      live_log(connections.live),
      live_tasks(connections.live, [](int /*shard*/) {}) {}

}  // namespace todo::app
