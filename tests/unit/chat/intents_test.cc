#include "chat/grammar/intents.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <string>
#include <variant>

// Sentences and the intents that they are. Now is Thursday, 26 November 2026, 10:00.

namespace todo::chat {
namespace {

GrammarContext Now() {
  return {.now = *domain::ParseInstant("2026-11-26T10:00:00Z"), .zone = {}, .wording = {}};
}

std::string Write(const TaskReference& reference) {
  return reference.it ? "it" : fmt::format("[{}]", reference.words);
}
std::string Write(const std::vector<ReminderPhrase>& reminders) {
  std::string text;
  for (const ReminderPhrase& reminder : reminders) {
    text += reminder.at ? " at " + ToDueLocal(*reminder.at)
                        : " before " + domain::FormatPeriod(*reminder.before);
  }
  return text;
}

struct Writer {
  std::string operator()(const AddIntent& intent) const {
    const TaskPhrase& task = intent.task;
    std::string text = fmt::format("add [{}]", task.title);
    if (task.due) text += " due " + ToDueLocal(*task.due);
    if (task.recurrence_rule) text += " " + *task.recurrence_rule;
    if (task.priority) text += fmt::format(" {}", ToString(*task.priority));
    for (const std::string& tag : task.tags) text += " #" + tag;
    if (!task.reminders.empty()) text += " remind" + Write(task.reminders);
    return text;
  }
  std::string operator()(const CompleteIntent& intent) const {
    return "complete " + Write(intent.task);
  }
  std::string operator()(const UncompleteIntent& intent) const {
    return "reopen " + Write(intent.task);
  }
  std::string operator()(const DeleteIntent& intent) const {
    return "delete " + Write(intent.task);
  }
  std::string operator()(const RenameIntent& intent) const {
    return fmt::format("rename {} to [{}]", Write(intent.task), intent.title);
  }
  std::string operator()(const PostponeIntent& intent) const {
    std::string text = "move " + Write(intent.task);
    if (!intent.when) return text + fmt::format(" to ? [{}]", intent.when_text);
    if (intent.when->moment) return text + " to " + ToDueLocal(*intent.when->moment);
    return text + " by " + domain::FormatPeriod(*intent.when->shift);
  }
  std::string operator()(const RemindIntent& intent) const {
    return fmt::format("remind of {}{}", Write(intent.task), Write(intent.reminders));
  }
  std::string operator()(const ListIntent& intent) const {
    if (intent.what == ListIntent::What::kOverdue) return "list overdue";
    if (intent.what == ListIntent::What::kDone) return "list done";
    if (intent.priority) return fmt::format("list {}", domain::ToString(*intent.priority));
    if (intent.what == ListIntent::What::kAllOpen) return "list all";
    const auto day = [](absl::CivilDay one) {
      return ToDueLocal({.local = absl::CivilSecond(one), .has_time = false});
    };
    return fmt::format("list {} {}", day(intent.range->first), day(intent.range->last));
  }
  std::string operator()(const SearchIntent& intent) const {
    return fmt::format("search [{}]", intent.words);
  }
  std::string operator()(const UsageIntent& intent) const {
    if (!intent.days) return "usage";
    return fmt::format("usage {}..{}", absl::FormatCivilTime(intent.days->first),
                       absl::FormatCivilTime(intent.days->last));
  }
  std::string operator()(const UndoIntent&) const { return "undo"; }
  std::string operator()(const HelpIntent&) const { return "help"; }
};

std::string Read(std::string_view text) {
  const Sentence sentence = ParseSentence(text, Now());
  std::string written;
  for (const Intent& intent : sentence.intents) {
    if (!written.empty()) written += "; ";
    written += std::visit(Writer(), intent);
  }
  if (sentence.not_understood) written += written.empty() ? "?" : "; ?";
  return written;
}

struct Case {
  const char* text;
  const char* intents;
};
class SentenceTest : public testing::TestWithParam<Case> {};

TEST_P(SentenceTest, IsRead) { EXPECT_EQ(Read(GetParam().text), GetParam().intents); }

INSTANTIATE_TEST_SUITE_P(
    Add, SentenceTest,
    testing::Values(
        Case{"add buy milk", "add [buy milk]"}, Case{"Add: buy milk", "add [buy milk]"},
        Case{"add buy milk and eggs", "add [buy milk and eggs]"},
        Case{"please add buy milk", "add [buy milk]"},
        Case{"Could you please add buy milk?", "add [buy milk]"},
        Case{"can you add buy jam?", "add [buy jam]"}, Case{"add why?", "add [why?]"},
        Case{"add a task to call mom", "add [call mom]"},
        Case{"add a new task: call mom", "add [call mom]"},
        Case{"create a task called Groceries", "add [Groceries]"},
        Case{"new task call mom", "add [call mom]"}, Case{"new task: call mom", "add [call mom]"},
        Case{"todo: call mom", "add [call mom]"}, Case{"task: call mom", "add [call mom]"},
        Case{"add milk to my list", "add [milk]"},
        Case{"put milk on my shopping list", "add [milk]"},
        Case{"I need to call mom", "add [call mom]"},
        Case{"i still have to call mom", "add [call mom]"},
        Case{"I've got to call mom", "add [call mom]"}, Case{"I must call mom", "add [call mom]"},
        Case{"I should call mom", "add [call mom]"}, Case{"I want to call mom", "add [call mom]"},
        Case{"I'd like to call mom", "add [call mom]"},
        Case{"remember to call mom", "add [call mom]"},
        Case{"don't forget to call mom", "add [call mom]"},
        Case{"don\u2019t forget to call mom", "add [call mom]"},
        Case{"don't let me forget to call mom", "add [call mom]"},
        Case{"add call mom tomorrow at 9", "add [call mom] due 2026-11-27T09:00:00"},
        Case{"add pay rent every month on the 1st",
             "add [pay rent] due 2026-12-01 "
             "FREQ=MONTHLY;BYMONTHDAY=1"},
        Case{"add call mom p1 #family", "add [call mom] high #family"},
        Case{"add gym every mon, wed and fri at 7am",
             "add [gym] due 2026-11-27T07:00:00 FREQ=WEEKLY;BYDAY=MO,WE,FR"},
        Case{"add \"every word\"", "add [every word]"}, Case{"add", "add []"},
        Case{"add find a gift and cancel the room", "add [find a gift and cancel the room]"},
        Case{"pls add milk tmr", "add [milk] due 2026-11-27"},
        Case{"can u add milk?", "add [milk]"}, Case{"gotta call mom", "add [call mom]"},
        Case{"need to fix the bike this weekend", "add [fix the bike] due 2026-11-28"},
        Case{"dont forget moms birthday on dec 5th", "add [moms birthday] due 2026-12-05"},
        Case{"remember dentist appt tuesday 3pm", "add [dentist appt] due 2026-12-01T15:00:00"},
        Case{"add wait.", "add [wait]"}, Case{"add call Dr.", "add [call Dr.]"}));

INSTANTIATE_TEST_SUITE_P(
    RemindMeTo, SentenceTest,
    testing::Values(Case{"add call mom tomorrow at 3pm, remind me 30 min before",
                         "add [call mom] due 2026-11-27T15:00:00 remind before PT30M"},
                    Case{"add buy milk and remind me tomorrow at 8",
                         "add [buy milk] remind at 2026-11-27T08:00:00"},
                    Case{"i need to buy milk and remind me of it on friday at 5pm",
                         "add [buy milk] remind at 2026-11-27T17:00:00"},
                    Case{"add buy jam tomorrow and remind me at 8",
                         "add [buy jam] due 2026-11-27 remind at 2026-11-27T08:00:00"},
                    Case{"remind me to call mom tomorrow at 9",
                         "add [call mom] due 2026-11-27T09:00:00 remind before PT0S"},
                    Case{"remind me to call mom tomorrow",
                         "add [call mom] due 2026-11-27 remind at 2026-11-27T09:00:00"},
                    Case{"remind me tomorrow at 9 to call mom",
                         "add [call mom] due 2026-11-27T09:00:00 remind before PT0S"},
                    Case{"remind me to call mom today",
                         "add [call mom] due 2026-11-26 remind at 2026-11-26T15:00:00"},
                    Case{"remind me in 20 minutes to leave",
                         "add [leave] due 2026-11-26T10:20:00 remind before PT0S"},
                    Case{"remind me to call mom", "add [call mom]"}));

INSTANTIATE_TEST_SUITE_P(
    Remind, SentenceTest,
    testing::Values(
        Case{"remind me of the report tomorrow at 9", "remind of [report] at 2026-11-27T09:00:00"},
        Case{"remind me about the report tomorrow", "remind of [report] at 2026-11-27T09:00:00"},
        Case{"remind me tomorrow at 9 about the report",
             "remind of [report] at 2026-11-27T09:00:00"},
        Case{"remind me of the dentist 30 min before", "remind of [dentist] before PT30M"},
        Case{"remind me about it at 5pm", "remind of it at 2026-11-26T17:00:00"},
        Case{"set a reminder for the dentist 1 hour before", "remind of [dentist] before PT1H"},
        Case{"remind me of the report", "remind of [report]"}));

INSTANTIATE_TEST_SUITE_P(
    Complete, SentenceTest,
    testing::Values(
        Case{"I finished buying groceries", "complete [buying groceries]"},
        Case{"i've finished buying groceries", "complete [buying groceries]"},
        Case{"I have just finished buying groceries.", "complete [buying groceries]"},
        Case{"I\u2019ve finished buying groceries", "complete [buying groceries]"},
        Case{"finished buying groceries", "complete [buying groceries]"},
        Case{"done with the report", "complete [report]"},
        Case{"done: report", "complete [report]"},
        Case{"I'm done with the report", "complete [report]"},
        Case{"I am finished with the report", "complete [report]"},
        Case{"complete the report", "complete [report]"},
        Case{"complete buy milk and call mom", "complete [buy milk and call mom]"},
        Case{"finish report", "complete [report]"},
        Case{"mark report as done", "complete [report]"},
        Case{"mark the report done", "complete [report]"},
        Case{"mark task buy milk as completed", "complete [buy milk]"},
        Case{"set report to done", "complete [report]"},
        Case{"tick off report", "complete [report]"},
        Case{"tick the report off", "complete [report]"},
        Case{"check off buy milk", "complete [buy milk]"},
        Case{"cross milk off my list", "complete [milk]"},
        Case{"the report is done", "complete [report]"},
        Case{"buy milk is finished", "complete [buy milk]"},
        Case{"laundry done", "complete [laundry]"}, Case{"I did the laundry", "complete [laundry]"},
        Case{"I've paid the rent", "complete [pay the rent]"},
        Case{"I paid the rent today", "complete [pay the rent]"},
        Case{"I bought groceries", "complete [buy groceries]"},
        Case{"I just called mom", "complete [called mom]"},
        Case{"just watered the plants", "complete [watered the plants]"},
        Case{"Bought groceries!", "complete [buy groceries]"},
        Case{"I have already sent the letter", "complete [send the letter]"},
        Case{"I finished it", "complete it"}, Case{"that is done", "complete it"},
        Case{"done", "complete it"}, Case{"mark it as done", "complete it"},
        Case{"complete \"Add and delete\"", "complete [Add and delete]"},
        Case{"close the ticket", "complete [ticket]"}, Case{"rent is paid", "complete [pay rent]"},
        Case{"The rent is already paid.", "complete [pay rent]"},
        Case{"the rent was paid today", "complete [pay rent]"},
        Case{"bills paid", "complete [pay bills]"},
        Case{"mark the rent as paid", "complete [pay rent]"},
        Case{"hair is cut", "complete [cut hair]"},
        Case{"rent is paid and the dishes are done", "complete [pay rent]; complete [dishes]"},
        Case{"the rent is paid, what's due today?",
             "complete [pay rent]; list 2026-11-26 2026-11-26"},
        Case{"is the rent paid?", "search [rent]"},
        Case{"did I pay the rent?", "search [pay the rent]"}));

INSTANTIATE_TEST_SUITE_P(Uncomplete, SentenceTest,
                         testing::Values(Case{"reopen the report", "reopen [report]"},
                                         Case{"uncomplete report", "reopen [report]"},
                                         Case{"undo completion of the report", "reopen [report]"},
                                         Case{"mark report as not done", "reopen [report]"},
                                         Case{"mark the report as open", "reopen [report]"},
                                         Case{"the report is not done yet", "reopen [report]"},
                                         Case{"report isn't finished", "reopen [report]"},
                                         Case{"I didn't finish the report", "reopen [report]"},
                                         Case{"I have not done the laundry", "reopen [laundry]"},
                                         Case{"untick milk", "reopen [milk]"}));

INSTANTIATE_TEST_SUITE_P(
    Delete, SentenceTest,
    testing::Values(Case{"delete buy milk", "delete [buy milk]"},
                    Case{"Delete the task \"Old notes\"", "delete [Old notes]"},
                    Case{"remove milk from my list", "delete [milk]"},
                    Case{"drop the gym", "delete [gym]"},
                    Case{"cancel the dentist", "delete [dentist]"},
                    Case{"get rid of old notes", "delete [old notes]"},
                    Case{"I no longer need milk", "delete [milk]"},
                    Case{"the meeting is cancelled", "delete [meeting]"},
                    Case{"delete it", "delete it"}, Case{"please delete that task", "delete it"}));

INSTANTIATE_TEST_SUITE_P(
    Rename, SentenceTest,
    testing::Values(Case{"rename milk to oat milk", "rename [milk] to [oat milk]"},
                    Case{"rename it to oat milk", "rename it to [oat milk]"},
                    Case{"change the title of milk to oat milk", "rename [milk] to [oat milk]"},
                    Case{"change milk to oat milk", "rename [milk] to [oat milk]"},
                    Case{"rename \"go to bank\" to \"go to the bank\"",
                         "rename [go to bank] to [go to the bank]"},
                    Case{"rename report as Friday report", "rename [report] to [Friday report]"}));

INSTANTIATE_TEST_SUITE_P(
    Postpone, SentenceTest,
    testing::Values(Case{"postpone the report to friday", "move [report] to 2026-11-27"},
                    Case{"move report to tomorrow at 9", "move [report] to 2026-11-27T09:00:00"},
                    Case{"push the report back to monday", "move [report] to 2026-11-30"},
                    Case{"push back the report by two days", "move [report] by P2D"},
                    Case{"reschedule the dentist for next friday", "move [dentist] to 2026-12-04"},
                    Case{"delay report until next week", "move [report] to 2026-11-30"},
                    Case{"snooze report for an hour", "move [report] by PT1H"},
                    Case{"put off the report until friday", "move [report] to 2026-11-27"},
                    Case{"postpone it by 2 days", "move it by P2D"},
                    Case{"change the due date of report to friday", "move [report] to 2026-11-27"},
                    Case{"change report to friday", "move [report] to 2026-11-27"},
                    Case{"make that tuesday instead", "move it to 2026-12-01"},
                    Case{"make the report due friday", "move [report] to 2026-11-27"},
                    Case{"the report is due on friday", "move [report] to 2026-11-27"},
                    Case{"postpone the friday report to monday",
                         "move [friday report] to 2026-11-30"},
                    Case{"postpone report", "move [report] to ? []"},
                    Case{"postpone report to whenever", "move [report] to ? [whenever]"}));

INSTANTIATE_TEST_SUITE_P(
    List, SentenceTest,
    testing::Values(
        Case{"show completed tasks", "list done"}, Case{"list my finished tasks", "list done"},
        Case{"show done tasks", "list done"}, Case{"show high priority tasks", "list high"},
        Case{"show me all low priority tasks", "list low"},
        Case{"what's due today", "list 2026-11-26 2026-11-26"},
        Case{"What's due today?", "list 2026-11-26 2026-11-26"},
        Case{"what is due tomorrow", "list 2026-11-27 2026-11-27"},
        Case{"whats on my plate this week", "list 2026-11-23 2026-11-29"},
        Case{"what do I have this week?", "list 2026-11-23 2026-11-29"},
        Case{"what do i have to do on friday", "list 2026-11-27 2026-11-27"},
        Case{"what should I do today", "list 2026-11-26 2026-11-26"},
        Case{"show my tasks for tomorrow", "list 2026-11-27 2026-11-27"},
        Case{"today's tasks", "list 2026-11-26 2026-11-26"},
        Case{"today", "list 2026-11-26 2026-11-26"},
        Case{"tasks for next week", "list 2026-11-30 2026-12-06"},
        Case{"what's due", "list 2026-11-26 2026-11-26"},
        Case{"anything due tomorrow?", "list 2026-11-27 2026-11-27"},
        Case{"do I have anything on friday?", "list 2026-11-27 2026-11-27"},
        Case{"anything overdue?", "list overdue"}, Case{"what is late?", "list overdue"},
        Case{"overdue", "list overdue"}, Case{"show overdue tasks", "list overdue"},
        Case{"show everything", "list all"}, Case{"list all tasks", "list all"},
        Case{"show my tasks", "list all"}, Case{"what do I have to do?", "list all"},
        Case{"what's left?", "list all"}, Case{"list", "list all"}, Case{"my tasks", "list all"}));

INSTANTIATE_TEST_SUITE_P(Search, SentenceTest,
                         testing::Values(Case{"find report", "search [report]"},
                                         Case{"search for milk", "search [milk]"},
                                         Case{"look for the report", "search [report]"},
                                         Case{"show me tasks about taxes", "search [taxes]"},
                                         Case{"show groceries", "search [groceries]"},
                                         Case{"when is the report due?", "search [report]"},
                                         Case{"where is my passport", "search [passport]"},
                                         Case{"is the report done?", "search [report]"},
                                         Case{"did I finish the report?", "search [report]"},
                                         Case{"do I have anything about taxes?",
                                              "search [taxes]"}));

INSTANTIATE_TEST_SUITE_P(
    SeveralTasksWithDates, SentenceTest,
    testing::Values(
        Case{"add car wash tomorrow and oil change friday",
             "add [car wash] due 2026-11-27; add [oil change] due 2026-11-27"},
        Case{"add call mom tomorrow and pay rent every month",
             "add [call mom] due 2026-11-27; add [pay rent] due 2026-11-26 FREQ=MONTHLY"},
        Case{"add milk and eggs tomorrow, bread monday and gym tuesday",
             "add [milk and eggs] due 2026-11-27; add [bread] due 2026-11-30; add [gym] due "
             "2026-12-01"},
        Case{"add car wash tomorrow and oil change friday and delete old list",
             "add [car wash] due 2026-11-27; add [oil change] due 2026-11-27; delete [old list]"},
        Case{"add car wash tomorrow and oil change friday and remind me tomorrow at 8",
             "add [car wash] due 2026-11-27; add [oil change] due 2026-11-27 remind at "
             "2026-11-27T08:00:00"},
        Case{"add buy bread and butter tomorrow", "add [buy bread and butter] due 2026-11-27"},
        Case{"add lunch w/ sam fri noon and drop off parcel sat",
             "add [lunch w/ sam] due 2026-11-27T12:00:00; add [drop off parcel] due 2026-11-28"},
        Case{
            "add lunch tomorrow, drop off parcel saturday and find gift sunday",
            "add [lunch] due 2026-11-27; add [drop off parcel] due 2026-11-28; add [find gift] due "
            "2026-11-29"},
        Case{"add lunch tomorrow then cancel the gym", "add [lunch] due 2026-11-27; delete [gym]"},
        Case{"add lunch tomorrow and dinner", "add [lunch tomorrow and dinner]"},
        Case{"add meeting monday and tuesday", "add [meeting] due 2026-11-30"},
        Case{"add \"car wash tomorrow and oil change\" friday",
             "add [car wash tomorrow and oil change] due 2026-11-27"}));
INSTANTIATE_TEST_SUITE_P(
    Except, SentenceTest,
    testing::Values(Case{"add gym every day except friday",
                         "add [gym] due 2026-11-26 FREQ=WEEKLY;BYDAY=MO,TU,WE,TH,SA,SU"},
                    Case{"add gym every day except on weekends at 7am",
                         "add [gym] due 2026-11-27T07:00:00 FREQ=WEEKLY;BYDAY=MO,TU,WE,TH,FR"},
                    Case{"add gym every weekday except friday",
                         "add [gym] due 2026-11-26 FREQ=WEEKLY;BYDAY=MO,TU,WE,TH"},
                    Case{"add gym daily but not on sat and sun",
                         "add [gym] due 2026-11-26 FREQ=WEEKLY;BYDAY=MO,TU,WE,TH,FR"},
                    Case{"add gym every monday except monday",
                         "add [gym except monday] due 2026-11-30 FREQ=WEEKLY;BYDAY=MO"},
                    Case{"add gym every day except 24 december",
                         "add [gym except 24 december] due 2026-11-26 FREQ=DAILY"},
                    Case{"add clean everything except friday",
                         "add [clean everything except friday]"}));
INSTANTIATE_TEST_SUITE_P(
    Others, SentenceTest,
    testing::Values(
        Case{"how am I doing?", "usage"},
        Case{"how am i doing this week", "usage 2026-11-23..2026-11-29"}, Case{"stats", "usage"},
        Case{"show my stats", "usage"}, Case{"stats for last week", "usage 2026-11-16..2026-11-22"},
        Case{"how many tasks did I complete this week?", "usage 2026-11-23..2026-11-29"},
        Case{"how many tasks did I complete last month", "usage 2026-10-01..2026-10-31"},
        Case{"how many tasks did I finish in december?", "usage 2025-12-01..2025-12-31"},
        Case{"how many tasks did I finish on monday", "usage 2026-11-23..2026-11-23"},
        Case{"how many things have I done today", "usage 2026-11-26..2026-11-26"},
        Case{"how many tasks did I complete this year", "usage 2026-01-01..2026-12-31"},
        Case{"how many tasks did I complete next month", "usage 2026-12-01..2026-12-31"},
        Case{"how many tasks are overdue", "usage"}, Case{"how is it going", "usage"},
        Case{"undo", "undo"}, Case{"Undo!", "undo"}, Case{"undo that", "undo"},
        Case{"undo the last change", "undo"}, Case{"take that back", "undo"},
        Case{"revert it", "undo"}, Case{"please undo", "undo"}, Case{"help", "help"},
        Case{"?", "help"}, Case{"what can you do?", "help"}, Case{"what can I say", "help"},
        Case{"hello", "help"}, Case{"Hi there", "help"}));

INSTANTIATE_TEST_SUITE_P(
    Several, SentenceTest,
    testing::Values(
        Case{"add buy milk and add call mom", "add [buy milk]; add [call mom]"},
        Case{"add call the bank tomorrow at 9 and postpone the report to friday",
             "add [call the bank] due 2026-11-27T09:00:00; move [report] to 2026-11-27"},
        Case{"complete milk, delete eggs and rename bread to rye bread",
             "complete [milk]; delete [eggs]; rename [bread] to [rye bread]"},
        Case{"I finished the report and I called mom", "complete [report]; complete [called mom]"},
        Case{"add buy milk; what's due today?", "add [buy milk]; list 2026-11-26 2026-11-26"},
        Case{"Complete milk. Then add buy eggs.", "complete [milk]; add [buy eggs]"},
        Case{"add milk\nadd eggs", "add [milk]; add [eggs]"},
        Case{"the report is done and the laundry is done", "complete [report]; complete [laundry]"},
        Case{"mark milk as done and mark eggs as done", "complete [milk]; complete [eggs]"},
        Case{"rename milk to oat milk and move it to friday",
             "rename [milk] to [oat milk]; move it to 2026-11-27"},
        Case{"delete milk then undo", "delete [milk]; undo"},
        Case{"add \"milk and add eggs\"", "add [milk and add eggs]"},
        Case{"add gym every mon, wed and fri and delete yoga",
             "add [gym] due 2026-11-27 FREQ=WEEKLY;BYDAY=MO,WE,FR; delete [yoga]"}));

INSTANTIATE_TEST_SUITE_P(Questions, SentenceTest,
                         testing::Values(Case{"report is done?", "search [report]"},
                                         Case{"milk done?", "search [milk]"},
                                         Case{"done with milk?", "search [milk]"},
                                         Case{"I paid the rent?", "search [rent]"},
                                         Case{"rent paid?", "search [rent]"}, Case{"done?", "?"},
                                         Case{"complete call mom?", "complete [call mom]"},
                                         Case{"can you mark milk as done?", "complete [milk]"}));

INSTANTIATE_TEST_SUITE_P(
    SaidInOtherWays, SentenceTest,
    testing::Values(
        Case{"create a reminder to stretch at 5pm",
             "add [stretch] due 2026-11-26T17:00:00 remind before PT0S"},
        Case{"set a reminder for tomorrow 9am to call Joe",
             "add [call Joe] due 2026-11-27T09:00:00 remind before PT0S"},
        Case{"add a reminder called stretch at 5pm",
             "add [stretch] due 2026-11-26T17:00:00 remind before PT0S"},
        Case{"add a reminder", "add []"},
        Case{"add write report for Anna by tuesday and remind me the day before",
             "add [write report for Anna] due 2026-12-01 remind at 2026-11-30T09:00:00"},
        Case{"remind me about the dentist the day before", "remind of [dentist] before P1D"},
        Case{"I should have finished the report", "?"}, Case{"I want to add a task", "add []"},
        Case{"I want to add a task to call mom", "add [call mom]"},
        Case{"what's my streak?", "usage"},
        Case{"what did I do today?", "usage 2026-11-26..2026-11-26"},
        Case{"what have I done this week", "usage 2026-11-23..2026-11-29"},
        Case{"ive bought the milk", "complete [buy the milk]"},
        Case{"I didn't pay the rent", "reopen [pay the rent]"},
        Case{"I haven't paid the rent yet", "reopen [pay the rent]"},
        Case{"\u200badd milk", "add [milk]"}));

INSTANTIATE_TEST_SUITE_P(NotUnderstood, SentenceTest,
                         testing::Values(Case{"buy milk", "?"}, Case{"call mom tomorrow at 9", "?"},
                                         Case{"the weather is nice", "?"},
                                         Case{"'; DROP TABLE tasks; --", "?"}, Case{"yes", "?"},
                                         Case{"2", "?"}, Case{"read chapter 5", "?"},
                                         Case{"blah blah and delete milk", "?"},
                                         Case{"Friday Night Lights", "?"}, Case{"...", "?"},
                                         Case{"remove reminder from the report", "?"},
                                         Case{"remove the due date of report", "?"}));

INSTANTIATE_TEST_SUITE_P(
    NotDone, SentenceTest,
    testing::Values(Case{"report not finished", "?"}, Case{"groceries not done", "?"},
                    Case{"report: not done", "?"}, Case{"no report done", "?"},
                    Case{"complete report not", "?"}, Case{"report can't be done", "?"},
                    Case{"report should be done", "?"}, Case{"report to be done", "?"},
                    Case{"report hasn\u2019t been done", "?"}, Case{"if the report is done", "?"},
                    Case{"the report should have been finished", "?"},
                    Case{"mark report as never done", "?"}, Case{"I did not the report", "?"},
                    Case{"I finished no report", "?"}, Case{"complete report not yet", "?"},
                    Case{"report almost done", "?"}, Case{"I bought nothing", "?"},
                    Case{"rent is not paid", "?"}, Case{"the rent hasn't been paid", "?"},
                    Case{"rent should be paid", "?"}, Case{"the rent is being paid", "?"},
                    Case{"if the rent is paid", "?"}, Case{"nothing is paid", "?"},
                    Case{"get hair cut", "?"}, Case{"get the car washed", "?"},
                    Case{"the meeting was postponed", "?"}, Case{"it is paid", "?"},
                    Case{"I am tired", "?"}, Case{"hair cut", "?"}, Case{"groceries? sorted!", "?"},
                    Case{"complete \"no report\"", "complete [no report]"},
                    Case{"\"do not enter\" done", "complete [do not enter]"}));

INSTANTIATE_TEST_SUITE_P(
    NoTask, SentenceTest,
    testing::Values(Case{"clear completed", "?"}, Case{"all done", "?"}, Case{"it all done", "?"},
                    Case{"nothing done", "?"}, Case{"I finished nothing", "?"},
                    Case{"everything is done", "?"}, Case{"complete everything", "?"},
                    Case{"delete all of them", "?"}, Case{"my list done", "?"},
                    Case{"I'm done", "?"}, Case{"delete all tasks", "?"},
                    Case{"\"all\" done", "complete [all]"},
                    Case{"all hands meeting done", "complete [all hands meeting]"}));

TEST(SentencesTest, NothingIsNoIntent) {
  EXPECT_TRUE(ParseSentence("", Now()).intents.empty());
  EXPECT_TRUE(ParseSentence(" \t\n", Now()).intents.empty());
  EXPECT_TRUE(ParseSentence("please", Now()).intents.empty());
}

TEST(SentencesTest, ADayThatIsNearlyOverHasNoReminder) {
  GrammarContext late = Now();
  late.now = *domain::ParseInstant("2026-11-26T21:00:00Z");
  const Sentence add = ParseSentence("remind me to call mom today", late);
  const TaskPhrase& task = std::get<AddIntent>(add.intents.at(0)).task;
  EXPECT_TRUE(task.due && task.reminders.empty());
  EXPECT_EQ(task.notes.size(), 1u);
  const Sentence remind = ParseSentence("remind me of the report today", late);
  EXPECT_TRUE(std::get<RemindIntent>(remind.intents.at(0)).reminders.empty());
}

TEST(SentencesTest, AReferenceHasItsPartsAndItsWordsWithoutDates) {
  const auto reference = [](std::string_view text) {
    return std::get<CompleteIntent>(ParseSentence(text, Now()).intents.at(0)).task;
  };
  const TaskReference both = reference("complete buy milk, bread and call mom");
  ASSERT_EQ(both.parts.size(), 3u);
  EXPECT_EQ(both.parts[0].words, "buy milk");
  EXPECT_EQ(both.parts[1].words, "bread");
  EXPECT_EQ(both.parts[2].words, "call mom");
  EXPECT_TRUE(reference("complete \"milk and eggs\"").parts.empty());
  EXPECT_EQ(reference("complete the report due friday").undated, "report");
  EXPECT_EQ(reference("complete the report").undated, "");
}

TEST(SentencesTest, DeedsInOneSentenceAreTheirParts) {
  const auto reference = [](std::string_view text) {
    return std::get<CompleteIntent>(ParseSentence(text, Now()).intents.at(0)).task;
  };
  const TaskReference two = reference("I bought milk and paid the rent");
  ASSERT_EQ(two.parts.size(), 2u);
  EXPECT_TRUE(two.parts_are_deeds);
  EXPECT_EQ(two.parts[0].words, "buy milk");
  EXPECT_EQ(two.parts[1].words, "pay the rent");
  EXPECT_EQ(two.parts[1].suggested, "rent");
  const TaskReference three =
      reference("I finished the memo, paid the gas bill and called mom today");
  ASSERT_EQ(three.parts.size(), 3u);
  EXPECT_EQ(three.parts[1].words, "pay the gas bill");
  EXPECT_EQ(three.parts[2].words, "called mom");
  EXPECT_FALSE(reference("I bought milk and eggs").parts_are_deeds);
  EXPECT_FALSE(reference("I washed and dried the car").parts_are_deeds);
  EXPECT_TRUE(ParseSentence("I bought milk and didn't pay the rent", Now()).not_understood);
}

TEST(SentencesTest, ASentenceMayBeReadInSeveralWays) {
  const Sentence renames = ParseSentence("rename reply to Bob to answer Bob", Now());
  const auto& rename = std::get<RenameIntent>(renames.intents.at(0));
  EXPECT_EQ(rename.task.words, "reply");
  ASSERT_EQ(rename.others.size(), 1u);
  EXPECT_EQ(rename.others[0].task.words, "reply to Bob");
  EXPECT_EQ(rename.others[0].title, "answer Bob");
  const Sentence moves = ParseSentence("move report for tom", Now());
  const auto& move = std::get<PostponeIntent>(moves.intents.at(0));
  EXPECT_EQ(move.task.words, "report");
  ASSERT_FALSE(move.others.empty());
  EXPECT_EQ(move.others[0].task.words, "report for tom");
  EXPECT_FALSE(move.others[0].when);
}

TEST(SentencesTest, ThePiecesOfATaskStandInTheWholeText) {
  const std::string text = "delete milk and add call mom tomorrow at 9";
  const Sentence sentence = ParseSentence(text, Now());
  ASSERT_EQ(sentence.intents.size(), 2u);
  const AddIntent& add = std::get<AddIntent>(sentence.intents[1]);
  ASSERT_FALSE(add.task.pieces.empty());
  const Span span = add.task.pieces[0].span;
  EXPECT_EQ(text.substr(span.begin, span.end - span.begin), "tomorrow at 9");
}

TEST(SentencesTest, ATextHasAtMostTwentyIntents) {
  std::string text = "add one";
  for (int i = 0; i < 30; ++i) text += " and add one";
  const Sentence sentence = ParseSentence(text, Now());
  EXPECT_LE(sentence.intents.size(), kMaxIntents + 1);
  EXPECT_TRUE(sentence.not_understood);
}

TEST(SentencesTest, HostileTextsAreReadWithoutAFault) {
  for (const std::string& text :
       {std::string(20'000, 'a'), std::string(8'000, '"'), std::string(8'000, ','),
        std::string("add \0 milk", 10), std::string("\xff\xfe\xc3"), std::string("add \u202emilk"),
        std::string("\x01\x02 add milk")}) {
    ParseSentence(text, Now());
  }
  std::string words;
  for (int i = 0; i < 10'000; ++i) words += "and add delete ";
  ParseSentence(words, Now());
}

TEST(SentencesTest, NotesAreFewAndTheLastOneStays) {
  std::string text = "remind me to call mom";
  for (int i = 0; i < 40; ++i) text += fmt::format(" #t{}", i);
  const Sentence sentence = ParseSentence(text, Now());
  ASSERT_EQ(sentence.intents.size(), 1U);
  const auto* const added = std::get_if<AddIntent>(&sentence.intents[0]);
  ASSERT_NE(added, nullptr);
  ASSERT_EQ(added->task.notes.size(), kMaxNotes);
  EXPECT_EQ(added->task.notes.back(), "There is no reminder, because no time was named.");
}

}  // namespace
}  // namespace todo::chat
