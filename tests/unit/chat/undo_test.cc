#include "talk.h"

// Undo: what is taken back, and what is refused.

namespace todo::chat {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::SizeIs;
using testing::StartsWith;

using UndoTest = Talk;

TEST_F(UndoTest, TakesBackAnAddedTask) {
  Say("remind me to leave at 17:30");
  const Reply undone = Say("undo");
  EXPECT_EQ(undone.text, "Undone: “leave” is gone.");
  EXPECT_THAT(Titles(), IsEmpty());
  EXPECT_FALSE(undone.undoable) << "an undo is not undone";
  ASSERT_THAT(undone.actions, SizeIs(1));
  EXPECT_EQ(undone.actions[0].kind, ActionKind::kUndo);
  EXPECT_EQ(Say("undo").text, "There is nothing to undo.");
}

TEST_F(UndoTest, TakesBackACompletion) {
  const domain::Task task = Add("Milk");
  EXPECT_TRUE(Say("complete milk").undoable);
  Say("take that back");
  EXPECT_FALSE(Get(task.id).completed);
  Say("complete milk");
  Say("reopen milk");
  Say("undo");
  EXPECT_TRUE(Get(task.id).completed);
}

TEST_F(UndoTest, BringsADeletedTaskBack) {
  const domain::Task task = Add("Milk", "2026-11-27");
  Say("delete milk");
  EXPECT_TRUE(Say("yes").undoable);
  EXPECT_TRUE(IsDeleted(task.id));
  EXPECT_EQ(Say("undo").text, "Undone: “Milk” is back.");
  EXPECT_EQ(Get(task.id).fields, task.fields);
}

TEST_F(UndoTest, TakesBackATitleAndADate) {
  const domain::Task task = Add("Milk", "2026-11-27T18:00:00");
  Say("rename milk to oat milk");
  Say("undo");
  EXPECT_EQ(Get(task.id).fields, task.fields);
  Say("move milk to tuesday at 9");
  Say("undo");
  EXPECT_EQ(Get(task.id).fields, task.fields);
  const domain::Task undated = Add("Idea");
  Say("move the idea to friday");
  Say("undo");
  EXPECT_EQ(Get(undated.id).fields.due, undated.fields.due);
}

TEST_F(UndoTest, RemovesAReminder) {
  Add("Dentist", "2026-11-27T15:00:00");
  EXPECT_TRUE(Say("remind me of the dentist 30 min before").undoable);
  EXPECT_EQ(Say("undo").text, "Undone: the reminder of “Dentist” is gone.");
  auto tables = database_.Read();
  for (const auto& [id, row] : tables->reminders)
    EXPECT_EQ(row.reminder.state, domain::ReminderState::kDeleted);
}

TEST_F(UndoTest, TakesBackAllChangesOfAReply) {
  const domain::Task milk = Add("Milk");
  const domain::Task eggs = Add("Eggs", "2026-11-26");
  Say("add bread and complete milk and rename eggs to two eggs and move it to friday");
  EXPECT_THAT(Titles(), SizeIs(3));
  Say("undo");
  EXPECT_THAT(Titles(), ElementsAre("Milk", "Eggs"));
  EXPECT_FALSE(Get(milk.id).completed);
  EXPECT_EQ(Get(eggs.id).fields, eggs.fields);
}

TEST_F(UndoTest, OnlyTheLastThingIsTakenBack) {
  Say("add milk");
  Say("add eggs");
  Say("what's due today?");
  EXPECT_EQ(Say("undo").text, "Undone: “eggs” is gone.");
  EXPECT_EQ(Say("undo").text, "There is nothing to undo.");
  EXPECT_THAT(Titles(), ElementsAre("milk"));
}

TEST_F(UndoTest, ATaskThatHasChangedSinceIsNotTouched) {
  const domain::Task task = Add("Milk");
  Say("complete milk");
  service::UpdateTaskInput update;
  update.id = task.id;
  update.title = "Oat milk";
  ASSERT_TRUE(tasks_.Update(Call(""), update).ok());
  EXPECT_EQ(Say("undo").text, "“Milk” has been changed since. Nothing was changed.");
  EXPECT_TRUE(Get(task.id).completed);
}

TEST_F(UndoTest, WhatChangedNothingIsNotUndone) {
  Add("Milk");
  Say("complete milk");
  EXPECT_FALSE(Say("complete milk").undoable);
  EXPECT_EQ(Say("undo").text, "Undone: “Milk” is open again.") << "the change before";
}

TEST_F(UndoTest, AChangeThatWasNotRememberedIsNotMistakenForTheOneBefore) {
  Add("Milk");
  Add("Eggs");
  Say("complete milk");
  store_.before_apply = [&] { state_.FailWith(absl::UnavailableError("away")); };
  EXPECT_FALSE(Say("complete eggs").undoable);
  state_.FailWith(absl::OkStatus());
  EXPECT_EQ(Say("undo").text,
            "The last change cannot be undone here, because it was not remembered. Nothing was "
            "changed.");
  EXPECT_EQ(ChangeCount(), 4u);
  Say("rename milk to oat milk");
  EXPECT_EQ(Say("undo").text, "Undone: “Milk” has its old title again.") << "of a later one";
}

TEST_F(UndoTest, AnAnswerThatWasNotRememberedIsNotMistakenEither) {
  const domain::Task eggs = Add("Eggs");
  Say("add milk");
  Say("delete eggs");
  store_.before_apply = [&] { state_.FailWith(absl::UnavailableError("away")); };
  Say("yes");
  state_.FailWith(absl::OkStatus());
  EXPECT_TRUE(IsDeleted(eggs.id));
  EXPECT_THAT(Say("undo").text, StartsWith("The last change cannot be undone here"));
  EXPECT_THAT(Titles(), ElementsAre("milk"));
}

TEST_F(UndoTest, ARefusedChangeLeavesTheOneBefore) {
  const domain::Task eggs = Add("Eggs");
  Say("add milk");
  Say("delete eggs");
  store_.before_apply = [&] {
    service::UpdateTaskInput update;
    update.id = eggs.id;
    update.title = "Two eggs";
    ASSERT_TRUE(tasks_.Update(Call(""), update).ok());
  };
  EXPECT_THAT(Say("yes").text, HasSubstr("has been changed since"));
  EXPECT_EQ(Say("undo").text, "Undone: “milk” is gone.");
}

TEST_F(UndoTest, AnAnswerThatLeadsToAQuestionLeavesTheOneBefore) {
  Add("Write report");
  Add("Send report");
  Say("add milk");
  Say("delete the report");
  EXPECT_THAT(Say("1").text, StartsWith("Delete "));
  Say("no");
  EXPECT_EQ(Say("undo").text, "Undone: “milk” is gone.");
}

TEST_F(UndoTest, NothingToUndoStaysSoForARepeatedCall) {
  const Reply first = SayNamed(1, "undo");
  Say("add milk");
  EXPECT_EQ(SayNamed(1, "undo"), first);
  EXPECT_THAT(Titles(), ElementsAre("milk"));
}

TEST_F(UndoTest, IsPossibleForADay) {
  Say("add milk");
  clock_.Set("2026-11-27T10:00:00Z");
  EXPECT_EQ(Say("undo").text, "There is nothing to undo.");
}

TEST_F(UndoTest, MustBeSaidAlone) {
  Say("add milk");
  EXPECT_THAT(Say("add eggs and then undo").text, StartsWith("“Undo” must be said alone."));
  EXPECT_THAT(Titles(), ElementsAre("milk"));
}

TEST_F(UndoTest, TwoAtTheSameTimeUndoOnce) {
  const domain::Task task = Add("Milk");
  Say("complete milk");
  Reply other;
  store_.before_apply = [&] { other = Say("undo"); };
  EXPECT_EQ(Say("undo").text, "Undone: “Milk” is open again.");
  EXPECT_EQ(other.text, "Undone: “Milk” is open again.");
  EXPECT_FALSE(Get(task.id).completed);
  EXPECT_EQ(ChangeCount(), 3u);
}

TEST_F(UndoTest, ARepeatedCallDoesNotUndoTheChangeBefore) {
  Say("add milk");
  Say("add eggs");
  const Reply first = SayNamed(1, "undo");
  EXPECT_EQ(FormatReply(SayNamed(1, "undo")), FormatReply(first));
  EXPECT_THAT(Titles(), ElementsAre("milk"));
}

}  // namespace
}  // namespace todo::chat
