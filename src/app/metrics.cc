#include "app/metrics.h"

#include <chrono>
#include <string>
#include <string_view>
#include <utility>

#include "app/metrics_page.h"

namespace todo::app {
namespace {

using Labels = MetricsPage::Labels;

void AddPools(MetricsPage& page, const std::map<std::string, store::PoolStats>& pools) {
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
  each([&](const Labels& labels, const store::PoolStats& stats) {
    page.Gauge("todo_database_connections_max", "Connections that a pool may open, by pool",
               stats.max_count, labels);
  });
  each([&](const Labels& labels, const store::PoolStats& stats) {
    page.Gauge("todo_database_pool_waiting", "Threads that wait for a free connection, by pool",
               stats.waiting_count, labels);
  });
  each([&](const Labels& labels, const store::PoolStats& stats) {
    page.Histogram("todo_database_pool_wait_seconds",
                   "Time that a thread waited for a free connection, by pool", stats.waits, labels);
  });
}

void AddMutations(MetricsPage& page, const store::MutationQueueStats& mutations) {
  page.Gauge("todo_mutations_waiting",
             "Calls that change a task and wait for the transaction that they will share",
             Number(mutations.waiting_count));
  page.Counter("todo_mutation_batches_total", "Transactions that calls shared",
               Number(mutations.batch_count));
  for (const auto& [way, count] :
       {std::pair("batch", mutations.batched_count), std::pair("alone", mutations.alone_count)}) {
    page.Counter("todo_mutations_total",
                 "Calls that change a task, by way: batch (in a transaction that calls shared), "
                 "alone (in one of its own)",
                 Number(count), {{"way", way}});
  }
}

void AddCalls(MetricsPage& page, const std::vector<MethodCalls>& methods) {
  for (const MethodCalls& method : methods) {
    for (const auto& [code, times] : method.by_code) {
      page.Histogram(
          "todo_call_duration_seconds",
          "Time from the arrival of a call to its answer, or to the begin of its stream, "
          "by method and status code",
          times, {{"method", method.name}, {"code", absl::StatusCodeToString(code)}});
    }
  }
}

void AddEvents(MetricsPage& page,
               const std::map<std::string, service::EventFigures::Consumer>& consumers) {
  for (const auto& [name, consumer] : consumers) {
    for (const auto& [result, count] : consumer.results) {
      page.Counter("todo_events_total",
                   "Events and attempts at events, by consumer and result: applied, repeated (an "
                   "event that it had before), failed (another attempt follows), waiting (a "
                   "service that the consumer needs is away), dead (became a dead letter)",
                   Number(count), {{"consumer", name}, {"result", result}});
    }
  }
  for (const auto& [name, consumer] : consumers) {
    page.Histogram("todo_event_lag_seconds", "Time from an event to its effect, by consumer",
                   consumer.lag, {{"consumer", name}});
  }
}

void AddProcess(MetricsPage& page, const ProcessStats& process) {
  page.Counter("process_cpu_seconds_total", "User and system CPU time, in seconds",
               process.cpu_seconds);
  page.Gauge("process_resident_memory_bytes", "Resident memory, in bytes",
             Number(process.resident_bytes));
  page.Gauge("process_virtual_memory_bytes", "Virtual memory, in bytes",
             Number(process.virtual_bytes));
  page.Gauge("process_open_fds", "Open file descriptors", Number(process.open_descriptors));
  page.Gauge("process_max_fds", "File descriptors that the process may open",
             Number(process.max_descriptors));
  page.Gauge("process_threads", "Threads of the process", Number(process.threads));
  page.Gauge("process_start_time_seconds", "Start of the process, in seconds since 1970",
             process.started_at);
}

void AddRelay(MetricsPage& page, const relay::RelayStats& relay) {
  page.Gauge("todo_relay_owned_shards", "Shards of the outbox that this replica publishes",
             relay.owned_shards);
  page.Gauge("todo_relay_bus_failing", "1 if the last publish of at least one shard failed, else 0",
             relay.bus_failing ? 1 : 0);
  page.Counter("todo_relay_published_changes_total",
               "Changes and messages published to all their topics", Number(relay.published_count));
  page.Counter("todo_relay_publish_failures_total", "Publishes that failed; each is repeated",
               Number(relay.publish_failures));
}

void AddStore(MetricsPage& page, const ports::StoreStatus& store, domain::Instant now) {
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

void AddLive(MetricsPage& page, const live::FeedStats& live, std::uint64_t malformed_updates) {
  page.Gauge("todo_live_screens", "Live screens, through any door", Number(live.watches));
  page.Gauge("todo_live_users", "Users who have live screens", Number(live.users));
  page.Counter("todo_live_updates_total", "Updates that came from the bus", Number(live.updates));
  page.Counter("todo_live_deliveries_total", "Updates given to live screens",
               Number(live.deliveries));
  page.Histogram("todo_live_lag_seconds", "Time from a change to its arrival at a screen's replica",
                 live.lag);
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
  page.Counter("todo_live_screens_expired_total",
               "Live screens that ended because their user's token had expired",
               Number(live.expired));
  page.Counter("todo_live_updates_malformed_total",
               "Records of task-updates that could not be read", Number(malformed_updates));
}

void AddPorts(MetricsPage& page, const MetricsSnapshot& snapshot) {
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
  MetricsPage page;
  page.Gauge("todo_build_info", "Always 1; the label tells the version of the program", 1,
             {{"version", snapshot.version}});
  page.Gauge("todo_healthy", "1 if the service is ready and its database answers, else 0",
             snapshot.healthy ? 1 : 0);
  if (snapshot.sidecar_answers) {
    page.Gauge("todo_sidecar_answers", "1 if the sidecar answers, else 0",
               *snapshot.sidecar_answers ? 1 : 0);
  }
  page.Gauge("todo_clock_difference_seconds", "The machine's clock less the database's, in seconds",
             std::chrono::duration<double>(snapshot.clock_difference).count());
  AddProcess(page, snapshot.process);
  page.Counter("todo_spans_exported_total", "Spans of traces that the collector has taken",
               Number(snapshot.spans.exported));
  page.Counter("todo_spans_dropped_total",
               "Spans of traces that were dropped because the collector did not take them in time",
               Number(snapshot.spans.dropped));
  AddPools(page, snapshot.pools);
  AddMutations(page, snapshot.mutations);
  AddCalls(page, snapshot.calls);
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
  AddEvents(page, snapshot.consumers);
  if (snapshot.relay) AddRelay(page, *snapshot.relay);
  if (snapshot.store) AddStore(page, *snapshot.store, snapshot.now);
  for (const auto& [name, count] : snapshot.delivery_attempts) {
    page.Counter("todo_delivery_attempts_total",
                 "Attempts to make a delivery (webhook call, mail, push), by channel and outcome",
                 Number(count), {{"channel", name.first}, {"outcome", name.second}});
  }
  for (const auto& [channel, times] : snapshot.delivery_times) {
    page.Histogram("todo_delivery_attempt_duration_seconds",
                   "Time that an attempt to make a delivery took, by channel", times,
                   {{"channel", channel}});
  }
  if (snapshot.reminder_lateness) {
    page.Histogram("todo_reminder_lateness_seconds",
                   "Time from the moment of a reminder to its firing", *snapshot.reminder_lateness);
  }
  AddPorts(page, snapshot);
  if (snapshot.live) AddLive(page, *snapshot.live, snapshot.malformed_updates);
  return page.Text();
}

}  // namespace todo::app
