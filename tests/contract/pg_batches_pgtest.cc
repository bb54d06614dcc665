#include <fmt/format.h>
#include <gmock/gmock.h>

#include <array>
#include <future>
#include <memory>
#include <optional>
#include <random>
#include <string>
#include <thread>
#include <vector>

#include "contract/contract_support.h"
#include "store/connection_pool.h"
#include "store/mutation_batch.h"
#include "store/pg_task_store.h"
#include "store/pipeline_connection.h"
#include "store/session.h"
#include "support/status_matchers.h"
#include "support/tcp_proxy.h"
#include "support/test_database.h"

// Calls that share a transaction: what each of them is promised when another one fails or waits, or
// when the connection is lost.

namespace todo::contract {
namespace {

using absl::StatusCode;
using domain::ChangeKind;
using domain::Task;
using std::chrono::milliseconds;
using store::ConnectionPool;
using store::PgTaskStore;
using support::StatusIs;
using support::TcpProxy;
using support::TestDatabase;

using Result = absl::StatusOr<ports::MutationResult>;

class PgBatchesTest : public testing::Test {
 protected:
  void SetUp() override {
    database_ = TestDatabase::Make();
    if (database_ == nullptr) GTEST_SKIP() << "needs a database";
    Use(database_->conninfo(), kPatient);
    // The first call of a user makes its row, and goes alone.
    for (const domain::UserId& user : {ann_, bob_}) Do(Create(user, "first"));
  }

  /// With one batch at a time, the calls that come while it runs are the next batch.
  void Use(const std::string& conninfo, store::PoolOptions options, int max_batches = 1) {
    store_.reset();
    pool_ = std::make_unique<ConnectionPool>(conninfo, options);
    store_ = std::make_unique<PgTaskStore>(
        *pool_, std::ref(wakes_),
        store::TaskStoreOptions{.max_batches = max_batches, .lone_calls_too = true});
  }
  Task Do(const ports::Mutation& mutation) {
    const Result result = store_->Apply(mutation);
    EXPECT_TRUE(result.ok()) << result.status();
    return result.ok() ? result->task : Task();
  }
  std::future<Result> Begin(const ports::Mutation& mutation) {
    return std::async(std::launch::async, [this, mutation] { return store_->Apply(mutation); });
  }
  /// Batches wait at their first write of a change until the session rolls back.
  std::unique_ptr<TestDatabase::Session> HoldBatches() {
    auto session = database_->Open();
    session->Run("begin; lock table changes in share mode");
    return session;
  }
  void WaitForHeldBatch(const std::string& count = "1") {
    EXPECT_TRUE(database_->WaitUntil("select count(*) " + std::string(kWaits), count));
  }
  void WaitForQueue(std::int64_t count) {
    while (store_->queue_stats().waiting_count != count) std::this_thread::yield();
  }
  /// Begins all of `mutations`, so that one batch has them; the first is one of its own.
  std::vector<std::future<Result>> BeginTogether(const ports::Mutation& first,
                                                 const std::vector<ports::Mutation>& mutations) {
    std::vector<std::future<Result>> results;
    const auto holder = HoldBatches();
    results.push_back(Begin(first));
    WaitForHeldBatch();
    for (std::size_t i = 0; i < mutations.size(); ++i) {
      results.push_back(Begin(mutations[i]));
      WaitForQueue(static_cast<std::int64_t>(i) + 1);
    }
    holder->Run("rollback");
    return results;
  }
  std::string TransactionCount() {
    return database_->Run("select count(distinct xid) from changes");
  }
  void ExpectSoundLog() {
    EXPECT_EQ(database_->Run("select count(*) from (select id < lag(id) over (partition by user_id "
                             "order by seq) as falls, seq <> row_number() over (partition by "
                             "user_id order by seq) as gap from changes) c where falls or gap"),
              "0");
    EXPECT_EQ(database_->Run("select count(*) from users u where open_tasks <> (select count(*) "
                             "from tasks t where t.user_id = u.user_id and not completed and "
                             "deleted_at is null) or seq <> (select max(seq) from changes c where "
                             "c.user_id = u.user_id)"),
              "0");
    EXPECT_EQ(database_->Run("select count(*) from changes c join tasks t using (user_id, seq) "
                             "where c.task_json <> task_json(t) or c.version <> t.version"),
              "0");
  }

  /// No limit ends what a test holds up.
  const store::PoolOptions kPatient{.acquire_wait = std::chrono::minutes(1),
                                    .statement_timeout = std::chrono::minutes(1),
                                    .lock_timeout = std::chrono::minutes(1),
                                    .idle_in_transaction_timeout = std::chrono::minutes(1)};
  static constexpr const char* kWaits =
      "from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'";
  const domain::UserId ann_{"ann"};
  const domain::UserId bob_{"bob"};
  std::unique_ptr<TestDatabase> database_;
  Wakes wakes_;
  std::unique_ptr<ConnectionPool> pool_;
  std::unique_ptr<PgTaskStore> store_;
};

TEST_F(PgBatchesTest, CallsThatComeMeanwhileShareATransaction) {
  const Task task = Do(Create(ann_, "task"));
  const std::string before = TransactionCount();
  auto results = BeginTogether(Create(bob_, "alone"), {Create(ann_, "a"), Rename(task, "renamed"),
                                                       Create(bob_, "b"), Create(ann_, "c")});
  std::vector<Task> tasks;
  for (auto& result : results) {
    const Result answer = result.get();
    ASSERT_TRUE(answer.ok()) << answer.status();
    EXPECT_TRUE(answer->changed);
    EXPECT_EQ(store_->Get(answer->task.user, answer->task.id).value(), answer->task);
    tasks.push_back(answer->task);
  }
  EXPECT_EQ(std::stoi(TransactionCount()), std::stoi(before) + 2);
  EXPECT_LT(tasks[1].seq, tasks[2].seq) << "in the order of arrival";
  EXPECT_LT(tasks[2].seq, tasks[4].seq);
  ExpectSoundLog();
}

TEST_F(PgBatchesTest, EachChangeOfATaskIsAnUpdateThatTriggersSee) {
  const Task task = Do(Create(ann_, "task"));
  auto results = BeginTogether(Create(bob_, "alone"), {ChangeOf(ChangeKind::kCompleted, task),
                                                       ChangeOf(ChangeKind::kUncompleted, task)});
  for (auto& result : results) EXPECT_TRUE(result.get().value().changed);
  EXPECT_EQ(store_->Get(ann_, task.id)->version, 3);
  EXPECT_EQ(database_->Run("select count(distinct xid) from changes where version > 1"), "2");
  ExpectSoundLog();
}

TEST_F(PgBatchesTest, ARequestThatIsRepeatedMeanwhileGetsTheFirstAnswer) {
  const ports::Mutation create = Create(ann_, "once");
  ports::Mutation other = create;
  other.fingerprint = "another";
  auto results = BeginTogether(Create(bob_, "alone"), {create, create, other});
  EXPECT_TRUE(results[1].get()->changed);
  const Result again = results[2].get();
  ASSERT_TRUE(again.ok()) << again.status();
  EXPECT_TRUE(again->repeated);
  EXPECT_EQ(again->task.fields.title, "once");
  EXPECT_THAT(results[3].get(), StatusIs(StatusCode::kAlreadyExists));
  EXPECT_EQ(database_->Run("select count(*) from changes where user_id = 'ann'"), "2");
}

TEST_F(PgBatchesTest, ABatchThatWritesLetsAnotherOneReadButNotForItsUsers) {
  Use(database_->conninfo(), kPatient, 2);
  Do(Create(ann_, "connects"));
  const auto holder = HoldBatches();
  auto first = Begin(Create(ann_, "first batch"));
  WaitForHeldBatch("1");
  auto behind = Begin(Create(ann_, "behind"));
  WaitForQueue(1);
  auto second = Begin(Create(bob_, "second batch"));
  WaitForHeldBatch("2");
  auto third = Begin(Create(bob_, "no room"));
  WaitForQueue(2);
  holder->Run("rollback");
  const Result before = first.get();
  const Result after = behind.get();
  ASSERT_TRUE(before.ok() && after.ok());
  EXPECT_LT(before->task.seq, after->task.seq) << "in the order of arrival";
  EXPECT_TRUE(second.get().ok() && third.get().ok());
  EXPECT_EQ(store_->queue_stats().alone_count, 0);
  ExpectSoundLog();
}

TEST_F(PgBatchesTest, ASecondBatchBeginsWhenHalfAsManyCallsWait) {
  Use(database_->conninfo(), kPatient, 2);
  Do(Create(ann_, "connects"));
  std::vector<ports::Mutation> of_bob;
  for (int i = 0; i < 4; ++i) of_bob.push_back(Create(bob_, "first batch"));
  // The first batch waits for this row when it writes, and no batch can read for now.
  const auto holder = database_->Open();
  holder->Run(
      fmt::format("begin; insert into requests (user_id, request_id, fingerprint, at) "
                  "values ('bob', '{}', '', now()); savepoint held; "
                  "lock table requests in access exclusive mode",
                  of_bob[0].request_id.value()));
  auto before = Begin(Create(ann_, "makes them wait"));
  WaitForHeldBatch();
  std::vector<std::future<Result>> first;
  for (const ports::Mutation& mutation : of_bob) {
    first.push_back(Begin(mutation));
    WaitForQueue(static_cast<std::int64_t>(first.size()));
  }
  holder->Run("rollback to held");
  EXPECT_TRUE(before.get().ok());
  WaitForHeldBatch();
  auto one = Begin(Create(ann_, "one"));
  WaitForQueue(1);
  auto two = Begin(Create(ann_, "two"));
  EXPECT_TRUE(one.get().ok() && two.get().ok());
  WaitForHeldBatch();
  holder->Run("rollback");
  for (auto& result : first) EXPECT_TRUE(result.get().ok());
  ExpectSoundLog();
}

TEST_F(PgBatchesTest, ABatchThatFailsLeavesTheOtherOneAlone) {
  Use(database_->conninfo(), kPatient, 2);
  Do(Create(ann_, "connects"));
  const auto holder = HoldBatches();
  auto first = Begin(Create(ann_, "first batch"));
  WaitForHeldBatch("1");
  const std::string pid = database_->Run("select pid " + std::string(kWaits));
  auto second = Begin(Create(bob_, "second batch"));
  WaitForHeldBatch("2");
  database_->Run(fmt::format("select pg_terminate_backend({})", pid));
  // The first call goes on alone.
  ASSERT_TRUE(
      database_->WaitUntil(fmt::format("select count(*) {} and pid <> {}", kWaits, pid), "2"));
  holder->Run("rollback");
  EXPECT_TRUE(first.get().ok() && second.get().ok());
  EXPECT_EQ(store_->queue_stats().alone_count, 1);
  ExpectSoundLog();
}

TEST_F(PgBatchesTest, WhoWaitsForALockHoldsNobodyUp) {
  const auto other = database_->Open();
  other->Run("begin; select from users where user_id = 'ann' for update");
  auto held = Begin(Create(ann_, "held"));
  WaitForHeldBatch();
  auto behind = Begin(Create(ann_, "behind"));
  WaitForQueue(1);
  EXPECT_TRUE(store_->Apply(Create(bob_, "free")).ok());
  other->Run("rollback");
  EXPECT_TRUE(held.get().ok());
  EXPECT_TRUE(behind.get().ok());
  ExpectSoundLog();
}

TEST_F(PgBatchesTest, ATaskThatAnotherUserNamesHoldsNobodyUp) {
  const Task task = Do(Create(ann_, "task"));
  const auto other = database_->Open();
  other->Run("begin; select from users where user_id = 'ann' for update");
  auto held = Begin(Create(ann_, "held"));
  WaitForHeldBatch();
  auto behind = Begin(Rename(task, "behind"));
  WaitForQueue(1);
  ports::Mutation foreign = Rename(task, "foreign");
  foreign.user = bob_;
  EXPECT_THAT(store_->Apply(foreign), StatusIs(StatusCode::kNotFound));
  other->Run("rollback");
  EXPECT_TRUE(held.get().ok());
  EXPECT_EQ(behind.get().value().task.fields.title, "behind");
  ExpectSoundLog();
}

TEST_F(PgBatchesTest, EachChangeOfASeriesIsATransactionThatTriggersSee) {
  const Task first = Do(CreateRecurring(ann_, "series"));
  ports::Mutation next = CreateRecurring(ann_, "series");
  next.series = PositionOf(first.series->series_id, 2);
  const Task second = Do(next);
  auto results = BeginTogether(Create(bob_, "alone"), {ChangeOf(ChangeKind::kCompleted, first),
                                                       ChangeOf(ChangeKind::kDeleted, second)});
  for (auto& result : results) EXPECT_TRUE(result.get().value().changed);
  EXPECT_EQ(database_->Run("select count(distinct xid) from changes where version > 1"), "2");
  ExpectSoundLog();
}

TEST_F(PgBatchesTest, ARowThatFailsFailsItsOwnCallOnly) {
  const Task first = Do(CreateRecurring(ann_, "first"));
  ports::Mutation twin = CreateRecurring(ann_, "twin");
  twin.series = first.series;
  auto results =
      BeginTogether(Create(bob_, "alone"), {Create(ann_, "before"), twin, Create(bob_, "after")});
  EXPECT_TRUE(results[1].get().ok());
  EXPECT_THAT(results[2].get(), StatusIs(StatusCode::kAlreadyExists));
  EXPECT_TRUE(results[3].get().ok());
  ExpectSoundLog();
}

TEST_F(PgBatchesTest, ARefusedCallLeavesTheOthersAlone) {
  const Task task = Do(Create(ann_, "task"));
  ports::Mutation stale = Rename(task, "stale");
  stale.expected_version = 7;
  ports::Mutation missing = Rename(task, "missing");
  missing.task_id.value = 4711;
  ports::Mutation same = Rename(task, "task");
  auto results = BeginTogether(Create(bob_, "alone"), {stale, missing, Create(ann_, "made"), same});
  EXPECT_THAT(results[1].get(), StatusIs(StatusCode::kAborted));
  EXPECT_THAT(results[2].get(), StatusIs(StatusCode::kNotFound));
  EXPECT_TRUE(results[3].get()->changed);
  EXPECT_FALSE(results[4].get()->changed);
  EXPECT_TRUE(store_->Apply(same)->repeated);
  ExpectSoundLog();
}

TEST_F(PgBatchesTest, AConnectionLostBeforeTheCommitCostsNoCallItsChange) {
  auto held = HoldBatches();
  std::vector<std::future<Result>> results;
  results.push_back(Begin(Create(ann_, "a")));
  WaitForHeldBatch();
  database_->Run(fmt::format("select pg_terminate_backend(pid) {}", kWaits));
  held->Run("rollback");
  const Result answer = results[0].get();
  ASSERT_TRUE(answer.ok()) << answer.status();
  EXPECT_TRUE(answer->changed);
  EXPECT_EQ(database_->Run("select count(*) from tasks where title = 'a'"), "1");
  EXPECT_TRUE(store_->Apply(Create(ann_, "on a new connection")).ok());
  ExpectSoundLog();
}

// The session of the lost connection may hold the locks of the users for a while.
TEST_F(PgBatchesTest, AConnectionLostWhileReadingCostsNoCallItsChange) {
  TcpProxy proxy(database_->ServerPort());
  store::PoolOptions options = kPatient;
  options.statement_timeout = milliseconds(500);
  options.answer_margin = milliseconds(100);
  options.lock_timeout = milliseconds(100);
  options.idle_in_transaction_timeout = milliseconds(300);
  Use(database_->ConninfoThrough(proxy.port()), options);
  Do(Create(ann_, "connects"));
  proxy.DropAnswers();
  auto lost = Begin(Create(ann_, "lost"));
  while (store_->queue_stats().alone_count < 1) std::this_thread::yield();
  proxy.Mend();
  const Result answer = lost.get();
  ASSERT_TRUE(answer.ok()) << answer.status();
  EXPECT_TRUE(answer->changed);
  EXPECT_EQ(database_->Run("select count(*) from tasks where title = 'lost'"), "1");
  ExpectSoundLog();
}

TEST_F(PgBatchesTest, AnAnswerLostAfterTheCommitIsFoundOutForEveryCall) {
  TcpProxy proxy(database_->ServerPort());
  Use(database_->ConninfoThrough(proxy.port()), kPatient);
  Do(Create(ann_, "connects"));
  auto held = HoldBatches();
  auto first = Begin(Create(bob_, "alone"));
  WaitForHeldBatch();
  auto a = Begin(Create(ann_, "a"));
  auto b = Begin(Create(bob_, "b"));
  WaitForQueue(2);
  held->Run("rollback");
  EXPECT_TRUE(first.get().ok());
  EXPECT_TRUE(a.get().ok() && b.get().ok());

  held->Run("begin; lock table changes in share mode");
  const int wakes = wakes_.count();
  auto lost = Begin(Create(ann_, "lost"));
  WaitForHeldBatch();
  proxy.DropAnswers();
  held->Run("rollback");
  ASSERT_TRUE(database_->WaitUntil("select count(*) from tasks where title = 'lost'", "1"));
  while (proxy.dropped_answer_count() == 0) std::this_thread::yield();
  proxy.Mend();
  const Result answer = lost.get();
  ASSERT_TRUE(answer.ok()) << answer.status();
  EXPECT_TRUE(answer->changed) << "the change is this call's own";
  EXPECT_EQ(database_->Run("select count(*) from tasks where title = 'lost'"), "1");
  EXPECT_GT(wakes_.count(), wakes);
  ExpectSoundLog();
}

TEST_F(PgBatchesTest, AServerThatFreezesHoldsACallNoLongerThanItsLimit) {
  TcpProxy proxy(database_->ServerPort());
  Use(database_->ConninfoThrough(proxy.port()),
      {.statement_timeout = milliseconds(200), .answer_margin = milliseconds(100)});
  Do(Create(ann_, "connects"));
  proxy.Freeze();
  auto result = Begin(Create(ann_, "late"));
  while (store_->queue_stats().alone_count < 1) std::this_thread::yield();
  proxy.Mend();
  const Result answer = result.get();
  EXPECT_TRUE(answer.ok() || absl::IsUnknown(answer.status()) ||
              absl::IsUnavailable(answer.status()))
      << answer.status();
  ExpectSoundLog();
}

TEST_F(PgBatchesTest, AConnectionThatWasEndedWhileIdleIsReplaced) {
  Do(Create(ann_, "connects"));
  database_->Run(
      "select pg_terminate_backend(pid) from pg_stat_activity where datname = current_database() "
      "and pid <> pg_backend_pid()");
  ASSERT_TRUE(
      database_->WaitUntil("select count(*) from pg_stat_activity where datname = "
                           "current_database() and pid <> pg_backend_pid()",
                           "0"));
  EXPECT_TRUE(store_->Apply(Create(ann_, "a")).ok());
  const std::int64_t batched = store_->queue_stats().batched_count;
  EXPECT_TRUE(store_->Apply(Create(ann_, "b")).ok());
  EXPECT_EQ(store_->queue_stats().batched_count, batched + 1);
}

TEST_F(PgBatchesTest, ACallThatIsNotTakenInTimeGoesAlone) {
  store::PoolOptions options = kPatient;
  options.acquire_wait = milliseconds(20);
  Use(database_->conninfo(), options);
  Do(Create(ann_, "connects"));
  const std::int64_t alone = store_->queue_stats().alone_count;
  const auto held = HoldBatches();
  auto first = Begin(Create(ann_, "a"));
  WaitForHeldBatch();
  auto second = Begin(Create(bob_, "b"));
  WaitForHeldBatch("2");
  EXPECT_EQ(store_->queue_stats().alone_count, alone + 1);
  held->Run("rollback");
  EXPECT_TRUE(first.get().ok());
  EXPECT_TRUE(second.get().ok());
  ExpectSoundLog();
}

TEST_F(PgBatchesTest, ManyCallsLeaveASoundLog) {
  Use(database_->conninfo(), kPatient, 2);
  std::vector<std::string> texts = {"plain", "\"quoted\" \\ / \b\f\n\r\t\x01\x1f\x7f",
                                    "Ähre €  \xF0\x9F\x98\x80", "<b>&amp;</b>"};
  std::vector<Task> shared;
  for (int i = 0; i < 4; ++i) shared.push_back(Do(CreateRecurring(ann_, "shared")));
  InParallel(8, [&](int thread) {
    std::mt19937 random(static_cast<unsigned>(thread));
    const domain::UserId user = thread % 2 == 0 ? ann_ : bob_;
    std::vector<Task> own;
    for (int step = 0; step < 40; ++step) {
      ports::Mutation mutation = Create(user, texts[random() % texts.size()]);
      if (random() % 2 == 0 && !own.empty()) {
        const auto kind = std::array{ChangeKind::kCompleted, ChangeKind::kUncompleted,
                                     ChangeKind::kDeleted, ChangeKind::kUpdated}[random() % 4];
        const Task& task = user == ann_ && random() % 4 == 0 ? shared[random() % shared.size()]
                                                             : own[random() % own.size()];
        mutation = ChangeOf(kind, task);
        if (kind == ChangeKind::kUpdated && random() % 2 == 0)
          mutation.patch.description = texts[random() % texts.size()];
        else if (kind == ChangeKind::kUpdated)
          mutation.patch.title = texts[random() % texts.size()];
      } else {
        mutation.fields.description = texts[random() % texts.size()];
        mutation.fields.tags = {"a", texts[random() % texts.size()], "b,c", ""};
        if (random() % 2 == 0) mutation.fields.due = DueAt("2026-03-02T09:00:00.5Z");
      }
      mutation.now += std::chrono::microseconds(random() % 3 * 500);
      mutation.traceparent = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";
      const Result result = store_->Apply(mutation);
      ASSERT_TRUE(result.ok() || absl::IsNotFound(result.status())) << result.status();
      if (result.ok() && mutation.creates()) own.push_back(result->task);
    }
  });
  EXPECT_GT(store_->queue_stats().batched_count, 0);
  ExpectSoundLog();
  EXPECT_EQ(database_->Run("select count(*) from tasks t left join task_texts x using (user_id, "
                           "id) where x.search_text is null"),
            "0");
}

// A plan is made once, often while the tables are small or their statistics old.
TEST_F(PgBatchesTest, EveryTableIsReadThroughItsIndexWhateverItsStatisticsSay) {
  const auto session = database_->Open();
  session->Run("analyze");
  session->Run(store::Pipeline::kSettings);
  for (const store::Statement& statement : store::MutationBatch::Statements()) {
    session->Run(fmt::format("prepare {} as {}", statement.name, statement.sql));
    int parameters = 0;
    while (std::string(statement.sql).find(fmt::format("${}::", parameters + 1)) !=
           std::string::npos)
      ++parameters;
    ASSERT_GT(parameters, 0);
    std::string nulls = "null";
    for (int i = 1; i < parameters; ++i) nulls += ", null";
    const std::string plan =
        session->Run(fmt::format("explain (format json) execute {}({})", statement.name, nulls));
    for (const char* node : {"Seq Scan", "Bitmap", "Hash Join", "Merge Join"})
      EXPECT_EQ(plan.find(node), std::string::npos) << plan;
  }
}

}  // namespace
}  // namespace todo::contract
