#include "chat/conversation.h"

#include <fmt/format.h>

#include "talk.h"

// From a text to the answer, on the fakes.

namespace todo::chat {
namespace {

using support::StatusIs;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;
using testing::SizeIs;
using testing::StartsWith;
using testing::UnorderedElementsAre;

using ConversationTest = Talk;

// ---- changes

TEST_F(ConversationTest, AddingNamesTheResolvedDate) {
  const Reply reply = Say("add call the bank tomorrow at 9 p1 #money");
  EXPECT_EQ(reply.text,
            "Added: “call the bank”, due Friday, 27 November 2026, 09:00, high priority, tagged "
            "#money.");
  ASSERT_THAT(reply.actions, SizeIs(1));
  const Action& action = reply.actions[0];
  EXPECT_EQ(action.kind, ActionKind::kAdd);
  EXPECT_TRUE(action.changed && reply.undoable);
  ASSERT_THAT(action.tasks, SizeIs(1));
  EXPECT_EQ(Get(action.tasks[0].id), action.tasks[0]);
  EXPECT_EQ(action.tasks[0].fields.due.at, service::At("2026-11-27T09:00:00Z"));
  ASSERT_THAT(action.resolved, SizeIs(1));
  EXPECT_EQ(action.resolved[0].phrase, "tomorrow at 9");
  EXPECT_EQ(action.resolved[0].meaning, "Friday, 27 November 2026, 09:00");
  EXPECT_EQ(reply.understood_by, "grammar");
}

TEST_F(ConversationTest, DatesAreThoseOfTheUsersZoneOrOfTheMessage) {
  preferences_.time_zone = "Asia/Kolkata";
  const Reply reply = Say("add call tomorrow at 9");
  EXPECT_EQ(reply.actions.at(0).tasks.at(0).fields.due.at, service::At("2026-11-27T03:30:00Z"));
  const std::string text = "add mail tomorrow at 9";
  const auto named = conversation_.Send(Call(text), {.text = text, .time_zone = "Asia/Tokyo"});
  ASSERT_TRUE(named.ok()) << named.status();
  EXPECT_EQ(named->actions.at(0).tasks.at(0).fields.due.at, service::At("2026-11-27T00:00:00Z"));
}

TEST_F(ConversationTest, AnswersHaveTheHoursThatTheUserChose) {
  preferences_.wording.hour12 = true;
  const Reply added = Say("add call every day at 17:00 remind me tomorrow at 12:30");
  EXPECT_EQ(added.text,
            "Added: “call”, due Thursday, 26 November 2026, 5 pm, every day. A reminder comes "
            "Friday, 27 November 2026, 12:30 pm.");
  EXPECT_EQ(added.actions.at(0).resolved.at(0).meaning, "every day");
  EXPECT_THAT(Say("what is due today").text,
              HasSubstr("“call”, due Thursday, 26 November 2026, 5 pm"));
  EXPECT_THAT(Say("move call to tomorrow at 0:00").text,
              HasSubstr("Friday, 27 November 2026, 12 am"));
  EXPECT_THAT(Say("undo").text, HasSubstr("Thursday, 26 November 2026, 5 pm"));
  EXPECT_THAT(Say("done with call").text, HasSubstr("Friday, 27 November 2026, 5 pm"));
}

TEST_F(ConversationTest, RemindMeToAddsATaskWithAReminder) {
  const Reply reply = Say("remind me to leave at 17:30");
  EXPECT_EQ(reply.text,
            "Added: “leave”, due Thursday, 26 November 2026, 17:30. A reminder comes "
            "when it is due.");
  EXPECT_THAT(reply.actions.at(0).reminder_numbers, ElementsAre(1));
}

TEST_F(ConversationTest, AReminderOfItIsThatOfTheTaskOfTheSameText) {
  const Reply reply = Say("add buy milk and remind me tomorrow at 8");
  EXPECT_EQ(reply.text, "Added: “buy milk”. A reminder comes Friday, 27 November 2026, 08:00.");
  ASSERT_THAT(reply.actions, SizeIs(1));
  ASSERT_THAT(reply.actions[0].resolved, SizeIs(1));
  EXPECT_EQ(reply.actions[0].resolved[0].phrase, "tomorrow at 8");
  EXPECT_EQ(reply.actions[0].resolved[0].meaning, "Friday, 27 November 2026, 08:00");
  EXPECT_EQ(reply.actions[0].resolved[0].time, *domain::ParseInstant("2026-11-27T08:00:00Z"));
  EXPECT_THAT(Say("add buy eggs and remind me of it monday or tuesday").text,
              HasSubstr("“or tuesday” is dropped"));
}

TEST_F(ConversationTest, CompletingFindsTheTaskByItsWords) {
  const domain::Task task = Add("Buy groceries", "2026-11-26", "FREQ=WEEKLY;BYDAY=TH");
  const Reply reply = Say("I finished buying groceries");
  EXPECT_EQ(reply.text, "Done: “Buy groceries”. The next one comes on Thursday, 3 December 2026.");
  EXPECT_TRUE(Get(task.id).completed);
  EXPECT_TRUE(reply.actions.at(0).changed && reply.undoable);
}

TEST_F(ConversationTest, CompletingSaysNothingOfANextOneWithoutARule) {
  Add("Buy groceries");
  EXPECT_EQ(Say("I bought groceries").text, "Done: “Buy groceries”.");
  const Reply again = Say("I bought groceries");
  EXPECT_EQ(again.text, "“Buy groceries” was done already.");
  EXPECT_FALSE(again.actions.at(0).changed);
  EXPECT_EQ(Say("the groceries are not done").text, "Open again: “Buy groceries”.");
}

TEST_F(ConversationTest, RenamingAndMoving) {
  const domain::Task task = Add("Milk", "2026-11-26T18:00:00");
  EXPECT_EQ(Say("rename milk to oat milk").text, "Renamed: “Milk” is now “oat milk”.");
  const Reply moved = Say("move it to friday");
  EXPECT_EQ(moved.text, "Moved: “oat milk” is now due Friday, 27 November 2026, 18:00.")
      << "the time of day stays";
  EXPECT_EQ(Get(task.id).fields.due.at, service::At("2026-11-27T18:00:00Z"));
  EXPECT_EQ(moved.actions.at(0).resolved.at(0).phrase, "to friday");
  EXPECT_EQ(Say("postpone it by two days").text,
            "Moved: “oat milk” is now due Sunday, 29 November 2026, 18:00.");
  EXPECT_EQ(Say("move it to monday at 8").text,
            "Moved: “oat milk” is now due Monday, 30 November 2026, 08:00.");
  EXPECT_THAT(Say("postpone it to whenever").text, HasSubstr("“whenever” as a date"));
  EXPECT_THAT(Say("postpone it").text, StartsWith("To when?"));
}

TEST_F(ConversationTest, ATimeAloneKeepsTheDay) {
  Add("Dentist", "2026-12-01T15:00:00");
  EXPECT_EQ(Say("move the dentist to 4pm").text,
            "Moved: “Dentist” is now due Tuesday, 1 December 2026, 16:00.");
  EXPECT_EQ(Say("move it to 7pm").text,
            "Moved: “Dentist” is now due Tuesday, 1 December 2026, 19:00.");
  Add("Call Ann", "2026-11-30");
  EXPECT_EQ(Say("reschedule call ann to 9:00").text,
            "Moved: “Call Ann” is now due Monday, 30 November 2026, 09:00.");
  Add("Bins", "2026-11-24T20:00:00");
  EXPECT_EQ(Say("move the bins to 4pm").text,
            "Moved: “Bins” is now due Thursday, 26 November 2026, 16:00.")
      << "its day has passed";
  Add("Standup", "2026-11-26T09:00:00");
  EXPECT_EQ(Say("move the standup to 9:30").text,
            "Moved: “Standup” is now due Friday, 27 November 2026, 09:30.")
      << "that time has passed today";
  Add("Idea");
  EXPECT_EQ(Say("move the idea to 4pm").text,
            "Moved: “Idea” is now due Thursday, 26 November 2026, 16:00.");
}

TEST_F(ConversationTest, AShiftOfAnOverdueTaskCountsFromNow) {
  Add("Report", "2026-11-20T09:00:00");
  EXPECT_EQ(Say("snooze the report for an hour").text,
            "Moved: “Report” is now due Thursday, 26 November 2026, 11:00.");
  Add("Letter", "2026-11-20");
  EXPECT_EQ(Say("postpone the letter by two days").text,
            "Moved: “Letter” is now due Saturday, 28 November 2026.");
  Add("Idea");
  EXPECT_EQ(Say("move the idea to tomorrow").text,
            "Moved: “Idea” is now due Friday, 27 November 2026.");
}

TEST_F(ConversationTest, AllThatIsOverdueMovesTogether) {
  Add("Milk", "2026-11-26");
  EXPECT_EQ(Say("move everything overdue to today").text,
            "Nothing is overdue. Nothing was changed.");
  EXPECT_EQ(Say("complete all overdue tasks").text, "Nothing is overdue. Nothing was changed.");
  Add("Report", "2026-11-20");
  Add("Letter", "2026-11-24T09:00:00");
  EXPECT_THAT(Say("complete all overdue tasks").text, StartsWith("Only moving is done"));
  const Reply reply = Say("move all my overdue tasks to tomorrow");
  EXPECT_THAT(reply.text, HasSubstr("“Report” is now due Friday, 27 November 2026."));
  EXPECT_THAT(reply.text, HasSubstr("“Letter” is now due Friday, 27 November 2026, 09:00."));
  EXPECT_THAT(reply.actions, SizeIs(2)) << "not “Milk”, which is due today";
  EXPECT_THAT(Say("anything overdue?").text, StartsWith("Nothing is overdue."));
  Say("undo");
  EXPECT_THAT(Say("anything overdue?").actions.at(0).tasks, SizeIs(2));
  for (int i = 0; i < 50; ++i) Add(fmt::format("old {}", i), "2026-11-25");
  EXPECT_THAT(Say("move everything that is overdue to today").text, StartsWith("More than 50"));
  Add("Overdue tasks of Bob", "2026-12-24");
  EXPECT_EQ(Say("move the overdue tasks to friday").text,
            "Moved: “Overdue tasks of Bob” is now due Friday, 27 November 2026.")
      << "a task is called so";
}

TEST_F(ConversationTest, AReminderOfAnExistingTask) {
  Add("Dentist", "2026-11-27T15:00:00");
  const Reply reply = Say("remind me of the dentist 30 min before");
  EXPECT_EQ(reply.text, "A reminder of “Dentist” comes 30 minutes before it is due.");
  EXPECT_THAT(reply.actions.at(0).reminder_numbers, ElementsAre(1));
  EXPECT_EQ(Say("remind me about it tomorrow at 9").text,
            "A reminder of “Dentist” comes Friday, 27 November 2026, 09:00.");
  Add("Idea");
  EXPECT_THAT(Say("remind me of the idea 30 min before").text, HasSubstr("has no due date"));
  EXPECT_THAT(Say("remind me of the idea").text, StartsWith("When?"));
}

TEST_F(ConversationTest, ADateThatIsNotWhollyUnderstoodChangesNothing) {
  Add("Call mom", "2026-11-27");
  Add("Write report", "2026-11-27");
  const std::map<std::string, std::string> unread = {
      {"move mom to last monday", "to last monday"},
      {"move call mom to lst monday", "to lst monday"},
      {"postpone report by a week and a day", "by a week and a day"},
      {"move report to monday or tuesday", "to monday or tuesday"},
      {"remind me of report yesterday at 9", "yesterday"},
      {"remind me of the report 30 min before and 1 hour before", "and 1 hour before"}};
  for (const auto& [text, words] : unread) {
    EXPECT_EQ(Say(text).text, fmt::format("I did not understand “{}”. Nothing was changed.", words))
        << text;
  }
  EXPECT_THAT(Say("move it to last monday").text, StartsWith("I did not understand"));
  EXPECT_EQ(ChangeCount(), 2u);
  EXPECT_THAT(Say("remind me of report tomorrow at 9 and at 10").text,
              HasSubstr("“and at 10” is dropped"));
}

TEST_F(ConversationTest, ASecondTimeOfAReminderIsNotLostInSilence) {
  Add("Write report");
  EXPECT_EQ(Say("remind me of report tomorrow at 9 and at 10").text,
            "A reminder of “Write report” comes Friday, 27 November 2026, 09:00. “and at 10” is "
            "dropped: only the first date is taken.");
}

TEST_F(ConversationTest, AWordBesideADateMayBelongToATitle) {
  Add("Go to the bank");
  Add("Salt and pepper");
  EXPECT_EQ(Say("move go to the bank to friday").text,
            "Moved: “Go to the bank” is now due Friday, 27 November 2026.");
  EXPECT_EQ(Say("move salt and pepper to friday").text,
            "Moved: “Salt and pepper” is now due Friday, 27 November 2026.");
  EXPECT_EQ(Say("move it to the friday").text,
            "“Salt and pepper” was due Friday, 27 November 2026 already.");
}

TEST_F(ConversationTest, AQuestionNamesTheNewDate) {
  Add("Buy groceries");
  Add("Send report");
  Add("Write report");
  EXPECT_EQ(Say("move groseries to monday").text,
            "No task is called “groseries”. Do you mean this one?\n1. “Buy groceries”\nIt would be "
            "due Monday, 30 November 2026.\nAnswer “yes” or “no”.");
  EXPECT_THAT(Say("postpone the report by two days").text, HasSubstr("It would move by 2 days."));
  EXPECT_THAT(Say("remind me of the report tomorrow at 9").text,
              HasSubstr("The reminder would come Friday, 27 November 2026, 09:00."));
}

TEST_F(ConversationTest, AWordOfTheDescriptionIsNoName) {
  service::CreateTaskInput input;
  input.title = "Call mom";
  input.description = "ask about groceries";
  input.tags = {"money"};
  const auto task = tasks_.Create(Call(""), input);
  ASSERT_TRUE(task.ok()) << task.status();
  for (const char* text : {"complete groceries", "complete money"}) {
    EXPECT_THAT(Say(text).text, HasSubstr("Do you mean this one?\n1. “Call mom”")) << text;
    EXPECT_FALSE(Get(task->id).completed);
  }
  EXPECT_EQ(Say("yes").text, "Done: “Call mom”.");
}

TEST_F(ConversationTest, ADateBesideTheNameIsAPartOfIt) {
  const domain::Task monday = Add("Call Tom", "2026-11-30");
  const domain::Task tomorrow = Add("Call Tom", "2026-11-27T18:00:00");
  EXPECT_EQ(Say("complete call tom tomorrow").text, "Done: “Call Tom”.");
  EXPECT_TRUE(Get(tomorrow.id).completed);
  EXPECT_FALSE(Get(monday.id).completed);
  EXPECT_EQ(
      Say("complete call tom on saturday").text,
      "No task is called “call tom on saturday”. Do you mean this one?\n"
      "1. “Call Tom”, due Monday, 30 November 2026\nIt would be completed.\nAnswer “yes” or “no”.");
  EXPECT_FALSE(Get(monday.id).completed);
  EXPECT_EQ(Say("yes").text, "Done: “Call Tom”.");
  EXPECT_TRUE(Get(monday.id).completed);
}

TEST_F(ConversationTest, ATimeBesideTheNameIsAPartOfItToo) {
  Add("Standup", "2026-11-27T09:00:00");
  const domain::Task later = Add("Standup", "2026-11-27T16:00:00");
  EXPECT_THAT(Say("delete the standup tomorrow at 4pm").text,
              StartsWith("Delete “Standup”, due Friday, 27 November 2026, 16:00?"));
  Say("yes");
  EXPECT_TRUE(IsDeleted(later.id));
  EXPECT_THAT(Say("complete the standup tomorrow at 5pm").text, StartsWith("No task is called"));
  const domain::Task titled = Add("Report tomorrow");
  Add("Report", "2026-11-27");
  EXPECT_EQ(Say("complete report tomorrow").actions.at(0).tasks.at(0).id, titled.id)
      << "a title goes before a date";
}

TEST_F(ConversationTest, ADateNamesOneOccurrenceOfASeries) {
  const domain::Task first = Add("Water the plants", "2026-11-24", "FREQ=DAILY");
  const Reply asked = Say("complete water the plants tomorrow");
  ASSERT_TRUE(asked.question.has_value());
  EXPECT_EQ(asked.question->offers.at(0).task.id, first.id);
}

TEST_F(ConversationTest, ADeedInThePastCompletesTheTaskThatAsksForIt) {
  for (const char* title : {"Pay the rent", "Call mom", "Do the dishes", "Finish the report",
                            "Clean the kitchen", "Write an essay", "Buy milk", "Buy eggs"}) {
    Add(title);
  }
  EXPECT_EQ(Say("the rent has been paid").text, "Done: “Pay the rent”.");
  EXPECT_EQ(Say("called mom").text, "Done: “Call mom”.");
  EXPECT_EQ(Say("done with the dishes").text, "Done: “Do the dishes”.");
  EXPECT_EQ(Say("finished the report").text, "Done: “Finish the report”.");
  EXPECT_EQ(Say("kitchen cleaned").text, "Done: “Clean the kitchen”.");
  EXPECT_EQ(Say("essay is finally written").text, "Done: “Write an essay”.");
  EXPECT_EQ(Say("milk and eggs are bought").text, "Done: “Buy milk”.\nDone: “Buy eggs”.");
}

TEST_F(ConversationTest, ADeedOfATaskWithoutItsVerbIsAskedAbout) {
  const domain::Task gas = Add("Gas bill");
  EXPECT_EQ(Say("the gas bill is paid").text,
            "No task is called “pay gas bill”. Do you mean this one?\n1. “Gas bill”\n"
            "It would be completed.\nAnswer “yes” or “no”.");
  EXPECT_FALSE(Get(gas.id).completed);
  EXPECT_EQ(Say("yes").text, "Done: “Gas bill”.");
  EXPECT_THAT(Say("paid the water bill").text, StartsWith("No task is called"));
  EXPECT_THAT(Say("the rent is paid").text, StartsWith("No task is called “pay rent”. Nothing"));
}

TEST_F(ConversationTest, SeveralDeedsCompleteSeveralTasks) {
  const domain::Task milk = Add("Buy milk");
  const domain::Task rent = Add("Pay the rent");
  Say("I bought milk and paid the rent");
  EXPECT_TRUE(Get(milk.id).completed && Get(rent.id).completed);
  // Half of a sentence is not carried out.
  const domain::Task memo = Add("Memo");
  Say("I finished the memo and paid the gas bill");
  EXPECT_FALSE(Get(memo.id).completed);
  // The whole name goes first.
  const domain::Task car = Add("Wash the car and paint the fence");
  Say("I washed the car and painted the fence");
  EXPECT_TRUE(Get(car.id).completed);
}

TEST_F(ConversationTest, ATitleDecidesWhereANameEnds) {
  const domain::Task reply = Add("Reply to Bob");
  const domain::Task gym = Add("Go to the gym with Ann");
  const domain::Task milk = Add("Milk");
  Say("rename reply to bob to answer Bob");
  EXPECT_EQ(Get(reply.id).fields.title, "answer Bob");
  Say("rename go to the gym to gym visit");
  EXPECT_EQ(Get(gym.id).fields.title, "gym visit");
  Say("rename milk to milk to drink");
  EXPECT_EQ(Get(milk.id).fields.title, "milk to drink");

  const domain::Task tom = Add("Report for Tom");
  const domain::Task report = Add("Report");
  EXPECT_THAT(Say("move report for tom").text, testing::HasSubstr("To when?"));
  Say("move report for tom to friday");
  EXPECT_EQ(Get(tom.id).fields.due.kind, domain::DueKind::kDate);
  EXPECT_EQ(Get(report.id).fields.due.kind, domain::DueKind::kNone);
}

TEST_F(ConversationTest, AQuestionCompletesNothing) {
  const domain::Task report = Add("Report");
  Say("report is done?");
  Say("done with the report?");
  EXPECT_FALSE(Get(report.id).completed);
}

TEST_F(ConversationTest, AnotherDeedCompletesNothing) {
  const domain::Task report = Add("Report");
  for (const char* text : {"the report is postponed", "the report was moved", "missed the report",
                           "forgot the report", "the report isn't paid yet", "report not written",
                           "the report will be written", "get the report written"}) {
    const Reply reply = Say(text);
    EXPECT_FALSE(reply.question && reply.question->kind == ActionKind::kComplete) << reply.text;
    EXPECT_FALSE(Get(report.id).completed) << reply.text;
  }
}

TEST_F(ConversationTest, WhatIsNotDoneIsNotCompleted) {
  Add("Report");
  Add("Clear gutters");
  Add("All hands meeting");
  Add("Nothing box");
  for (const char* text : {"report not finished", "no report done", "report should be done",
                           "clear completed", "all done", "nothing done", "I finished nothing"}) {
    EXPECT_THAT(Say(text).text, StartsWith("I did not understand")) << text;
  }
  EXPECT_EQ(ChangeCount(), 4u);
}

// ---- several at once

TEST_F(ConversationTest, SeveralWishesAreCarriedOutInOneStep) {
  Add("Report", "2026-11-26");
  const Reply reply = Say("add buy milk and move the report to friday and what's due tomorrow?");
  EXPECT_THAT(reply.text, HasSubstr("Added: “buy milk”.\nMoved: “Report” is now due Friday, 27 "
                                    "November 2026.\n1 task due Friday, 27 November 2026:"));
  EXPECT_THAT(reply.actions, SizeIs(3));
}

TEST_F(ConversationTest, OneImpossibleWishMeansThatNoneIsCarriedOut) {
  const Reply reply = Say("add buy milk and complete the report");
  EXPECT_EQ(reply.text, "No task is called “report”. Nothing was changed.");
  EXPECT_THAT(Titles(), IsEmpty());
  EXPECT_THAT(reply.actions, IsEmpty());
  EXPECT_FALSE(reply.undoable);
}

TEST_F(ConversationTest, OneTaskMayBeChangedTwice) {
  const domain::Task task = Add("Milk");
  Say("rename milk to oat milk and move it to friday");
  EXPECT_EQ(Get(task.id).fields.title, "oat milk");
  EXPECT_EQ(Get(task.id).fields.due.at, service::At("2026-11-27T00:00:00Z"));
}

TEST_F(ConversationTest, WordsJoinedByAndNameOneTaskFirstAndThenSeveral) {
  const domain::Task milk = Add("Buy milk");
  const domain::Task mom = Add("Call mom");
  const domain::Task both = Add("Salt and pepper");
  EXPECT_EQ(Say("complete salt and pepper").text, "Done: “Salt and pepper”.");
  EXPECT_EQ(Say("complete buy milk and call mom").text, "Done: “Buy milk”.\nDone: “Call mom”.");
  EXPECT_TRUE(Get(milk.id).completed && Get(mom.id).completed && Get(both.id).completed);
}

TEST_F(ConversationTest, ATaskOfTheSameTextCannotBeNamed) {
  EXPECT_THAT(Say("add buy milk and complete buy milk").text,
              HasSubstr("“buy milk” is added by this very text"));
  EXPECT_THAT(Say("add buy milk and move it to friday").text, HasSubstr("added by this very text"));
  EXPECT_THAT(Titles(), IsEmpty());
}

// ---- questions

TEST_F(ConversationTest, SeveralFittingTasksLeadToAQuestion) {
  Add("Write report");
  const domain::Task second = Add("Send report", "2026-11-27");
  const Reply asked = Say("complete the report");
  EXPECT_EQ(
      asked.text,
      "Which one do you want to complete?\n1. “Send report”, due Friday, 27 November 2026\n2. "
      "“Write report”\nAnswer with a number, or “none”.")
      << "the sooner due first";
  ASSERT_TRUE(asked.question);
  EXPECT_EQ(asked.question->kind, ActionKind::kComplete);
  EXPECT_THAT(asked.question->offers, SizeIs(2));
  EXPECT_EQ(asked.question->expires_at, service::At("2026-11-26T10:10:00Z"));
  EXPECT_THAT(asked.actions, IsEmpty());
  EXPECT_EQ(Say("the first one").text, "Done: “Send report”.");
  EXPECT_TRUE(Get(second.id).completed);
  EXPECT_EQ(Say("1").text, "There is no open question. Nothing was changed.") << "answered";
}

TEST_F(ConversationTest, ExactBeatsPartialAndOpenBeatsDone) {
  const domain::Task partial = Add("Buy milk for the cake", "2026-11-26");
  const domain::Task exact = Add("Buy milk");
  EXPECT_EQ(Say("complete buy milk").text, "Done: “Buy milk”.");
  EXPECT_TRUE(Get(exact.id).completed);
  EXPECT_EQ(Say("complete buy milk").text, "Done: “Buy milk for the cake”.") << "the open one";
  EXPECT_TRUE(Get(partial.id).completed);
}

TEST_F(ConversationTest, AQuestionIsAnsweredByAWordOrNotAtAll) {
  const domain::Task task = Add("Write report");
  Add("Send report");
  Say("complete the report");
  const Reply unclear = Say("the blue one");
  EXPECT_THAT(unclear.text, HasSubstr("Which one do you want to complete?"));
  EXPECT_TRUE(unclear.question);
  EXPECT_EQ(Say("write").text, "Done: “Write report”.");
  EXPECT_TRUE(Get(task.id).completed);
  Add("Read report");
  Say("complete the report");
  EXPECT_EQ(Say("none").text, "All right. Nothing was changed.");
  EXPECT_EQ(Say("1").text, "There is no open question. Nothing was changed.");
}

TEST_F(ConversationTest, ANewSentenceIsCarriedOutInsteadOfTheQuestion) {
  Add("Write report");
  Add("Send report");
  Say("complete the report");
  EXPECT_EQ(Say("add milk").text, "Added: “milk”.");
  EXPECT_THAT(Say("1").text, StartsWith("There is no open question."));
}

TEST_F(ConversationTest, AQuestionIsForgottenAfterTenMinutes) {
  Add("Write report");
  Add("Send report");
  Say("complete the report");
  clock_.Set("2026-11-26T10:10:00Z");
  EXPECT_THAT(Say("1").text, StartsWith("There is no open question."));
}

TEST_F(ConversationTest, AQuestionKeepsTheWholePlan) {
  Add("Write report");
  Add("Send report");
  Add("Gym", "2026-11-26");
  Say("add milk tomorrow and complete the report and move the gym to friday");
  EXPECT_EQ(ChangeCount(), 3u) << "only the tasks of this test";
  clock_.Set("2026-11-26T10:05:00Z");
  const Reply reply = Say("2");
  EXPECT_THAT(reply.actions, SizeIs(3));
  EXPECT_THAT(reply.text, HasSubstr("Added: “milk”, due Friday, 27 November 2026."));
  EXPECT_THAT(reply.text, HasSubstr("Done: "));
  EXPECT_THAT(reply.text, HasSubstr("Moved: “Gym” is now due Friday"));
}

TEST_F(ConversationTest, ManyFittingTasksAreNotAllShown) {
  for (int i = 0; i < 8; ++i) Add(fmt::format("report {}", i));
  const Reply asked = Say("complete report");
  EXPECT_THAT(asked.question->offers, SizeIs(5));
  EXPECT_THAT(asked.text, HasSubstr("…and 3 more: say more of the title."));
}

TEST_F(ConversationTest, WithoutAMatchNearOnesAreOffered) {
  Add("Buy eggs and flour");
  EXPECT_EQ(Say("complete the tax return").text,
            "No task is called “tax return”. Nothing was changed.");
  Add("Call Anna");
  Add("Call Anne");
  const Reply near = Say("complete call Annx");
  ASSERT_TRUE(near.question) << near.text;
  EXPECT_THAT(near.text, StartsWith("No task is called “call Annx”. Do you mean one of these?"));
}

TEST_F(ConversationTest, ATypingErrorIsAskedAbout) {
  const domain::Task task = Add("Buy groceries");
  Add("Paint the fence");
  EXPECT_EQ(Say("I finished buying groseries").text,
            "No task is called “buying groseries”. Do you mean this one?\n1. “Buy groceries”\nIt "
            "would be completed.\nAnswer "
            "“yes” or “no”.");
  EXPECT_FALSE(Get(task.id).completed) << "a resemblance is no order";
  EXPECT_EQ(Say("yes").text, "Done: “Buy groceries”.");
}

// ---- deleting

TEST_F(ConversationTest, DeletingAsksEvenWhenOneTaskFits) {
  const domain::Task task = Add("Old notes");
  const Reply asked = Say("delete old notes");
  EXPECT_EQ(asked.text, "Delete “Old notes”? Answer “yes” or “no”.");
  ASSERT_TRUE(asked.question);
  EXPECT_THAT(asked.question->offers, IsEmpty());
  EXPECT_FALSE(IsDeleted(task.id));
  EXPECT_THAT(Say("perhaps").text, HasSubstr("Delete “Old notes”?"));
  EXPECT_EQ(Say("no").text, "All right. Nothing was changed.");
  EXPECT_FALSE(IsDeleted(task.id));
  Say("delete old notes");
  EXPECT_EQ(Say("yes please").text, "Deleted: “Old notes”. “Undo” brings it back.");
  EXPECT_TRUE(IsDeleted(task.id));
}

TEST_F(ConversationTest, ChoosingIsNotYetAYes) {
  Add("Write report");
  const domain::Task second = Add("Send report");
  Say("delete the report");
  const Reply asked = Say("send");
  EXPECT_THAT(asked.text, HasSubstr("Delete “Send report”?"));
  EXPECT_FALSE(IsDeleted(second.id));
  Say("yes");
  EXPECT_TRUE(IsDeleted(second.id));
  EXPECT_THAT(Titles(), ElementsAre("Write report"));
}

TEST_F(ConversationTest, OnlyTheVersionThatWasShownIsDeleted) {
  const domain::Task task = Add("Old notes");
  Say("delete old notes");
  service::UpdateTaskInput update;
  update.id = task.id;
  update.title = "Important notes";
  ASSERT_TRUE(tasks_.Update(Call(""), update).ok());
  EXPECT_THAT(Say("yes").text, HasSubstr("“Important notes” has changed since I asked"));
  EXPECT_FALSE(IsDeleted(task.id));
}

TEST_F(ConversationTest, SeveralDeletionsAreConfirmedTogether) {
  Add("Milk");
  Add("Eggs");
  EXPECT_EQ(Say("delete milk and delete eggs").text,
            "Delete “Milk” and “Eggs”? Answer “yes” or “no”.");
  Say("yes");
  EXPECT_THAT(Titles(), IsEmpty());
}

TEST_F(ConversationTest, DeletingARecurringTaskSaysWhatItMeans) {
  Add("Gym", "2026-11-26", "FREQ=WEEKLY");
  EXPECT_THAT(Say("delete the gym").text, HasSubstr("It repeats: no next one will come."));
  Say("complete the gym");
  EXPECT_THAT(Say("delete the gym").text, Not(HasSubstr("It repeats")))
      << "the next one comes, or is there";
}

// ---- reading

TEST_F(ConversationTest, TasksOfADayAreListed) {
  Add("Milk", "2026-11-26");
  Add("Call", "2026-11-26T23:30:00");
  Add("Report", "2026-11-27");
  Add("Old", "2026-11-25");
  Add("Late", "2026-11-26T09:00:00");
  Add("Idea");
  const Reply today = Say("what's due today?");
  EXPECT_EQ(today.text,
            "3 tasks due Thursday, 26 November 2026:\n- “Milk”, due Thursday, 26 November 2026\n- "
            "“Late”, due Thursday, 26 November 2026, 09:00\n- “Call”, due Thursday, 26 November "
            "2026, 23:30");
  EXPECT_FALSE(today.undoable);
  EXPECT_THAT(Say("anything overdue?").actions.at(0).tasks, SizeIs(2)) << "“Old” and “Late”";
  EXPECT_THAT(Say("what do I have this week").actions.at(0).tasks, SizeIs(5));
  EXPECT_THAT(Say("show everything").actions.at(0).tasks, SizeIs(6));
  EXPECT_EQ(Say("what's due on sunday").text, "Nothing is due Sunday, 29 November 2026.");
}

TEST_F(ConversationTest, SearchingUsageAndHelp) {
  Add("Write report");
  EXPECT_EQ(Say("find report").text, "1 task found for “report”:\n- “Write report”");
  EXPECT_EQ(Say("find gold").text, "Nothing is found for “gold”.");
  const Reply usage = Say("how am I doing?");
  EXPECT_EQ(usage.text,
            "In the last seven days: 5 tasks added, 4 completed. 3 tasks are open now, 2 overdue. "
            "You completed something on each of the last 6 days.");
  EXPECT_EQ(usage.actions.at(0).usage, usage_);
  EXPECT_THAT(Say("how many tasks did I complete last month?").text, HasSubstr("completed"));
  EXPECT_EQ(usage_days_, (service::UsageDays{.first = absl::CivilDay(2026, 10, 1),
                                             .last = absl::CivilDay(2026, 10, 31)}));
  EXPECT_THAT(Say("how many tasks did I complete next month?").text, HasSubstr("still to come"));
  EXPECT_THAT(Say("help").text, HasSubstr("undo"));
}

TEST_F(ConversationTest, ALongListSaysThatThereMayBeMore) {
  for (int i = 0; i < 501; ++i) Add(fmt::format("report {}", i));
  EXPECT_THAT(Say("list").text, StartsWith("At least 500 tasks open:"));
  EXPECT_THAT(Say("list").text, HasSubstr("…and at least 480 more."));
  EXPECT_THAT(Say("find report").text, StartsWith("At least 50 tasks found for “report”:"));
}

TEST_F(ConversationTest, TasksBehindManyOfOtherDaysAreCountedToo) {
  for (int i = 0; i < 510; ++i) Add(fmt::format("old {}", i), "2026-11-25");
  for (int i = 0; i < 3; ++i) Add(fmt::format("new {}", i), "2026-11-26");
  EXPECT_THAT(Say("what's due today?").text, StartsWith("3 tasks due "));
  EXPECT_EQ(Say("what's due today?").actions.at(0).tasks.size(), 3u);
  EXPECT_THAT(Say("what's overdue?").text, StartsWith("At least 500 tasks overdue:"));
}

TEST_F(ConversationTest, WhatIsNotUnderstoodIsNotAdded) {
  const Reply reply = Say("buy milk");
  EXPECT_THAT(reply.text, StartsWith("I did not understand “buy milk”. Nothing was changed. To add "
                                     "it as a task, say “add …”"));
  EXPECT_THAT(reply.actions, IsEmpty());
  EXPECT_THAT(Titles(), IsEmpty());
}

TEST_F(ConversationTest, ItIsTheTaskOfTheLastReply) {
  const domain::Task task = Add("Report", "2026-11-26");
  EXPECT_THAT(Say("complete it").text, StartsWith("I do not know which task you mean"));
  Say("when is the report due?");
  EXPECT_EQ(Say("complete it").text, "Done: “Report”.");
  EXPECT_TRUE(Get(task.id).completed);
}

// ---- faults and hostility

TEST_F(ConversationTest, TextAndZoneAreChecked) {
  const auto fields = [&](const std::string& text, const std::string& zone = "") {
    std::vector<std::string> names;
    const auto reply = conversation_.Send(Call(text), {.text = text, .time_zone = zone});
    EXPECT_THAT(reply.status(), StatusIs(absl::StatusCode::kInvalidArgument));
    for (const util::FieldViolation& violation : util::FieldViolationsOf(reply.status()))
      names.push_back(violation.field);
    return names;
  };
  EXPECT_THAT(fields(""), ElementsAre("text"));
  EXPECT_THAT(fields(" \t\n\u200b"), ElementsAre("text"));
  EXPECT_THAT(fields(std::string(2'001, 'a')), ElementsAre("text"));
  EXPECT_THAT(fields(std::string("add \0milk", 9)), ElementsAre("text"));
  EXPECT_THAT(fields("add \xff milk"), ElementsAre("text"));
  EXPECT_THAT(fields("add milk", "Mars/Base"), ElementsAre("time_zone"));
}

TEST_F(ConversationTest, HostileTextGetsAClearAnswer) {
  Add("Milk");
  for (const char* text :
       {"'; DROP TABLE tasks; --", "complete '); DELETE FROM tasks; --", "find %' OR 1=1",
        "complete \x01\x02\x1b[31m", "find \u202egnp.exe", "find :* & | ! ( )", "complete \\",
        "delete *", "complete ,,, and and and", "rename to to to", "move to to", "\"\"\"\""}) {
    const Reply reply = Say(text);
    EXPECT_THAT(reply.text, Not(IsEmpty())) << text;
    EXPECT_THAT(reply.text, Not(HasSubstr("\x1b"))) << text;
    EXPECT_THAT(reply.text, Not(HasSubstr("\u202e"))) << text;
  }
  EXPECT_THAT(Titles(), ElementsAre("Milk"));
  std::string words = "add";
  while (words.size() < 1'990) words += " milk";
  EXPECT_THAT(Say(words).text, HasSubstr("Nothing was changed")) << "the title is too long";
}

TEST_F(ConversationTest, LongTitlesAreShortened) {
  Add(fmt::format("{} milk", std::string(400, 'x')));
  const Reply reply = Say("complete milk");
  EXPECT_LT(reply.text.size(), 200u);
  EXPECT_THAT(reply.text, HasSubstr("…”"));
}

TEST_F(ConversationTest, NothingOfOneUserReachesAnother) {
  const domain::Task secret = Add("Secret plan");
  Say("delete the secret plan");
  EXPECT_EQ(Say("yes", "eve").text, "There is no open question. Nothing was changed.");
  EXPECT_EQ(Say("complete the secret plan", "eve").text,
            "No task is called “secret plan”. Nothing was changed.");
  EXPECT_EQ(Say("complete it", "eve").text.substr(0, 13), "I do not know");
  EXPECT_EQ(Say("undo", "eve").text, "There is nothing to undo.");
  EXPECT_FALSE(IsDeleted(secret.id));
  EXPECT_FALSE(Get(secret.id).completed);
}

TEST_F(ConversationTest, WithoutMemoryNothingIsChanged) {
  Add("Milk");
  state_.FailWith(absl::UnavailableError("away"));
  const auto reply = Send(Call("complete milk"), "complete milk");
  EXPECT_THAT(reply.status(), StatusIs(absl::StatusCode::kUnavailable));
  EXPECT_EQ(util::ReasonOf(reply.status()), "STATE_STORE_AWAY");
  EXPECT_EQ(ChangeCount(), 1u);
  state_.FailWith(absl::OkStatus());
  preferences_failure_ = absl::UnavailableError("away");
  EXPECT_THAT(Send(Call("help"), "help").status(), StatusIs(absl::StatusCode::kUnavailable));
}

TEST_F(ConversationTest, AChangeStandsWhenItCannotBeRemembered) {
  const domain::Task task = Add("Milk");
  store_.before_apply = [&] { state_.FailWith(absl::UnavailableError("away")); };
  const Reply reply = Say("complete milk");
  EXPECT_EQ(reply.text,
            "Done: “Milk”.\nIt cannot be undone here, because the state store is away.");
  EXPECT_FALSE(reply.undoable);
  EXPECT_TRUE(Get(task.id).completed);
}

TEST_F(ConversationTest, AChangedTaskIsNamedWhenAChangeIsOvertaken) {
  const domain::Task task = Add("Milk");
  Say("delete milk");
  store_.before_apply = [&] {
    service::UpdateTaskInput update;
    update.id = task.id;
    update.title = "Oat milk";
    ASSERT_TRUE(tasks_.Update(Call(""), update).ok());
  };
  EXPECT_EQ(Say("yes").text, "“Milk” has been changed since. Nothing was changed.");
  EXPECT_FALSE(IsDeleted(task.id));
}

// ---- repeated calls

TEST_F(ConversationTest, ARepeatedCallGetsTheFirstAnswer) {
  const Reply first = SayNamed(1, "add milk tomorrow");
  EXPECT_EQ(SayNamed(1, "add milk tomorrow"), first);
  EXPECT_THAT(Titles(), ElementsAre("milk"));
  const auto other = Send(Named(1, "add eggs"), "add eggs");
  EXPECT_THAT(other.status(), StatusIs(absl::StatusCode::kAlreadyExists));
}

TEST_F(ConversationTest, ARepeatedCallThatAskedDoesNotAnswerItsQuestion) {
  Add("Write report");
  Add("Send report");
  const Reply asked = SayNamed(1, "complete the report");
  EXPECT_EQ(SayNamed(1, "complete the report"), asked);
  const Reply done = SayNamed(2, "1");
  EXPECT_THAT(done.text, StartsWith("Done: "));
  EXPECT_EQ(SayNamed(2, "1"), done);
  EXPECT_EQ(SayNamed(1, "complete the report"), asked);
  EXPECT_EQ(ChangeCount(), 3u);
}

TEST_F(ConversationTest, ARepeatedCallChangesNothingWhenItsAnswerWasNotRemembered) {
  Add("Milk");
  store_.before_apply = [&] { state_.FailWith(absl::UnavailableError("away")); };
  SayNamed(1, "complete milk");
  state_.FailWith(absl::OkStatus());
  const Reply again = SayNamed(1, "complete milk");
  EXPECT_EQ(again.text, "That is done already: “Milk”.");
  ASSERT_THAT(again.actions, SizeIs(1));
  EXPECT_EQ(again.actions[0].kind, ActionKind::kComplete);
  EXPECT_FALSE(again.undoable);
  EXPECT_EQ(ChangeCount(), 2u);
}

TEST_F(ConversationTest, ALostAnswerOfTheDatabaseIsFoundByTheRepeatedCall) {
  Add("Milk");
  database_.LoseNextAnswer();
  EXPECT_THAT(Send(Named(1, "complete milk"), "complete milk").status(),
              StatusIs(absl::StatusCode::kUnknown));
  EXPECT_EQ(SayNamed(1, "complete milk").text, "That is done already: “Milk”.");
  EXPECT_EQ(ChangeCount(), 2u);
}

TEST_F(ConversationTest, AnAnswerThatWasLostIsCarriedOutOnce) {
  const domain::Task task = Add("Milk");
  Say("delete milk");
  database_.LoseNextAnswer();
  EXPECT_THAT(Send(Named(1, "yes"), "yes").status(), StatusIs(absl::StatusCode::kUnknown));
  EXPECT_TRUE(IsDeleted(task.id));
  const Reply again = SayNamed(1, "yes");
  EXPECT_THAT(again.text, HasSubstr("Milk"));
  EXPECT_EQ(ChangeCount(), 2u);
}

TEST_F(ConversationTest, ARepeatedAnswerToNoQuestionAnswersNoLaterOne) {
  const domain::Task task = Add("Keep me");
  const Reply first = SayNamed(1, "yes");
  EXPECT_EQ(first.text, "There is no open question. Nothing was changed.");
  Say("delete keep me");
  EXPECT_EQ(SayNamed(1, "yes"), first);
  EXPECT_FALSE(IsDeleted(task.id));
  for (int i = 0; i < 30; ++i) SayNamed(2 + i, "help");
  Say("delete keep me");
  EXPECT_EQ(SayNamed(1, "yes"), first);
  EXPECT_FALSE(IsDeleted(task.id));
}

TEST_F(ConversationTest, ACallThatMayBeRepeatedIsAnsweredOnlyWhenThatIsRemembered) {
  meddled_state_.before_write = [&] { state_.FailWith(absl::UnavailableError("away")); };
  EXPECT_THAT(Send(Named(1, "yes"), "yes").status(), StatusIs(absl::StatusCode::kUnavailable));
}

// ---- two answers at the same time

TEST_F(ConversationTest, OfTwoDifferentAnswersOneCounts) {
  Add("Write report");
  Add("Send report");
  Say("complete the report");
  Reply other;
  store_.before_apply = [&] { other = Say("2"); };
  const Reply first = Say("1");
  EXPECT_THAT(first.text, StartsWith("Done: "));
  EXPECT_EQ(other.text,
            "Another answer to this question came first, and counts. This one changed nothing.");
  EXPECT_EQ(ChangeCount(), 3u);
}

TEST_F(ConversationTest, ANoThatComesSecondChangesNothing) {
  const domain::Task task = Add("Milk");
  Say("delete milk");
  Reply other;
  store_.before_apply = [&] { other = Say("no"); };
  Say("yes");
  EXPECT_THAT(other.text, StartsWith("Another answer"));
  EXPECT_TRUE(IsDeleted(task.id));
}

TEST_F(ConversationTest, TwoEqualAnswersActOnce) {
  const domain::Task task = Add("Milk");
  Say("delete milk");
  Reply other;
  store_.before_apply = [&] { other = Say("yes"); };
  const Reply first = Say("yes");
  EXPECT_EQ(first.text, other.text);
  EXPECT_TRUE(IsDeleted(task.id));
  EXPECT_EQ(ChangeCount(), 2u);
}

TEST_F(ConversationTest, AnEqualAnswerThatWasCarriedOutMeanwhileIsNotRefused) {
  const domain::Task task = Add("Milk");
  Say("delete milk");
  Reply other;
  meddled_state_.after_write = [&] { other = Say("yes"); };
  EXPECT_EQ(Say("yes"), other);
  EXPECT_EQ(other.text, "Deleted: “Milk”. “Undo” brings it back.");
  EXPECT_TRUE(other.undoable);
  EXPECT_TRUE(IsDeleted(task.id));
  EXPECT_EQ(ChangeCount(), 2u);
}

TEST_F(ConversationTest, EqualChoicesAtTheSameTimeGetEqualAnswers) {
  Add("Write report", "2026-11-27");
  Add("Send report");
  for (const char* wish : {"complete the report", "move the report to monday"}) {
    Say(wish);
    Reply other;
    meddled_state_.after_write = [&] { other = Say("1"); };
    EXPECT_EQ(Say("1").text, other.text) << wish;
    Say("undo");
  }
}

TEST_F(ConversationTest, TheLoserOfAWriteAnswersFromWhatIsThere) {
  const domain::Task task = Add("Milk");
  Say("delete milk");
  Reply other;
  meddled_state_.before_write = [&] { other = Say("no"); };
  EXPECT_EQ(Say("yes").text, "There is no open question. Nothing was changed.");
  EXPECT_EQ(other.text, "All right. Nothing was changed.");
  EXPECT_FALSE(IsDeleted(task.id));
}

// ---- what a reader of answers would trip over

TEST_F(ConversationTest, ATitleOfTwoTasksIsAskedAboutAgain) {
  const domain::Task first = Add("Buy cheese", "2026-12-01");
  const domain::Task second = Add("Buy cheese", "2026-12-03");
  Say("complete cheese");
  EXPECT_TRUE(Say("buy cheese").question);
  EXPECT_FALSE(Get(first.id).completed);
  Say("the thursday one");
  EXPECT_FALSE(Get(first.id).completed);
  EXPECT_TRUE(Get(second.id).completed);
}

TEST_F(ConversationTest, PostponingNeverBringsForward) {
  const domain::Task report = Add("Report", "2026-11-30T09:00:00");  // a Monday
  EXPECT_EQ(
      Say("postpone report to friday").text,
      "“Report” is due Monday, 30 November 2026, 09:00 already, which is later than Friday, 27 "
      "November 2026, 09:00. Nothing was changed: say “move” to bring it forward.");
  Say("push the report to tomorrow");
  Say("snooze report until saturday");
  EXPECT_EQ(Get(report.id).fields, report.fields);
  Say("move report to friday");
  EXPECT_EQ(Get(report.id).fields.due.at, service::At("2026-11-27T09:00:00Z"));
  Say("delay the report to monday");
  EXPECT_EQ(Get(report.id).fields.due.at, service::At("2026-11-30T09:00:00Z"));
}

TEST_F(ConversationTest, ItIsTheOnlyTaskOfTheLastAnswerThatSpokeOfAny) {
  const domain::Task milk = Add("Milk", "2026-11-26");
  const domain::Task eggs = Add("Eggs", "2026-11-26");
  Say("rename milk to oat milk");
  Say("help");
  EXPECT_EQ(Say("complete it").text, "Done: “oat milk”.");
  Say("reopen it");
  Say("what's due today?");
  EXPECT_EQ(
      Say("complete it").text,
      "I do not know which task you mean: say a few words of its title. Nothing was changed.");
  EXPECT_FALSE(Get(milk.id).completed || Get(eggs.id).completed);
}

TEST_F(ConversationTest, AReminderSeesTheDateThatTheSentenceGives) {
  const domain::Task report = Add("Report");
  const Reply reply = Say("move report to friday at 5pm and remind me of it an hour before");
  ASSERT_THAT(reply.actions, SizeIs(2)) << reply.text;
  EXPECT_THAT(reply.actions[1].reminder_numbers, ElementsAre(1));
  ASSERT_THAT(reply.actions[1].resolved, SizeIs(1));
  EXPECT_EQ(reply.actions[1].resolved[0].time, service::At("2026-11-27T16:00:00Z"));
}

TEST_F(ConversationTest, AReminderBeforeTheDateHasItsOwnTime) {
  const Reply reply = Say("add report tomorrow at 9 and remind me 10 min before");
  ASSERT_THAT(reply.actions, SizeIs(1)) << reply.text;
  ASSERT_THAT(reply.actions[0].resolved, SizeIs(2));
  EXPECT_EQ(reply.actions[0].resolved[1].time, service::At("2026-11-27T08:50:00Z"));
}

TEST_F(ConversationTest, AQuestionAboutANearTaskSaysWhatAYesDoes) {
  Add("Tomatoes", "2026-11-27");
  EXPECT_THAT(Say("delete the pills for tomatos").text,
              HasSubstr("Before it is deleted, I ask once more."));
}

TEST_F(ConversationTest, ListsWhatIsDoneAndWhatHasAPriority) {
  Say("add pay rent p1");
  Say("add water plants");
  Say("complete plants");
  EXPECT_EQ(Say("show completed tasks").text,
            "1 task done, the latest first:\n- “water plants”, done on Thursday, 26 November 2026, "
            "10:00");
  EXPECT_EQ(Say("show high priority tasks").text, "1 task open with high priority:\n- “pay rent”");
  EXPECT_EQ(Say("show low priority tasks").text, "Nothing is open with low priority.");
}

}  // namespace
}  // namespace todo::chat
