#include <fmt/format.h>
#include <gmock/gmock.h>

#include <atomic>
#include <condition_variable>
#include <future>
#include <set>

#include "contract/contract_support.h"
#include "contract/outbox_log_contract.h"
#include "store/connection_pool.h"
#include "store/outbox_signal.h"
#include "store/pg_outbox_log.h"
#include "support/test_database.h"
#include "util/guarded.h"

// Transactions that commit out of order, and the signal between replicas.

namespace todo::contract {
namespace {

using domain::Change;
using domain::UserId;
using ports::OutboxShard;
using std::chrono::milliseconds;
using std::chrono::steady_clock;
using support::TestDatabase;
using testing::ElementsAre;
using testing::IsEmpty;

class PgOutboxTest : public testing::Test {
 protected:
  void SetUp() override {
    database_ = TestDatabase::Make();
    if (database_ == nullptr) GTEST_SKIP() << "needs a database";
    pool_ = std::make_unique<store::ConnectionPool>(database_->conninfo());
    log_ = std::make_unique<store::PgOutboxLog>(*pool_);
    // All in one shard, so that they share a cursor.
    database_->Run(
        "create or replace function shard_of(p_user text) returns smallint language sql immutable "
        "as "
        "'select 3::smallint'");
    shards_ = {{.number = 3, .epoch = 0, .cursor = {}}};
  }

  /// A change of a user of its own, in the transaction of `session`.
  static void Write(TestDatabase::Session& session, const std::string& user) {
    session.Run(
        fmt::format("select apply_change('{}', gen_random_uuid(), '\\x00', 'created', null, null, "
                    "'{{\"title\":\"t\",\"folded_title\":\"t\",\"priority\":1,\"tags\":[],\"time_"
                    "zone\":\"UTC\","
                    "\"recurrence_basis\":\"schedule\"}}', "
                    "gen_random_uuid(), now(), '')",
                    user));
  }

  /// Whose changes come now, in order; the cursor goes on.
  std::vector<std::string> Read(int limit = 100) {
    std::vector<std::string> users;
    const auto batches = log_->Read(shards_, limit);
    EXPECT_TRUE(batches.ok()) << batches.status();
    if (!batches.ok() || batches->size() != 1) return users;
    for (const Change& change : batches->front().changes) users.push_back(change.user.value);
    shards_[0].cursor = batches->front().next;
    return users;
  }

  static void Post(TestDatabase::Session& session, const std::string& payload) {
    session.Run(
        fmt::format("select add_message('a-topic', 'ann', gen_random_uuid(), '{}')", payload));
  }

  /// Users whose changes come now, and payloads of messages; the cursor goes on.
  using Streams = std::pair<std::vector<std::string>, std::vector<std::string>>;
  Streams ReadBoth(int limit = 100) {
    Streams streams;
    const auto batches = log_->Read(shards_, limit);
    EXPECT_TRUE(batches.ok()) << batches.status();
    if (!batches.ok() || batches->size() != 1) return streams;
    for (const Change& change : batches->front().changes)
      streams.first.push_back(change.user.value);
    for (const auto& message : batches->front().messages) streams.second.push_back(message.payload);
    shards_[0].cursor = batches->front().next;
    return streams;
  }
  static Streams Both(std::vector<std::string> users, std::vector<std::string> payloads) {
    return {std::move(users), std::move(payloads)};
  }

  std::unique_ptr<TestDatabase> database_;
  std::unique_ptr<store::ConnectionPool> pool_;
  std::unique_ptr<store::PgOutboxLog> log_;
  std::vector<OutboxShard> shards_;
};

TEST_F(PgOutboxTest, ARowCommittedLateIsFoundOnce) {
  const auto slow = database_->Open();
  const auto fast = database_->Open();
  slow->Run("begin");
  Write(*slow, "slow");  // draws its id first
  Write(*fast, "fast");
  Write(*fast, "faster");
  EXPECT_THAT(Read(), ElementsAre("fast", "faster"));
  EXPECT_THAT(Read(), IsEmpty());
  slow->Run("commit");
  Write(*fast, "later");
  EXPECT_THAT(Read(), ElementsAre("slow", "later"));
  EXPECT_THAT(Read(), IsEmpty());
}

TEST_F(PgOutboxTest, ARowCommittedLateByTheYoungestTransactionIsFoundOnce) {
  // Its number is not below the snapshot's upper end: nothing younger has ended when the cursor is
  // made. Numbers belong to the whole server, so others' transactions may spoil the case: try
  // again.
  const auto older = database_->Open();
  const auto youngest = database_->Open();
  bool as_meant = false;
  for (int attempt = 0; attempt < 50 && !as_meant; ++attempt) {
    older->Run("begin; select pg_current_xact_id()");
    youngest->Run("begin");
    Write(*youngest, "youngest");
    const std::string xid = youngest->Run("select pg_current_xact_id()");
    Write(*older, "older");
    older->Run("commit");
    EXPECT_THAT(Read(), ElementsAre("older"));
    as_meant = shards_[0].cursor.snapshot.find(fmt::format(":{}:", xid)) != std::string::npos;
    if (as_meant) {
      EXPECT_THAT(Read(), IsEmpty());
    }
    youngest->Run("commit");
    EXPECT_THAT(Read(), ElementsAre("youngest"));
    EXPECT_THAT(Read(), IsEmpty());
  }
  EXPECT_TRUE(as_meant);
}

TEST_F(PgOutboxTest, LateRowsAreFoundByTheNextOwnerToo) {
  const auto slow = database_->Open();
  slow->Run("begin");
  Write(*slow, "slow");
  Write(*database_->Open(), "fast");
  EXPECT_THAT(Read(), ElementsAre("fast"));
  auto owned = log_->Renew("a", milliseconds(4'000)).value().owned;
  owned[3].cursor = shards_[0].cursor;
  ASSERT_THAT(log_->Advance(owned).value(), IsEmpty());
  slow->Run("commit");
  store::PgOutboxLog heir(*pool_);
  database_->Run("update relay_shards set lease_until = '-infinity'");
  const auto inherited = heir.Renew("b", milliseconds(4'000)).value().owned;
  shards_[0] = inherited.at(3);
  EXPECT_THAT(Read(), ElementsAre("slow"));
}

TEST_F(PgOutboxTest, RolledBackRowsNeverCome) {
  const auto failing = database_->Open();
  failing->Run("begin");
  Write(*failing, "failing");
  Write(*database_->Open(), "good");
  EXPECT_THAT(Read(), ElementsAre("good"));
  failing->Run("rollback");
  Write(*database_->Open(), "next");
  EXPECT_THAT(Read(), ElementsAre("next"));
}

TEST_F(PgOutboxTest, LateRowsObeyTheLimitAndComeBeforeNewerOnes) {
  const auto slow = database_->Open();
  slow->Run("begin");
  for (int i = 0; i < 5; ++i) Write(*slow, fmt::format("slow {}", i));
  Write(*database_->Open(), "fast 0");
  EXPECT_THAT(Read(), ElementsAre("fast 0"));
  for (int i = 1; i < 4; ++i) Write(*database_->Open(), fmt::format("fast {}", i));
  slow->Run("commit");
  EXPECT_THAT(Read(2), ElementsAre("slow 0", "slow 1"));
  EXPECT_THAT(Read(2), ElementsAre("slow 2", "slow 3"));
  EXPECT_THAT(Read(2), ElementsAre("slow 4"));
  EXPECT_THAT(Read(2), ElementsAre("fast 1", "fast 2"));
  EXPECT_THAT(Read(2), ElementsAre("fast 3"));
  EXPECT_THAT(Read(2), IsEmpty());
}

TEST_F(PgOutboxTest, LateRowsAndNewerOnesShareABatch) {
  const auto slow = database_->Open();
  slow->Run("begin");
  for (int i = 0; i < 2; ++i) Write(*slow, fmt::format("slow {}", i));
  Write(*database_->Open(), "fast 0");
  EXPECT_THAT(Read(), ElementsAre("fast 0"));
  for (int i = 1; i < 4; ++i) Write(*database_->Open(), fmt::format("fast {}", i));
  slow->Run("commit");
  EXPECT_THAT(Read(4), ElementsAre("slow 0", "slow 1", "fast 1", "fast 2"));
  EXPECT_THAT(Read(4), ElementsAre("fast 3"));
}

TEST_F(PgOutboxTest, LateRowsObeyTheLimitOfBytes) {
  log_ =
      std::make_unique<store::PgOutboxLog>(*pool_, store::OutboxLogOptions{.max_batch_bytes = 1});
  const auto slow = database_->Open();
  slow->Run("begin");
  for (int i = 0; i < 2; ++i) Write(*slow, fmt::format("slow {}", i));
  for (int i = 0; i < 2; ++i) Post(*slow, fmt::format("slow {}", i));
  Write(*database_->Open(), "fast");
  Post(*database_->Open(), "fast");
  EXPECT_THAT(ReadBoth(), Both({"fast"}, {"fast"}));
  slow->Run("commit");
  EXPECT_THAT(ReadBoth(), Both({"slow 0"}, {"slow 0"}));
  EXPECT_THAT(ReadBoth(), Both({"slow 1"}, {"slow 1"}));
  EXPECT_THAT(ReadBoth(), Both({}, {}));
}

TEST_F(PgOutboxTest, WhileOneStreamHasLateRowsLeftTheOtherRepeatsNothing) {
  const auto slow = database_->Open();
  slow->Run("begin");
  for (int i = 0; i < 3; ++i) Write(*slow, fmt::format("slow {}", i));
  Post(*slow, "slow");
  Write(*database_->Open(), "fast");
  Post(*database_->Open(), "fast");
  EXPECT_THAT(ReadBoth(), Both({"fast"}, {"fast"}));
  slow->Run("commit");
  Post(*database_->Open(), "new");
  EXPECT_THAT(ReadBoth(2), Both({"slow 0", "slow 1"}, {"slow", "new"}));
  Post(*database_->Open(), "newer");
  EXPECT_THAT(ReadBoth(2), Both({"slow 2"}, {}));
  EXPECT_THAT(ReadBoth(2), Both({}, {"newer"}));
  EXPECT_THAT(ReadBoth(2), Both({}, {}));
}

TEST_F(PgOutboxTest, RowsThatBecomeVisibleWhileLateOnesAreLeftComeAfterThem) {
  const auto slow = database_->Open();
  const auto slower = database_->Open();
  slower->Run("begin");
  Write(*slower, "slower");  // the smallest id of all
  slow->Run("begin");
  for (int i = 0; i < 3; ++i) Write(*slow, fmt::format("slow {}", i));
  Write(*database_->Open(), "fast");
  EXPECT_THAT(Read(), ElementsAre("fast"));
  slow->Run("commit");
  EXPECT_THAT(Read(2), ElementsAre("slow 0", "slow 1"));
  slower->Run("commit");
  EXPECT_THAT(Read(2), ElementsAre("slow 2"));
  EXPECT_THAT(Read(2), ElementsAre("slower"));
  EXPECT_THAT(Read(2), IsEmpty());
}

TEST_F(PgOutboxTest, TheNextOwnerGoesOnAmongLateRows) {
  const auto slow = database_->Open();
  slow->Run("begin");
  for (int i = 0; i < 3; ++i) Write(*slow, fmt::format("slow {}", i));
  Write(*database_->Open(), "fast");
  EXPECT_THAT(Read(), ElementsAre("fast"));
  slow->Run("commit");
  EXPECT_THAT(Read(2), ElementsAre("slow 0", "slow 1"));
  auto owned = log_->Renew("a", milliseconds(4'000)).value().owned;
  owned[3].cursor = shards_[0].cursor;
  ASSERT_TRUE(log_->Release(owned).ok());
  store::PgOutboxLog heir(*pool_);
  shards_[0] = heir.Renew("b", milliseconds(4'000)).value().owned.at(3);
  EXPECT_THAT(Read(2), ElementsAre("slow 2"));
  EXPECT_THAT(Read(2), IsEmpty());
}

TEST_F(PgOutboxTest, OneTransactionThatWritesManyChangesComesInManyBatches) {
  constexpr int kRows = 50'000;
  constexpr int kLimit = 500;
  const auto import = database_->Open();
  import->Run("begin");
  import->Run(fmt::format(
      "insert into changes (user_id, seq, shard, event_id, kind, task_id, version, task_json, at, "
      "traceparent) select 'import', i, 3, gen_random_uuid(), 'created', i, 1, '{{}}', now(), '' "
      "from generate_series(1, {}) i",
      kRows));
  Write(*database_->Open(), "fast");
  EXPECT_THAT(Read(), ElementsAre("fast"));
  import->Run("commit");
  std::int64_t last_seq = 0;
  for (int batch = 0; batch < kRows / kLimit; ++batch) {
    const auto batches = log_->Read(shards_, kLimit);
    ASSERT_TRUE(batches.ok()) << batches.status();
    ASSERT_EQ(batches->front().changes.size(), std::size_t{kLimit}) << batch;
    for (const Change& change : batches->front().changes) ASSERT_EQ(change.seq, ++last_seq);
    shards_[0].cursor = batches->front().next;
  }
  EXPECT_THAT(Read(), IsEmpty());
}

TEST_F(PgOutboxTest, LateTransactionsAreFoundAmongAnyNumberOfRowsAndTransactions) {
  const auto session = database_->Open();
  // Transaction 2000 wrote many rows. Of those after it, each third wrote a row with an id below a
  // thousand, besides rows with higher ones.
  session->Run(
      "insert into changes (user_id, seq, id, xid, shard, event_id, kind, task_id, version, "
      "task_json, at, traceparent) select 'u' || s, row_number() over (), "
      "row_number() over (order by not late, x, i, s), x::text::xid8, s, gen_random_uuid(), "
      "'created', 1, 1, '{}', now(), '' from generate_series(2, 4) s, generate_series(2000, 2400) "
      "x, generate_series(1, case x when 2000 then 350 else 3 end) i, "
      "lateral (select x = 2000 and i < 200 or x % 3 = 0 and i = 1 as late) l");
  session->Run(
      "insert into messages (id, xid, shard, key, event_id, topic, payload, at) "
      "select x, x::text::xid8, 3, 'ann', gen_random_uuid(), 'a-topic', 'p', now() "
      "from generate_series(2001, 2390) x");
  EXPECT_EQ(
      session->Run(
          "with found as (select * from late_writers_of_shards('{3,2,4}', '{900,0,950}', "
          "'{2300,9999,0}', array['2000:2000:', null, '1900:2200:1950']::pg_snapshot[], "
          "'2380:2380:') with ordinality f (xids, ord)), wanted as ("
          "select array(select distinct w.xid from (select xid from changes where shard = 3 and id "
          "<= 900 union select xid from messages where id <= 2300) w where w.xid >= '2000' and "
          "w.xid < '2380' order by 1) as xids, 1 as ord union all select '{}', 2 union all "
          "select array(select '1950'::xid8 union select xid from changes where shard = 4 and id "
          "<= 950 and xid >= '2200' and xid < '2380' order by 1), 3) "
          "select string_agg(cardinality(f.xids)::text, ' ' order by ord) from found f "
          "join wanted w using (ord) where f.xids = w.xids"),
      "302 0 51");
}

TEST_F(PgOutboxTest, ALongForeignTransactionHindersNothing) {
  const auto report = database_->Open();
  report->Run("begin isolation level repeatable read");
  report->Run("create table a_report (i int)");  // has a transaction number, and keeps it
  std::size_t count = 0;
  for (int i = 0; i < 50; ++i) {
    Write(*database_->Open(), fmt::format("user {}", i));
    count += Read().size();
  }
  EXPECT_EQ(count, 50u);
  report->Run("commit");
  EXPECT_THAT(Read(), IsEmpty());
}

TEST_F(PgOutboxTest, InADatabaseRestoredFromADumpNothingIsRepeatedForEver) {
  for (int i = 0; i < 5; ++i) Write(*database_->Open(), fmt::format("user {}", i));
  EXPECT_EQ(Read().size(), 5u);
  // Another server's transaction numbers, far ahead of this one's.
  database_->Run("update changes set xid = (xid::text::bigint + 1000000)::text::xid8");
  EXPECT_THAT(Read(), IsEmpty());
  Write(*database_->Open(), "new");
  EXPECT_THAT(Read(), ElementsAre("new"));
  EXPECT_THAT(Read(), IsEmpty());
}

TEST_F(PgOutboxTest, WhileTransactionsEndInAnyOrderEachRowComesOnceAndInItsUsersOrder) {
  constexpr int kThreads = 8;
  constexpr int kRounds = 15;
  std::atomic<int> writing{kThreads};
  std::map<UserId, std::vector<Change>> read;
  std::jthread reader([&] {
    bool done = false;
    for (bool any = true; any || !done;) {
      done = writing == 0;
      any = Drain(*log_, shards_, 5, read);
    }
  });
  InParallel(kThreads, [&](int thread) {
    const auto session = database_->Open();
    for (int round = 0; round < kRounds; ++round) {
      session->Run("begin");
      // Users of its own, so that transactions do not wait for each other and overlap as they like.
      for (int i = 0; i < 3; ++i) Write(*session, fmt::format("{} {}", thread, i));
      session->Run(fmt::format("select pg_sleep({})", 0.001 * ((thread * 7 + round * 3) % 5)));
      session->Run(round % 5 == 4 ? "rollback" : "commit");
    }
    --writing;
  });
  reader.join();
  std::size_t total = 0;
  for (const auto& [user, changes] : read) {
    for (std::size_t i = 0; i < changes.size(); ++i) {
      EXPECT_EQ(changes[i].seq, static_cast<std::int64_t>(i) + 1) << user.value;
    }
    total += changes.size();
  }
  EXPECT_EQ(std::to_string(total), database_->Run("select count(*) from changes"));
}

TEST_F(PgOutboxTest, BesideLongTransactionsEachRowComesOnceAndInItsUsersOrder) {
  // All the time there is somebody who reads an old state and somebody who drew his ids first and
  // commits last.
  constexpr int kWriters = 3;
  constexpr int kRounds = 20;
  const auto report = database_->Open();
  report->Run("begin isolation level repeatable read");
  EXPECT_EQ(report->Run("select count(*) from changes"), "0");
  const auto import = database_->Open();
  import->Run("begin");
  for (int i = 0; i < 10; ++i) Write(*import, fmt::format("import {}", i % 2));

  std::atomic<int> writing{kWriters};
  std::atomic<bool> import_ended{false};
  std::map<UserId, std::vector<Change>> read;
  std::jthread reader([&] {
    bool done = false;
    for (bool any = true; any || !done;) {
      done = import_ended;
      any = Drain(*log_, shards_, 4, read);
    }
  });
  InParallel(kWriters, [&](int writer) {
    const auto session = database_->Open();
    for (int round = 0; round < kRounds; ++round) {
      session->Run("begin");
      for (int i = 0; i < 1 + round % 4; ++i) {
        Write(*session, fmt::format("{} {}", writer, (round + i) % 3));
      }
      session->Run(fmt::format("select pg_sleep({})", 0.001 * ((writer * 5 + round * 3) % 4)));
      session->Run(round % 7 == 6 ? "rollback" : "commit");
    }
    --writing;
  });
  EXPECT_EQ(writing, 0);
  Write(*import, "import 0");
  import->Run("commit");
  import_ended = true;
  reader.join();

  EXPECT_EQ(report->Run("select count(*) from changes"), "0") << "it was open all the time";
  report->Run("commit");
  std::size_t total = 0;
  std::set<domain::EventId> events;
  for (const auto& [user, changes] : read) {
    for (std::size_t i = 0; i < changes.size(); ++i) {
      EXPECT_EQ(changes[i].seq, static_cast<std::int64_t>(i) + 1) << user.value;
      events.insert(changes[i].event_id);
    }
    total += changes.size();
  }
  EXPECT_EQ(read[UserId{"import 0"}].size(), 6u);
  EXPECT_EQ(read[UserId{"import 1"}].size(), 5u);
  EXPECT_EQ(events.size(), total) << "none twice";
  EXPECT_EQ(std::to_string(total), database_->Run("select count(*) from changes")) << "all";
}

// Messages: the other stream of the same shard, with a position of its own.

TEST_F(PgOutboxTest, AMessageComesAsItWasPosted) {
  constexpr char kId[] = "01890000-0000-7000-8000-00000000abcd";
  database_->Run(fmt::format(
      "select add_message('a-topic', 'ann', '{}', '{{\"text\":\"\"\"ünd so\\\"}}')", kId));
  const auto batches = log_->Read(shards_, 10);
  ASSERT_TRUE(batches.ok()) << batches.status();
  ASSERT_EQ(batches->front().messages.size(), 1u);
  const ports::OutboxMessage& message = batches->front().messages.front();
  EXPECT_EQ(message.topic, "a-topic");
  EXPECT_EQ(message.key, "ann");
  EXPECT_EQ(message.id.value(), kId);
  EXPECT_EQ(message.payload, R"({"text":"""ünd so\"})");
  EXPECT_GT(message.at, At("2020-01-01T00:00:00Z"));
  EXPECT_THAT(batches->front().changes, IsEmpty());
}

TEST_F(PgOutboxTest, MessagesAndChangesHaveEachTheirOwnPosition) {
  for (int i = 0; i < 3; ++i) Post(*database_->Open(), fmt::format("message {}", i));
  for (int i = 0; i < 5; ++i) Write(*database_->Open(), fmt::format("user {}", i));
  EXPECT_THAT(ReadBoth(2), Both({"user 0", "user 1"}, {"message 0", "message 1"}));
  EXPECT_THAT(ReadBoth(2), Both({"user 2", "user 3"}, {"message 2"}));
  EXPECT_THAT(ReadBoth(2), Both({"user 4"}, {}));
  EXPECT_THAT(ReadBoth(2), Both({}, {}));
  Post(*database_->Open(), "message 3");
  EXPECT_THAT(ReadBoth(2), Both({}, {"message 3"}));
  EXPECT_THAT(ReadBoth(2), Both({}, {}));
}

TEST_F(PgOutboxTest, AMessagePostedLateIsFoundOnce) {
  const auto slow = database_->Open();
  slow->Run("begin");
  Post(*slow, "slow");  // draws its id first
  Write(*slow, "slow user");
  const auto fast = database_->Open();
  Post(*fast, "fast");
  EXPECT_THAT(ReadBoth(), Both({}, {"fast"}));
  EXPECT_THAT(ReadBoth(), Both({}, {}));
  slow->Run("commit");
  Post(*fast, "later");
  EXPECT_THAT(ReadBoth(), Both({"slow user"}, {"slow", "later"}));
  EXPECT_THAT(ReadBoth(), Both({}, {}));
}

TEST_F(PgOutboxTest, TheNextOwnerGoesOnBehindTheLastMessage) {
  const auto take_over = [&](store::PgOutboxLog& log, const std::string& owner) {
    auto owned = log.Renew(owner, milliseconds(4'000)).value().owned;
    shards_[0] = owned.at(3);
    return owned;
  };
  auto owned = take_over(*log_, "a");
  Post(*database_->Open(), "first");
  EXPECT_THAT(ReadBoth(), Both({}, {"first"}));
  owned[3].cursor = shards_[0].cursor;
  ASSERT_THAT(log_->Advance(owned).value(), IsEmpty());

  database_->Run("update relay_shards set lease_until = '-infinity'");
  store::PgOutboxLog heir(*pool_);
  owned = take_over(heir, "b");
  Post(*database_->Open(), "second");
  EXPECT_THAT(ReadBoth(), Both({}, {"second"})) << "as Advance wrote it";
  owned[3].cursor = shards_[0].cursor;
  ASSERT_TRUE(heir.Release(owned).ok());

  store::PgOutboxLog last(*pool_);
  take_over(last, "c");
  Post(*database_->Open(), "third");
  EXPECT_THAT(ReadBoth(), Both({}, {"third"})) << "as Release wrote it";
}

// The signal.

/// Collects what a signal announces.
class Ear {
 public:
  void operator()(int shard) {
    heard_.Lock()->insert(shard);
    changed_.notify_all();
  }
  bool WaitFor(const std::set<int>& shards) {
    auto heard = heard_.Lock();
    return changed_.wait_for(heard.lock(), std::chrono::seconds(10),
                             [&] { return *heard == shards; });
  }
  std::set<int> heard() { return *heard_.Lock(); }

 private:
  util::Guarded<std::set<int>> heard_;
  std::condition_variable changed_;
};

bool WaitFor(const std::function<bool()>& condition) {
  const auto deadline = steady_clock::now() + std::chrono::seconds(10);
  while (!condition()) {
    if (steady_clock::now() >= deadline) return false;
    std::this_thread::sleep_for(milliseconds(1));
  }
  return true;
}

class PgSignalTest : public testing::Test {
 protected:
  void SetUp() override {
    database_ = TestDatabase::Make();
    if (database_ == nullptr) GTEST_SKIP() << "needs a database";
  }
  std::unique_ptr<TestDatabase> database_;
};

TEST_F(PgSignalTest, OtherReplicasHearAnAnnouncementAndTheSenderDoesNot) {
  Ear a_hears;
  Ear b_hears;
  Ear c_hears;
  store::OutboxSignal a(database_->conninfo(), std::ref(a_hears));
  a.Start();
  store::OutboxSignal b(database_->conninfo(), std::ref(b_hears));
  b.Start();
  store::OutboxSignal c(database_->conninfo(), std::ref(c_hears));
  c.Start();
  ASSERT_TRUE(WaitFor([&] { return a.connected() && b.connected() && c.connected(); }));
  InParallel(4, [&](int thread) {
    for (int i = 0; i < 1000; ++i) a.Announce(thread * 5);
  });
  EXPECT_TRUE(b_hears.WaitFor({0, 5, 10, 15}));
  EXPECT_TRUE(c_hears.WaitFor({0, 5, 10, 15}));
  b.Announce(7);
  EXPECT_TRUE(a_hears.WaitFor({7}));
  EXPECT_TRUE(c_hears.WaitFor({0, 5, 7, 10, 15}));
  EXPECT_EQ(b_hears.heard(), (std::set<int>{0, 5, 10, 15}));
}

TEST_F(PgSignalTest, ALostConnectionIsMadeAgainAndTheNewsWaitsForIt) {
  Ear a_hears;
  Ear b_hears;
  const store::OutboxSignalOptions options{.first_retry = milliseconds(20)};
  std::atomic<int> a_told = 0;
  store::OutboxSignal a(
      database_->conninfo(), std::ref(a_hears), [&] { ++a_told; }, options);
  store::OutboxSignal b(database_->conninfo(), std::ref(b_hears), {}, options);
  a.Start();
  b.Start();
  ASSERT_TRUE(WaitFor([&] { return a.connected() && b.connected(); }));
  const std::string sessions =
      "from pg_stat_activity where application_name like '%signal' and datname = "
      "current_database()";
  const std::string before =
      database_->Run(fmt::format("select string_agg(pid::text, ',') {}", sessions));
  database_->Run(fmt::format("select pg_terminate_backend(pid) {}", sessions));
  ASSERT_TRUE(database_->WaitUntil(
      fmt::format(
          "select count(*) {} and query ilike 'listen%' and state = 'idle' and pid not in ({})",
          sessions, before),
      "2"));
  a.Announce(4);
  EXPECT_TRUE(b_hears.WaitFor({4}));
  EXPECT_EQ(a_told, 2) << "each time it begins to hear: who knows what was said before";
}

TEST_F(PgSignalTest, DeliveriesAreAnnouncedBesideShards) {
  Ear a_hears;
  Ear b_hears;
  std::atomic<int> a_told = 0;
  std::atomic<int> b_told = 0;
  store::OutboxSignal a(database_->conninfo(), std::ref(a_hears), [&] { ++a_told; });
  store::OutboxSignal b(database_->conninfo(), std::ref(b_hears), [&] { ++b_told; });
  a.Start();
  b.Start();
  ASSERT_TRUE(WaitFor([&] { return a.connected() && b.connected(); }));
  ASSERT_TRUE(WaitFor([&] { return a_told == 1 && b_told == 1; }));
  a.AnnounceDelivery();
  EXPECT_TRUE(WaitFor([&] { return b_told == 2; }));
  a.Announce(62);
  EXPECT_TRUE(b_hears.WaitFor({62}));
  b.AnnounceDelivery();
  b.Announce(0);
  EXPECT_TRUE(a_hears.WaitFor({0}));
  EXPECT_TRUE(WaitFor([&] { return a_told == 2; }));
  EXPECT_EQ(b_told, 2) << "nobody hears himself";
}

TEST_F(PgSignalTest, NonsenseOnTheChannelIsIgnored) {
  Ear hears;
  store::OutboxSignal signal(database_->conninfo(), std::ref(hears));
  signal.Start();
  ASSERT_TRUE(WaitFor([&] { return signal.connected(); }));
  database_->Run(
      "select pg_notify('todo_outbox', 'x,,-1,63,64,99999999999999999999,3x,deliver,2')");
  EXPECT_TRUE(hears.WaitFor({2}));
  database_->Run("select pg_notify('todo_outbox', '')");
  database_->Run("select pg_notify('todo_outbox', '5')");
  EXPECT_TRUE(hears.WaitFor({2, 5}));
}

TEST(PgSignal, WithoutADatabaseItEndsAtOnce) {
  // An end that waits for the database, or for the next try, waits for as long as this.
  const store::OutboxSignalOptions patient{.answer_deadline = std::chrono::minutes(1),
                                           .first_retry = std::chrono::minutes(1),
                                           .last_retry = std::chrono::minutes(1)};
  const auto ended = std::async(std::launch::async, [&patient] {
    Ear hears;
    // A port that refuses, and an address that never answers.
    store::OutboxSignal refused("host=127.0.0.1 port=1", std::ref(hears), {}, patient);
    refused.Start();
    store::OutboxSignal silent("host=192.0.2.1 port=5432", std::ref(hears), {}, patient);
    silent.Start();
    refused.Announce(1);
    silent.Announce(1);
    EXPECT_FALSE(refused.connected());
  });
  EXPECT_EQ(ended.wait_for(std::chrono::seconds(20)), std::future_status::ready);
}

}  // namespace
}  // namespace todo::contract
