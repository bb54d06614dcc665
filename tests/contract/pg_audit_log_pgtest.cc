#include "store/pg_audit_log.h"

#include <fmt/format.h>
#include <gmock/gmock.h>

#include <atomic>
#include <chrono>
#include <map>
#include <memory>
#include <thread>

#include "contract/contract_support.h"
#include "contract/outbox_log_contract.h"
#include "store/connection_pool.h"
#include "store/pg_outbox_log.h"
#include "store/pg_service_status.h"
#include "support/test_database.h"

// What the contract cannot say of the audit: transactions that commit late, and states of the
// inbox.

namespace todo::contract {
namespace {

using domain::Change;
using domain::UserId;
using ports::OutboxShard;
using support::TestDatabase;
using testing::ElementsAre;
using testing::IsEmpty;

class PgAuditLogTest : public testing::Test {
 protected:
  void SetUp() override {
    database_ = TestDatabase::Make();
    if (database_ == nullptr) GTEST_SKIP() << "needs a database";
    pool_ = std::make_unique<store::ConnectionPool>(database_->conninfo());
    outbox_ = std::make_unique<store::PgOutboxLog>(*pool_);
    audit_ = std::make_unique<store::PgAuditLog>(*pool_, nullptr);
    // All in one shard, so that they share a cursor.
    database_->Run(
        "create or replace function shard_of(p_user text) returns smallint language sql immutable "
        "as 'select 3::smallint'");
    ASSERT_TRUE(audit_->Enroll({"all"}).ok());
    shards_ = outbox_->Renew("relay", std::chrono::minutes(10)).value().owned;
  }

  static void Write(TestDatabase::Session& session, const std::string& user) {
    session.Run(
        fmt::format("select apply_change('{}', gen_random_uuid(), '\\x00', 'created', null, null, "
                    "'{{\"title\":\"t\",\"folded_title\":\"t\",\"priority\":1,\"tags\":[],\"time_"
                    "zone\":\"UTC\","
                    "\"recurrence_basis\":\"schedule\"}}', "
                    "gen_random_uuid(), now(), '')",
                    user));
  }

  void Publish() {
    std::map<UserId, std::vector<Change>> changes;
    while (Drain(*outbox_, shards_, 100, changes)) {
    }
    EXPECT_THAT(outbox_->Advance(shards_).value(), IsEmpty());
    for (ports::OutboxShard& shard : shards_) shard.stored = shard.cursor;
  }

  /// Everything is old enough.
  int Look() {
    const domain::Instant now = std::chrono::floor<std::chrono::microseconds>(
        std::chrono::system_clock::now() + std::chrono::minutes(10));
    const auto findings = audit_->Look(
        "all",
        {.now = now, .overdue_before = now, .oldest = now - std::chrono::hours(24), .due_at = now});
    EXPECT_TRUE(findings.ok()) << findings.status();
    return findings.ok() ? findings->missing : 0;
  }

  /// Whose changes are missing, in the order in which they were drawn.
  std::vector<std::string> Missing() {
    std::vector<std::string> users;
    const auto missing = audit_->Due("all", domain::kMaxInstant, 1'000).value();
    for (const ports::MissingEvent& event : missing) users.push_back(event.change.user.value);
    return users;
  }

  std::unique_ptr<TestDatabase> database_;
  std::unique_ptr<store::ConnectionPool> pool_;
  std::unique_ptr<store::PgOutboxLog> outbox_;
  std::unique_ptr<store::PgAuditLog> audit_;
  std::vector<OutboxShard> shards_;
};

TEST_F(PgAuditLogTest, AChangeCommittedLateIsLookedAtWhenItWasPublished) {
  const auto slow = database_->Open();
  const auto fast = database_->Open();
  slow->Run("begin");
  Write(*slow, "slow");  // draws its id first
  Write(*fast, "fast");
  Publish();
  Look();
  EXPECT_THAT(Missing(), ElementsAre("fast"));
  Write(*fast, "later");
  Publish();
  Look();
  slow->Run("commit");
  Look();
  EXPECT_THAT(Missing(), ElementsAre("fast", "later")) << "the relay has not seen it yet";
  Publish();
  Look();
  EXPECT_THAT(Missing(), ElementsAre("slow", "fast", "later"));
}

TEST_F(PgAuditLogTest, LateChangesAreLookedAtInPortions) {
  audit_ = std::make_unique<store::PgAuditLog>(*pool_, nullptr,
                                               store::AuditLogOptions{.max_changes = 2});
  const auto slow = database_->Open();
  const auto slower = database_->Open();
  slower->Run("begin");
  Write(*slower, "slower");
  slow->Run("begin");
  for (int i = 0; i < 5; ++i) Write(*slow, fmt::format("slow {}", i));
  Write(*database_->Open(), "fast");
  Publish();
  EXPECT_EQ(Look(), 1);
  slow->Run("commit");
  Publish();
  EXPECT_EQ(Look(), 3) << "two late ones";
  slower->Run("commit");
  Write(*database_->Open(), "later");
  Publish();
  EXPECT_EQ(Look(), 5);
  EXPECT_THAT(Missing(), ElementsAre("slow 0", "slow 1", "slow 2", "slow 3", "fast"));
  EXPECT_EQ(Look(), 6) << "the last of them; newer ones wait";
  EXPECT_EQ(Look(), 8);
  EXPECT_THAT(Missing(), ElementsAre("slower", "slow 0", "slow 1", "slow 2", "slow 3", "slow 4",
                                     "fast", "later"));
  EXPECT_EQ(Look(), 8);
}

TEST_F(PgAuditLogTest, TheOutboxDoesNotFlowWhileLateRowsAreLeftOver) {
  const auto slow = database_->Open();
  slow->Run("begin");
  for (int i = 0; i < 3; ++i) Write(*slow, fmt::format("slow {}", i));
  Write(*database_->Open(), "fast");
  Publish();
  slow->Run("commit");
  const auto read = [&] {
    shards_[3].cursor = outbox_->Read({shards_[3]}, 2).value().front().next;
    EXPECT_THAT(outbox_->Advance(shards_).value(), IsEmpty());
    shards_[3].stored = shards_[3].cursor;
  };
  const auto flows = [&] {
    return audit_->OutboxFlows(std::chrono::floor<std::chrono::microseconds>(
        std::chrono::system_clock::now() - std::chrono::minutes(1)));
  };
  store::PgServiceStatus status(*pool_);
  read();
  EXPECT_FALSE(flows().value());
  EXPECT_EQ(status.Read().value().unpublished_changes, 1);
  read();
  EXPECT_TRUE(flows().value());
  EXPECT_EQ(status.Read().value().unpublished_changes, 0);
}

TEST_F(PgAuditLogTest, AChangeThatWasUnderWayWhenTheAuditBeganBelongsToIt) {
  const auto slow = database_->Open();
  slow->Run("begin");
  Write(*slow, "slow");
  Write(*database_->Open(), "before");
  Publish();
  ASSERT_TRUE(audit_->Enroll({"all", "new"}).ok());
  database_->Run(
      "delete from audit_cursors where consumer = 'all'; "
      "update audit_cursors set consumer = 'all'");
  slow->Run("commit");
  Write(*slow, "after");
  Publish();
  Look();
  EXPECT_THAT(Missing(), ElementsAre("slow", "after"));
}

TEST_F(PgAuditLogTest, BesideOverlappingTransactionsEachChangeIsLookedAtOnce) {
  constexpr int kWriters = 4;
  constexpr int kRounds = 25;
  std::atomic<int> writing{kWriters};
  std::atomic<int> found{0};
  const auto look = [&] {
    Publish();
    Look();
    // Taken by hand, and counted: what was looked at twice would be counted twice.
    found += std::stoi(database_->Run(
        "with gone as (delete from audit_missing returning 1) select count(*) from gone"));
  };
  std::jthread auditor([&] {
    while (writing > 0) look();
  });
  InParallel(kWriters, [&](int writer) {
    const auto session = database_->Open();
    for (int round = 0; round < kRounds; ++round) {
      session->Run("begin");
      for (int i = 0; i < 2; ++i) Write(*session, fmt::format("{} {}", writer, i));
      session->Run(fmt::format("select pg_sleep({})", 0.001 * ((writer * 7 + round * 3) % 5)));
      session->Run(round % 5 == 4 ? "rollback" : "commit");
    }
    --writing;
  });
  auditor.join();
  look();
  EXPECT_EQ(std::to_string(found), database_->Run("select count(*) from changes"));
}

TEST_F(PgAuditLogTest, WaitingAndDeadEventsAreTaken) {
  for (const char* state : {"done", "waiting", "dead"}) {
    Write(*database_->Open(), state);
    database_->Run(
        fmt::format("insert into inbox select 'all', (at at time zone 'UTC')::date, event_id, '{}' "
                    "from changes where user_id = '{}'",
                    state, state));
  }
  Write(*database_->Open(), "nowhere");
  Publish();
  Look();
  EXPECT_THAT(Missing(), ElementsAre("nowhere"));
}

TEST_F(PgAuditLogTest, TheStatusCountsWhatIsMissing) {
  store::PgServiceStatus status(*pool_);
  for (const char* user : {"ann", "bob"}) Write(*database_->Open(), user);
  Publish();
  EXPECT_EQ(status.Read().value().missing_events, 0);
  Look();
  EXPECT_EQ(status.Read().value().missing_events, 2);
  EXPECT_EQ(status.Read().value().lost_events, 0);
}

TEST_F(PgAuditLogTest, ARestoredDatabaseDoesNotStopTheAudit) {
  // Its snapshots are of another server, whose transactions have higher numbers.
  database_->Run("update audit_cursors set snapshot = '999999999999:999999999999:'");
  Write(*database_->Open(), "ann");
  Publish();
  Look();
  EXPECT_THAT(Missing(), ElementsAre("ann"));
}

TEST_F(PgAuditLogTest, AClockThatWasWrongDoesNotStopTheAudit) {
  const auto session = database_->Open();
  Write(*session, "ann");
  session->Run("update changes set at = at + interval '1 year'");
  Write(*session, "bob");
  Publish();
  Look();
  EXPECT_THAT(Missing(), ElementsAre("ann", "bob"));
}

}  // namespace
}  // namespace todo::contract
