#include <gtest/gtest.h>

#include "contract/contract_support.h"
#include "embedded_migrations.h"
#include "store/connection_pool.h"
#include "store/maintenance.h"
#include "store/migrations.h"
#include "support/test_database.h"

namespace todo::contract {
namespace {

using absl::StatusCode;
using support::TestDatabase;

class PgMigrationsTest : public testing::Test {
 protected:
  void SetUp() override {
    database_ = TestDatabase::Make(/*migrated=*/false);
    if (database_ == nullptr) GTEST_SKIP() << "needs a database";
  }
  absl::Status Migrate(const store::MigrationOptions& options = {}) {
    return store::Migrate(database_->conninfo(), options);
  }
  std::string AppliedCount() { return database_->Run("select count(*) from schema_migrations"); }

  const std::string all_ = std::to_string(db::EmbeddedMigrations().size());
  std::unique_ptr<TestDatabase> database_;
};

TEST_F(PgMigrationsTest, SeveralReplicasMayMigrateAtOnceAndAgain) {
  InParallel(6, [&](int) {
    const absl::Status status = Migrate();
    EXPECT_TRUE(status.ok()) << status;
  });
  EXPECT_EQ(AppliedCount(), all_);
  EXPECT_TRUE(Migrate().ok());
  EXPECT_EQ(AppliedCount(), all_);
  EXPECT_EQ(database_->Run("select name from schema_migrations where version = 1"),
            db::EmbeddedMigrations().front().name);
}

TEST_F(PgMigrationsTest, ADatabaseOfANewerProgramIsRefused) {
  ASSERT_TRUE(Migrate().ok());
  database_->Run(
      "insert into schema_migrations (version, name, checksum) values (9999, 'V9999__later.sql', "
      "'x')");
  const absl::Status status = Migrate();
  EXPECT_EQ(status.code(), StatusCode::kFailedPrecondition);
  EXPECT_NE(status.message().find("9999"), absl::string_view::npos) << status;
}

TEST_F(PgMigrationsTest, AChangedMigrationIsRefused) {
  ASSERT_TRUE(Migrate().ok());
  database_->Run("update schema_migrations set checksum = 'other' where version = 2");
  const absl::Status status = Migrate();
  EXPECT_EQ(status.code(), StatusCode::kFailedPrecondition);
  EXPECT_NE(status.message().find("V0002"), absl::string_view::npos) << status;
}

TEST_F(PgMigrationsTest, ADatabaseWithoutIcuCollationsIsRefused) {
  database_->Run(
      "set allow_system_table_mods = on; delete from pg_collation where collprovider = 'i'");
  const absl::Status status = Migrate();
  EXPECT_EQ(status.code(), StatusCode::kFailedPrecondition);
  EXPECT_NE(status.message().find("ICU"), absl::string_view::npos) << status;
}

TEST_F(PgMigrationsTest, AMigrationThatFailsLeavesNothing) {
  // The second one cannot make its table.
  database_->Run("create table inbox (i int)");
  EXPECT_EQ(Migrate().code(), StatusCode::kInternal);
  EXPECT_EQ(AppliedCount(), "1");
  EXPECT_EQ(database_->Run("select to_regclass('foreign_tasks') is null"), "t");
  database_->Run("drop table inbox");
  EXPECT_TRUE(Migrate().ok());
  EXPECT_EQ(AppliedCount(), all_);
}

TEST_F(PgMigrationsTest, WaitingForAnotherReplicaHasADeadline) {
  ASSERT_TRUE(Migrate().ok());
  const auto other = database_->Open();
  other->Run("select pg_advisory_lock(8387226530421)");
  EXPECT_EQ(Migrate({.lock_wait = std::chrono::milliseconds(50)}).code(), StatusCode::kAborted);
}

TEST_F(PgMigrationsTest, WithoutADatabaseItIsUnavailable) {
  EXPECT_EQ(store::Migrate("host=127.0.0.1 port=1").code(), StatusCode::kUnavailable);
  EXPECT_EQ(store::Migrate("no conninfo").code(), StatusCode::kInvalidArgument);
}

// The inbox's days.

class PgMaintenanceTest : public testing::Test {
 protected:
  void SetUp() override {
    database_ = TestDatabase::Make();
    if (database_ == nullptr) GTEST_SKIP() << "needs a database";
    pool_ = std::make_unique<store::ConnectionPool>(database_->conninfo());
  }
  void Maintain(std::string_view now) {
    const absl::Status status = store::MaintainInbox(*pool_, At(now));
    EXPECT_TRUE(status.ok()) << status;
  }
  std::string Days() {
    return database_->Run(
        "select coalesce(string_agg(right(relname, 8), ' ' order by relname), '') from pg_class "
        "where relname ~ '^inbox_\\d{8}$'");
  }
  void Insert(const std::string& day) {
    database_->Run("insert into inbox values ('c', '" + day + "', gen_random_uuid(), 'done')");
  }

  std::unique_ptr<TestDatabase> database_;
  std::unique_ptr<store::ConnectionPool> pool_;
};

TEST_F(PgMaintenanceTest, ThereIsRoomForTheComingDays) {
  Maintain("2026-03-01T12:00:00Z");
  EXPECT_EQ(Days(),
            "20260228 20260301 20260302 20260303 20260304 20260305 20260306 20260307 20260308");
  Maintain("2026-03-01T23:00:00Z");
  Maintain("2026-03-02T01:00:00Z");
  EXPECT_EQ(
      Days(),
      "20260228 20260301 20260302 20260303 20260304 20260305 20260306 20260307 20260308 20260309");
  Insert("2026-03-01");
  EXPECT_EQ(database_->Run("select count(*) from inbox_20260301"), "1");
}

TEST_F(PgMaintenanceTest, DaysOlderThanAMonthAreDropped) {
  Maintain("2026-03-01T12:00:00Z");
  Insert("2026-02-28");
  Insert("2020-01-01");
  Maintain("2026-03-30T12:00:00Z");
  EXPECT_EQ(database_->Run("select count(*) from inbox"), "2") << "30 days are kept";
  Maintain("2026-03-31T12:00:00Z");
  EXPECT_EQ(database_->Run("select string_agg(day::text, ' ') from inbox"), "2020-01-01")
      << "what foreign producers date tells nothing about when it came";
}

TEST_F(PgMaintenanceTest, WhatLiesUnderNoDayOfOursIsForgottenByWhenItCame) {
  Insert("0001-01-01");
  Insert("2020-01-01");
  EXPECT_EQ(database_->Run("select count(*) from inbox_undated"), "1");
  EXPECT_EQ(database_->Run("select count(*) from inbox_default"), "1");
  database_->Run("update inbox set received_at = '2026-03-01T12:00:00Z'");
  Insert("0001-01-01");
  Maintain("2026-03-31T12:00:00Z");
  EXPECT_EQ(database_->Run("select count(*) from inbox"), "3");
  Maintain("2026-03-31T12:00:01Z");
  EXPECT_EQ(database_->Run("select string_agg(day::text, ' ') from inbox"), "0001-01-01");
}

TEST_F(PgMaintenanceTest, DeadLettersResolvedLongAgoAreForgotten) {
  for (const char* state : {"open", "replayed", "discarded"}) {
    database_->Run(
        "insert into dead_letters (id, consumer, event_id, has_event_id, day, user_id, task_id, "
        "attempts, "
        "first_failed_at, last_failed_at, reason, topic, partition, \"offset\", record_key, "
        "content_type, record, "
        "state, resolved_at) values (gen_random_uuid(), 'c', gen_random_uuid(), true, "
        "'2026-03-01', 'ann', 1, 4, "
        "'2026-03-01', '2026-03-01', 'r', 't', 0, 0, '', '', '', '" +
        std::string(state) + "', '2026-03-01')");
  }
  Maintain("2026-05-31T00:00:01Z");
  EXPECT_EQ(database_->Run("select string_agg(state, ' ') from dead_letters"), "open");
}

TEST_F(PgMaintenanceTest, ADayThatHasRowsAlreadyDoesNotStandInTheWay) {
  Insert("2026-03-02");
  Maintain("2026-03-01T12:00:00Z");
  EXPECT_EQ(Days(), "20260228 20260301 20260303 20260304 20260305 20260306 20260307 20260308");
  EXPECT_EQ(database_->Run("select count(*) from inbox"), "1");
}

TEST_F(PgMaintenanceTest, SeveralReplicasMayDoItAtOnce) {
  InParallel(4, [&](int) {
    const absl::Status status = store::MaintainInbox(*pool_, At("2026-03-01T12:00:00Z"));
    EXPECT_TRUE(status.ok()) << status;
  });
  EXPECT_EQ(Days(),
            "20260228 20260301 20260302 20260303 20260304 20260305 20260306 20260307 20260308");
}

TEST_F(PgMaintenanceTest, RequestsOfLastWeekAreForgotten) {
  database_->Run(
      "insert into requests select 'ann', gen_random_uuid(), '', null, '{}', "
      "'2026-03-01T12:00:00Z' "
      "from generate_series(1, 2500)");
  database_->Run(
      "insert into requests select 'ann', gen_random_uuid(), '', null, '{}', "
      "'2026-03-02T12:00:00Z'");
  Maintain("2026-03-08T12:00:00Z");
  EXPECT_EQ(database_->Run("select count(*) from requests"), "2501");
  Maintain("2026-03-08T12:00:01Z");
  EXPECT_EQ(database_->Run("select count(*) from requests"), "1");
}

TEST_F(PgMaintenanceTest, PublishedMessagesOfLastWeekAreForgotten) {
  const auto late = database_->Open();
  late->Run("begin");
  late->Run("select post('t', 'ann', gen_random_uuid(), 'committed late')");
  database_->Run("select post('t', 'ann', gen_random_uuid(), 'published')");
  database_->Run(
      "update relay_shards set message_position = (select max(id) from messages), "
      "snapshot = pg_current_snapshot()::text where shard = shard_of('ann')");
  late->Run("commit");
  database_->Run("select post('t', 'ann', gen_random_uuid(), 'not yet published')");
  database_->Run("update messages set at = '2026-03-01T12:00:00Z'");
  Maintain("2026-03-08T12:00:00Z");
  EXPECT_EQ(database_->Run("select count(*) from messages"), "3");
  Maintain("2026-03-08T12:00:01Z");
  EXPECT_EQ(database_->Run("select string_agg(payload, ', ' order by id) from messages"),
            "committed late, not yet published")
      << "what the relay has not sent stays, however old it is";
}

}  // namespace
}  // namespace todo::contract
