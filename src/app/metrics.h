#pragma once

#include <chrono>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "app/grpc_ports.h"
#include "app/process_stats.h"
#include "domain/time.h"
#include "edge/http_server.h"
#include "live/counters.h"
#include "ports/service_status.h"
#include "relay/relay_loop.h"
#include "service/consumers/event_figures.h"
#include "store/connection_pool.h"
#include "store/mutation_queue_stats.h"
#include "telemetry/span_exporter.h"
#include "util/histogram.h"

namespace todo::app {

/// The calls of one method, by the status code of their ends.
struct MethodCalls {
  std::string name;  // "todo.v1.TodoService/CreateTask"
  std::map<absl::StatusCode, util::HistogramValues> by_code;
};

/// All figures of /metrics at one moment. An absent figure is not known yet.
struct MetricsSnapshot {
  domain::Instant now;
  std::string version;
  bool healthy = false;
  std::optional<bool> sidecar_answers;
  std::chrono::microseconds clock_difference{0};  // the machine's clock less the database's
  ProcessStats process;
  telemetry::ExportStats spans;
  std::vector<MethodCalls> calls;
  std::map<std::string, service::EventFigures::Consumer> consumers;
  std::optional<util::HistogramValues> reminder_lateness;
  std::map<std::string, util::HistogramValues> delivery_times;  // by channel
  std::map<std::string, store::PoolStats> pools;
  store::MutationQueueStats mutations;
  std::map<std::string, std::size_t> queued_calls;     // by worker pool
  std::map<std::string, std::uint64_t> refused_calls;  // at a limit of their user, by reason
  std::uint64_t reused_event_ids = 0;
  std::optional<relay::RelayStats> relay;
  std::uint64_t delivery_count = 0;  // calls of the sidecar with events
  bool deliveries_stopped = false;   // although events are missing
  std::optional<ports::StoreStatus> store;
  std::map<std::pair<std::string, std::string>, std::uint64_t>
      delivery_attempts;                              // by channel, outcome
  std::map<std::string, edge::HttpServerStats> http;  // by port
  std::map<std::string, GrpcPortStats> grpc;          // by port
  std::uint64_t cancelled_answers = 0;                // of gRPC, that were not read
  std::optional<live::FeedStats> live;
  std::uint64_t malformed_updates = 0;  // records of task-updates
};

/// The snapshot in the text format of Prometheus. The names of metrics are a promise to dashboards:
/// new ones may be added, none is renamed or removed.
std::string MetricsText(const MetricsSnapshot& snapshot);

}  // namespace todo::app
