// The feed without its threads: each test runs the work when it likes.

#include "live/feed_core.h"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "domain/event/event_writer.h"
#include "support/status_matchers.h"
#include "unit/live/manual_workplace.h"
#include "unit/live/model_database.h"
#include "unit/live/recording_sink.h"
#include "util/status.h"

namespace todo::live {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;
using support::StatusIs;
using testing::ElementsAre;
using testing::IsEmpty;
using testing::SizeIs;

const domain::UserId kAda{"ada"};
const domain::UserId kBob{"bob"};

class FeedCoreTest : public testing::Test {
 protected:
  struct SetClock final : ports::Clock {
    domain::Instant Now() const override { return now; }
    domain::Instant now{std::chrono::hours(24)};
  };
  /// A connection.
  struct Watcher {
    std::shared_ptr<RecordingSink> sink = std::make_shared<RecordingSink>();
    std::unique_ptr<ports::FeedWatch> watch;
    RecordingSink::Received received() const { return sink->received(); }
  };

  FeedCore& core() {
    if (!core_) {
      core_.emplace(FeedParts{database_, database_, clock_, [this] { return now_; }}, workplace_,
                    options_);
    }
    return *core_;
  }

  Watcher Watch(const domain::UserId& user, std::optional<domain::ChangeCursor> cursor,
                bool holds_drained = false) {
    Watcher watcher;
    watcher.sink->holds_drained = holds_drained;
    ports::WatchRequest request;
    request.user = user;
    request.cursor = std::move(cursor);
    auto watch = core().Watch(request, watcher.sink);
    EXPECT_THAT(watch.status(), StatusIs(absl::StatusCode::kOk));
    if (watch.ok()) watcher.watch = *std::move(watch);
    return watcher;
  }
  absl::Status Refused(const domain::UserId& user) {
    ports::WatchRequest request;
    request.user = user;
    return core().Watch(std::move(request), std::make_shared<RecordingSink>()).status();
  }
  /// A watch that is up to date.
  Watcher LiveWatch(const domain::UserId& user) {
    Watcher watcher = Watch(user, database_.user(user).head());
    workplace_.RunAll();
    return watcher;
  }
  domain::Change Commit(const domain::UserId& user, int count = 1) {
    domain::Change change;
    for (int i = 0; i < count; ++i) change = database_.Commit(user, 1 + i % 250, false);
    return change;
  }
  void Check() { core().check().CheckAll(); }

  SetClock clock_;
  SteadyTime now_{std::chrono::hours(1)};
  ModelDatabase database_;
  ManualWorkplace workplace_;
  FeedOptions options_;
  std::optional<FeedCore> core_;
};

TEST_F(FeedCoreTest, PassesOverUsersWithoutWatches) {
  EXPECT_TRUE(core().PassOver(kAda));
  EXPECT_EQ(core().stats().updates, 1u);
  Watcher watcher = LiveWatch(kAda);
  EXPECT_FALSE(core().PassOver(kAda));
  EXPECT_TRUE(core().PassOver(kBob));
  watcher.watch.reset();
  EXPECT_TRUE(core().PassOver(kAda));
  EXPECT_EQ(core().stats().updates, 3u);
}

TEST_F(FeedCoreTest, UpdatesGoToAllWatchesOfTheirUserAndToNobodyElse) {
  const Watcher first = LiveWatch(kAda);
  const Watcher second = LiveWatch(kAda);
  const Watcher other = LiveWatch(kBob);
  core().Publish(Commit(kAda));
  core().Publish(domain::NotificationUpdate{kAda, EventNumber(3).uuid, domain::TaskId{4}, {}});
  for (const Watcher* watcher : {&first, &second}) {
    EXPECT_THAT(watcher->received().Updates(), ElementsAre(1));
    const auto notifications = watcher->received().All<ports::FeedNotification>();
    ASSERT_THAT(notifications, SizeIs(1));
    EXPECT_EQ(notifications[0].notification_id, EventNumber(3).uuid);
    EXPECT_EQ(notifications[0].task_id, domain::TaskId{4});
  }
  EXPECT_THAT(other.received().messages, SizeIs(1)) << "only resumed";
}

TEST_F(FeedCoreTest, TheJsonOfAnUpdateIsMadeOnceForAllWatches) {
  const Watcher first = LiveWatch(kAda);
  const Watcher second = LiveWatch(kAda);
  core().Publish(Commit(kAda));
  using Update = std::shared_ptr<const domain::LiveChange>;
  EXPECT_EQ(first.received().All<Update>()[0], second.received().All<Update>()[0]);
}

TEST_F(FeedCoreTest, AnUpdateDuringTheReadOfAResumeIsNotLost) {
  Commit(kAda, 3);
  std::optional<domain::Change> during;
  database_.meanwhile = [&] {
    if (during) return absl::OkStatus();
    during = Commit(kAda);
    core().Publish(*during);
    return absl::OkStatus();
  };
  const Watcher watcher = Watch(kAda, domain::ChangeCursor{});
  workplace_.RunAll();
  EXPECT_THAT(watcher.received().Updates(), ElementsAre(1, 2, 3, 4));
}

TEST_F(FeedCoreTest, AResumeIsOneQuery) {
  Commit(kAda, 500);
  const Watcher watcher = Watch(kAda, domain::ChangeCursor{});
  workplace_.RunAll();
  EXPECT_THAT(watcher.received().Updates(), SizeIs(500));
  EXPECT_EQ(core().stats().reads, 1u);
  EXPECT_EQ(core().stats().page_reads, 0u);
}

TEST_F(FeedCoreTest, WatchesThatResumeTogetherShareAQuery) {
  Commit(kAda, 2);
  std::vector<Watcher> watchers;
  for (int i = 0; i < 1'000; ++i) watchers.push_back(Watch(kAda, domain::ChangeCursor{}));
  const Watcher other = Watch(kBob, domain::ChangeCursor{});
  workplace_.RunAll();
  for (const Watcher& watcher : watchers) {
    EXPECT_THAT(watcher.received().Updates(), ElementsAre(1, 2));
  }
  EXPECT_EQ(core().stats().reads, 2u) << "one for each user";
}

TEST_F(FeedCoreTest, AWatchThatComesDuringAQueryHasAQueryOfItsOwn) {
  Commit(kAda, 2);
  std::optional<Watcher> late;
  database_.meanwhile = [&] {
    if (!late) late = Watch(kAda, domain::ChangeCursor{});
    return absl::OkStatus();
  };
  const Watcher watcher = Watch(kAda, domain::ChangeCursor{});
  workplace_.RunAll();
  EXPECT_THAT(late->received().Updates(), ElementsAre(1, 2));
  EXPECT_EQ(core().stats().reads, 2u);
}

TEST_F(FeedCoreTest, MoreThan500MissedChangesAreASnapshot) {
  Commit(kAda, 501);
  const Watcher watcher = Watch(kAda, domain::ChangeCursor{});
  workplace_.RunAll();
  EXPECT_EQ(core().stats().resyncs_too_far_behind, 1u);
  const auto parts = watcher.received().All<ports::FeedSnapshot>();
  ASSERT_THAT(parts, SizeIs(3));
  EXPECT_THAT(parts[0].tasks, SizeIs(100));
  EXPECT_THAT(parts[2].tasks, SizeIs(50));
  EXPECT_TRUE(parts[2].last);
  EXPECT_EQ(parts[0].cursor, database_.user(kAda).head());
  EXPECT_THAT(watcher.received().Updates(), IsEmpty());
}

TEST_F(FeedCoreTest, APartOfASnapshotHasOnlySoMuchJson) {
  Commit(kAda, 10);
  database_.description = std::string((options_.max_part_bytes / 4 - 2'000) / 6, '\x01');
  const Watcher some = Watch(kAda, std::nullopt);
  workplace_.RunAll();
  const auto parts = some.received().All<ports::FeedSnapshot>();
  ASSERT_THAT(parts, SizeIs(3));
  EXPECT_THAT(parts[0].tasks, SizeIs(4));
  EXPECT_THAT(parts[2].tasks, SizeIs(2));
  EXPECT_TRUE(parts[2].last);
  std::size_t json_bytes = 0;
  for (const domain::Task& task : parts[0].tasks) json_bytes += FormatTaskJson(task).size();
  EXPECT_LE(json_bytes, options_.max_part_bytes);

  database_.description = std::string(options_.max_part_bytes + 1, 'x');
  const Watcher one = Watch(kAda, std::nullopt);
  workplace_.RunAll();
  EXPECT_THAT(one.received().All<ports::FeedSnapshot>(), SizeIs(10)) << "one task in any case";
}

TEST_F(FeedCoreTest, AWatcherBecomesLevelThoughChangesNeverStop) {
  options_.max_missed_changes = 12;
  options_.page_size = 2;
  Commit(kAda, 60);
  const Watcher watcher = Watch(kAda, std::nullopt, true);
  database_.meanwhile = [&] {
    for (int i = 0; i < 2; ++i) core().Publish(Commit(kAda));
    return absl::OkStatus();
  };
  const auto is_level = [&] {
    const std::vector<std::int64_t> updates = watcher.received().Updates();
    return !updates.empty() && updates.back() == database_.user(kAda).head().seq;
  };
  for (int step = 0; step < 300 && !is_level(); ++step) {
    if (workplace_.size() > 0) workplace_.RunOne();
    if (const auto drained = watcher.received().drained) drained();
  }
  EXPECT_TRUE(is_level());
  EXPECT_THAT(watcher.received().All<ports::FeedResync>(), IsEmpty());
  const auto parts = watcher.received().All<ports::FeedSnapshot>();
  EXPECT_THAT(parts, SizeIs(30));
  const std::vector<std::int64_t> updates = watcher.received().Updates();
  for (std::size_t i = 0; i < updates.size(); ++i) {
    ASSERT_EQ(updates[i], parts.front().cursor.seq + 1 + static_cast<std::int64_t>(i));
  }
}

TEST_F(FeedCoreTest, ThePagesOfLongTasksAreListedOnce) {
  Commit(kAda, 120);
  database_.description = std::string(options_.max_part_bytes / 10, 'x');
  const Watcher watcher = Watch(kAda, std::nullopt);
  workplace_.RunOne();  // the head
  int calls = 0;
  database_.meanwhile = [&] {
    ++calls;
    return absl::OkStatus();
  };
  workplace_.RunAll();
  const auto parts = watcher.received().All<ports::FeedSnapshot>();
  EXPECT_THAT(parts.size(), testing::AllOf(testing::Ge(12u), testing::Le(14u)));
  // Two queries for each part, and the first page twice; each calls twice.
  EXPECT_EQ(calls, 2 * (2 * static_cast<int>(parts.size()) + 1));
}

TEST_F(FeedCoreTest, AHoleInTheLogIsNotResumedOver) {
  struct Holed final : ports::LiveLog {
    absl::StatusOr<ports::MissedChanges> ReadMissed(const domain::UserId& user,
                                                    const domain::ChangeCursor& cursor, int max,
                                                    std::size_t bytes) override {
      auto missed = database.ReadMissed(user, cursor, max, bytes);
      if (missed->changes.size() > 2) missed->changes.erase(missed->changes.begin() + 1);
      return missed;
    }
    absl::StatusOr<std::vector<ports::CheckedCursor>> Check(
        const std::vector<ports::CursorOfUser>& cursors) override {
      return database.Check(cursors);
    }
    explicit Holed(ModelDatabase& model) : database(model) {}
    ModelDatabase& database;
  };
  Holed log(database_);
  core_.emplace(FeedParts{log, database_, clock_, [this] { return now_; }}, workplace_, options_);
  Commit(kAda, 3);
  const Watcher watcher = Watch(kAda, domain::ChangeCursor{});
  workplace_.RunAll();
  EXPECT_EQ(core().stats().resyncs_too_far_behind, 1u);
  EXPECT_THAT(watcher.received().All<ports::FeedSnapshot>(), SizeIs(1));
}

TEST_F(FeedCoreTest, TheNextPageIsReadWhenThePartBeforeHasLeft) {
  Commit(kAda, 150);
  Watcher watcher = Watch(kAda, std::nullopt, true);
  workplace_.RunAll();
  EXPECT_THAT(watcher.received().All<ports::FeedSnapshot>(), SizeIs(1));
  EXPECT_EQ(core().stats().page_reads, 1u);
  watcher.received().drained();
  workplace_.RunAll();
  EXPECT_THAT(watcher.received().All<ports::FeedSnapshot>(), SizeIs(2));
  watcher.received().drained();  // harmless
}

TEST_F(FeedCoreTest, AFailedReadIsRepeatedWithBackOff) {
  Commit(kAda, 2);
  int failures = 6;
  database_.meanwhile = [&] {
    return failures-- > 0 ? absl::UnavailableError("away") : absl::OkStatus();
  };
  const Watcher watcher = Watch(kAda, domain::ChangeCursor{});
  workplace_.RunAll();
  EXPECT_THAT(watcher.received().Updates(), ElementsAre(1, 2));
  EXPECT_THAT(workplace_.delays, ElementsAre(milliseconds(250), milliseconds(500), seconds(1),
                                             seconds(2), seconds(4), seconds(5)));
  EXPECT_EQ(core().stats().failed_queries, 6u);
}

TEST_F(FeedCoreTest, AFailedPageIsRepeated) {
  Commit(kAda, 2);
  Watcher watcher = Watch(kAda, std::nullopt);
  workplace_.RunOne();  // the head
  int failures = 2;
  database_.meanwhile = [&] {
    return failures-- > 0 ? absl::UnavailableError("away") : absl::OkStatus();
  };
  workplace_.RunAll();
  EXPECT_THAT(watcher.received().All<ports::FeedSnapshot>(), SizeIs(1));
  EXPECT_THAT(workplace_.delays, ElementsAre(milliseconds(250), milliseconds(500)));
}

TEST_F(FeedCoreTest, NothingIsReadForAWatchThatHasGone) {
  for (const bool resumes : {true, false}) {
    Watch(kAda, resumes ? std::optional(domain::ChangeCursor{}) : std::nullopt).watch.reset();
  }
  workplace_.RunAll();
  EXPECT_EQ(core().stats().reads, 0u);
  EXPECT_EQ(core().stats().watches, 0u);
}

TEST_F(FeedCoreTest, ALostUpdateIsNoticedByTheNextOne) {
  const Watcher watcher = LiveWatch(kAda);
  Commit(kAda);  // lost
  core().Publish(Commit(kAda));
  EXPECT_THAT(workplace_.delays, ElementsAre(milliseconds(100))) << "it may only be late";
  workplace_.RunAll();
  EXPECT_THAT(watcher.received().Updates(), ElementsAre(1, 2));
}

TEST_F(FeedCoreTest, ALostLastUpdateIsNoticedByTheSecondCheck) {
  const Watcher watcher = LiveWatch(kAda);
  const Watcher other = LiveWatch(kBob);
  Commit(kAda);  // lost
  Check();
  EXPECT_TRUE(core().check().has_asked()) << "the second look comes early";
  workplace_.RunAll();
  EXPECT_THAT(watcher.received().Updates(), IsEmpty());
  core().check().CheckAsked();
  workplace_.RunAll();
  EXPECT_THAT(watcher.received().Updates(), ElementsAre(1));
  EXPECT_FALSE(core().check().has_asked());
}

TEST_F(FeedCoreTest, ASetBackDatabaseMeansResyncForThoseWhoKnowMore) {
  Commit(kAda, 3);
  Commit(kBob, 3);
  database_.BackUp();
  const Watcher unchanged = LiveWatch(kBob);
  Commit(kAda, 2);
  const Watcher watcher = LiveWatch(kAda);
  database_.Restore();
  Check();
  workplace_.RunAll();
  EXPECT_EQ(core().stats().resyncs_unknown_cursor, 1u);
  const auto parts = watcher.received().All<ports::FeedSnapshot>();
  ASSERT_THAT(parts, SizeIs(1));
  EXPECT_EQ(parts[0].cursor, database_.user(kAda).head());
  EXPECT_THAT(unchanged.received().All<ports::FeedResync>(), IsEmpty());
  core().Publish(Commit(kAda));
  EXPECT_THAT(watcher.received().Updates(), ElementsAre(4));
}

TEST_F(FeedCoreTest, AContradictingUpdateAsksForACheck) {
  const Watcher watcher = LiveWatch(kAda);
  bool rung = false;
  core().OnDoubt([&] { rung = true; });
  database_.BackUp();
  core().Publish(Commit(kAda));
  database_.Restore();
  core().Publish(Commit(kAda));
  EXPECT_TRUE(rung);
  core().check().CheckAsked();
  workplace_.RunAll();
  EXPECT_EQ(core().stats().resyncs_unknown_cursor, 1u);
}

TEST_F(FeedCoreTest, OneCheckIsOneQueryForAllUsers) {
  std::vector<Watcher> watchers;
  for (int i = 0; i < 100; ++i) {
    watchers.push_back(LiveWatch({fmt::format("user {}", i % 50)}));
  }
  Check();
  EXPECT_EQ(database_.checks, 1);
  EXPECT_EQ(core().stats().checks, 1u);
}

TEST_F(FeedCoreTest, WatchesStayAndUpdatesGoOnWhileTheDatabaseIsAway) {
  const Watcher watcher = LiveWatch(kAda);
  const domain::Change change = Commit(kAda);
  database_.meanwhile = [] { return absl::UnavailableError("away"); };
  now_ += seconds(60);
  Check();
  core().Publish(change);
  EXPECT_THAT(watcher.received().Updates(), ElementsAre(1));
  EXPECT_THAT(watcher.received().All<ports::FeedHead>(), IsEmpty());
  EXPECT_FALSE(watcher.received().end);
}

TEST_F(FeedCoreTest, TheHeadComesEveryFifteenSeconds) {
  const Watcher watcher = LiveWatch(kAda);
  for (int checks = 1; checks <= 20; ++checks) {
    now_ += seconds(3);
    Check();
    EXPECT_THAT(watcher.received().All<ports::FeedHead>(),
                SizeIs(static_cast<std::size_t>(checks / 5)));
  }
}

TEST_F(FeedCoreTest, ASignOfLifeComesEveryFifteenSecondsWhileTheDatabaseIsAway) {
  const Watcher watcher = LiveWatch(kAda);
  database_.meanwhile = [] { return absl::UnavailableError("away"); };
  for (int checks = 1; checks <= 20; ++checks) {
    now_ += seconds(3);
    Check();
    EXPECT_THAT(watcher.received().All<ports::FeedAlive>(),
                SizeIs(static_cast<std::size_t>(checks / 5)));
  }
  EXPECT_THAT(watcher.received().All<ports::FeedHead>(), IsEmpty());
  database_.meanwhile = [] { return absl::OkStatus(); };
  Check();
  EXPECT_THAT(watcher.received().All<ports::FeedHead>(), SizeIs(1));
}

TEST_F(FeedCoreTest, ASignOfLifeComesBeforeTheFirstAnswerAndBetweenThePartsOfASnapshot) {
  Commit(kAda, 150);
  const Watcher watcher = Watch(kAda, std::nullopt, true);
  const auto signs = [&] { return watcher.received().All<ports::FeedAlive>().size(); };
  const auto wait = [&] {
    now_ += seconds(15);
    Check();
  };
  wait();
  EXPECT_EQ(signs(), 1u);
  workplace_.RunAll();
  ASSERT_THAT(watcher.received().All<ports::FeedSnapshot>(), SizeIs(1));
  wait();
  EXPECT_EQ(signs(), 1u) << "the part has not left, so the watcher sees that life goes on";
  watcher.received().drained();
  wait();
  EXPECT_EQ(signs(), 2u);
}

TEST_F(FeedCoreTest, AHintMakesTheFeedLook) {
  const Watcher watcher = LiveWatch(kAda);
  Commit(kAda);
  core().Publish(domain::OtherUpdate{kAda});
  workplace_.RunAll();
  EXPECT_THAT(watcher.received().Updates(), ElementsAre(1));
}

TEST_F(FeedCoreTest, ASinkThatTakesNoMoreEndsItsWatch) {
  Watcher watcher = LiveWatch(kAda);
  watcher.sink->SetFull();
  core().Publish(Commit(kAda));
  EXPECT_EQ(core().stats().watches, 0u);
  EXPECT_EQ(core().stats().lost_sinks, 1u);
  EXPECT_EQ(watcher.sink.use_count(), 1) << "the feed has let go of it";
  core().Publish(Commit(kAda));
  EXPECT_FALSE(watcher.received().end);
  watcher.watch.reset();
  EXPECT_EQ(core().stats().watches, 0u);
}

TEST_F(FeedCoreTest, TheNumberOfWatchesHasALimit) {
  options_.max_watches = 2;
  const Watcher first = Watch(kAda, std::nullopt);
  Watcher second = Watch(kBob, std::nullopt);
  const absl::Status refused = Refused(kAda);
  EXPECT_THAT(refused, StatusIs(absl::StatusCode::kResourceExhausted));
  EXPECT_EQ(util::ReasonOf(refused), "TOO_MANY_SCREENS");
  second.watch.reset();
  Watch(kAda, std::nullopt);
}

TEST_F(FeedCoreTest, TheEndTellsEverybodyToComeBackSpreadOut) {
  std::vector<Watcher> watchers;
  for (int i = 0; i < 1'000; ++i) watchers.push_back(Watch(kAda, domain::ChangeCursor{}));
  core().End();
  core().End();
  milliseconds least = milliseconds::max();
  milliseconds most = milliseconds::zero();
  for (const Watcher& watcher : watchers) {
    const auto end = watcher.received().end;
    ASSERT_TRUE(end);
    EXPECT_THAT(end->status, StatusIs(absl::StatusCode::kUnavailable));
    EXPECT_EQ(util::ReasonOf(end->status), "SERVER_STOPPING");
    least = std::min(least, *end->retry_after);
    most = std::max(most, *end->retry_after);
  }
  EXPECT_LT(least, milliseconds(500));
  EXPECT_GT(most, milliseconds(4'500));
  EXPECT_LE(most, seconds(5));
  EXPECT_EQ(core().stats().watches, 0u);
  const absl::Status late = Refused(kAda);
  EXPECT_THAT(late, StatusIs(absl::StatusCode::kUnavailable));
  EXPECT_EQ(util::ReasonOf(late), "SERVER_STOPPING");
}

TEST_F(FeedCoreTest, AHandleMayOutliveTheFeed) {
  Watcher watcher = LiveWatch(kAda);
  core_.reset();
  EXPECT_EQ(watcher.sink.use_count(), 1);
  watcher.watch->SetExpiry(clock_.now);
  watcher.watch.reset();
}

TEST_F(FeedCoreTest, TheLagIsTheTimeSinceTheCommit) {
  domain::Change change = Commit(kAda);
  change.at = clock_.now - milliseconds(80);
  core().Publish(change);
  const FeedStats stats = core().stats();
  EXPECT_NEAR(stats.lag.sum_seconds, 0.08, 1e-9);
  EXPECT_EQ(stats.lag.counts[3], 1u);
  EXPECT_EQ(stats.updates, 1u);
  EXPECT_EQ(stats.deliveries, 0u);
}

TEST_F(FeedCoreTest, AnIdleWatchIsSmall) {
  EXPECT_LE(sizeof(live::Watch), 640u);
  EXPECT_LE(sizeof(WatchState), 400u);
}

}  // namespace
}  // namespace todo::live
