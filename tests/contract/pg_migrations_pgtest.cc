#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>
#include <iterator>

#include "contract/contract_support.h"
#include "embedded_schema.h"
#include "store/connection_pool.h"
#include "store/maintenance.h"
#include "store/migrations.h"
#include "store/pg_audit_log.h"
#include "store/pg_crash_log.h"
#include "store/pg_outbox_log.h"
#include "store/pg_service_status.h"
#include "store/pg_task_store.h"
#include "support/status_matchers.h"
#include "support/test_database.h"

namespace todo::contract {
namespace {

using absl::StatusCode;
using support::IsOk;
using support::StatusIs;
using support::TestDatabase;
using testing::AllOf;
using testing::HasSubstr;

// A schema in small: a migration and a function for each release up to `release`. answer() says of
// which release its text is.
db::Schema SchemaOf(int release) {
  static const std::vector<db::Migration> kMigrations = {
      {1, 1, "V0001__one.sql", "create table one (i int)"},
      {2, 2, "V0002__two.sql", "create table two (i int)"},
      {3, 3, "V0003__three.sql", "create table three (i int)"}};
  static const std::vector<db::FunctionFile> kAnswers = {
      {"answer", 1, "create or replace function answer() returns int language sql return 1"},
      {"answer", 2, "create or replace function answer() returns int language sql return 2"},
      {"answer", 3, "create or replace function answer() returns int language sql return 3"}};
  return {release,
          {kMigrations.begin(), kMigrations.begin() + release},
          {kAnswers.at(static_cast<std::size_t>(release) - 1)}};
}

class PgMigrationsTest : public testing::Test {
 protected:
  void SetUp() override {
    database_ = TestDatabase::Make(/*migrated=*/false);
    if (database_ == nullptr) GTEST_SKIP() << "needs a database";
  }
  absl::Status Migrate(const store::MigrationOptions& options = {}) {
    return store::Migrate(database_->conninfo(), options);
  }
  absl::Status Migrate(const db::Schema& schema) {
    return store::Migrate(database_->conninfo(), schema);
  }
  std::string AppliedCount() { return database_->Run("select count(*) from schema_migrations"); }
  std::string Answer() { return database_->Run("select answer()"); }

  const std::string all_ = std::to_string(db::EmbeddedSchema().migrations.size());
  std::unique_ptr<TestDatabase> database_;
};

TEST_F(PgMigrationsTest, SeveralReplicasMayMigrateAtOnceAndAgain) {
  InParallel(6, [&](int) { EXPECT_THAT(Migrate(), IsOk()); });
  EXPECT_EQ(AppliedCount(), all_);
  const std::string functions = "select count(*) || ' ' || max(applied_at) from schema_functions";
  const std::string applied = database_->Run(functions);
  EXPECT_THAT(Migrate(), IsOk());
  EXPECT_EQ(AppliedCount(), all_);
  EXPECT_EQ(database_->Run(functions), applied) << "an unchanged text is not applied again";
  EXPECT_EQ(database_->Run("select name from schema_migrations where version = 1"),
            db::EmbeddedSchema().migrations.front().name);
}

TEST_F(PgMigrationsTest, AnOlderProgramRunsOnADatabaseOneReleaseAhead) {
  ASSERT_THAT(Migrate(SchemaOf(1)), IsOk());
  EXPECT_EQ(Answer(), "1");
  ASSERT_THAT(Migrate(SchemaOf(2)), IsOk());
  EXPECT_EQ(Answer(), "2");
  EXPECT_THAT(Migrate(SchemaOf(1)), IsOk());
  EXPECT_EQ(Answer(), "2") << "the older text replaced the newer one";
  EXPECT_EQ(AppliedCount(), "2");
  EXPECT_THAT(Migrate(SchemaOf(2)), IsOk());
}

TEST_F(PgMigrationsTest, ADatabaseTwoReleasesAheadIsRefused) {
  ASSERT_THAT(Migrate(SchemaOf(3)), IsOk());
  EXPECT_THAT(Migrate(SchemaOf(1)),
              StatusIs(StatusCode::kFailedPrecondition, HasSubstr("of release 2 or newer")));
  EXPECT_THAT(Migrate(SchemaOf(2)), IsOk());
  // A release of functions alone counts, too.
  database_->Run("delete from schema_migrations where release > 1");
  EXPECT_THAT(Migrate(SchemaOf(1)), StatusIs(StatusCode::kFailedPrecondition));
  EXPECT_EQ(Answer(), "3");
}

TEST_F(PgMigrationsTest, AProgramMayBeSeveralReleasesAhead) {
  ASSERT_THAT(Migrate(SchemaOf(1)), IsOk());
  ASSERT_THAT(Migrate(SchemaOf(3)), IsOk());
  EXPECT_EQ(Answer(), "3");
  EXPECT_EQ(AppliedCount(), "3");
}

TEST_F(PgMigrationsTest, AnotherTextOfOneReleaseIsApplied) {
  db::Schema schema = SchemaOf(2);
  ASSERT_THAT(Migrate(schema), IsOk());
  schema.functions[0].sql =
      "create or replace function answer() returns int language sql return 22";
  ASSERT_THAT(Migrate(schema), IsOk());
  EXPECT_EQ(Answer(), "22");
}

TEST_F(PgMigrationsTest, FunctionsMayNameEachOtherInAnyOrder) {
  db::Schema schema = SchemaOf(1);
  schema.functions.insert(
      schema.functions.begin(),
      {"a", 1, "create function a() returns int language sql as $$ select answer() $$"});
  ASSERT_THAT(Migrate(schema), IsOk());
  EXPECT_EQ(database_->Run("select a()"), "1");
}

TEST_F(PgMigrationsTest, AFunctionThatFailsLeavesAllAsTheyWere) {
  ASSERT_THAT(Migrate(SchemaOf(1)), IsOk());
  db::Schema schema = SchemaOf(2);
  schema.functions.push_back({"broken", 2, "create function broken("});
  EXPECT_THAT(Migrate(schema), StatusIs(StatusCode::kInternal));
  EXPECT_EQ(Answer(), "1");
  EXPECT_THAT(Migrate(SchemaOf(2)), IsOk());
  EXPECT_EQ(Answer(), "2");
}

// Applying them defers the checks of their bodies.
TEST_F(PgMigrationsTest, TheFunctionsPassTheChecksOfTheDatabase) {
  ASSERT_THAT(Migrate(), IsOk());
  for (const db::FunctionFile& function : db::EmbeddedSchema().functions)
    database_->Run(std::string(function.sql));
}

TEST_F(PgMigrationsTest, ADatabaseOfBeforeRelease1IsRefused) {
  database_->Run(
      "create table schema_migrations (version int primary key, name text not null, "
      "checksum text not null, applied_at timestamptz not null default now());"
      "insert into schema_migrations values (1, 'V0001__tasks_and_change_log.sql', 'x')");
  EXPECT_THAT(Migrate(), StatusIs(StatusCode::kFailedPrecondition,
                                  AllOf(HasSubstr("pg_dump"), HasSubstr("RUN_FLAGS=--fresh"))));
  EXPECT_EQ(database_->Run("select to_regclass('schema_functions') is null"), "t");
}

// SHA256SUMS stands for the released migrations: they are never changed, new lines are added.
TEST_F(PgMigrationsTest, NoMigrationWasChanged) {
  std::ifstream file(TODO_MIGRATION_SUMS);
  const std::string sums(std::istreambuf_iterator<char>(file), {});
  ASSERT_THAT(Migrate(), IsOk());
  EXPECT_EQ(database_->Run("select string_agg(checksum || '  ' || name || chr(10), '' "
                           "order by version) from schema_migrations"),
            sums)
      << "see db/README.md";
}

TEST_F(PgMigrationsTest, AChangedMigrationIsRefused) {
  ASSERT_THAT(Migrate(), IsOk());
  database_->Run("update schema_migrations set checksum = 'other' where version = 2");
  EXPECT_THAT(Migrate(), StatusIs(StatusCode::kFailedPrecondition, HasSubstr("V0002")));
}

TEST_F(PgMigrationsTest, ADatabaseWithoutIcuCollationsIsRefused) {
  database_->Run(
      "set allow_system_table_mods = on; delete from pg_collation where collprovider = 'i'");
  EXPECT_THAT(Migrate(), StatusIs(StatusCode::kFailedPrecondition, HasSubstr("ICU")));
}

TEST_F(PgMigrationsTest, AMigrationThatFailsLeavesNothing) {
  // The third one makes the inbox and fails at this table.
  database_->Run("create table foreign_tasks (i int)");
  EXPECT_THAT(Migrate(), StatusIs(StatusCode::kInternal));
  EXPECT_EQ(AppliedCount(), "2");
  EXPECT_EQ(database_->Run("select to_regclass('inbox') is null"), "t");
  database_->Run("drop table foreign_tasks");
  EXPECT_THAT(Migrate(), IsOk());
  EXPECT_EQ(AppliedCount(), all_);
}

TEST_F(PgMigrationsTest, WaitingForAnotherReplicaHasADeadline) {
  ASSERT_THAT(Migrate(), IsOk());
  const auto other = database_->Open();
  other->Run("select pg_advisory_lock(8387226530421)");
  EXPECT_THAT(Migrate({.lock_wait = std::chrono::milliseconds(50)}),
              StatusIs(StatusCode::kAborted));
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
  EXPECT_THAT(store::Migrate("host=127.0.0.1 port=1"), StatusIs(StatusCode::kUnavailable));
  EXPECT_THAT(store::Migrate("no conninfo"), StatusIs(StatusCode::kInvalidArgument));
}

}  // namespace
}  // namespace todo::contract
