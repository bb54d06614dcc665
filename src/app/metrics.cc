#include "app/metrics.h"

#include <prometheus/text_serializer.h>

#include <algorithm>
#include <chrono>
#include <limits>
#include <utility>
#include <vector>

namespace todo::app {
namespace {

using Labels = std::vector<prometheus::ClientMetric::Label>;

/// Collects metric families, in the order of their first sample.
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
  void Histogram(std::string name, std::string help, prometheus::ClientMetric::Histogram value) {
    prometheus::ClientMetric metric;
    metric.histogram = std::move(value);
    Add(prometheus::MetricType::Histogram, std::move(name), std::move(help), std::move(metric), {});
  }
  std::string Text() const { return prometheus::TextSerializer().Serialize(families_); }

 private:
  void Add(prometheus::MetricType type, std::string name, std::string help,
           prometheus::ClientMetric metric, Labels labels) {
    metric.label = std::move(labels);
    auto family = std::ranges::find(families_, name, &prometheus::MetricFamily::name);
    if (family == families_.end())
      family = families_.insert(family, {std::move(name), std::move(help), type, {}});
    family->metric.push_back(std::move(metric));
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
    page.Gauge("todo_database_connections", "Open connections to the database, by pool",
               stats.open_count, labels);
  });
  each([&](const Labels& labels, const store::PoolStats& stats) {
    page.Gauge("todo_database_connections_in_use", "Database connections in use, by pool",
               stats.in_use_count, labels);
  });
  each([&](const Labels& labels, const store::PoolStats& stats) {
    page.Counter("todo_database_connections_lost_total",
                 "Database connections that were lost, by pool", Number(stats.discarded_count),
                 labels);
  });
  each([&](const Labels& labels, const store::PoolStats& stats) {
    page.Counter("todo_database_pool_exhausted_total",
                 "Times that no database connection became free in time, by pool",
                 Number(stats.exhausted_count), labels);
  });
}

void AddRelay(Page& page, const relay::RelayStats& relay) {
  page.Gauge("todo_relay_owned_shards", "Shards of the outbox that this replica publishes",
             relay.owned_shards);
  page.Gauge("todo_relay_bus_failing", "1 if the last publish of at least one shard failed, else 0",
             relay.bus_failing ? 1 : 0);
  page.Counter("todo_relay_published_changes_total",
               "Changes and messages published to all their topics", Number(relay.published_count));
  page.Counter("todo_relay_publish_failures_total", "Publishes that failed; each is repeated",
               Number(relay.publish_failures));
}

void AddStore(Page& page, const ports::StoreStatus& store, domain::Instant now) {
  page.Gauge("todo_outbox_unpublished_changes",
             "Changes not yet published, counted up to 20,000 for each shard",
             Number(store.unpublished_changes));
  page.Gauge("todo_outbox_unpublished_messages",
             "Messages not yet published (reminder events, dead letters, notices for screens)",
             Number(store.unpublished_messages));
  page.Gauge("todo_outbox_oldest_seconds",
             "Age of the oldest change or message that is not yet published, in seconds",
             SecondsSince(store.oldest_unpublished, now));
  page.Gauge("todo_retries_waiting", "Events in the retry queue", Number(store.waiting_retries));
  page.Gauge("todo_dead_letters_open",
             "Dead letters that no operator has replayed or discarded yet",
             Number(store.open_dead_letters));
  page.Gauge("todo_reminders_pending", "Reminders that have not fired yet, counted up to 100,000",
             Number(store.pending_reminders));
  page.Gauge("todo_reminders_overdue",
             "Reminders that have not fired although their time has passed",
             Number(store.overdue_reminders));
  page.Gauge("todo_reminders_unplanned", "Reminders to be planned again because their task changed",
             Number(store.unplanned_reminders));
  page.Gauge("todo_reminder_jobs_unwritten",
             "Reminders whose scheduler job has yet to be written or deleted",
             Number(store.unwritten_jobs));
  page.Gauge("todo_deliveries_pending",
             "Deliveries (webhook calls, mails, pushes) not yet made, counted up to 100,000",
             Number(store.pending_deliveries));
  page.Gauge("todo_deliveries_oldest_seconds", "Age of the oldest delivery that is due, in seconds",
             SecondsSince(store.oldest_delivery, now));
  page.Gauge(
      "todo_events_missing",
      "Events that an audited consumer has not taken although they were published longer ago "
      "than --audit-delay",
      Number(store.missing_events));
  page.Gauge("todo_events_lost",
             "Events that an audited consumer has not taken although they were published again the "
             "maximum number of times",
             Number(store.lost_events));
}

prometheus::ClientMetric::Histogram HistogramOf(const live::LagStats& lag) {
  prometheus::ClientMetric::Histogram histogram;
  histogram.sample_sum = lag.sum_seconds;
  for (std::size_t i = 0; i < lag.counts.size(); ++i) {
    histogram.sample_count += lag.counts[i];
    const bool last = i == live::LagStats::kBoundsSeconds.size();
    histogram.bucket.push_back({.cumulative_count = histogram.sample_count,
                                .upper_bound = last ? std::numeric_limits<double>::infinity()
                                                    : live::LagStats::kBoundsSeconds[i]});
  }
  return histogram;
}

void AddLive(Page& page, const live::FeedStats& live, std::uint64_t malformed_updates) {
  page.Gauge("todo_live_screens", "Live screens, through any door", Number(live.watches));
  page.Gauge("todo_live_users", "Users who have live screens", Number(live.users));
  page.Counter("todo_live_updates_total", "Updates that came from the bus", Number(live.updates));
  page.Counter("todo_live_deliveries_total", "Updates given to live screens",
               Number(live.deliveries));
  page.Histogram("todo_live_lag_seconds", "Time from a change to its arrival at this replica",
                 HistogramOf(live.lag));
  for (const auto& [of, count] :
       {std::pair{"missed", live.reads}, {"snapshot", live.page_reads}, {"check", live.checks}}) {
    page.Counter("todo_live_queries_total", "Queries for live screens, by purpose", Number(count),
                 {{"purpose", of}});
  }
  page.Counter("todo_live_queries_failed_total",
               "Queries for live screens that failed; each is repeated",
               Number(live.failed_queries));
  for (const auto& [reason, count] : {std::pair{"UNKNOWN_CURSOR", live.resyncs_unknown_cursor},
                                      {"TOO_FAR_BEHIND", live.resyncs_too_far_behind}}) {
    page.Counter("todo_live_resyncs_total",
                 "Times that a live screen was told to begin again, by reason", Number(count),
                 {{"reason", reason}});
  }
  page.Counter("todo_live_screens_lost_total",
               "Live screens that went away or read too slowly while something was sent to them",
               Number(live.lost_sinks));
  page.Counter("todo_live_updates_malformed_total",
               "Records of task-updates that could not be read", Number(malformed_updates));
}

void AddPorts(Page& page, const MetricsSnapshot& snapshot) {
  for (const auto& [port, stats] : snapshot.http) {
    page.Gauge("todo_http_connections", "Open connections to the HTTP ports, by port",
               stats.open_count, {{"port", port}});
    page.Counter("todo_http_connections_refused_total",
                 "Connections refused because all places of the HTTP port were in use, by port",
                 Number(stats.refused_count), {{"port", port}});
    page.Counter("todo_http_requests_total", "Requests whose head has arrived, by HTTP port",
                 Number(stats.request_count), {{"port", port}});
  }
  for (const auto& [port, stats] : snapshot.grpc) {
    page.Gauge("todo_grpc_connections", "Open connections to the gRPC ports, by port",
               stats.open_count, {{"port", port}});
    page.Counter("todo_grpc_connections_accepted_total",
                 "Connections accepted since the start, by gRPC port", stats.accepted_count,
                 {{"port", port}});
  }
  page.Counter("todo_answers_cancelled_total",
               "gRPC answers cancelled because their callers left too much unread",
               Number(snapshot.cancelled_answers));
}

}  // namespace

std::string MetricsText(const MetricsSnapshot& snapshot) {
  Page page;
  page.Gauge("todo_build_info", "Always 1; the label tells the version of the program", 1,
             {{"version", snapshot.version}});
  page.Gauge("todo_healthy", "1 if the service is ready and its database answers, else 0",
             snapshot.healthy ? 1 : 0);
  AddPools(page, snapshot.pools);
  for (const auto& [name, count] : snapshot.queued_calls) {
    page.Gauge("todo_worker_queue", "Calls that wait for a free worker, by worker pool",
               static_cast<double>(count), {{"pool", name}});
  }
  for (const auto& [reason, count] : snapshot.refused_calls) {
    page.Counter("todo_calls_refused_total",
                 "API calls refused because of a limit of their user, by reason", Number(count),
                 {{"reason", reason}});
  }
  page.Counter("todo_event_ids_reused_total",
               "Events ignored because another event of the same day had the same id",
               Number(snapshot.reused_event_ids));
  page.Counter("todo_event_deliveries_total",
               "Calls of the sidecar with events; one call may bring many events",
               Number(snapshot.delivery_count));
  page.Gauge(
      "todo_event_deliveries_stopped",
      "1 if events are missing and the sidecar has brought none for at least --audit-delay, else 0",
      snapshot.deliveries_stopped ? 1 : 0);
  if (snapshot.relay) AddRelay(page, *snapshot.relay);
  if (snapshot.store) AddStore(page, *snapshot.store, snapshot.now);
  for (const auto& [name, count] : snapshot.delivery_attempts) {
    page.Counter("todo_delivery_attempts_total",
                 "Attempts to make a delivery (webhook call, mail, push), by channel and outcome",
                 Number(count), {{"channel", name.first}, {"outcome", name.second}});
  }
  AddPorts(page, snapshot);
  if (snapshot.live) AddLive(page, *snapshot.live, snapshot.malformed_updates);
  return page.Text();
}

}  // namespace todo::app
