#include "store/pg_event_inbox.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <memory>
#include <set>

#include "contract/contract_support.h"
#include "store/connection_pool.h"
#include "support/tcp_proxy.h"
#include "support/test_database.h"
#include "util/status.h"

// What the contract cannot say: consumers' transactions whose connection is lost.

namespace todo::contract {
namespace {

using absl::StatusCode;
using ports::InboxTransaction;
using store::ConnectionPool;
using support::ConninfoSetting;
using support::TcpProxy;
using support::TestDatabase;

class PgEventInboxTest : public testing::Test {
 protected:
  void SetUp() override {
    database_ = TestDatabase::Make();
    if (database_ == nullptr) GTEST_SKIP() << "needs a database";
    delivery_.event.id = NewEventId();
    delivery_.event.at = At("2026-03-01T09:00:00Z");
  }

  absl::StatusOr<std::set<domain::EventId>> Claim(InboxTransaction& transaction) {
    return transaction.Claim("recurring", {delivery_});
  }
  /// What a new transaction gets of the event; it must commit.
  std::size_t ClaimedCount(store::PgEventInbox& inbox) {
    std::size_t count = 0;
    const absl::Status status = inbox.Transact([&](InboxTransaction& transaction) -> absl::Status {
      TODO_ASSIGN_OR_RETURN(const auto claimed, Claim(transaction));
      count = claimed.size();
      return absl::OkStatus();
    });
    EXPECT_TRUE(status.ok()) << status;
    return count;
  }

  domain::Delivery delivery_;
  std::unique_ptr<TestDatabase> database_;
};

TEST_F(PgEventInboxTest, AConnectionLostInABatchLeavesNothing) {
  ConnectionPool pool(database_->conninfo());
  Wakes wakes;
  store::PgEventInbox inbox(pool, std::ref(wakes));
  const absl::Status status = inbox.Transact([&](InboxTransaction& transaction) -> absl::Status {
    TODO_RETURN_IF_ERROR(Claim(transaction).status());
    const std::string busy =
        "from pg_stat_activity where datname = current_database() and state = 'idle in "
        "transaction'";
    database_->Run(fmt::format("select pg_terminate_backend(pid) {}", busy));
    EXPECT_TRUE(database_->WaitUntil(fmt::format("select count(*) {}", busy), "0"));
    return absl::OkStatus();  // has noticed nothing
  });
  EXPECT_FALSE(status.ok());
  EXPECT_EQ(wakes.count(), 0);
  EXPECT_EQ(pool.stats().discarded_count, 1);
  EXPECT_EQ(ClaimedCount(inbox), 1u) << "the bus delivers it again, and it is done then";
}

TEST_F(PgEventInboxTest, ACommitWhoseAnswerIsLostIsUnknownAndTheNextDeliveryFindsItTaken) {
  TcpProxy proxy(
      static_cast<std::uint16_t>(std::stoi(database_->Run("select inet_server_port()"))));
  ConnectionPool pool(ConninfoSetting(ConninfoSetting(database_->conninfo(), "host", "127.0.0.1"),
                                      "port", fmt::format("{}", proxy.port())));
  store::PgEventInbox inbox(pool, {});
  const absl::Status status = inbox.Transact([&](InboxTransaction& transaction) -> absl::Status {
    TODO_RETURN_IF_ERROR(Claim(transaction).status());
    proxy.DropAnswers();  // what is left is the commit
    return absl::OkStatus();
  });
  EXPECT_EQ(status.code(), StatusCode::kUnknown) << status;
  EXPECT_TRUE(database_->WaitUntil("select count(*) from inbox", "1")) << "it was committed";
  proxy.Mend();
  EXPECT_EQ(ClaimedCount(inbox), 0u);
}

TEST_F(PgEventInboxTest, AnotherBatchsLockNotHadInTimeMayBeRepeated) {
  ConnectionPool pool(database_->conninfo(), {.lock_timeout = std::chrono::milliseconds(50)});
  store::PgEventInbox inbox(pool, {});
  const domain::UserId user{"ann"};
  const auto lock = [&](InboxTransaction& transaction) {
    return transaction.LockAndLoad({{user, domain::TaskId{1}}}).status();
  };
  ASSERT_TRUE(inbox.Transact(lock).ok());  // makes the user
  const auto other = database_->Open();
  other->Run("begin; select from users for update");
  EXPECT_EQ(inbox.Transact(lock).code(), StatusCode::kAborted);
  EXPECT_EQ(pool.stats().discarded_count, 0) << "the connection is good";
  other->Run("rollback");
  EXPECT_TRUE(inbox.Transact(lock).ok());
}

}  // namespace
}  // namespace todo::contract
