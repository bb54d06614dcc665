#include <fmt/format.h>

#include <string>
#include <vector>

#include "api/method.h"
#include "app/application.h"
#include "app/config/help.h"
#include "app/metrics.h"
#include "app/process_stats.h"

namespace todo::app {
namespace {

std::vector<MethodCalls> CallsOf(const api::MethodTable& methods) {
  std::vector<MethodCalls> calls;
  for (const api::Method& method : methods.methods()) {
    calls.push_back({.name = fmt::format("{}/{}", method.service, method.name),
                     .by_code = method.figures->Read()});
  }
  return calls;
}

}  // namespace

MetricsSnapshot Application::Figures() {
  MetricsSnapshot snapshot{.now = clock_.Now(),
                           .version = std::string(Version()),
                           .healthy = health_.IsHealthy(),
                           .sidecar_answers = status_sampler_.sidecar_answers(),
                           .clock_difference = machine_clock_.Now() - clock_.Now(),
                           .process = ReadProcessStats(),
                           .spans = spans_ ? spans_() : telemetry::ExportStats(),
                           .calls = CallsOf(methods_),
                           .consumers = {},
                           .reminder_lateness = {},
                           .delivery_times = {},
                           .pools = connections_.stats(),
                           .mutations = stores_.tasks.queue_stats(),
                           .queued_calls = {{"api", api_workers_.queued_count()},
                                            {"events", event_workers_.queued_count()}},
                           .refused_calls = user_limits_.refused(),
                           .reused_event_ids = processor_.reused_id_count(),
                           .relay = {},
                           .delivery_count = app_callback_.delivery_count(),
                           .deliveries_stopped = status_sampler_.deliveries_stopped(),
                           .store = status_sampler_.latest(),
                           .delivery_attempts = {},
                           .http = http_ports_.stats(),
                           .grpc = grpc_ports_.stats(),
                           .cancelled_answers = grpc_door_.cancelled_answer_count(),
                           .live = {}};
  if (config_.takes_calls()) {
    snapshot.live = feed_.stats();
    snapshot.malformed_updates = live_updates_.malformed_count();
  }
  if (config_.takes_events()) {
    snapshot.consumers = processor_.figures();
    snapshot.reminder_lateness = reminders_.lateness();
    snapshot.delivery_attempts = delivery_sender_.attempts();
    snapshot.delivery_times = delivery_sender_.attempt_times();
  }
  if (config_.takes_events() && health_.ready()) snapshot.relay = relay_.stats();
  return snapshot;
}

}  // namespace todo::app
