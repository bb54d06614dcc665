#include <gtest/gtest.h>

#include "contract/contract_support.h"
#include "embedded_migrations.h"
#include "store/connection_pool.h"
#include "store/maintenance.h"
#include "store/migrations.h"
#include "store/pg_audit_log.h"
#include "store/pg_crash_log.h"
#include "store/pg_outbox_log.h"
#include "store/pg_service_status.h"
#include "store/pg_task_store.h"
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

TEST_F(PgMigrationsTest, RemindersFromBeforeAreKnownForCopies) {
  const auto apply = [this](int first, int last) {
    for (const db::Migration& migration : db::EmbeddedMigrations()) {
      if (migration.version >= first && migration.version <= last)
        database_->Run(std::string(migration.sql));
    }
  };
  const auto insert = [this](int id, int occurrence) {
    const std::string made = "'2026-11-0" + std::to_string(occurrence) + "T12:00Z'";
    database_->Run(
        "insert into tasks (user_id, id, version, seq, title, completed, priority, tags, due_kind, "
        "due_local, due_at, time_zone, recurrence_basis, series_id, occurrence, missed, "
        "consumer_version, created_at, updated_at) values ('ann', " +
        std::to_string(id) +
        ", 1, 1, 't', false, 1, '{}', 'local', '2026-11-30T09:00', '2026-11-30T08:00Z', "
        "'Europe/Berlin', 'schedule', '00000000-0000-0000-0000-00000000000" +
        std::to_string(id / 10) + "', " + std::to_string(occurrence) + ", 0, " +
        (occurrence > 1 ? "1" : "null") + ", " + made + ", " + made + ")");
  };
  const auto remind = [this](int task, int number, const std::string& column,
                             const std::string& value, const std::string& created_at) {
    database_->Run("insert into reminders (user_id, task_id, number, " + column +
                   ", state, created_at) values ('ann', " + std::to_string(task) + ", " +
                   std::to_string(number) + ", '" + value + "', 'pending', '" + created_at + "')");
  };
  apply(1, 14);
  insert(11, 1);
  remind(11, 1, "before", "PT1H", "2026-11-01T13:00Z");
  remind(11, 2, "at", "2026-11-30T07:00Z", "2026-11-01T13:00Z");
  insert(12, 2);
  remind(12, 3, "before", "PT2H", "2026-11-02T13:00Z");  // of its user
  // What came while it was away came with it when it was there again.
  database_->Run("update tasks set deleted_at = '2026-11-02T14:00Z' where id = 12");
  remind(11, 4, "before", "PT3H", "2026-11-02T14:00Z");
  database_->Run(
      "update tasks set deleted_at = null, updated_at = '2026-11-02T15:00Z', version = 3, "
      "consumer_version = 3 where id = 12");
  insert(21, 1);
  remind(21, 1, "before", "PT1H", "2026-11-01T13:00Z");
  remind(21, 2, "at", "2026-11-30T07:00Z", "2026-11-01T13:00Z");
  insert(22, 2);
  // Its user has touched it since.
  database_->Run(
      "update tasks set title = 'u', updated_at = '2026-11-02T16:00Z', version = 2, "
      "consumer_version = null where id = 22");
  remind(22, 3, "before", "PT2H", "2026-11-02T16:00Z");

  apply(15, 15);
  EXPECT_EQ(database_->Run("select string_agg(task_id || '-' || number, ' ' order by task_id, "
                           "number) from reminders where copied"),
            "12-1 12-2 12-4 22-1 22-2");
}

TEST_F(PgMigrationsTest, WaitingForAnotherReplicaHasADeadline) {
  ASSERT_TRUE(Migrate().ok());
  const auto other = database_->Open();
  other->Run("select pg_advisory_lock(8387226530421)");
  EXPECT_EQ(Migrate({.lock_wait = std::chrono::milliseconds(50)}).code(), StatusCode::kAborted);
}

// docs/operations.md lists the privileges; here they are all that the role has.
TEST_F(PgMigrationsTest, ARoleThatMayDoNothingElseIsEnough) {
  const std::string name = database_->Run("select current_database()");
  const std::string role = name + "_role";  // roles are the server's, so it needs a name of its own
  database_->Run("create role " + role + " login password 'only-for-this-test'");
  database_->Run("revoke all on database " + name + " from public");
  database_->Run("grant connect, temporary on database " + name + " to " + role);
  database_->Run("revoke all on schema public from public");
  database_->Run("grant usage, create on schema public to " + role);
  {
    const std::string conninfo =
        support::ConninfoSetting(support::ConninfoSetting(database_->conninfo(), "user", role),
                                 "password", "only-for-this-test");
    const absl::Status migrated = store::Migrate(conninfo);
    ASSERT_TRUE(migrated.ok()) << migrated;
    store::ConnectionPool pool(conninfo);
    const auto expect_ok = [](std::string_view what, const absl::Status& status) {
      EXPECT_TRUE(status.ok()) << what << ": " << status;
    };
    expect_ok("days", store::MakeInboxDays(pool));
    expect_ok("clean-up", store::CleanUp(pool, [](std::chrono::milliseconds) { return true; }));
    store::PgTaskStore tasks(pool, {});
    expect_ok("create", tasks.Apply(Create({"ann"}, "title")).status());
    store::PgOutboxLog outbox(pool);
    auto shards = outbox.Renew("a", std::chrono::seconds(4));
    ASSERT_TRUE(shards.ok()) << shards.status();
    expect_ok("read", outbox.Read(shards->owned, 10).status());
    expect_ok("advance", outbox.Advance(shards->owned).status());
    expect_ok("release", outbox.Release(shards->owned));
    expect_ok("status", store::PgServiceStatus(pool).Read().status());
    store::PgCrashLog crashes(pool, "instance");
    expect_ok("crashes", crashes.CountCrashes().status());
    expect_ok("begin", crashes.Begin(0, "c", {}).status());
    store::PgAuditLog audit(pool, {});
    expect_ok("enroll", audit.Enroll({"c"}));
    expect_ok("turn", audit.TakeTurn("a", std::chrono::seconds(4)).status());
    TestDatabase::Session session(store::ConninfoWith(conninfo, {}));
    session.Run("listen todo_outbox");
    session.Run("select pg_notify('todo_outbox', '1')");
  }
  database_->Run("drop owned by " + role);
  database_->Run("drop role " + role);
}

TEST_F(PgMigrationsTest, WithoutADatabaseItIsUnavailable) {
  EXPECT_EQ(store::Migrate("host=127.0.0.1 port=1").code(), StatusCode::kUnavailable);
  EXPECT_EQ(store::Migrate("no conninfo").code(), StatusCode::kInvalidArgument);
}

}  // namespace
}  // namespace todo::contract
