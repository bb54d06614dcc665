#include "store/pg_event_inbox.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <future>
#include <memory>
#include <set>

#include "contract/contract_support.h"
#include "store/connection_pool.h"
#include "store/pg_retry_queue.h"
#include "support/status_matchers.h"
#include "support/tcp_proxy.h"
#include "support/test_database.h"
#include "util/status.h"

// What the contract cannot say: consumers' transactions whose connection is lost.

namespace todo::contract {
namespace {

using absl::StatusCode;
using ports::InboxTransaction;
using store::ConnectionPool;
using support::StatusIs;
using support::TcpProxy;
using support::TestDatabase;

/// For a connection. A build that looks for leaks takes seconds to make one beside other work.
constexpr std::chrono::minutes kPatience{1};

/// Transactions of this database, and of no test beside this one, that wait for a retry queue.
constexpr char kWaiting[] =
    "select count(*) from pg_locks where locktype = 'advisory' and not granted and database = "
    "(select oid from pg_database where datname = current_database())";

class PgEventInboxTest : public testing::Test {
 protected:
  void SetUp() override {
    database_ = TestDatabase::Make();
    if (database_ == nullptr) GTEST_SKIP() << "needs a database";
    delivery_.event.id = NewEventId();
    delivery_.event.at = At("2026-03-01T09:00:00Z");
  }

  absl::StatusOr<ports::Claimed> Claim(InboxTransaction& transaction) {
    return transaction.Claim("recurring", {delivery_});
  }
  /// What a new transaction gets of the event; it must commit.
  std::size_t ClaimedCount(store::PgEventInbox& inbox) {
    std::size_t count = 0;
    const absl::Status status = inbox.Transact([&](InboxTransaction& transaction) -> absl::Status {
      TODO_ASSIGN_OR_RETURN(const auto claimed, Claim(transaction));
      count = claimed.fresh.size();
      return absl::OkStatus();
    });
    EXPECT_TRUE(status.ok()) << status;
    return count;
  }

  domain::ReceivedEvent delivery_;
  std::unique_ptr<TestDatabase> database_;
};

TEST_F(PgEventInboxTest, AConnectionLostInABatchLeavesNothing) {
  ConnectionPool pool(database_->conninfo(), {.connect_timeout = kPatience});
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
  EXPECT_THAT(status, StatusIs(StatusCode::kUnknown));
  EXPECT_EQ(wakes.count(), 0);
  EXPECT_EQ(pool.stats().discarded_count, 1);
  EXPECT_EQ(ClaimedCount(inbox), 1u) << "the bus delivers it again, and it is done then";
}

TEST_F(PgEventInboxTest, ACommitWhoseAnswerIsLostIsUnknownAndTheNextDeliveryFindsItTaken) {
  TcpProxy proxy(database_->ServerPort());
  ConnectionPool pool(database_->ConninfoThrough(proxy.port()), {.connect_timeout = kPatience});
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

TEST_F(PgEventInboxTest, AnEventPutBehindAQueueThatEndsMeanwhileIsStillDue) {
  // The batch holds its transaction while this test acts, on a machine with other work.
  ConnectionPool pool(database_->conninfo(),
                      {.connect_timeout = kPatience,
                       .statement_timeout = std::chrono::minutes(2),
                       .lock_timeout = std::chrono::minutes(1),
                       .idle_in_transaction_timeout = std::chrono::minutes(2)});
  store::PgEventInbox inbox(pool, {});
  store::PgRetryQueue retries(pool, {});
  const domain::Instant now = At("2026-03-01T10:00:00Z");
  const auto received = [](std::int64_t task) {
    domain::ReceivedEvent made;
    made.event.id = NewEventId();
    made.event.user = {"ann"};
    made.event.task_id = {task};
    made.event.at = At("2026-03-01T09:00:00Z");
    made.record.topic = "task-events";
    return made;
  };
  const auto enqueue = [&](const domain::ReceivedEvent& event) {
    EXPECT_TRUE(retries.Enqueue("recurring", event, {.failed_at = now, .due_at = now, .reason = ""})
                    .value());
  };
  enqueue(received(1));
  // The batch waits for the queue of task 1, when it has seen that task 2 has none.
  const auto other = database_->Open();
  other->Run("begin; select lock_retry_queue('recurring', 'ann', 1)");
  const domain::ReceivedEvent late = received(2);
  std::atomic<bool> claimed = false;
  std::promise<void> go_on;
  auto batch = std::async(std::launch::async, [&] {
    return inbox.Transact([&](InboxTransaction& transaction) -> absl::Status {
      const absl::Status status = transaction.Claim("recurring", {received(1), late}).status();
      claimed = true;
      go_on.get_future().wait();
      return status;
    });
  });
  EXPECT_TRUE(database_->WaitUntil(kWaiting, "1"));
  const domain::ReceivedEvent early = received(2);
  enqueue(early);
  // The claim puts `late` behind `early`, and for that waits for the transaction that tries
  // `early`.
  const auto trying = database_->Open();
  trying->Run("begin; select lock_retry_queue('recurring', 'ann', 2)");
  other->Run("commit");
  const auto give_up = std::chrono::steady_clock::now() + std::chrono::minutes(1);
  while (!claimed && database_->Run(kWaiting) != "1" &&
         std::chrono::steady_clock::now() < give_up) {
  }
  trying->Run(
      fmt::format("select remove_retry('recurring', '{}', 'done', now())", early.event.id.value()));
  trying->Run("commit");
  go_on.set_value();
  EXPECT_TRUE(batch.get().ok());
  const auto due = retries.Due({"recurring"}, now, 10);
  ASSERT_TRUE(due.ok()) << due.status();
  EXPECT_TRUE(std::ranges::any_of(*due, [&](const ports::RetryEntry& entry) {
    return entry.event_id == late.event.id;
  })) << "it would wait for ever";
}

TEST_F(PgEventInboxTest, ALockTimeoutIsAborted) {
  ConnectionPool pool(database_->conninfo(), {.connect_timeout = kPatience,
                                              .lock_timeout = std::chrono::milliseconds(50)});
  store::PgEventInbox inbox(pool, {});
  const domain::UserId user{"ann"};
  const auto lock = [&](InboxTransaction& transaction) {
    return transaction.recurrence().LockAndLoad({{user, domain::TaskId{1}}}).status();
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
