#include "app/metrics.h"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <array>
#include <chrono>
#include <string>

#include "absl/status/status.h"
#include "util/histogram.h"

namespace todo::app {
namespace {

using testing::HasSubstr;
using testing::Not;
using namespace std::chrono_literals;

TEST(MetricsTest, ShowsBacklogsAndTheirAges) {
  MetricsSnapshot snapshot;
  snapshot.now = domain::Instant(100s);
  snapshot.version = "1.2.3";
  snapshot.healthy = true;
  snapshot.pools["calls"].open_count = 7;
  snapshot.queued_calls["api"] = 3;
  snapshot.refused_calls["USER_BUSY"] = 4;
  snapshot.reused_event_ids = 6;
  snapshot.relay.emplace().published_count = 41;
  snapshot.store.emplace().unpublished_changes = 500;
  snapshot.store->oldest_unpublished = domain::Instant(97s);
  snapshot.store->open_dead_letters = 2;
  snapshot.store->missing_events = 9;
  snapshot.delivery_count = 21;
  snapshot.deliveries_stopped = true;
  snapshot.store->pending_deliveries = 12;
  snapshot.store->oldest_delivery = domain::Instant(60s);
  snapshot.delivery_attempts[{"webhook", "retry"}] = 5;
  const std::string text = MetricsText(snapshot);
  for (const char* line :
       {"todo_build_info{version=\"1.2.3\"} 1\n", "todo_healthy 1\n",
        "todo_database_connections{pool=\"calls\"} 7\n", "todo_worker_queue{pool=\"api\"} 3\n",
        "todo_calls_refused_total{reason=\"USER_BUSY\"} 4\n", "todo_event_ids_reused_total 6\n",
        "# TYPE todo_relay_published_changes_total counter\n",
        "todo_relay_published_changes_total 41\n", "todo_outbox_unpublished_changes 500\n",
        "todo_outbox_oldest_seconds 3\n", "todo_dead_letters_open 2\n", "todo_events_missing 9\n",
        "todo_event_deliveries_total 21\n", "todo_event_deliveries_stopped 1\n",
        "todo_deliveries_pending 12\n", "todo_deliveries_oldest_seconds 40\n",
        "todo_delivery_attempts_total{channel=\"webhook\",outcome=\"retry\"} 5\n"}) {
    EXPECT_THAT(text, HasSubstr(line));
  }
}

TEST(MetricsTest, ShowsHistogramsOfCallsEventsAndReminders) {
  constexpr std::array<double, 2> kBounds = {0.1, 1.0};
  util::Histogram times(kBounds);
  times.Note(50ms);
  times.Note(500ms);
  times.Note(5s);
  MetricsSnapshot snapshot;
  snapshot.calls = {{.name = "todo.v1.TodoService/GetTask",
                     .by_code = {{absl::StatusCode::kNotFound, times.Read()}}},
                    {.name = "todo.v1.TodoService/CreateTask", .by_code = {}}};
  snapshot.consumers["usage"] = {.results = {{"applied", 5}, {"dead", 1}}, .lag = times.Read()};
  snapshot.reminder_lateness = times.Read();
  snapshot.delivery_times["webhook"] = times.Read();
  snapshot.pools["calls"].waits = times.Read();
  const std::string text = MetricsText(snapshot);
  const std::string call = "{method=\"todo.v1.TodoService/GetTask\",code=\"NOT_FOUND\"";
  for (const std::string& line :
       {std::string("# TYPE todo_call_duration_seconds histogram\n"),
        fmt::format("todo_call_duration_seconds_count{}}} 3\n", call),
        fmt::format("todo_call_duration_seconds_sum{}}} 5.55\n", call),
        fmt::format("todo_call_duration_seconds_bucket{},le=\"0.1\"}} 1\n", call),
        fmt::format("todo_call_duration_seconds_bucket{},le=\"1\"}} 2\n", call),
        fmt::format("todo_call_duration_seconds_bucket{},le=\"+Inf\"}} 3\n", call),
        std::string("todo_events_total{consumer=\"usage\",result=\"applied\"} 5\n"),
        std::string("todo_event_lag_seconds_count{consumer=\"usage\"} 3\n"),
        std::string("todo_reminder_lateness_seconds_count 3\n"),
        std::string("todo_delivery_attempt_duration_seconds_count{channel=\"webhook\"} 3\n"),
        std::string("todo_database_pool_wait_seconds_count{pool=\"calls\"} 3\n")}) {
    EXPECT_THAT(text, HasSubstr(line));
  }
  EXPECT_THAT(text, Not(HasSubstr("CreateTask"))) << "a method without calls takes no room";
}

TEST(MetricsTest, ShowsTheProcessTheClockAndTheSidecar) {
  MetricsSnapshot snapshot;
  snapshot.clock_difference = -1500ms;
  snapshot.process = {.cpu_seconds = 1.5, .open_descriptors = 7, .max_descriptors = 99};
  EXPECT_THAT(MetricsText(snapshot), Not(HasSubstr("todo_sidecar_answers")));
  snapshot.sidecar_answers = false;
  snapshot.spans = {.exported = 12, .dropped = 3};
  const std::string text = MetricsText(snapshot);
  for (const char* line :
       {"todo_sidecar_answers 0\n", "todo_spans_exported_total 12\n",
        "todo_spans_dropped_total 3\n", "todo_clock_difference_seconds -1.5\n",
        "process_cpu_seconds_total 1.5\n", "process_open_fds 7\n", "process_max_fds 99\n"}) {
    EXPECT_THAT(text, HasSubstr(line));
  }
}

TEST(MetricsTest, PortsShareAFamilyOfEachMetric) {
  MetricsSnapshot snapshot;
  snapshot.http["ops"].open_count = 1;
  snapshot.http["web"].open_count = 2;
  snapshot.grpc["api"] = {.open_count = 3, .accepted_count = 30};
  snapshot.grpc["app"].open_count = 4;
  const std::string text = MetricsText(snapshot);
  EXPECT_THAT(text, HasSubstr("# TYPE todo_http_connections gauge\n"
                              "todo_http_connections{port=\"ops\"} 1\n"
                              "todo_http_connections{port=\"web\"} 2\n"));
  EXPECT_THAT(text, HasSubstr("# TYPE todo_grpc_connections gauge\n"
                              "todo_grpc_connections{port=\"api\"} 3\n"
                              "todo_grpc_connections{port=\"app\"} 4\n"));
  EXPECT_THAT(text, HasSubstr("todo_grpc_connections_accepted_total{port=\"api\"} 30\n"));
}

TEST(MetricsTest, LeavesOutUnknownFigures) {
  const std::string text = MetricsText({});
  EXPECT_THAT(text, HasSubstr("todo_healthy 0\n"));
  EXPECT_THAT(text, Not(HasSubstr("todo_outbox")));
  EXPECT_THAT(text, Not(HasSubstr("todo_relay")));
}

}  // namespace
}  // namespace todo::app
