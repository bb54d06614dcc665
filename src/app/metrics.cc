#include "app/metrics.h"

#include <prometheus/text_serializer.h>

#include <chrono>
#include <utility>
#include <vector>

namespace todo::app {
namespace {

using Labels = std::vector<prometheus::ClientMetric::Label>;

/// Collects families in the order in which they are first named.
class Page {
 public:
  void Gauge(std::string name, std::string help, double value, Labels labels = {}) {
    prometheus::ClientMetric metric;
    metric.gauge.value = value;
    Add(prometheus::MetricType::Gauge, std::move(name), std::move(help), std::move(metric),
        std::move(labels));
  }
  void Counter(std::string name, std::string help, double value, Labels labels = {}) {
    prometheus::ClientMetric metric;
    metric.counter.value = value;
    Add(prometheus::MetricType::Counter, std::move(name), std::move(help), std::move(metric),
        std::move(labels));
  }
  std::string Text() const { return prometheus::TextSerializer().Serialize(families_); }

 private:
  void Add(prometheus::MetricType type, std::string name, std::string help,
           prometheus::ClientMetric metric, Labels labels) {
    metric.label = std::move(labels);
    if (families_.empty() || families_.back().name != name) {
      families_.push_back({std::move(name), std::move(help), type, {}});
    }
    families_.back().metric.push_back(std::move(metric));
  }

  std::vector<prometheus::MetricFamily> families_;
};

double Number(std::uint64_t count) { return static_cast<double>(count); }
double Number(std::int64_t count) { return static_cast<double>(count); }

double SecondsSince(std::optional<domain::Instant> then, domain::Instant now) {
  return then ? std::max(0.0, std::chrono::duration<double>(now - *then).count()) : 0;
}

void AddPools(Page& page, const std::map<std::string, store::PoolStats>& pools) {
  const auto each = [&](auto&& add) {
    for (const auto& [name, stats] : pools) add(Labels{{"pool", name}}, stats);
  };
  each([&](const Labels& labels, const store::PoolStats& stats) {
    page.Gauge("todo_database_connections", "Open connections to the database", stats.open_count,
               labels);
  });
  each([&](const Labels& labels, const store::PoolStats& stats) {
    page.Gauge("todo_database_connections_in_use", "Connections that work at the moment",
               stats.in_use_count, labels);
  });
  each([&](const Labels& labels, const store::PoolStats& stats) {
    page.Counter("todo_database_connections_lost_total", "Connections that were lost",
                 Number(stats.discarded_count), labels);
  });
  each([&](const Labels& labels, const store::PoolStats& stats) {
    page.Counter("todo_database_pool_exhausted_total", "Waits for a free connection that ran out",
                 Number(stats.exhausted_count), labels);
  });
}

void AddRelay(Page& page, const relay::RelayStats& relay) {
  page.Gauge("todo_relay_owned_shards", "Shards of the outbox that this replica publishes",
             relay.owned_shards);
  page.Gauge("todo_relay_bus_failing", "1: the last publish of some shard failed",
             relay.bus_failing ? 1 : 0);
  page.Counter("todo_relay_published_changes_total", "Changes that all topics have",
               Number(relay.published_count));
  page.Counter("todo_relay_publish_failures_total", "Publishes that failed and were repeated",
               Number(relay.publish_failures));
}

void AddStore(Page& page, const ports::StoreStatus& store, domain::Instant now) {
  page.Gauge("todo_outbox_unpublished_changes",
             "Changes that are not yet on the bus, counted up to 20,000 for each shard",
             Number(store.unpublished_changes));
  page.Gauge("todo_outbox_unpublished_messages", "The same for reminders, dead letters, notices",
             Number(store.unpublished_messages));
  page.Gauge("todo_outbox_oldest_seconds", "How long the oldest of them waits",
             SecondsSince(store.oldest_unpublished, now));
  page.Gauge("todo_retries_waiting", "Events that wait to be tried again",
             Number(store.waiting_retries));
  page.Gauge("todo_dead_letters_open", "Events given up that nobody has looked after yet",
             Number(store.open_dead_letters));
  page.Gauge("todo_reminders_pending", "Reminders that will fire, counted up to 100,000",
             Number(store.pending_reminders));
  page.Gauge("todo_reminders_overdue", "Of those, the ones that should have fired by now",
             Number(store.overdue_reminders));
  page.Gauge("todo_reminders_unplanned", "Reminders whose task has changed a moment ago",
             Number(store.unplanned_reminders));
  page.Gauge("todo_reminder_jobs_unwritten",
             "Reminders whose job at the scheduler is not yet as it should be",
             Number(store.unwritten_jobs));
  page.Gauge("todo_deliveries_pending",
             "Webhook calls, mail and pushes that wait, counted up to 100,000",
             Number(store.pending_deliveries));
  page.Gauge("todo_deliveries_oldest_seconds",
             "How long the one that has waited longest could have been sent",
             SecondsSince(store.oldest_delivery, now));
  page.Gauge("todo_events_missing",
             "Events published longer ago than --audit-delay that no consumer has seen",
             Number(store.missing_events));
  page.Gauge("todo_events_lost",
             "Events published again as often as allowed that no consumer has seen",
             Number(store.lost_events));
}

}  // namespace

std::string MetricsText(const MetricsSnapshot& snapshot) {
  Page page;
  page.Gauge("todo_build_info", "Always 1", 1, {{"version", snapshot.version}});
  page.Gauge("todo_healthy", "1: the database is migrated and answers", snapshot.healthy ? 1 : 0);
  AddPools(page, snapshot.pools);
  for (const auto& [name, count] : snapshot.queued_calls) {
    page.Gauge("todo_worker_queue", "Calls that wait for a worker", static_cast<double>(count),
               {{"pool", name}});
  }
  page.Counter("todo_event_ids_reused_total",
               "Events without effect because another event of the day had their id",
               Number(snapshot.reused_event_ids));
  page.Counter("todo_event_deliveries_total", "Calls of the sidecar that brought events",
               Number(snapshot.delivery_count));
  page.Gauge("todo_event_deliveries_stopped",
             "1: events are missing, and the sidecar has brought none for as long as --audit-delay",
             snapshot.deliveries_stopped ? 1 : 0);
  if (snapshot.relay) AddRelay(page, *snapshot.relay);
  if (snapshot.store) AddStore(page, *snapshot.store, snapshot.now);
  for (const auto& [name, count] : snapshot.delivery_attempts) {
    page.Counter("todo_delivery_attempts_total", "Attempts to deliver", Number(count),
                 {{"channel", name.first}, {"outcome", name.second}});
  }
  return page.Text();
}

}  // namespace todo::app
