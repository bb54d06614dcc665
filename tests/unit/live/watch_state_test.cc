#include "live/watch_state.h"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "unit/live/model_database.h"

namespace todo::live {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

using Log = std::vector<std::string>;

/// The event id says which log a change is of: the same number has another id in another log.
domain::ChangeCursor At(std::int64_t seq, int log = 1) {
  if (seq == 0) return {};
  return {seq, EventNumber(log * 100'000 + seq)};
}

std::shared_ptr<const domain::LiveChange> Update(std::int64_t seq, int log = 1,
                                                 std::size_t json_bytes = 2) {
  domain::Change change;
  change.user = {"ada"};
  change.seq = seq;
  change.event_id = At(seq, log).event_id;
  change.task_id = {7};
  change.task_json = std::string(json_bytes, ' ');
  return std::make_shared<const domain::LiveChange>(std::move(change));
}

/// The changes from `first` to `last`; `last` is the head.
Missed Changes(std::int64_t first, std::int64_t last, int log = 1) {
  Missed missed{.head = At(last, log), .cursor_known = true, .complete = true, .changes = {}};
  for (std::int64_t seq = first; seq <= last; ++seq) missed.changes.push_back(Update(seq, log));
  return missed;
}
Missed HeadOnly(std::int64_t head, int log = 1) { return {At(head, log), true, head == 0, {}}; }
Missed Unknown(std::int64_t head, int log) { return {At(head, log), false, false, {}}; }
Missed TooMany(std::int64_t head) { return {At(head), true, false, {}}; }

ports::TaskPage Page(std::vector<std::int64_t> ids, std::string next = {}) {
  ports::TaskPage page;
  for (const std::int64_t id : ids) page.tasks.emplace_back().id = {id};
  page.next_cursor = std::move(next);
  return page;
}

std::string Name(const domain::ChangeCursor& cursor) {
  for (int log = 1; log <= 3; ++log) {
    if (cursor == At(cursor.seq, log)) {
      return fmt::format("{}{}", cursor.seq, std::string(static_cast<std::size_t>(log) - 1, '\''));
    }
  }
  return "?";
}

struct Describe {
  std::string operator()(const ports::FeedResumed& resumed) const {
    return "resumed " + Name(resumed.head);
  }
  std::string operator()(const ports::FeedResync& resync) const {
    return "resync " + std::string(ToString(resync.reason));
  }
  std::string operator()(const ports::FeedSnapshot& snapshot) const {
    std::string text = "snapshot " + Name(snapshot.cursor);
    for (const domain::Task& task : snapshot.tasks) text += fmt::format(" #{}", task.id.value);
    return snapshot.last ? text + " last" : text;
  }
  std::string operator()(const std::shared_ptr<const domain::LiveChange>& change) const {
    return Name(change->cursor());
  }
  std::string operator()(const ports::FeedNotification& notification) const {
    return "notification " + notification.notification_id.value().substr(34);
  }
  std::string operator()(const ports::FeedHead& head) const { return "head " + Name(head.head); }
  std::string operator()(const ports::FeedAlive& /*alive*/) const { return "alive"; }
};

/// All messages that are due.
Log Sent(WatchState& state) {
  Log log;
  while (const auto message = state.Next()) log.push_back(std::visit(Describe(), *message));
  return log;
}

std::string Work(WatchState& state) {
  const auto work = state.TakeWork();
  if (!work) return "nothing";
  const auto* missed = std::get_if<MissedWanted>(&*work);
  if (missed == nullptr) return "page";
  return (missed->head_only ? "head" : "missed behind " + Name(missed->cursor)) +
         (missed->may_wait ? " later" : "");
}

ports::FeedNotification Notification(int number) {
  return {EventNumber(number).uuid, std::nullopt, {}};
}

/// A live watch at `seq`.
WatchState Live(std::int64_t seq) {
  WatchState state(At(seq), ports::SnapshotScope::kAll);
  EXPECT_EQ(Work(state), "missed behind " + Name(At(seq)));
  EXPECT_TRUE(state.BeginRead());
  state.TakeMissed(Changes(seq + 1, seq));
  EXPECT_THAT(Sent(state), ElementsAre("resumed " + Name(At(seq))));
  EXPECT_EQ(Work(state), "nothing");
  return state;
}

TEST(WatchState, ResumesWithWhatWasMissedAndThenGoesOn) {
  WatchState state(At(5), ports::SnapshotScope::kAll);
  EXPECT_EQ(Work(state), "missed behind 5");
  EXPECT_EQ(Work(state), "nothing") << "one read at a time";
  ASSERT_TRUE(state.BeginRead());
  state.TakeMissed(Changes(6, 8));
  EXPECT_THAT(Sent(state), ElementsAre("resumed 8", "6", "7", "8"));
  state.TakeChange(Update(9));
  EXPECT_THAT(Sent(state), ElementsAre("9"));
  EXPECT_EQ(Work(state), "nothing");
}

TEST(WatchState, SendsEachUpdateOfTheTimeOfTheReadOnce) {
  WatchState state(At(5), ports::SnapshotScope::kAll);
  EXPECT_EQ(Work(state), "missed behind 5");
  state.TakeChange(Update(5));
  state.TakeChange(Update(6));
  ASSERT_TRUE(state.BeginRead());
  state.TakeChange(Update(8));
  state.TakeChange(Update(9));
  EXPECT_THAT(Sent(state), IsEmpty()) << "nothing goes before the first answer";
  state.TakeMissed(Changes(6, 8));
  EXPECT_THAT(Sent(state), ElementsAre("resumed 8", "6", "7", "8", "9"));
  EXPECT_EQ(Work(state), "nothing");
}

TEST(WatchState, StartsWithASnapshotInPartsThatWaitForTheirReader) {
  WatchState state(std::nullopt, ports::SnapshotScope::kOpen);
  EXPECT_EQ(Work(state), "head");
  ASSERT_TRUE(state.BeginRead());
  state.TakeMissed(HeadOnly(3));
  EXPECT_EQ(Work(state), "page");
  WatchState::PagePlan plan = state.BeginPage(2);
  EXPECT_EQ(plan.query.completed, false);
  EXPECT_EQ(plan.query.order, ports::TaskOrder::kCreatedAt);
  EXPECT_EQ(plan.query.limit, 2);
  EXPECT_EQ(plan.query.page_cursor, "");
  state.TakePage(Page({1, 2}, "next"), HeadOnly(3));
  EXPECT_THAT(Sent(state), ElementsAre("snapshot 3 #1 #2"));
  EXPECT_EQ(Work(state), "nothing") << "the part has not left";
  state.TakeDrained();
  EXPECT_EQ(Work(state), "page");
  plan = state.BeginPage(2);
  EXPECT_EQ(plan.query.page_cursor, "next");
  state.TakePage(Page({3}), Changes(4, 3));
  EXPECT_THAT(Sent(state), ElementsAre("snapshot 3 #3 last"));
  EXPECT_EQ(Work(state), "nothing");
}

TEST(WatchState, ChangesOfTheTimeOfASnapshotFollowIt) {
  WatchState state(std::nullopt, ports::SnapshotScope::kAll);
  EXPECT_EQ(Work(state), "head");
  ASSERT_TRUE(state.BeginRead());
  state.TakeChange(Update(3));
  state.TakeChange(Update(4));
  state.TakeMissed(HeadOnly(3));
  EXPECT_EQ(Work(state), "page");
  state.BeginPage(100);
  state.TakeChange(Update(6));
  state.TakePage(Page({1}), Changes(4, 5));
  EXPECT_THAT(Sent(state), ElementsAre("snapshot 3 #1 last"));
  EXPECT_TRUE(state.TakeDrainWanted());
  EXPECT_EQ(Work(state), "nothing") << "the part has not left";
  state.TakeDrained();
  EXPECT_THAT(Sent(state), ElementsAre("4", "5", "6"));
  EXPECT_FALSE(state.TakeDrainWanted());
  EXPECT_EQ(Work(state), "nothing");
}

TEST(WatchState, ASnapshotWithoutTasksIsOnePartAndNoQuery) {
  WatchState state(std::nullopt, ports::SnapshotScope::kNone);
  EXPECT_EQ(Work(state), "head");
  ASSERT_TRUE(state.BeginRead());
  state.TakeMissed(HeadOnly(3));
  state.TakeChange(Update(4));
  EXPECT_THAT(Sent(state), ElementsAre("snapshot 3 last", "4"));
  EXPECT_EQ(Work(state), "nothing");
}

TEST(WatchState, AUserWithoutChangesHasASnapshotToo) {
  WatchState state(std::nullopt, ports::SnapshotScope::kAll);
  EXPECT_EQ(Work(state), "head");
  ASSERT_TRUE(state.BeginRead());
  state.TakeMissed(HeadOnly(0));
  EXPECT_EQ(Work(state), "page");
  state.BeginPage(100);
  state.TakePage(Page({}), Changes(1, 0));
  state.TakeChange(Update(1));
  EXPECT_THAT(Sent(state), ElementsAre("snapshot 0 last"));
  state.TakeDrained();
  EXPECT_THAT(Sent(state), ElementsAre("1"));
}

TEST(WatchState, AnUnknownCursorMeansResyncAndASnapshot) {
  WatchState state(At(9), ports::SnapshotScope::kAll);
  EXPECT_EQ(Work(state), "missed behind 9");
  ASSERT_TRUE(state.BeginRead());
  state.TakeMissed(Unknown(4, 2));
  EXPECT_THAT(Sent(state), ElementsAre("resync UNKNOWN_CURSOR"));
  EXPECT_EQ(Work(state), "page");
  state.BeginPage(100);
  state.TakePage(Page({1}), Changes(5, 4, 2));
  EXPECT_THAT(Sent(state), ElementsAre("snapshot 4' #1 last"));
}

TEST(WatchState, TooManyMissedChangesMeanResyncAndASnapshot) {
  WatchState state(At(9), ports::SnapshotScope::kNone);
  EXPECT_EQ(Work(state), "missed behind 9");
  ASSERT_TRUE(state.BeginRead());
  state.TakeMissed(TooMany(5'000));
  EXPECT_THAT(Sent(state), ElementsAre("resync TOO_FAR_BEHIND", "snapshot 5000 last"));
}

TEST(WatchState, ADatabaseSetBackDuringASnapshotBeginsAnew) {
  WatchState state(std::nullopt, ports::SnapshotScope::kAll);
  EXPECT_EQ(Work(state), "head");
  ASSERT_TRUE(state.BeginRead());
  state.TakeMissed(HeadOnly(3));
  EXPECT_EQ(Work(state), "page");
  state.BeginPage(2);
  state.TakePage(Page({1, 2}, "next"), HeadOnly(6));
  EXPECT_THAT(Sent(state), ElementsAre("snapshot 3 #1 #2"));
  state.TakeDrained();
  EXPECT_EQ(Work(state), "page");
  EXPECT_EQ(state.BeginPage(2).seen, At(6)) << "the part that was sent may be as new as this";
  // The log goes on from 3, which is known, but its 6 is another one.
  Missed other = Changes(4, 6, 2);
  state.TakePage(Page({3}), other);
  EXPECT_THAT(Sent(state), ElementsAre("resync UNKNOWN_CURSOR"));
  EXPECT_EQ(Work(state), "page");
  EXPECT_EQ(state.BeginPage(2).query.page_cursor, "") << "from the first page on";
}

/// A watch that has got its snapshot, at 3, while the log grew to `head`, more than a read answers.
WatchState WithTooManyChangesBehindItsSnapshot(std::int64_t head) {
  WatchState state(std::nullopt, ports::SnapshotScope::kAll);
  EXPECT_EQ(Work(state), "head");
  EXPECT_TRUE(state.BeginRead());
  state.TakeMissed(HeadOnly(3));
  EXPECT_EQ(Work(state), "page");
  state.BeginPage(100);
  state.TakePage(Page({1}), TooMany(head));
  EXPECT_THAT(Sent(state), ElementsAre("snapshot 3 #1 last"));
  EXPECT_EQ(Work(state), "nothing") << "the part has not left";
  state.TakeDrained();
  EXPECT_EQ(Work(state), "missed behind 3");
  EXPECT_TRUE(state.BeginRead());
  return state;
}

TEST(WatchState, TooManyChangesBehindASnapshotAreReadInPortions) {
  WatchState state = WithTooManyChangesBehindItsSnapshot(7);
  Missed portion = Changes(4, 5);
  portion.head = At(8);
  portion.complete = false;
  state.TakeMissed(portion);
  EXPECT_THAT(Sent(state), ElementsAre("4", "5"));
  EXPECT_EQ(Work(state), "missed behind 5");
  state.TakeChange(Update(6, 2));  // of another log; the log alone tells about 6 and 7
  state.TakeChange(Update(9));
  ASSERT_TRUE(state.BeginRead());
  state.TakeMissed(Changes(6, 8));
  EXPECT_THAT(Sent(state), ElementsAre("6", "7", "8", "9"));
  EXPECT_EQ(Work(state), "nothing");
}

TEST(WatchState, ADatabaseSetBackBehindASnapshotBeginsAnew) {
  for (const Missed& other : {Changes(4, 8, 2), Changes(4, 6), Unknown(2, 2)}) {
    WatchState state = WithTooManyChangesBehindItsSnapshot(7);
    state.TakeMissed(other);  // its 7 is another one, or it has none
    EXPECT_THAT(Sent(state), ElementsAre("resync UNKNOWN_CURSOR"));
  }
}

TEST(WatchState, WhatItCatchesUpWithGoesInPortionsThatWaitForTheirReader) {
  WatchState state(At(5), ports::SnapshotScope::kAll);
  EXPECT_EQ(Work(state), "missed behind 5");
  ASSERT_TRUE(state.BeginRead());
  Missed missed = Changes(6, 5);
  for (std::int64_t seq = 6; seq <= 10; ++seq) {
    missed.changes.push_back(Update(seq, 1, WatchState::kPortionBytes / 2));
  }
  missed.head = At(10);
  state.TakeMissed(missed);
  EXPECT_THAT(Sent(state), ElementsAre("resumed 10", "6", "7"));
  EXPECT_TRUE(state.TakeDrainWanted());
  EXPECT_FALSE(state.TakeDrainWanted()) << "once";
  state.TakeDrained();
  EXPECT_THAT(Sent(state), ElementsAre("8", "9"));
  state.TakeDrained();
  EXPECT_THAT(Sent(state), ElementsAre("10"));
  for (std::int64_t seq = 11; seq <= 14; ++seq) {
    state.TakeChange(Update(seq, 1, WatchState::kPortionBytes / 2));
    EXPECT_THAT(Sent(state), ElementsAre(Name(At(seq)))) << "live";
  }
}

TEST(WatchState, ARepeatIsDropped) {
  WatchState state = Live(5);
  state.TakeChange(Update(5));
  state.TakeChange(Update(6));
  state.TakeChange(Update(6));
  state.TakeChange(Update(1));
  EXPECT_THAT(Sent(state), ElementsAre("6"));
  EXPECT_FALSE(state.TakeCheckWanted());
  EXPECT_EQ(Work(state), "nothing");
}

TEST(WatchState, SwappedUpdatesAreSentInOrderWithoutARead) {
  WatchState state = Live(5);
  state.TakeChange(Update(7));
  EXPECT_THAT(Sent(state), IsEmpty());
  EXPECT_EQ(Work(state), "missed behind 5 later");
  state.TakeChange(Update(6));
  EXPECT_THAT(Sent(state), ElementsAre("6", "7"));
  EXPECT_FALSE(state.BeginRead()) << "the gap has closed by itself";
  EXPECT_EQ(Work(state), "nothing");
}

TEST(WatchState, AGapIsReadFromTheLog) {
  WatchState state = Live(5);
  state.TakeChange(Update(8));
  EXPECT_EQ(Work(state), "missed behind 5 later");
  ASSERT_TRUE(state.BeginRead());
  state.TakeMissed(Changes(6, 8));
  EXPECT_THAT(Sent(state), ElementsAre("6", "7", "8"));
  EXPECT_EQ(Work(state), "nothing");
}

TEST(WatchState, AnUpdateBeyondTheLogIsOfAnotherLog) {
  WatchState state = Live(5);
  state.TakeChange(Update(8, 2));
  EXPECT_EQ(Work(state), "missed behind 5 later");
  ASSERT_TRUE(state.BeginRead());
  state.TakeMissed(Changes(6, 6));
  EXPECT_THAT(Sent(state), ElementsAre("6"));
  EXPECT_EQ(Work(state), "nothing") << "no read for ever";
  state.TakeChange(Update(7));
  state.TakeChange(Update(8));
  EXPECT_THAT(Sent(state), ElementsAre("7", "8"));
}

TEST(WatchState, AnUpdateDuringTheReadOfAGapStays) {
  WatchState state = Live(5);
  state.TakeChange(Update(7));
  EXPECT_EQ(Work(state), "missed behind 5 later");
  ASSERT_TRUE(state.BeginRead());
  state.TakeChange(Update(9));  // committed after the log was read
  state.TakeMissed(Changes(6, 7));
  EXPECT_THAT(Sent(state), ElementsAre("6", "7"));
  EXPECT_EQ(Work(state), "missed behind 7 later");
}

TEST(WatchState, AContradictingUpdateStopsTheWatchUntilTheLogHasDecided) {
  WatchState state = Live(5);
  state.TakeChange(Update(6, 2));  // late, of a log that is no more
  state.TakeChange(Update(7, 2));
  EXPECT_THAT(Sent(state), ElementsAre("6'", "7'"));
  state.TakeChange(Update(6));
  EXPECT_TRUE(state.TakeCheckWanted());
  EXPECT_FALSE(state.TakeCheckWanted()) << "once";
  state.TakeChange(Update(8));
  EXPECT_THAT(Sent(state), IsEmpty());
  ASSERT_EQ(state.checkable(), At(6));
  state.TakeCheck(At(6), {At(8), true}, false);
  EXPECT_THAT(Sent(state), ElementsAre("resync UNKNOWN_CURSOR"));
}

TEST(WatchState, AContradictingUpdateOfAnotherLogIsForgotten) {
  WatchState state = Live(5);
  state.TakeChange(Update(6));
  EXPECT_THAT(Sent(state), ElementsAre("6"));
  state.TakeChange(Update(6, 2));
  EXPECT_TRUE(state.TakeCheckWanted());
  state.TakeChange(Update(7));
  ASSERT_EQ(state.checkable(), At(6, 2));
  state.TakeCheck(At(6, 2), {At(7), false}, false);
  EXPECT_THAT(Sent(state), ElementsAre("7"));
}

TEST(WatchState, TwoWaitingUpdatesThatContradictEachOtherAreRead) {
  WatchState state = Live(5);
  state.TakeChange(Update(7));
  EXPECT_EQ(Work(state), "missed behind 5 later");
  state.TakeChange(Update(7, 2));
  ASSERT_TRUE(state.BeginRead());
  state.TakeMissed(Changes(6, 7, 2));
  EXPECT_THAT(Sent(state), ElementsAre("6'", "7'"));
}

TEST(WatchState, TheLogIsRightWhereAWaitingUpdateContradictsIt) {
  WatchState state(At(5), ports::SnapshotScope::kAll);
  EXPECT_EQ(Work(state), "missed behind 5");
  state.TakeChange(Update(6, 2));
  ASSERT_TRUE(state.BeginRead());
  state.TakeMissed(Changes(6, 7));
  EXPECT_THAT(Sent(state), ElementsAre("resumed 7", "6", "7"));
}

TEST(WatchState, TooManyWaitingUpdatesAreDroppedAndReadAgain) {
  for (const std::size_t json_bytes : {std::size_t{2}, WatchState::kMaxHeldBytes / 10}) {
    WatchState state(At(0), ports::SnapshotScope::kAll);
    EXPECT_EQ(Work(state), "missed behind 0");
    ASSERT_TRUE(state.BeginRead());
    const std::int64_t count =
        json_bytes > 2 ? 10 : static_cast<std::int64_t>(WatchState::kMaxHeldUpdates) + 1;
    for (std::int64_t seq = 1; seq <= count; ++seq) state.TakeChange(Update(seq, 1, json_bytes));
    state.TakeMissed(Changes(1, 0));
    EXPECT_THAT(Sent(state), ElementsAre("resumed 0"));
    EXPECT_EQ(Work(state), "missed behind 0");
    ASSERT_TRUE(state.BeginRead());
    state.TakeMissed(Changes(1, 2));
    EXPECT_THAT(Sent(state), ElementsAre("1", "2"));
  }
}

TEST(WatchState, AFailedReadIsWantedAgainEvenIfNothingElseHappened) {
  WatchState state = Live(5);
  state.TakeHint();
  EXPECT_EQ(Work(state), "missed behind 5 later");
  ASSERT_TRUE(state.BeginRead());
  ASSERT_TRUE(state.BeginRead());  // the second attempt
  state.TakeMissed(Changes(6, 6));
  EXPECT_THAT(Sent(state), ElementsAre("6"));
}

TEST(WatchState, ALostLastUpdateIsReadAfterTwoChecks) {
  WatchState state = Live(5);
  EXPECT_TRUE(state.TakeCheck(At(5), {At(6), true}, false)) << "it may be on its way";
  EXPECT_EQ(Work(state), "nothing");
  EXPECT_FALSE(state.TakeCheck(At(5), {At(7), true}, false));
  EXPECT_EQ(Work(state), "missed behind 5");
  EXPECT_EQ(state.checkable(), std::nullopt) << "the read tells more";
  ASSERT_TRUE(state.BeginRead());
  state.TakeMissed(Changes(6, 7));
  EXPECT_THAT(Sent(state), ElementsAre("6", "7"));
}

TEST(WatchState, AWatchThatIsAlwaysALittleBehindReadsNothing) {
  WatchState state = Live(5);
  for (std::int64_t seq = 6; seq < 20; ++seq) {
    EXPECT_TRUE(state.TakeCheck(At(seq - 1), {At(seq), true}, false));
    EXPECT_EQ(Work(state), "nothing");
    state.TakeChange(Update(seq));
    EXPECT_THAT(Sent(state), ElementsAre(Name(At(seq))));
  }
}

TEST(WatchState, ACheckNoticesADatabaseThatWasSetBack) {
  WatchState state = Live(5);
  state.TakeChange(Update(7));  // of the old log
  EXPECT_FALSE(state.TakeCheck(At(5), {At(3, 2), false}, false)) << "a read is in progress or due";
  EXPECT_THAT(Sent(state), ElementsAre("resync UNKNOWN_CURSOR"));
  EXPECT_EQ(Work(state), "page");
  state.BeginPage(100);
  state.TakePage(Page({1}), Changes(4, 5, 2));
  EXPECT_THAT(Sent(state), ElementsAre("snapshot 3' #1 last"));
  state.TakeDrained();
  EXPECT_THAT(Sent(state), ElementsAre("4'", "5'"));
}

TEST(WatchState, TheAnswerOfACheckBeforeAResyncIsStale) {
  WatchState state(At(9), ports::SnapshotScope::kNone);
  EXPECT_EQ(Work(state), "missed behind 9");
  ASSERT_TRUE(state.BeginRead());
  state.TakeMissed(Unknown(4, 2));
  EXPECT_THAT(Sent(state), ElementsAre("resync UNKNOWN_CURSOR", "snapshot 4' last"));
  EXPECT_EQ(Work(state), "missed behind 4'");
  ASSERT_TRUE(state.BeginRead());
  state.TakeMissed(Changes(5, 4, 2));
  EXPECT_FALSE(state.TakeCheck(At(9), {At(4, 2), false}, false));
  EXPECT_THAT(Sent(state), IsEmpty());
}

TEST(WatchState, TheHeadIsSentWhenTheWatchHasEverythingUpToIt) {
  WatchState state = Live(5);
  state.TakeCheck(At(5), {At(5), true}, true);
  EXPECT_THAT(Sent(state), ElementsAre("head 5"));
  state.TakeCheck(At(5), {At(5), true}, false);
  EXPECT_THAT(Sent(state), IsEmpty());
  state.TakeCheck(At(5), {At(7), true}, true);
  state.TakeChange(Update(6));
  EXPECT_THAT(Sent(state), ElementsAre("6"));
  state.TakeChange(Update(7));
  EXPECT_THAT(Sent(state), ElementsAre("7", "head 7"));
  state.TakeChange(Update(8));
  state.TakeCheck(At(7), {At(7), true}, true);
  EXPECT_THAT(Sent(state), ElementsAre("8", "head 8")) << "always equal to the watcher's cursor";
}

TEST(WatchState, AHintReadsTheLogSoon) {
  WatchState state = Live(5);
  state.TakeHint();
  state.TakeHint();
  EXPECT_EQ(Work(state), "missed behind 5 later");
  ASSERT_TRUE(state.BeginRead());
  state.TakeHint();
  state.TakeMissed(Changes(6, 6));
  EXPECT_THAT(Sent(state), ElementsAre("6"));
  EXPECT_EQ(Work(state), "missed behind 6 later") << "a hint during the read may mean another one";
}

TEST(WatchState, NotificationsGoAtOnceButNotBeforeTheFirstAnswer) {
  WatchState state(At(5), ports::SnapshotScope::kAll);
  EXPECT_EQ(Work(state), "missed behind 5");
  state.TakeNotification(Notification(1));
  EXPECT_THAT(Sent(state), IsEmpty());
  ASSERT_TRUE(state.BeginRead());
  state.TakeMissed(Changes(6, 6));
  EXPECT_THAT(Sent(state), ElementsAre("resumed 6", "6", "notification 01"));
  state.TakeNotification(Notification(2));
  EXPECT_THAT(Sent(state), ElementsAre("notification 02"));
}

TEST(WatchState, OnlyTheNewestNotificationsWait) {
  WatchState state(At(5), ports::SnapshotScope::kAll);
  EXPECT_EQ(Work(state), "missed behind 5");
  ASSERT_TRUE(state.BeginRead());
  for (int i = 0; i <= static_cast<int>(WatchState::kMaxHeldNotifications); ++i) {
    state.TakeNotification(Notification(i));
  }
  state.TakeMissed(Changes(6, 5));
  const Log sent = Sent(state);
  EXPECT_EQ(sent.size(), 1 + WatchState::kMaxHeldNotifications);
  EXPECT_EQ(sent[1], "notification 01");
}

TEST(WatchState, RegisteredLateItBelievesEveryUpdate) {
  WatchState state(At(5), ports::SnapshotScope::kAll, true);
  EXPECT_EQ(Work(state), "missed behind 5");
  ASSERT_TRUE(state.BeginRead());
  state.TakeMissed(Changes(6, 6));
  state.TakeChange(Update(8));
  EXPECT_THAT(Sent(state), ElementsAre("resumed 6", "6", "8"));
}

}  // namespace
}  // namespace todo::live
