#include "app/metrics.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>

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
