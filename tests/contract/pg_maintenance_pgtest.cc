#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <memory>
#include <string>

#include "contract/contract_support.h"
#include "store/connection_pool.h"
#include "store/database_clock.h"
#include "store/maintenance.h"
#include "store/pg_crash_log.h"
#include "store/pg_event_inbox.h"
#include "store/pg_service_status.h"
#include "support/status_matchers.h"
#include "support/test_database.h"

// What is kept for a time, and how it goes. All of it by the database's clock: nothing here can be
// told another time.

namespace todo::contract {
namespace {

using std::chrono::milliseconds;
using support::TestDatabase;

class PgMaintenanceTest : public testing::Test {
 protected:
  void SetUp() override {
    database_ = TestDatabase::Make();
    if (database_ == nullptr) GTEST_SKIP() << "needs a database";
    pool_ = std::make_unique<store::ConnectionPool>(database_->conninfo());
  }
  void MakeDays() {
    const absl::Status status = store::MakeInboxDays(*pool_);
    EXPECT_TRUE(status.ok()) << status;
  }
  void CleanUp() {
    const absl::Status status = store::CleanUp(*pool_, [](milliseconds) { return true; });
    EXPECT_TRUE(status.ok()) << status;
  }
  /// The partitions, as days from today.
  std::string Days() {
    return database_->Run(
        "select coalesce(string_agg((to_date(right(relname, 8), 'YYYYMMDD') - (now() at time zone "
        "'UTC')::date)::text, ' ' order by relname), '') from pg_class where relname ~ "
        "'^inbox_\\d{8}$' and relkind = 'r'");
  }
  /// One of our events, `days` days from today.
  void Insert(int days, const std::string& event = "gen_random_uuid()") {
    database_->Run(fmt::format(
        "insert into inbox values ('c', (now() at time zone 'UTC')::date + {}, {})", days, event));
  }
  std::string Count(const std::string& table) {
    return database_->Run("select count(*) from " + table);
  }
  void Letter(const std::string& state, const std::string& resolved_at, bool has_event_id = true,
              const std::string& failed_at = "'2026-03-01'") {
    database_->Run(fmt::format(
        "insert into dead_letters (id, consumer, event_id, has_event_id, day, user_id, task_id, "
        "attempts, first_failed_at, last_failed_at, reason, topic, partition, \"offset\", "
        "record_key, content_type, record, state, resolved_at) values (gen_random_uuid(), 'c', "
        "gen_random_uuid(), {}, '2026-03-01', 'ann', 1, 4, {}, {}, 'r', 't', 0, 0, '', '', 'body', "
        "'{}', {})",
        has_event_id, failed_at, failed_at, state, resolved_at));
  }

  std::unique_ptr<TestDatabase> database_;
  std::unique_ptr<store::ConnectionPool> pool_;
};

TEST_F(PgMaintenanceTest, ThereIsRoomForTheComingDays) {
  MakeDays();
  EXPECT_EQ(Days(), "-1 0 1 2 3 4 5 6 7");
  Insert(0);
  Insert(7);
  Insert(8);
  EXPECT_EQ(Count("inbox_default"), "1");
  MakeDays();
  EXPECT_EQ(Days(), "-1 0 1 2 3 4 5 6 7") << "harmless to repeat";
  EXPECT_EQ(Count("inbox"), "3");
}

TEST_F(PgMaintenanceTest, EventsDatedAheadMoveToTheirDayWhenItIsMade) {
  const std::string event = "'00000000-0000-4000-8000-000000000001'";
  Insert(3, event);
  Insert(3);
  Insert(300);
  database_->Run("update inbox set received_at = now() - interval '20 days'");
  MakeDays();
  EXPECT_EQ(Days(), "-1 0 1 2 3 4 5 6 7");
  EXPECT_EQ(Count("inbox_default"), "1") << "the one whose day is far away";
  EXPECT_EQ(database_->Run("select count(*) from inbox where received_at < now() - interval '19 "
                           "days'"),
            "3")
      << "with the time at which they came";
  EXPECT_ANY_THROW(Insert(3, event)) << "delivered again, it is known";
}

TEST_F(PgMaintenanceTest, ADayWithTooManyRowsToMoveStopsNoOther) {
  database_->Run(
      "insert into inbox (consumer, day, event_id) select 'c', (now() at time zone 'UTC')::date + "
      "3, gen_random_uuid() from generate_series(1, 50001)");
  testing::internal::CaptureStderr();
  MakeDays();
  const std::string logged = testing::internal::GetCapturedStderr();
  EXPECT_NE(logged.find("inbox_day_stays_in_default"), std::string::npos) << logged;
  EXPECT_EQ(Days(), "-1 0 1 2 4 5 6 7");
  EXPECT_EQ(Count("inbox_default"), "50001");
  database_->Run("delete from inbox_default where ctid = (select min(ctid) from inbox_default)");
  MakeDays();
  EXPECT_EQ(Days(), "-1 0 1 2 3 4 5 6 7");
  EXPECT_EQ(Count("inbox_default"), "0");
}

TEST_F(PgMaintenanceTest, DaysOlderThanAMonthAreDropped) {
  MakeDays();
  for (const int days : {-30, -31}) {
    database_->Run(
        fmt::format("select make_inbox_day((now() at time zone 'UTC')::date + {})", days));
    Insert(days);
  }
  Insert(-300);
  CleanUp();
  EXPECT_EQ(Days(), "-30 -1 0 1 2 3 4 5 6 7");
  EXPECT_EQ(Count("inbox"), "2");
  EXPECT_EQ(Count("inbox_default"), "1")
      << "what foreign producers date tells nothing about when it came";
}

TEST_F(PgMaintenanceTest, RowsOfTheDefaultPartitionAreForgottenByTheirArrival) {
  MakeDays();
  database_->Run(
      "insert into inbox select 'c', '0001-01-01', gen_random_uuid() from "
      "generate_series(1, 2)");
  Insert(-300);
  Insert(3000);
  EXPECT_EQ(Count("inbox_undated"), "2");
  EXPECT_EQ(Count("inbox_default"), "2");
  database_->Run("update inbox set received_at = now() - interval '30 days' + interval '1 minute'");
  CleanUp();
  EXPECT_EQ(Count("inbox"), "4");
  database_->Run("update inbox set received_at = now() - interval '30 days'");
  Insert(4000);
  CleanUp();
  EXPECT_EQ(Count("inbox"), "1") << "the one that came just now";
}

TEST_F(PgMaintenanceTest, SeveralReplicasMayCleanUpAtOnce) {
  InParallel(4, [&](int) {
    // Who comes late to a lock comes again.
    for (absl::Status status = absl::AbortedError(""); absl::IsAborted(status);) {
      status = store::MakeInboxDays(*pool_);
      EXPECT_TRUE(status.ok() || absl::IsAborted(status)) << status;
    }
    CleanUp();
  });
  EXPECT_EQ(Days(), "-1 0 1 2 3 4 5 6 7");
}

TEST_F(PgMaintenanceTest, AReplicaFarAheadTakesItsTimeFromTheDatabase) {
  class FarAhead final : public ports::Clock {
   public:
    domain::Instant Now() const override {
      return std::chrono::floor<std::chrono::microseconds>(std::chrono::system_clock::now()) +
             std::chrono::hours(60 * 24);
    }
  } machine;
  store::DatabaseClock clock(machine);
  testing::internal::CaptureStderr();
  ASSERT_TRUE(clock.Measure(*pool_).ok());
  const std::string logged = testing::internal::GetCapturedStderr();
  EXPECT_NE(logged.find("\"clock_differs\""), std::string::npos) << logged;
  const std::string now = domain::FormatInstant(clock.Now());
  EXPECT_EQ(database_->Run(fmt::format(
                "select '{}'::timestamptz between now() - interval '1 minute' and now() + interval "
                "'1 minute'",
                now)),
            "t")
      << now;
}

TEST_F(PgMaintenanceTest, AnyNumberOfOldRowsIsDeleted) {
  database_->Run(
      "insert into requests select 'ann', gen_random_uuid(), '', null, '{}', now() - interval '8 "
      "days' + i * interval '1 second' from generate_series(1, 2500) i");
  database_->Run(
      "insert into requests select 'ann', gen_random_uuid(), '', null, '{}', now() - interval '7 "
      "days' + interval '1 minute'");
  CleanUp();
  EXPECT_EQ(Count("requests"), "1") << "a week is kept";
}

TEST_F(PgMaintenanceTest, CleaningUpRestsAndEndsWhenItIsTold) {
  database_->Run(
      "insert into requests select 'ann', gen_random_uuid(), '', null, '{}', '2026-03-01' from "
      "generate_series(1, 5000)");
  int rests = 0;
  const auto rest = [&](milliseconds) {
    ++rests;
    return Count("requests") == "5000";
  };
  EXPECT_TRUE(store::CleanUp(*pool_, rest).ok());
  EXPECT_EQ(Count("requests"), "4000") << "one portion";
  EXPECT_GT(rests, 1);
}

TEST_F(PgMaintenanceTest, OneKindThatFailsDoesNotStopTheOthers) {
  database_->Run(
      "insert into requests select 'ann', gen_random_uuid(), '', null, '{}', "
      "'2026-03-01'");
  Letter("discarded", "'2026-03-01'");
  database_->Run(
      "create function refuse() returns trigger language plpgsql as $$ begin raise exception "
      "'refused'; end $$; create trigger refuse before delete on requests for each row execute "
      "function refuse()");
  EXPECT_THAT(store::CleanUp(*pool_, [](milliseconds) { return true; }),
              support::StatusIs(absl::StatusCode::kInternal));
  EXPECT_EQ(Count("requests"), "1");
  EXPECT_EQ(Count("dead_letters"), "0");
}

TEST_F(PgMaintenanceTest, PublishedMessagesOfLastWeekAreForgotten) {
  const auto late = database_->Open();
  late->Run("begin");
  late->Run("select add_message('t', 'ann', gen_random_uuid(), 'committed late')");
  database_->Run("select add_message('t', 'ann', gen_random_uuid(), 'published')");
  database_->Run(
      "update relay_shards set message_position = (select max(id) from messages), "
      "snapshot = pg_current_snapshot()::text where shard = shard_of('ann')");
  late->Run("commit");
  database_->Run("select add_message('t', 'ann', gen_random_uuid(), 'not yet published')");
  database_->Run("update messages set at = now() - interval '7 days' + interval '1 minute'");
  CleanUp();
  EXPECT_EQ(Count("messages"), "3");
  database_->Run("update messages set at = now() - interval '7 days'");
  CleanUp();
  EXPECT_EQ(database_->Run("select string_agg(payload, ', ' order by id) from messages"),
            "committed late, not yet published")
      << "what the relay has not sent stays, however old it is";
}

TEST_F(PgMaintenanceTest, DeadLettersResolvedLongAgoAreForgotten) {
  for (const char* state : {"open", "replayed", "discarded"}) {
    Letter(state, "now() - interval '90 days'");
    Letter(state, "now() - interval '89 days'");
  }
  CleanUp();
  EXPECT_EQ(database_->Run("select string_agg(state, ' ' order by state) from dead_letters"),
            "discarded open open replayed");
}

TEST_F(PgMaintenanceTest, OldDeadLettersOfUnreadableRecordsAreDiscarded) {
  Letter("open", "null", true, "now() - interval '300 days'");
  Letter("open", "null", false, "now() - interval '29 days'");
  Letter("open", "null", false, "now() - interval '30 days'");
  CleanUp();
  EXPECT_EQ(database_->Run("select string_agg(state || ' ' || convert_from(record, 'UTF8') || ' ' "
                           "|| resolved_by, ', ' order by last_failed_at) from dead_letters"),
            "open body , discarded  todo-service, open body ");
  database_->Run(
      "update dead_letters set resolved_at = now() - interval '90 days' where state = "
      "'discarded'");
  CleanUp();
  EXPECT_EQ(Count("dead_letters"), "2");
}

TEST_F(PgMaintenanceTest, EventsInFlightOfAnInstanceThatNeverCameBackAreForgotten) {
  store::PgCrashLog gone(*pool_, "gone");
  store::PgCrashLog busy(*pool_, "busy");
  domain::EventHeader event;
  event.id = NewEventId();
  event.at = At("2026-03-01T09:00:00Z");
  for (store::PgCrashLog* log : {&gone, &busy}) ASSERT_TRUE(log->Begin(0, "c", {event}).ok());
  database_->Run("update processing set at = now() - interval '1 day'");
  ASSERT_TRUE(busy.Begin(0, "c", {event}).ok());
  database_->Run(
      "insert into crash_counts select 'c', gen_random_uuid(), 1, now() - i * interval '23 hours' "
      "from generate_series(1, 2) i");
  CleanUp();
  EXPECT_EQ(database_->Run("select string_agg(instance, ' ') from processing"), "busy");
  EXPECT_EQ(Count("crash_counts"), "1");
}

TEST_F(PgMaintenanceTest, AForeignTaskIsForgottenWhenNeitherInboxNorSuccessorNeedIt) {
  store::PgEventInbox inbox(*pool_, {});
  const domain::UserId user{"ann"};
  const domain::Uuid series = NewUuid();
  const auto advance = [&](std::int64_t version) {
    const absl::Status status =
        inbox.Transact([&](ports::InboxTransaction& transaction) -> absl::Status {
          return transaction.recurrence()
              .AdvanceForeignTasks({{user, series, version, At("9999-01-01T00:00:00Z")}})
              .status();
        });
    EXPECT_TRUE(status.ok()) << status;
  };
  const auto days_pass = [&](int days) {
    database_->Run(
        fmt::format("update foreign_tasks set keep_until = keep_until - interval '{} days'", days));
  };
  advance(1);
  database_->Run(fmt::format(
      "insert into tasks (user_id, id, version, seq, title, completed, priority, tags, time_zone, "
      "recurrence_basis, series_id, occurrence, missed, created_at, updated_at) values ('ann', 1, "
      "1, 1, 't', false, 1, '{{}}', 'UTC', 'schedule', '{}', 2, 0, now(), now())",
      series.value()));
  days_pass(29);
  advance(2);
  days_pass(29);
  CleanUp();
  EXPECT_EQ(Count("foreign_tasks"), "1") << "the inbox knows its last event";
  days_pass(2);
  CleanUp();
  EXPECT_EQ(Count("foreign_tasks"), "1") << "its successor is open";
  database_->Run("update tasks set completed = true");
  CleanUp();
  EXPECT_EQ(Count("foreign_tasks"), "1") << "looked at once a day";
  days_pass(1);
  CleanUp();
  EXPECT_EQ(Count("foreign_tasks"), "0");
}

TEST_F(PgMaintenanceTest, CountingOpenDeadLettersReadsAnIndexAlone) {
  for (int i = 0; i < 3; ++i) Letter("open", "null");
  Letter("discarded", "now()");
  EXPECT_EQ(store::PgServiceStatus(*pool_).Read()->open_dead_letters, 3);
  database_->Run(
      "insert into dead_letters select (md5(i::text))::uuid, consumer, event_id, has_event_id, "
      "day, "
      "user_id, task_id, attempts, first_failed_at, last_failed_at, reason, topic, partition, "
      "\"offset\", record_key, content_type, record, state, note, resolved_at, resolved_by from "
      "(select * from dead_letters limit 1) d, generate_series(1, 3000) i");
  database_->Run("vacuum analyze dead_letters");
  const std::string plan = database_->Run(
      "explain (format json) select count(*) from (select from dead_letters where state = 'open' "
      "order by first_failed_at, id limit 100000) x");
  EXPECT_NE(plan.find("Index Only Scan"), std::string::npos) << plan;
  EXPECT_EQ(plan.find("Seq Scan"), std::string::npos) << plan;
}

}  // namespace
}  // namespace todo::contract
