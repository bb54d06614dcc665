#include "store/pg_task_store.h"

#include <fmt/format.h>
#include <gmock/gmock.h>

#include <array>
#include <atomic>
#include <chrono>
#include <functional>
#include <future>
#include <memory>
#include <optional>
#include <random>
#include <string>
#include <vector>

#include "contract/contract_support.h"
#include "store/connection_pool.h"
#include "store/list_query.h"
#include "store/pg_event_inbox.h"
#include "store/search_index.h"
#include "store/session.h"
#include "support/status_matchers.h"
#include "support/tcp_proxy.h"
#include "support/test_database.h"
#include "util/cancellation.h"
#include "util/status.h"

// Promises beyond the contract: lost connections, timeouts, and rules of the database itself.

namespace todo::contract {
namespace {

using absl::StatusCode;
using std::chrono::milliseconds;
using store::ConnectionPool;
using store::PgTaskStore;
using support::ConninfoSetting;
using support::StatusIs;
using support::TcpProxy;
using support::TestDatabase;

using Result = absl::StatusOr<ports::MutationResult>;

class PgTaskStoreTest : public testing::Test {
 protected:
  void SetUp() override {
    database_ = TestDatabase::Make();
    if (database_ == nullptr) GTEST_SKIP() << "needs a database";
  }

  std::string ChangeCount() { return database_->Run("select count(*) from changes"); }

  /// Waits until a session waits for a lock and ends it, as an operator or a failing network would.
  void TerminateWhoWaitsForALock() {
    const std::string waiting =
        "from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'";
    ASSERT_TRUE(database_->WaitUntil(fmt::format("select count(*) {}", waiting), "1"));
    database_->Run(fmt::format("select pg_terminate_backend(pid) {}", waiting));
  }

  const domain::UserId user_{"ann"};
  std::unique_ptr<TestDatabase> database_;
};

TEST_F(PgTaskStoreTest, AConnectionCutInTheMiddleIsResolvedByTheRequestId) {
  ConnectionPool pool(database_->conninfo());
  Wakes wakes;
  PgTaskStore store(pool, std::ref(wakes));
  const domain::Task task = store.Apply(Create(user_, "title")).value().task;

  const auto other = database_->Open();
  other->Run("begin; select from users for update");
  const ports::Mutation rename = Rename(task, "renamed");
  std::future<Result> result = std::async(std::launch::async, [&] { return store.Apply(rename); });
  TerminateWhoWaitsForALock();
  other->Run("rollback");

  const Result answer = result.get();
  ASSERT_TRUE(answer.ok()) << answer.status();
  EXPECT_TRUE(answer->changed);
  EXPECT_EQ(answer->task.version, 2);
  EXPECT_EQ(ChangeCount(), "2");
  EXPECT_EQ(wakes.count(), 2);
  EXPECT_EQ(pool.stats().discarded_count, 1);
}

TEST_F(PgTaskStoreTest, SearchAndOrderDoNotDependOnTheDatabasesLocale) {
  ConnectionPool pool(database_->conninfo());
  PgTaskStore store(pool, {});
  ASSERT_TRUE(store.Apply(Create(user_, "Ähre")).ok());
  EXPECT_EQ(database_->Run("select collname from pg_attribute a join pg_collation c on c.oid = "
                           "a.attcollation where attrelid = 'task_texts'::regclass and "
                           "attname = 'search_text'"),
            "C");
  EXPECT_EQ(database_->Run("select collprovider from pg_collation where collname = 'title_order'"),
            "i");
}

TEST_F(PgTaskStoreTest, AnAnswerLostAfterTheCommitIsFoundOut) {
  TcpProxy proxy(database_->ServerPort());
  ConnectionPool pool(database_->ConninfoThrough(proxy.port()));
  Wakes wakes;
  PgTaskStore store(pool, std::ref(wakes));
  const domain::Task task = store.Apply(Create(user_, "title")).value().task;

  proxy.DropAnswers();
  const ports::Mutation rename = Rename(task, "renamed");
  std::future<Result> result = std::async(std::launch::async, [&] { return store.Apply(rename); });
  ASSERT_TRUE(database_->WaitUntil("select count(*) from changes", "2")) << "it was committed";
  while (proxy.dropped_answer_count() == 0) std::this_thread::yield();
  proxy.Mend();

  const Result answer = result.get();
  ASSERT_TRUE(answer.ok()) << answer.status();
  EXPECT_TRUE(answer->changed) << "the change is this call's own";
  EXPECT_EQ(answer->task.version, 2);
  EXPECT_EQ(ChangeCount(), "2");
  EXPECT_EQ(wakes.count(), 2) << "the relay hears of it all the same";
}

TEST_F(PgTaskStoreTest, TheAnswerOfAListLostAfterTheCommitIsFoundOut) {
  TcpProxy proxy(database_->ServerPort());
  ConnectionPool pool(database_->ConninfoThrough(proxy.port()));
  Wakes wakes;
  PgTaskStore store(pool, std::ref(wakes));
  // Two tasks by one list: after it the statement is prepared, so the next answer is that of the
  // changes.
  const domain::Task task =
      store
          .ApplyAll({.request_id = NewRequestId(),
                     .fingerprint = "first",
                     .mutations = {Create(user_, "title"), Create(user_, "b")}})
          .value()[0]
          .task;

  proxy.DropAnswers();
  const ports::MutationList list{
      .request_id = NewRequestId(),
      .fingerprint = "list",
      .mutations = {Rename(task, "title"), Rename(task, "renamed"), Create(user_, "other")}};
  auto result = std::async(std::launch::async, [&] { return store.ApplyAll(list); });
  ASSERT_TRUE(database_->WaitUntil("select count(*) from changes", "4")) << "it was committed";
  while (proxy.dropped_answer_count() == 0) std::this_thread::yield();
  proxy.Mend();

  const auto answers = result.get();
  ASSERT_TRUE(answers.ok()) << answers.status();
  ASSERT_EQ(answers->size(), 3u);
  EXPECT_FALSE((*answers)[0].changed) << "it changed nothing";
  EXPECT_TRUE((*answers)[1].changed && (*answers)[2].changed) << "the changes are this call's own";
  EXPECT_EQ((*answers)[1].task.fields.title, "renamed");
  EXPECT_EQ(ChangeCount(), "4");
  EXPECT_EQ(wakes.count(), 2) << "the relay hears of it all the same";
}

TEST_F(PgTaskStoreTest, AnOutcomeThatCannotBeFoundOutIsUnknownAndMayBeRepeated) {
  TcpProxy proxy(database_->ServerPort());
  ConnectionPool pool(database_->ConninfoThrough(proxy.port()));
  PgTaskStore store(pool, {}, {.apply_deadline = milliseconds(300)});
  const domain::Task task = store.Apply(Create(user_, "title")).value().task;

  proxy.DropAnswers();
  const ports::Mutation rename = Rename(task, "renamed");
  EXPECT_EQ(store.Apply(rename).status().code(), StatusCode::kUnknown);

  proxy.Mend();
  const Result answer = store.Apply(rename);
  ASSERT_TRUE(answer.ok()) << answer.status();
  EXPECT_EQ(answer->task.fields.title, "renamed");
  EXPECT_EQ(ChangeCount(), "2");
}

TEST_F(PgTaskStoreTest, ADatabaseThatFreezesIsGivenUpAndUsedAgainWhenItThaws) {
  TcpProxy proxy(database_->ServerPort());
  ConnectionPool pool(
      database_->ConninfoThrough(proxy.port()),
      {.statement_timeout = std::chrono::seconds(2), .answer_margin = std::chrono::seconds(1)});
  PgTaskStore store(pool, {}, {.apply_deadline = milliseconds(1)});
  const domain::Task task = store.Apply(Create(user_, "title")).value().task;

  // In another thread: a call that hangs must end as a failure, not as the end of all tests.
  const auto while_frozen = [&](const std::function<absl::Status()>& call) {
    proxy.Freeze();  // it accepts data and does nothing
    std::future<absl::Status> answer = std::async(std::launch::async, call);
    const bool given_up = answer.wait_for(std::chrono::seconds(60)) == std::future_status::ready;
    EXPECT_TRUE(given_up);
    if (!given_up) proxy.Cut();
    const absl::Status status = answer.get();
    proxy.Mend();
    return status.code();
  };
  EXPECT_EQ(while_frozen([&] { return store.Get(user_, task.id).status(); }),
            StatusCode::kUnavailable);
  EXPECT_EQ(store.Get(user_, task.id).value(), task);

  const ports::Mutation rename = Rename(task, "renamed");
  EXPECT_EQ(while_frozen([&] { return store.Apply(rename).status(); }), StatusCode::kUnknown)
      << "it may have been done, or be done yet";
  EXPECT_EQ(store.Apply(rename).value().task.fields.title, "renamed");
  EXPECT_EQ(ChangeCount(), "2");
}

TEST_F(PgTaskStoreTest, ACutDatabaseIsUnavailableAndComesBackByItself) {
  TcpProxy proxy(database_->ServerPort());
  ConnectionPool pool(database_->ConninfoThrough(proxy.port()));
  PgTaskStore store(pool, {});
  const domain::Task task = store.Apply(Create(user_, "title")).value().task;
  proxy.Cut();
  EXPECT_EQ(store.Apply(Create(user_, "title")).status().code(), StatusCode::kUnavailable);
  EXPECT_EQ(store.Get(user_, task.id).status().code(), StatusCode::kUnavailable);
  EXPECT_EQ(store.List(user_, {}).status().code(), StatusCode::kUnavailable);
  EXPECT_EQ(store.ListChanges(user_, {}).status().code(), StatusCode::kUnavailable);
  EXPECT_EQ(pool.Ping().code(), StatusCode::kUnavailable);
  proxy.Mend();
  EXPECT_EQ(store.Get(user_, task.id).value(), task);
  EXPECT_TRUE(store.Apply(Create(user_, "title")).ok());
}

TEST_F(PgTaskStoreTest, ASessionEndedWhileIdleIsReplacedUnnoticed) {
  ConnectionPool pool(database_->conninfo());
  PgTaskStore store(pool, {});
  const domain::Task task = store.Apply(Create(user_, "title")).value().task;
  const std::string others =
      "from pg_stat_activity where datname = current_database() and pid <> pg_backend_pid()";
  database_->Run(fmt::format("select pg_terminate_backend(pid) {}", others));
  ASSERT_TRUE(database_->WaitUntil(fmt::format("select count(*) {}", others), "0"));
  EXPECT_TRUE(store.Get(user_, task.id).ok());
  EXPECT_EQ(pool.stats().discarded_count, 1);
  EXPECT_EQ(pool.stats().open_count, 1);
}

TEST_F(PgTaskStoreTest, ALockNotHadInTimeIsContention) {
  ConnectionPool pool(database_->conninfo(), {.lock_timeout = milliseconds(50)});
  PgTaskStore store(pool, {});
  const domain::Task task = store.Apply(Create(user_, "title")).value().task;
  const auto other = database_->Open();
  other->Run("begin; select from users for update");
  const Result answer = store.Apply(Rename(task, "renamed"));
  EXPECT_EQ(answer.status().code(), StatusCode::kAborted);
  EXPECT_EQ(util::ReasonOf(answer.status()), "CONTENTION");
  EXPECT_TRUE(store.Get(user_, task.id).ok()) << "reading waits for nobody";
  EXPECT_EQ(pool.stats().discarded_count, 0) << "the connection is good";
  other->Run("rollback");
  EXPECT_EQ(store.Apply(Rename(task, "renamed")).value().task.seq, 2);
}

TEST_F(PgTaskStoreTest, AStatementThatTakesTooLongIsDeadlineExceededAndManyInARowAreAnOutage) {
  ConnectionPool pool(database_->conninfo(), {.statement_timeout = std::chrono::seconds(1),
                                              .lock_timeout = milliseconds(0)});
  PgTaskStore store(pool, {});
  const domain::Task task = store.Apply(Create(user_, "title")).value().task;
  const auto other = database_->Open();
  other->Run("begin; select from users for update");
  EXPECT_EQ(store.Apply(Rename(task, "renamed")).status().code(), StatusCode::kDeadlineExceeded);
  EXPECT_EQ(store.Apply(Rename(task, "renamed")).status().code(), StatusCode::kDeadlineExceeded);
  EXPECT_EQ(store.Apply(Rename(task, "renamed")).status().code(), StatusCode::kUnavailable);
  EXPECT_TRUE(store.Get(user_, task.id).ok()) << "a success in between: no outage";
  EXPECT_EQ(store.Apply(Rename(task, "renamed")).status().code(), StatusCode::kDeadlineExceeded);
  other->Run("rollback");
  EXPECT_EQ(ChangeCount(), "1");
}

TEST_F(PgTaskStoreTest, AFrozenConsumerDelaysOtherCallsOnlyBriefly) {
  ConnectionPool pool(database_->conninfo(), {.idle_in_transaction_timeout = milliseconds(100)});
  PgTaskStore store(pool, {});
  store::PgEventInbox inbox(pool, {});
  const domain::Task task = store.Apply(Create(user_, "title")).value().task;
  const absl::Status status =
      inbox.Transact([&](ports::InboxTransaction& transaction) -> absl::Status {
        TODO_RETURN_IF_ERROR(transaction.recurrence().LockAndLoad({{user_, task.id}}).status());
        // Frozen: another call of the same user gets through before this one goes on.
        const Result answer = store.Apply(Rename(task, "renamed"));
        EXPECT_TRUE(answer.ok()) << answer.status();
        ports::ConsumerChange removal;
        removal.kind = ports::ConsumerChange::Kind::kRemoveSuccessor;
        removal.user = user_;
        removal.task_id = task.id;
        removal.event_id = NewEventId();
        removal.now = At("2026-03-01T12:00:00Z");
        return transaction.recurrence().Write({removal});
      });
  EXPECT_EQ(status.code(), StatusCode::kUnavailable) << status;
  EXPECT_EQ(store.Get(user_, task.id).value().version, 2) << "nothing of it stays";
}

TEST_F(PgTaskStoreTest, TextWithANulIsRefusedNotCutOff) {
  ConnectionPool pool(database_->conninfo());
  PgTaskStore store(pool, {});
  const domain::UserId disguised{std::string("ann\0x", 5)};
  const domain::Task task = store.Apply(Create(user_, "mine")).value().task;
  EXPECT_EQ(store.Apply(Create(disguised, "title")).status().code(), StatusCode::kInternal);
  EXPECT_EQ(store.Get(disguised, task.id).status().code(), StatusCode::kInternal);
  EXPECT_EQ(store.List(disguised, {}).status().code(), StatusCode::kInternal);
  EXPECT_EQ(store.Apply(Create(user_, std::string("a\0b", 3))).status().code(),
            StatusCode::kInternal);
  EXPECT_EQ(ChangeCount(), "1");
}

TEST_F(PgTaskStoreTest, TextIsFoundWhateverItsCaseInAnyAlphabet) {
  ConnectionPool pool(database_->conninfo());
  PgTaskStore store(pool, {});
  ASSERT_TRUE(store.Apply(Create(user_, "Äpfel КУПИТЬ")).ok());
  ports::TaskQuery query;
  for (const char* text : {"äPFEL", "купить"}) {
    query.text = text;
    EXPECT_EQ(store.List(user_, query).value().tasks.size(), 1u) << text;
  }
}

// The pool.

TEST_F(PgTaskStoreTest, ThePoolHasABoundAndSaysWhenAllAreInUse) {
  ConnectionPool pool(database_->conninfo(),
                      {.max_connections = 2, .acquire_wait = milliseconds(20)});
  {
    auto first = pool.Acquire();
    auto second = pool.Acquire();
    ASSERT_TRUE(first.ok() && second.ok());
    EXPECT_EQ(pool.Acquire().status().code(), StatusCode::kResourceExhausted);
    EXPECT_EQ(pool.stats().in_use_count, 2);
    EXPECT_EQ(pool.stats().exhausted_count, 1);
    EXPECT_EQ(pool.stats().max_count, 2);
    EXPECT_EQ(pool.stats().waits.count(), 3u);
    EXPECT_GE(pool.stats().waits.sum_seconds, 0.02);
  }
  EXPECT_TRUE(pool.Ping().ok());
  EXPECT_EQ(pool.stats().open_count, 2);
  EXPECT_EQ(pool.stats().in_use_count, 0);
  EXPECT_EQ(pool.stats().connected_count, 2);
}

TEST_F(PgTaskStoreTest, AWaitingCallGetsTheReturnedConnection) {
  ConnectionPool pool(database_->conninfo(), {.max_connections = 1});
  auto lease = std::make_optional(pool.Acquire());
  ASSERT_TRUE((*lease).ok());
  std::future<absl::Status> waiting = std::async(std::launch::async, [&] { return pool.Ping(); });
  while (pool.stats().waiting_count == 0) std::this_thread::yield();
  lease.reset();
  EXPECT_TRUE(waiting.get().ok());
  EXPECT_EQ(pool.stats().connected_count, 1);
}

TEST_F(PgTaskStoreTest, SessionsAreSetUp) {
  const std::string conninfo = store::ConninfoWith(database_->conninfo(), {});
  TestDatabase::Session session(conninfo);
  const std::map<std::string, std::string> expected = {
      {"statement_timeout", "5s"},          {"lock_timeout", "2s"},
      {"tcp_user_timeout", "3000"},         {"idle_in_transaction_session_timeout", "3s"},
      {"client_encoding", "UTF8"},          {"timezone", "UTC"},
      {"application_name", "todo-service"},
  };
  for (const auto& [name, value] : expected) {
    if (name == "tcp_user_timeout" && session.Run("select inet_server_addr() is null") == "t")
      continue;
    EXPECT_EQ(session.Run("show " + name), value) << name;
  }
}

/// A search that waits for a lock, which stands for one that takes long.
class SlowSearchTest : public PgTaskStoreTest {
 protected:
  void SetUp() override {
    PgTaskStoreTest::SetUp();
    if (database_ == nullptr) return;
    pool_ = std::make_unique<ConnectionPool>(
        database_->conninfo(), store::PoolOptions{.max_connections = 1,
                                                  .statement_timeout = std::chrono::seconds(60),
                                                  .lock_timeout = milliseconds(0)});
    other_ = database_->Open();
  }

  absl::Status Search(util::Cancellation cancellation,
                      milliseconds search_timeout = std::chrono::seconds(60)) {
    PgTaskStore store(*pool_, {}, {.search_timeout = search_timeout});
    ports::TaskQuery query;
    query.text = "text";
    query.cancellation = std::move(cancellation);
    return store.List(user_, query).status();
  }
  void Block() { other_->Run("begin; lock table task_texts"); }
  void Unblock() { other_->Run("rollback"); }
  /// The connection is the same one, and the server does nothing for it.
  void ExpectConnectionReusable() {
    EXPECT_TRUE(
        database_->WaitUntil("select count(*) from pg_stat_activity where datname = "
                             "current_database() and wait_event_type = 'Lock'",
                             "0"));
    EXPECT_TRUE(PgTaskStore(*pool_, {}).Get(user_, {}).status().code() == StatusCode::kNotFound);
    EXPECT_EQ(pool_->stats().discarded_count, 0);
    EXPECT_EQ(pool_->stats().connected_count, 1);
  }

  std::unique_ptr<ConnectionPool> pool_;
  std::unique_ptr<TestDatabase::Session> other_;
};

TEST_F(SlowSearchTest, ASearchIsCancelledWhenItsCallerGoes) {
  Block();
  std::atomic<bool> gone = false;
  auto answer = std::async(std::launch::async,
                           [&] { return Search({.requested = [&gone] { return gone.load(); }}); });
  ASSERT_TRUE(
      database_->WaitUntil("select count(*) from pg_stat_activity where datname = "
                           "current_database() and wait_event_type = 'Lock'",
                           "1"));
  gone = true;
  EXPECT_THAT(answer.get(), StatusIs(StatusCode::kCancelled));
  ExpectConnectionReusable();
  Unblock();
}

TEST_F(SlowSearchTest, ASearchEndsWithTheDeadlineOfItsCaller) {
  Block();
  const auto deadline = std::chrono::steady_clock::now() + milliseconds(100);
  const absl::Status status = Search({.requested = {}, .deadline = deadline});
  EXPECT_THAT(status, StatusIs(StatusCode::kDeadlineExceeded));
  EXPECT_EQ(util::ReasonOf(status), "DEADLINE_PASSED");
  ExpectConnectionReusable();
  Unblock();
}

TEST_F(SlowSearchTest, SearchesThatTakeTooLongAreNoOutage) {
  Block();
  for (int i = 0; i < 5; ++i) {
    const absl::Status status = Search({}, milliseconds(20));
    EXPECT_THAT(status, StatusIs(StatusCode::kDeadlineExceeded)) << i;
    EXPECT_EQ(util::ReasonOf(status), "SEARCH_TOO_SLOW");
  }
  ExpectConnectionReusable();
  Unblock();
}

TEST_F(SlowSearchTest, ACancelledStatementNeverHitsTheNextOneOfItsConnection) {
  for (int i = 0; i < 40; ++i) {
    // Ends at the same time as it is cancelled, as nearly as can be.
    const util::Cancellation cancellation{
        .requested = {}, .deadline = std::chrono::steady_clock::now() + milliseconds(45)};
    const absl::StatusOr<bool> slept =
        store::ReadWhileWanted(*pool_, cancellation, std::nullopt, "sleep",
                               [](pqxx::transaction_base& transaction) -> absl::StatusOr<bool> {
                                 transaction.exec("select pg_sleep(0.05)");
                                 return true;
                               });
    EXPECT_TRUE(slept.ok() || absl::IsDeadlineExceeded(slept.status())) << slept.status();
    ASSERT_EQ(pool_->Ping(), absl::OkStatus()) << i;
  }
  EXPECT_EQ(pool_->stats().connected_count, 1);
}

TEST_F(PgTaskStoreTest, ASearchReadsTheIndexOfTextsWhereThereIsOne) {
  ConnectionPool pool(database_->conninfo());
  EXPECT_EQ(store::MakeSearchIndex(pool).value(), "");
  EXPECT_EQ(store::MakeSearchIndex(pool).value(), "") << "again is harmless";
  database_->Run(
      "insert into tasks (user_id, id, version, seq, title, completed, priority, tags, time_zone, "
      "recurrence_basis, missed, created_at, updated_at) select 'u' || i % 3, nextval('task_ids'), "
      "1, 1, '', false, 1, '{}', 'UTC', 'schedule', 0, now(), now() from generate_series(1, 9000) "
      "i");
  database_->Run(
      "insert into task_texts select user_id, id, translate(md5(id::text), 'abcdef', 'ghijkm') "
      "from tasks");
  database_->Run("vacuum analyze tasks, task_texts");
  const domain::UserId user{"u1"};
  PgTaskStore store(pool, {});
  ASSERT_TRUE(store.Apply(Create(user, "a needle in the haystack")).ok());
  ports::TaskQuery query;
  query.text = "needle";
  const std::string sql = "explain (format json) " + store::StatementFor(query, std::nullopt);
  auto lease = pool.Acquire();
  ASSERT_TRUE(lease.ok()) << lease.status();
  pqxx::nontransaction transaction(lease->session().connection);
  const std::optional<std::string> unset;
  const auto plan = store::ExecOnce(transaction, sql, user.value, unset, unset, unset, unset, unset,
                                    store::ContainsPattern("needle"), 51)[0][0]
                        .as<std::string>();
  EXPECT_NE(plan.find("task_texts_by_text"), std::string::npos) << plan;
  for (const char* text : {"needle", "NEEDLE in", "dle", "le", "e"}) {
    query.text = text;
    EXPECT_EQ(store.List(user, query).value().tasks.size(), 1u) << text;
  }
}

// PL/pgSQL passes a task as a parameter, a query as a row. A function that PostgreSQL does not
// inline is parsed and planned again in each transaction that calls it.
TEST_F(PgTaskStoreTest, TheJsonOfATaskIsMadeWithoutCallingAFunctionOfOurs) {
  const auto session = database_->Open();
  session->Run("set plan_cache_mode = force_generic_plan");
  session->Run("prepare json_of(tasks) as select task_json($1)");
  for (const char* statement : {"execute json_of(null)", "select task_json(t) from tasks t"}) {
    const std::string plan =
        session->Run(fmt::format("explain (verbose, costs off, format json) {}", statement));
    EXPECT_NE(plan.find("row_to_json("), std::string::npos) << plan;
    for (const char* function : {"task_json(", "rfc3339(", "local_time("}) {
      EXPECT_EQ(plan.find(function), std::string::npos) << statement << ": " << plan;
    }
  }
}

TEST_F(PgTaskStoreTest, AServerWithoutTheExtensionsSaysSo) {
  database_->Run(
      "create role visitor_of_texts; grant select, update on task_texts to visitor_of_texts");
  ConnectionPool pool(
      ConninfoSetting(database_->conninfo(), "options", "-c role=visitor_of_texts"));
  const auto missing = store::MakeSearchIndex(pool);
  ASSERT_TRUE(missing.ok()) << missing.status();
  EXPECT_NE(*missing, "");
  EXPECT_EQ(database_->Run("select to_regclass('task_texts_by_text') is null"), "t");
  database_->Run("drop owned by visitor_of_texts; drop role visitor_of_texts");
}

TEST_F(PgTaskStoreTest, TheNumberOfOpenTasksFollowsEveryChange) {
  ConnectionPool pool(database_->conninfo());
  PgTaskStore store(pool, {}, {.open_task_limit = 20});
  const auto expect_right = [&](const std::string& when) {
    EXPECT_EQ(database_->Run("select open_tasks - (select count(*) from tasks t where t.user_id = "
                             "u.user_id and not completed and deleted_at is null) from users u"),
              "0")
        << when;
  };
  std::mt19937 random(1);
  std::vector<domain::Task> tasks;
  for (int step = 0; step < 300; ++step) {
    using domain::ChangeKind;
    const auto kind =
        std::array{ChangeKind::kCreated, ChangeKind::kCompleted, ChangeKind::kUncompleted,
                   ChangeKind::kDeleted, ChangeKind::kUpdated}[random() % 5];
    if (kind == ChangeKind::kCreated || tasks.empty()) {
      if (const Result made = store.Apply(Create(user_, fmt::format("{}", step))); made.ok())
        tasks.push_back(made->task);
      continue;
    }
    ports::Mutation change = ChangeOf(kind, tasks[random() % tasks.size()]);
    change.expected_version.reset();
    store.Apply(change).status().IgnoreError();
    if (step % 50 == 0) expect_right(fmt::format("after step {}", step));
  }
  expect_right("at the end");

  // A consumer makes and restores occurrences at the limit too.
  while (store.Apply(Create(user_, "more")).ok()) {
  }
  expect_right("at the limit");
  const auto as_consumer = [&](const std::string& kind, const std::string& task,
                               const std::string& patch) {
    return database_->Run(
        fmt::format("select outcome from apply_change('ann', null, null, '{}', {}, null, '{}', "
                    "gen_random_uuid(), now(), '')",
                    kind, task, patch));
  };
  EXPECT_EQ(as_consumer("created", "null",
                        R"({"title":"t","folded_title":"t","priority":1,"tags":[],)"
                        R"("time_zone":"UTC","recurrence_basis":"schedule"})"),
            "changed");
  expect_right("after a consumer");
  EXPECT_EQ(database_->Run("select open_tasks from users"), "21");
  const std::string last = database_->Run("select max(id) from tasks");
  EXPECT_EQ(as_consumer("deleted", last, R"({"deleted_at":"2026-03-01T00:00:00Z"})"), "changed");
  expect_right("after a consumer's deletion");
  EXPECT_EQ(as_consumer("created", last, R"({"deleted_at":null})"), "changed");
  expect_right("after a consumer's restoring");
  EXPECT_EQ(database_->Run("select open_tasks from users"), "21");
}

TEST_F(PgTaskStoreTest, APageInAnyOrderIsReadFromAnIndexAndEndsWithThePage) {
  database_->Run(
      "insert into tasks (user_id, id, version, seq, title, completed, priority, tags, due_at, "
      "time_zone, recurrence_basis, missed, created_at, updated_at, deleted_at) select 'u' || i % "
      "3, nextval('task_ids'), 1, 1, md5(i::text), false, i % 3, '{}', case when i % 4 > 0 then "
      "now() + (i % 1000) * interval '1 hour' end, 'UTC', 'schedule', 0, now() - i * interval '1 "
      "minute', now() - (i * 7 % 1000) * interval '1 minute', case when i % 5 = 0 then now() end "
      "from generate_series(1, 9000) i");
  database_->Run("analyze tasks");
  const domain::UserId user{"u1"};
  ConnectionPool pool(database_->conninfo());
  PgTaskStore store(pool, {});
  const auto rows_of = [](const std::string& plan, const std::string& key) {
    std::int64_t rows = 0;
    for (std::size_t at = plan.find(key); at != std::string::npos; at = plan.find(key, at + 1)) {
      rows = std::max<std::int64_t>(rows, std::stoll(plan.substr(at + key.size())));
    }
    return rows;
  };
  using ports::TaskOrder;
  for (const TaskOrder order : {TaskOrder::kCreatedAt, TaskOrder::kDueDate, TaskOrder::kPriority,
                                TaskOrder::kTitle, TaskOrder::kUpdatedAt}) {
    for (const bool descending : {false, true}) {
      ports::TaskQuery query;
      query.order = order;
      query.descending = descending;
      query.limit = 100;
      for (int page = 1; page < 20; ++page) {  // into those without a due date
        const auto listed = store.List(user, query);
        ASSERT_TRUE(listed.ok()) << listed.status();
        query.page_cursor = listed->next_cursor;
      }
      const auto position = store::DecodeCursor(user, query);
      ASSERT_TRUE(position.ok()) << position.status();
      for (const bool first : {true, false}) {
        const std::string sql =
            "explain (analyze, format json) " +
            store::StatementFor(query, first ? std::nullopt : std::optional(*position));
        auto lease = pool.Acquire();
        ASSERT_TRUE(lease.ok()) << lease.status();
        const std::string plan = [&] {
          pqxx::nontransaction transaction(lease->session().connection);
          const std::optional<std::string> unset;
          const auto run = [&](const auto&... more) {
            return store::ExecOnce(transaction, sql, user.value, unset, unset, unset, unset, unset,
                                   unset, 101, more...)[0][0]
                .template as<std::string>();
          };
          return first ? run() : run(position->id, position->key);
        }();
        EXPECT_EQ(plan.find("Sort"), std::string::npos) << plan;
        EXPECT_EQ(plan.find("Seq Scan"), std::string::npos) << plan;
        EXPECT_EQ(plan.find("Rows Removed by Filter"), std::string::npos) << plan;
        EXPECT_LE(rows_of(plan, "\"Actual Rows\": "), 101) << plan;
      }
    }
  }
}

// An answer means that the change is on disk, and a statement sees the commits that happened while
// it waited, with any settings of server, database and role.
TEST_F(PgTaskStoreTest, SessionsDoNotInheritWhatPromisesRestOn) {
  database_->Run(
      "do $$ begin "
      "execute format('alter database %I set synchronous_commit = off', current_database()); "
      "execute format('alter database %I set default_transaction_isolation = serializable', "
      "current_database()); end $$");
  const std::string plain = ConninfoSetting(database_->conninfo(), "options", "");
  EXPECT_EQ(TestDatabase::Session(plain).Run("show synchronous_commit"), "off");
  TestDatabase::Session session(store::ConninfoWith(plain, {}));
  EXPECT_EQ(session.Run("show synchronous_commit"), "on");
  EXPECT_EQ(session.Run("show transaction_isolation"), "read committed");
  TestDatabase::Session quick(store::ConninfoWith(plain, {.asynchronous_commit = true}));
  EXPECT_EQ(quick.Run("show synchronous_commit"), "off");
  EXPECT_EQ(quick.Run("show transaction_isolation"), "read committed");
}

TEST(PgPool, WithoutADatabaseEverythingIsUnavailableAtOnce) {
  // A call that waits for something, or tries again and again, does so for as long as this.
  constexpr std::chrono::minutes kPatience{1};
  ConnectionPool pool("host=127.0.0.1 port=1 dbname=none",
                      {.acquire_wait = kPatience, .connect_timeout = kPatience});
  PgTaskStore store(pool, {}, {.apply_deadline = kPatience, .apply_attempts = 1'000'000});
  const auto answered = std::async(std::launch::async, [&] {
    EXPECT_THAT(store.Apply(Create(domain::UserId{"ann"}, "title")),
                StatusIs(StatusCode::kUnavailable));
    EXPECT_THAT(pool.Ping(), StatusIs(StatusCode::kUnavailable));
  });
  EXPECT_EQ(answered.wait_for(std::chrono::seconds(20)), std::future_status::ready);
  EXPECT_EQ(pool.stats().open_count, 0);
}

}  // namespace
}  // namespace todo::contract
