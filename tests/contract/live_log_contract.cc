#include "contract/live_log_contract.h"

#include <fmt/format.h>
#include <gmock/gmock.h>

#include "support/status_matchers.h"

namespace todo::contract {

GTEST_ALLOW_UNINSTANTIATED_PARAMETERIZED_TEST(LiveLogContract);

using domain::Change;
using domain::ChangeCursor;
using domain::ChangeKind;
using domain::CursorAt;
using domain::UserId;
using ports::CheckedCursor;
using ports::CursorOfUser;
using ports::MissedChanges;
using support::IsOk;
using testing::ElementsAre;
using testing::IsEmpty;

std::vector<Change> LiveLogContract::Make(const UserId& user, int count) {
  for (int i = 0; i < count; ++i) {
    EXPECT_THAT(tasks().Apply(Create(user, fmt::format("task {}", i))).status(), IsOk());
  }
  return AllChanges(tasks(), user);
}

MissedChanges LiveLogContract::ReadMissed(const UserId& user, const ChangeCursor& cursor,
                                          int max_changes, std::size_t max_bytes) {
  const auto missed = log().ReadMissed(user, cursor, max_changes, max_bytes);
  EXPECT_TRUE(missed.ok()) << missed.status();
  return missed.ok() ? *missed : MissedChanges();
}

std::vector<CheckedCursor> LiveLogContract::Check(const std::vector<CursorOfUser>& cursors) {
  const auto checked = log().Check(cursors);
  EXPECT_TRUE(checked.ok()) << checked.status();
  return checked.ok() ? *checked : std::vector<CheckedCursor>();
}

namespace {

std::vector<std::int64_t> SeqsOf(const std::vector<Change>& changes) {
  std::vector<std::int64_t> seqs;
  for (const Change& change : changes) seqs.push_back(change.seq);
  return seqs;
}

MATCHER_P2(IsChecked, head, known, "") { return arg.head == head && arg.known == known; }

TEST_P(LiveLogContract, TheChangesBehindAKnownCursorComeInOrder) {
  const std::vector<Change> all = Make(user_, 5);
  Make(other_, 3);
  const MissedChanges missed = ReadMissed(user_, CursorAt(all[1]));
  EXPECT_TRUE(missed.cursor_known);
  EXPECT_TRUE(missed.complete);
  EXPECT_EQ(missed.head, CursorAt(all[4]));
  EXPECT_THAT(SeqsOf(missed.changes), ElementsAre(3, 4, 5));
}

TEST_P(LiveLogContract, ZeroChangesAskForTheHeadAlone) {
  const std::vector<Change> all = Make(user_, 2);
  const auto missed = log().ReadMissed(user_, {}, 0, 0);
  ASSERT_THAT(missed.status(), IsOk());
  EXPECT_EQ(missed->head, CursorAt(all[1]));
  EXPECT_TRUE(missed->cursor_known);
  EXPECT_FALSE(missed->complete);
  EXPECT_THAT(missed->changes, IsEmpty());
}

TEST_P(LiveLogContract, AMissedChangeIsAsItWasCommitted) {
  ports::Mutation create = Create(user_, "Ünd \"🛒\"");
  create.traceparent = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";
  ASSERT_THAT(tasks().Apply(create).status(), IsOk());
  const Change written = AllChanges(tasks(), user_).at(0);
  const Change read = ReadMissed(user_, {}).changes.at(0);
  EXPECT_EQ(read.user, user_);
  EXPECT_EQ(read.seq, 1);
  EXPECT_EQ(read.event_id, create.event_id);
  EXPECT_EQ(read.kind, ChangeKind::kCreated);
  EXPECT_EQ(read.task_id, written.task_id);
  EXPECT_EQ(read.version, 1);
  EXPECT_EQ(read.task_json, written.task_json);
  EXPECT_EQ(read.at, create.now);
  EXPECT_EQ(read.traceparent, create.traceparent);
  EXPECT_EQ(read.request_id, create.request_id);
}

TEST_P(LiveLogContract, NothingIsMissedAtTheHead) {
  const std::vector<Change> all = Make(user_, 2);
  const MissedChanges missed = ReadMissed(user_, CursorAt(all[1]));
  EXPECT_TRUE(missed.cursor_known);
  EXPECT_TRUE(missed.complete);
  EXPECT_EQ(missed.head, CursorAt(all[1]));
  EXPECT_THAT(missed.changes, IsEmpty());
}

TEST_P(LiveLogContract, TheCursorBeforeTheFirstChangeIsAlwaysKnown) {
  const MissedChanges nothing = ReadMissed(user_, {});
  EXPECT_TRUE(nothing.cursor_known);
  EXPECT_TRUE(nothing.complete);
  EXPECT_EQ(nothing.head, ChangeCursor());
  EXPECT_THAT(nothing.changes, IsEmpty());

  const std::vector<Change> all = Make(user_, 2);
  const MissedChanges everything = ReadMissed(user_, {});
  EXPECT_TRUE(everything.cursor_known);
  EXPECT_TRUE(everything.complete);
  EXPECT_EQ(everything.head, CursorAt(all[1]));
  EXPECT_THAT(SeqsOf(everything.changes), ElementsAre(1, 2));
}

TEST_P(LiveLogContract, ACursorThatTheLogLacksIsNotKnownAndShowsNoChange) {
  const std::vector<Change> all = Make(user_, 3);
  const std::vector<Change> others = Make(other_, 3);
  const ChangeCursor head = CursorAt(all[2]);
  const std::vector<ChangeCursor> unknown = {
      {.seq = 2, .event_id = NewEventId()},             // another change has the number
      {.seq = 2, .event_id = all[0].event_id},          // the id of another change
      {.seq = 2, .event_id = {}},                       // no id at all
      {.seq = 4, .event_id = NewEventId()},             // above the head
      {.seq = 0, .event_id = NewEventId()},             // the first change has number 1
      {.seq = -1, .event_id = {}},                      //
      {.seq = INT64_MAX, .event_id = all[2].event_id},  //
      CursorAt(others[1]),                              // of another user
  };
  std::vector<CursorOfUser> cursors;
  for (const ChangeCursor& cursor : unknown) {
    const MissedChanges missed = ReadMissed(user_, cursor);
    EXPECT_FALSE(missed.cursor_known) << cursor.seq;
    EXPECT_FALSE(missed.complete) << cursor.seq;
    EXPECT_EQ(missed.head, head) << cursor.seq;
    EXPECT_THAT(missed.changes, IsEmpty()) << cursor.seq;
    cursors.push_back({user_, cursor});
  }
  for (const CheckedCursor& checked : Check(cursors)) EXPECT_THAT(checked, IsChecked(head, false));
}

TEST_P(LiveLogContract, AUserWithoutChangesHasNoHead) {
  Make(other_, 1);
  const CursorOfUser somewhere{user_, {.seq = 7, .event_id = NewEventId()}};
  const MissedChanges missed = ReadMissed(user_, somewhere.cursor);
  EXPECT_FALSE(missed.cursor_known);
  EXPECT_EQ(missed.head, ChangeCursor());
  EXPECT_THAT(Check({{user_, {}}, somewhere}),
              ElementsAre(IsChecked(ChangeCursor(), true), IsChecked(ChangeCursor(), false)));
}

TEST_P(LiveLogContract, NoMoreChangesComeThanAskedFor) {
  const std::vector<Change> all = Make(user_, 5);
  const MissedChanges cut = ReadMissed(user_, CursorAt(all[0]), 3);
  EXPECT_THAT(SeqsOf(cut.changes), ElementsAre(2, 3, 4));
  EXPECT_TRUE(cut.cursor_known);
  EXPECT_FALSE(cut.complete);
  EXPECT_EQ(cut.head, CursorAt(all[4]));
  const MissedChanges exact = ReadMissed(user_, CursorAt(all[0]), 4);
  EXPECT_THAT(SeqsOf(exact.changes), ElementsAre(2, 3, 4, 5));
  EXPECT_TRUE(exact.complete);
}

TEST_P(LiveLogContract, ChangesEndWithTheOneThatReachesTheBytesAskedFor) {
  const std::vector<Change> all = Make(user_, 4);
  const std::size_t two = all[0].task_json.size() + all[1].task_json.size();
  EXPECT_THAT(SeqsOf(ReadMissed(user_, {}, kManyChanges, 1).changes), ElementsAre(1));
  EXPECT_THAT(SeqsOf(ReadMissed(user_, {}, kManyChanges, two - 1).changes), ElementsAre(1, 2));
  EXPECT_THAT(SeqsOf(ReadMissed(user_, {}, kManyChanges, two).changes), ElementsAre(1, 2));
  const MissedChanges cut = ReadMissed(user_, {}, kManyChanges, two + 1);
  EXPECT_THAT(SeqsOf(cut.changes), ElementsAre(1, 2, 3));
  EXPECT_FALSE(cut.complete);
  const MissedChanges last = ReadMissed(user_, CursorAt(all[2]), kManyChanges, 1);
  EXPECT_THAT(SeqsOf(last.changes), ElementsAre(4));
  EXPECT_TRUE(last.complete);
}

TEST_P(LiveLogContract, ChecksTheCursorsOfManyUsersInTheirOrder) {
  const std::vector<Change> anns = Make(user_, 2);
  const std::vector<Change> bobs = Make(other_, 3);
  const UserId odd{"o'dd \"user\" \\ {1,2}"};
  const std::vector<Change> odds = Make(odd, 1);
  const UserId nobody{"nobody"};
  const ChangeCursor ann = CursorAt(anns[1]);
  const ChangeCursor bob = CursorAt(bobs[2]);
  EXPECT_THAT(Check({{other_, CursorAt(bobs[0])},
                     {user_, ann},
                     {nobody, {}},
                     {odd, CursorAt(odds[0])},
                     {user_, {.seq = 1, .event_id = NewEventId()}},
                     {user_, {}},
                     {user_, ann}}),
              ElementsAre(IsChecked(bob, true), IsChecked(ann, true),
                          IsChecked(ChangeCursor(), true), IsChecked(CursorAt(odds[0]), true),
                          IsChecked(ann, false), IsChecked(ann, true), IsChecked(ann, true)));
  EXPECT_THAT(Check({}), IsEmpty());
}

TEST_P(LiveLogContract, ALogThatWasSetBackDoesNotKnowTheCursorsItOnceGave) {
  const std::vector<Change> before = Make(user_, 4);
  environment_->SetBack(user_, 2);
  const ChangeCursor old_head = CursorAt(before[3]);
  EXPECT_THAT(
      Check({{user_, old_head}, {user_, CursorAt(before[1])}}),
      ElementsAre(IsChecked(CursorAt(before[1]), false), IsChecked(CursorAt(before[1]), true)));
  // New changes take the old numbers.
  const std::vector<Change> after = Make(user_, 3);
  ASSERT_EQ(after.size(), 5U);
  EXPECT_FALSE(ReadMissed(user_, old_head).cursor_known);
  EXPECT_THAT(SeqsOf(ReadMissed(user_, CursorAt(before[1])).changes), ElementsAre(3, 4, 5));
  EXPECT_THAT(Check({{user_, old_head}}), ElementsAre(IsChecked(CursorAt(after[4]), false)));
}

TEST_P(LiveLogContract, EveryChangeOfACallHasTheCallsRequestId) {
  const std::vector<Change> two = Make(user_, 2);
  ports::MutationList list;
  list.request_id = NewRequestId();
  list.fingerprint = "list";
  for (const Change& change : two) {
    domain::Task task;
    task.id = change.task_id;
    task.user = user_;
    list.mutations.push_back(Rename(task, "renamed"));
  }
  ASSERT_THAT(tasks().ApplyAll(list).status(), IsOk());
  for (const Change& change : ReadMissed(user_, CursorAt(two[1])).changes)
    EXPECT_EQ(change.request_id, list.request_id) << change.seq;
}

}  // namespace
}  // namespace todo::contract
