#include "contract/outbox_log_contract.h"

#include <fmt/format.h>
#include <gmock/gmock.h>

#include <algorithm>
#include <set>

namespace todo::contract {

GTEST_ALLOW_UNINSTANTIATED_PARAMETERIZED_TEST(OutboxLogContract);

using domain::Change;
using domain::UserId;
using ports::OutboxBatch;
using ports::OutboxLog;
using ports::OutboxShard;
using ports::OutboxShards;
using std::chrono::milliseconds;
using testing::ElementsAre;
using testing::IsEmpty;

namespace {

constexpr milliseconds kLease{4'000};
constexpr int kShards = 16;

}  // namespace

domain::Task OutboxLogContract::Apply(const ports::Mutation& mutation) {
  const auto result = environment_->store().Apply(mutation);
  EXPECT_TRUE(result.ok()) << result.status();
  return result.ok() ? result->task : domain::Task();
}

OutboxShards OutboxLogContract::Renew(OutboxLog& log, const std::string& owner) {
  const auto shards = log.Renew(owner, kLease);
  EXPECT_TRUE(shards.ok()) << shards.status();
  return shards.value_or(OutboxShards());
}

std::vector<OutboxBatch> OutboxLogContract::Read(OutboxLog& log,
                                                 const std::vector<OutboxShard>& shards,
                                                 int limit) {
  auto batches = log.Read(shards, limit);
  EXPECT_TRUE(batches.ok()) << batches.status();
  return batches.ok() ? *std::move(batches) : std::vector<OutboxBatch>();
}

bool Drain(OutboxLog& log, std::vector<OutboxShard>& shards, int limit,
           std::map<UserId, std::vector<Change>>& changes) {
  const auto batches = log.Read(shards, limit);
  EXPECT_TRUE(batches.ok()) << batches.status();
  if (!batches.ok()) return false;
  bool any = false;
  for (std::size_t i = 0; i < batches->size(); ++i) {
    const OutboxBatch& batch = (*batches)[i];
    EXPECT_EQ(batch.shard, shards[i].number);
    for (const Change& change : batch.changes) changes[change.user].push_back(change);
    any = any || !batch.changes.empty();
    shards[i].cursor = batch.next;
  }
  return any;
}

namespace {

std::vector<int> NumbersOf(const std::vector<OutboxShard>& shards) {
  std::vector<int> numbers;
  for (const OutboxShard& shard : shards) numbers.push_back(shard.number);
  return numbers;
}

// Which replica publishes which shards.

TEST_P(OutboxLogContract, TheOnlyReplicaHoldsEverything) {
  const auto log = environment_->NewLog();
  const OutboxShards shards = Renew(*log, "a");
  EXPECT_EQ(shards.owned.size(), kShards);
  EXPECT_EQ(shards.fair_share, kShards);
  for (const OutboxShard& shard : shards.owned) EXPECT_EQ(shard.epoch, 1);
}

TEST_P(OutboxLogContract, RenewingKeepsShardsAndEpochs) {
  const auto log = environment_->NewLog();
  Renew(*log, "a");
  environment_->Pass(kLease / 2);
  Renew(*log, "a");
  environment_->Pass(kLease * 3 / 4);
  const auto other = environment_->NewLog();
  EXPECT_THAT(Renew(*other, "b").owned, IsEmpty()) << "the lease counts from the last renewal";
  environment_->Pass(kLease * 2);
  const OutboxShards again = Renew(*log, "a");
  ASSERT_EQ(again.owned.size(), kShards) << "no other replica took them";
  for (const OutboxShard& shard : again.owned) EXPECT_EQ(shard.epoch, 1);
}

TEST_P(OutboxLogContract, AHeldShardIsNotTaken) {
  const auto a = environment_->NewLog();
  const auto b = environment_->NewLog();
  Renew(*a, "a");
  const OutboxShards of_b = Renew(*b, "b");
  EXPECT_THAT(of_b.owned, IsEmpty());
  EXPECT_EQ(of_b.fair_share, kShards / 2);
  EXPECT_EQ(Renew(*a, "a").fair_share, kShards / 2);
}

TEST_P(OutboxLogContract, AReplicaReleasesShardsAboveItsFairShare) {
  const auto a = environment_->NewLog();
  const auto b = environment_->NewLog();
  Renew(*a, "a");
  Renew(*b, "b");
  OutboxShards of_a = Renew(*a, "a");
  std::vector<OutboxShard> surplus(of_a.owned.begin() + of_a.fair_share, of_a.owned.end());
  ASSERT_TRUE(a->Release(surplus).ok());
  const OutboxShards of_b = Renew(*b, "b");
  EXPECT_EQ(NumbersOf(of_b.owned), NumbersOf(surplus));
  for (const OutboxShard& shard : of_b.owned) EXPECT_EQ(shard.epoch, 2);
  of_a = Renew(*a, "a");
  EXPECT_EQ(of_a.owned.size(), kShards / 2) << "it takes none of them back";
  EXPECT_EQ(of_a.fair_share, kShards / 2);
}

TEST_P(OutboxLogContract, ThreeReplicasFindPlaceForAllShards) {
  std::vector<std::unique_ptr<OutboxLog>> logs;
  for (int i = 0; i < 3; ++i) logs.push_back(environment_->NewLog());
  std::size_t held = 0;
  for (int round = 0; round < 4; ++round) {
    held = 0;
    for (std::size_t i = 0; i < logs.size(); ++i) {
      OutboxShards shards = Renew(*logs[i], fmt::format("replica {}", i));
      const auto fair = static_cast<std::size_t>(shards.fair_share);
      if (shards.owned.size() > fair) {
        const auto first = shards.owned.begin() + shards.fair_share;
        ASSERT_TRUE(logs[i]->Release({first, shards.owned.end()}).ok());
        shards.owned.erase(first, shards.owned.end());
      }
      held += shards.owned.size();
    }
  }
  EXPECT_EQ(held, kShards);
}

TEST_P(OutboxLogContract, ADeadReplicasShardsAreTakenOverWithANewEpoch) {
  const auto dead = environment_->NewLog();
  const auto heir = environment_->NewLog();
  const OutboxShards lost = Renew(*dead, "dead");
  Renew(*heir, "heir");
  environment_->Pass(kLease + milliseconds(1));
  const OutboxShards taken = Renew(*heir, "heir");
  EXPECT_EQ(NumbersOf(taken.owned), NumbersOf(lost.owned)) << "the dead one counts no more";
  EXPECT_EQ(taken.fair_share, kShards);
  for (const OutboxShard& shard : taken.owned) EXPECT_EQ(shard.epoch, 2);
}

TEST_P(OutboxLogContract, AFrozenOwnerThatWakesCannotMoveTheCursor) {
  const auto frozen = environment_->NewLog();
  const auto heir = environment_->NewLog();
  OutboxShards old = Renew(*frozen, "frozen");
  environment_->Pass(kLease + milliseconds(1));
  OutboxShards taken = Renew(*heir, "heir");
  for (OutboxShard& shard : taken.owned) shard.cursor.position = 20;
  EXPECT_THAT(heir->Advance(taken.owned).value(), IsEmpty());

  for (OutboxShard& shard : old.owned) shard.cursor.position = 10;
  EXPECT_EQ(frozen->Advance(old.owned).value(), NumbersOf(old.owned)) << "all are told as lost";
  EXPECT_TRUE(frozen->Release(old.owned).ok());

  const OutboxShards still = Renew(*heir, "heir");
  ASSERT_EQ(still.owned.size(), kShards);
  for (const OutboxShard& shard : still.owned) {
    EXPECT_EQ(shard.epoch, 2);
    EXPECT_EQ(shard.cursor.position, 20);
  }
}

TEST_P(OutboxLogContract, AdvanceAnswersOnlyTheShardsThatWereLost) {
  const auto a = environment_->NewLog();
  const auto b = environment_->NewLog();
  const OutboxShards of_a = Renew(*a, "a");
  Renew(*b, "b");
  ASSERT_TRUE(a->Release({of_a.owned[3], of_a.owned[5]}).ok());
  EXPECT_EQ(NumbersOf(Renew(*b, "b").owned), (std::vector<int>{3, 5}));
  EXPECT_EQ(a->Advance(of_a.owned).value(), (std::vector<int>{3, 5}));
  EXPECT_THAT(a->Advance({}).value(), IsEmpty());
}

TEST_P(OutboxLogContract, TheNextOwnerGoesOnFromTheWrittenCursor) {
  const auto a = environment_->NewLog();
  OutboxShards of_a = Renew(*a, "a");
  const auto batches = Read(*a, of_a.owned);
  for (std::size_t i = 0; i < batches.size(); ++i) of_a.owned[i].cursor = batches[i].next;
  of_a.owned[2].cursor.position = 7;
  of_a.owned[2].cursor.late = {
      .position = 5, .message_position = 3, .snapshot = "10:12:11", .transactions = "{9,8}"};
  EXPECT_THAT(a->Advance(of_a.owned).value(), IsEmpty());
  EXPECT_THAT(a->Advance(of_a.owned).value(), IsEmpty()) << "repeating is harmless";
  environment_->Pass(kLease + milliseconds(1));

  const auto b = environment_->NewLog();
  const OutboxShards of_b = Renew(*b, "b");
  ASSERT_EQ(of_b.owned.size(), kShards);
  for (std::size_t i = 0; i < of_b.owned.size(); ++i) {
    EXPECT_EQ(of_b.owned[i].cursor, of_a.owned[i].cursor);
  }
}

TEST_P(OutboxLogContract, ACursorThatWasSetBackIsNotOverwritten) {
  const auto log = environment_->NewLog();
  OutboxShards shards = Renew(*log, "a");
  EXPECT_EQ(shards.owned[0].stored, shards.owned[0].cursor);
  shards.owned[0].cursor.position = 7;
  EXPECT_THAT(log->Advance(shards.owned).value(), IsEmpty());
  // As if the database had been set back from 9 to 7.
  shards.owned[0].stored.position = 9;
  shards.owned[0].cursor.position = 11;
  EXPECT_THAT(log->Advance(shards.owned).value(), ElementsAre(shards.owned[0].number));
  // The same with late rows that were left over.
  OutboxShard& late = shards.owned[1];
  late.cursor.late = {
      .position = 3, .message_position = 0, .snapshot = "9:9:", .transactions = "{}"};
  EXPECT_THAT(log->Advance({late}).value(), IsEmpty());
  late.stored.late = {
      .position = 4, .message_position = 0, .snapshot = "9:9:", .transactions = "{}"};
  late.cursor.late.position = 5;
  EXPECT_THAT(log->Advance({late}).value(), ElementsAre(late.number));
  EXPECT_TRUE(log->Release(shards.owned).ok());
  const OutboxShards again = Renew(*environment_->NewLog(), "b");
  ASSERT_EQ(again.owned.size(), kShards) << "given back all the same";
  EXPECT_EQ(again.owned[0].cursor.position, 7);
}

TEST_P(OutboxLogContract, AReleasedShardIsTakenAtOnceFromItsCursor) {
  const auto a = environment_->NewLog();
  const auto b = environment_->NewLog();
  OutboxShards of_a = Renew(*a, "a");
  Renew(*b, "b");
  for (OutboxShard& shard : of_a.owned) shard.cursor.position = 42;
  ASSERT_TRUE(a->Release(of_a.owned).ok());
  const OutboxShards of_b = Renew(*b, "b");
  EXPECT_EQ(of_b.owned.size(), kShards) << "who released everything has left";
  EXPECT_EQ(of_b.fair_share, kShards);
  for (const OutboxShard& shard : of_b.owned) EXPECT_EQ(shard.cursor.position, 42);
  EXPECT_TRUE(a->Release({}).ok());
}

// Which rows are published.

TEST_P(OutboxLogContract, AQuietShardAnswersANewerCursor) {
  const auto log = environment_->NewLog();
  const OutboxShards shards = Renew(*log, "a");
  const auto batches = Read(*log, shards.owned);
  ASSERT_EQ(batches.size(), kShards);
  for (std::size_t i = 0; i < batches.size(); ++i) {
    EXPECT_EQ(batches[i].shard, shards.owned[i].number);
    EXPECT_THAT(batches[i].changes, IsEmpty());
    EXPECT_EQ(batches[i].next.position, 0);
    EXPECT_NE(batches[i].next.snapshot, "");
  }
  EXPECT_THAT(Read(*log, {}), IsEmpty());
}

TEST_P(OutboxLogContract, ChangesComeAsTheyWereCommitted) {
  const auto log = environment_->NewLog();
  OutboxShards shards = Renew(*log, "a");
  const UserId user{"ann"};
  ports::Mutation create = Create(user, "title \"quoted\" ünd so");
  create.traceparent = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";
  const domain::Task task = Apply(create);
  Apply(ChangeOf(domain::ChangeKind::kCompleted, task));

  std::map<UserId, std::vector<Change>> read;
  EXPECT_TRUE(Drain(*log, shards.owned, 100, read));
  const std::vector<Change> expected = AllChanges(environment_->store(), user);
  ASSERT_EQ(read[user].size(), 2u);
  for (std::size_t i = 0; i < 2; ++i) {
    const Change& a = read[user][i];
    const Change& b = expected[i];
    EXPECT_EQ(a.user, b.user);
    EXPECT_EQ(a.seq, b.seq);
    EXPECT_EQ(a.event_id, b.event_id);
    EXPECT_EQ(a.kind, b.kind);
    EXPECT_EQ(a.task_id, b.task_id);
    EXPECT_EQ(a.version, b.version);
    EXPECT_EQ(a.task_json, b.task_json);
    EXPECT_EQ(a.at, b.at);
    EXPECT_EQ(a.traceparent, b.traceparent);
    EXPECT_EQ(a.request_id, b.request_id);
  }
  EXPECT_FALSE(Drain(*log, shards.owned, 100, read)) << "once";
}

TEST_P(OutboxLogContract, ReadingAgainFromACursorGivesTheSameRows) {
  const auto log = environment_->NewLog();
  const OutboxShards shards = Renew(*log, "a");
  for (int i = 0; i < 5; ++i) Apply(Create(UserId{"ann"}, "title"));
  const auto count = [&] {
    std::size_t changes = 0;
    for (const OutboxBatch& batch : Read(*log, shards.owned)) changes += batch.changes.size();
    return changes;
  };
  EXPECT_EQ(count(), 5u);
  EXPECT_EQ(count(), 5u);
}

TEST_P(OutboxLogContract, ABatchIsCutAtTheLimitAndGoesOn) {
  const auto log = environment_->NewLog();
  OutboxShards shards = Renew(*log, "a");
  const UserId user{"ann"};
  for (int i = 0; i < 7; ++i) Apply(Create(user, "title"));
  std::map<UserId, std::vector<Change>> read;
  for (const std::size_t so_far : {3u, 6u, 7u}) {
    EXPECT_TRUE(Drain(*log, shards.owned, 3, read));
    EXPECT_EQ(read[user].size(), so_far);
  }
  for (std::size_t i = 0; i < 7; ++i)
    EXPECT_EQ(read[user][i].seq, static_cast<std::int64_t>(i) + 1);
}

TEST_P(OutboxLogContract, ABatchOfLargeTasksIsCutButNeverEmpty) {
  const auto log = environment_->NewLog(10'000);
  OutboxShards shards = Renew(*log, "a");
  const UserId user{"ann"};
  ports::Mutation create = Create(user, "large");
  create.fields.description = std::string(9'000, 'x');
  for (int i = 0; i < 3; ++i) {
    create.request_id = NewRequestId();
    Apply(create);
  }
  std::map<UserId, std::vector<Change>> read;
  EXPECT_TRUE(Drain(*log, shards.owned, 100, read));
  EXPECT_EQ(read[user].size(), 2u) << "the second one reaches the limit";
  EXPECT_TRUE(Drain(*log, shards.owned, 100, read));
  EXPECT_EQ(read[user].size(), 3u);

  const auto small = environment_->NewLog(1);
  OutboxShards again = shards;
  for (OutboxShard& shard : again.owned) shard.cursor = {};
  read.clear();
  for (std::size_t i = 1; i <= 3; ++i) {
    EXPECT_TRUE(Drain(*small, again.owned, 100, read));
    EXPECT_EQ(read[user].size(), i);
  }
}

TEST_P(OutboxLogContract, AUsersChangesAreAllInOneShard) {
  const auto log = environment_->NewLog();
  const OutboxShards shards = Renew(*log, "a");
  for (int i = 0; i < 40; ++i) Apply(Create(UserId{fmt::format("user {}", i % 20)}, "title"));
  std::map<UserId, std::set<int>> shards_of;
  std::size_t count = 0;
  for (const OutboxBatch& batch : Read(*log, shards.owned)) {
    for (const Change& change : batch.changes) {
      shards_of[change.user].insert(batch.shard);
      ++count;
    }
  }
  EXPECT_EQ(count, 40u);
  std::set<int> used;
  for (const auto& [user, of_user] : shards_of) {
    EXPECT_EQ(of_user.size(), 1u);
    used.insert(of_user.begin(), of_user.end());
  }
  EXPECT_GT(used.size(), 3u) << "work is spread";
}

TEST_P(OutboxLogContract, WhileOthersWriteEachChangeIsReadOnceInItsUsersOrder) {
  const auto log = environment_->NewLog();
  OutboxShards shards = Renew(*log, "a");
  constexpr int kThreads = 8;
  constexpr int kRounds = 25;
  std::atomic<int> writing{kThreads};
  std::map<UserId, std::vector<Change>> read;
  std::jthread reader([&] {
    bool done = false;
    // Once more after the last writer has ended.
    for (bool any = true; any || !done;) {
      done = writing == 0;
      any = Drain(*log, shards.owned, 7, read);
    }
  });
  InParallel(kThreads, [&](int thread) {
    for (int round = 0; round < kRounds; ++round) {
      const UserId user{fmt::format("user {}", (thread + round) % 5)};
      EXPECT_TRUE(environment_->store().Apply(Create(user, "title")).ok());
    }
    --writing;
  });
  reader.join();
  std::size_t total = 0;
  for (const auto& [user, changes] : read) {
    for (std::size_t i = 0; i < changes.size(); ++i) {
      EXPECT_EQ(changes[i].seq, static_cast<std::int64_t>(i) + 1);
    }
    total += changes.size();
  }
  EXPECT_EQ(total, static_cast<std::size_t>(kThreads) * kRounds);
}

}  // namespace
}  // namespace todo::contract
