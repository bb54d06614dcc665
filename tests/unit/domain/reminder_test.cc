#include "domain/reminder/reminder.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "domain/event/event.h"
#include "domain/event/event_reader.h"
#include "support/status_matchers.h"

namespace todo::domain {
namespace {

using std::chrono::days;
using std::chrono::hours;
using std::chrono::minutes;
using std::chrono::seconds;
using support::StatusIs;

Instant At(std::string_view text) { return *ParseInstant(text); }

ReminderTime Before(std::string_view period, std::string_view time_of_day = "") {
  ReminderTime time;
  time.before = *ParsePeriod(period);
  if (!time_of_day.empty()) time.time_of_day = *ParseTimeOfDay(time_of_day);
  return time;
}

ReminderTime Absolute(std::string_view instant) {
  ReminderTime time;
  time.at = At(instant);
  return time;
}

Task DueLocally(std::string_view due_local, std::string_view zone = "Europe/Berlin") {
  Task task;
  task.id = {7};
  task.user = {"ann"};
  task.fields.title = "call \"Bob\"";
  task.fields.time_zone = zone;
  task.fields.due = *ResolveLocalDue(due_local, zone);
  return task;
}

std::string Resolved(const ReminderTime& time, const Task& task) {
  const std::optional<Instant> at = ResolveReminder(time, task.fields);
  return at ? FormatInstant(*at) : "none";
}

TEST(PeriodTest, ReadsWhatIso8601Writes) {
  EXPECT_EQ(*ParsePeriod("PT1H"), (Period{.days = days(0), .time = hours(1)}));
  EXPECT_EQ(*ParsePeriod("P1D"), (Period{.days = days(1), .time = seconds(0)}));
  EXPECT_EQ(*ParsePeriod("P2W"), (Period{.days = days(14), .time = seconds(0)}));
  EXPECT_EQ(*ParsePeriod("P1DT2H30M5S"),
            (Period{.days = days(1), .time = hours(2) + minutes(30) + seconds(5)}));
  EXPECT_EQ(*ParsePeriod("PT0S"), Period());
  EXPECT_TRUE(ParsePeriod("P366D").ok());
}

TEST(PeriodTest, RefusesEverythingElse) {
  for (const char* text : {"",          "P",     "PT",    "P1DT",     "1D",
                           "P1",        "P1X",   "PT1D",  "P1H",      "P1Y",
                           "P1M",       "-P1D",  "P-1D",  "P1.5D",    "PT1H2H",
                           "PT1M1H",    "P1D1D", "P1D1W", "PTT1H",    "p1d",
                           " P1D",      "P1D ",  "P367D", "P366DT1S", "PT99999999999999999999H",
                           "P99999999W"}) {
    EXPECT_EQ(ParsePeriod(text).status().code(), absl::StatusCode::kInvalidArgument) << text;
  }
}

TEST(PeriodTest, IsWrittenInItsShortestForm) {
  for (const char* text : {"PT1H", "P1D", "P1DT2H30M5S", "PT0S", "PT90S", "P366D"}) {
    EXPECT_EQ(*ParsePeriod(FormatPeriod(*ParsePeriod(text))), *ParsePeriod(text)) << text;
  }
  EXPECT_EQ(FormatPeriod(*ParsePeriod("P1W")), "P7D");
  EXPECT_EQ(FormatPeriod(*ParsePeriod("PT90M")), "PT1H30M");
}

TEST(TimeOfDayTest, HoursAndMinutesAndPerhapsSeconds) {
  EXPECT_EQ(*ParseTimeOfDay("09:00"), hours(9));
  EXPECT_EQ(*ParseTimeOfDay("23:59:59"), hours(24) - seconds(1));
  EXPECT_EQ(FormatTimeOfDay(hours(9)), "09:00");
  EXPECT_EQ(FormatTimeOfDay(hours(9) + seconds(5)), "09:00:05");
  for (const char* text : {"", "9:00", "24:00", "09:60", "09-00", "09:00:60", "09:00Z", "+9:00",
                           "09:00-00", "ab:cd", "09:0x", "-1:00"}) {
    EXPECT_THAT(ParseTimeOfDay(text), StatusIs(absl::StatusCode::kInvalidArgument)) << text;
  }
}

TEST(ResolveReminderTest, AnAbsoluteReminderNeedsNoDueDate) {
  EXPECT_EQ(Resolved(Absolute("2026-01-01T08:00:00Z"), Task()), "2026-01-01T08:00:00Z");
  EXPECT_EQ(Resolved(Before("PT1H"), Task()), "none");
}

TEST(ResolveReminderTest, HoursAreElapsedTimeWhenClocksChange) {
  // In Berlin clocks go forward from 02:00 to 03:00 on 2026-03-29.
  const Task task = DueLocally("2026-03-29T03:30:00");
  EXPECT_EQ(FormatInstant(task.fields.due.at), "2026-03-29T01:30:00Z");
  EXPECT_EQ(Resolved(Before("PT1H"), task), "2026-03-29T00:30:00Z");  // 01:30 on the clock
  EXPECT_EQ(Resolved(Before("PT24H"), task), "2026-03-28T01:30:00Z");
}

TEST(ResolveReminderTest, DaysKeepTheTimeOnTheClock) {
  EXPECT_EQ(Resolved(Before("P1D"), DueLocally("2026-03-29T10:00:00")), "2026-03-28T09:00:00Z");
  EXPECT_EQ(Resolved(Before("P1D"), DueLocally("2026-10-25T10:00:00")), "2026-10-24T08:00:00Z");
  EXPECT_EQ(Resolved(Before("P1W"), DueLocally("2026-03-30T10:00:00")), "2026-03-23T09:00:00Z");
  EXPECT_EQ(Resolved(Before("P1DT1H"), DueLocally("2026-03-29T10:00:00")), "2026-03-28T08:00:00Z");
}

TEST(ResolveReminderTest, OneDayBeforeAtNineIsNineOnTheClock) {
  EXPECT_EQ(Resolved(Before("P1D", "09:00"), DueLocally("2026-03-30T15:00:00")),
            "2026-03-29T07:00:00Z");  // summer time began that night
  EXPECT_EQ(Resolved(Before("P1D", "09:00"), DueLocally("2026-03-29T15:00:00")),
            "2026-03-28T08:00:00Z");
  EXPECT_EQ(Resolved(Before("P1D", "09:00"), DueLocally("2026-10-26T15:00:00")),
            "2026-10-25T08:00:00Z");  // winter time began that night
  EXPECT_EQ(Resolved(Before("P0D", "09:00"), DueLocally("2026-10-26")), "2026-10-26T08:00:00Z");
}

TEST(ResolveReminderTest, GapsAndOverlapsAreReadAsRfc5545Does) {
  // 02:30 does not exist on 2026-03-29: read with the offset before the change.
  EXPECT_EQ(Resolved(Before("P1D", "02:30"), DueLocally("2026-03-30T15:00:00")),
            "2026-03-29T01:30:00Z");
  // 02:30 comes twice on 2026-10-25: the first.
  EXPECT_EQ(Resolved(Before("P1D", "02:30"), DueLocally("2026-10-26T15:00:00")),
            "2026-10-25T00:30:00Z");
  EXPECT_EQ(Resolved(Before("P1D"), DueLocally("2026-03-30T02:30:00")), "2026-03-29T01:30:00Z");
}

TEST(ResolveReminderTest, AnInstantIsCountedInTheTasksZone) {
  Task task;
  task.fields.time_zone = "America/New_York";
  task.fields.due = *ResolveInstantDue(At("2026-03-09T01:00:00Z"));  // the 8th, 21:00 there
  EXPECT_EQ(Resolved(Before("P1D", "09:00"), task), "2026-03-07T14:00:00Z");
  EXPECT_EQ(Resolved(Before("P1D"), task), "2026-03-08T02:00:00Z");
}

TEST(ResolveReminderTest, ATimeOutsideTheStoredYearsHasNoInstant) {
  EXPECT_EQ(Resolved(Before("P366D"), DueLocally("1970-06-01")), "none");
  Task task = DueLocally("2026-03-29T10:00:00");
  task.fields.time_zone = "Nowhere/Land";
  EXPECT_EQ(Resolved(Before("P1D"), task), "none");
  EXPECT_EQ(Resolved(Before("PT1H"), task), "2026-03-29T07:00:00Z") << "needs no zone";
}

TEST(AfterTest, DaysAreThoseOfTheCalendarAndHoursPass) {
  const auto after = [](std::string_view from, std::string_view period, std::string_view zone) {
    return FormatInstant(After(At(from), *ParsePeriod(period), zone));
  };
  EXPECT_EQ(after("2026-03-28T12:00:00Z", "P1D", "Europe/Berlin"), "2026-03-29T11:00:00Z");
  EXPECT_EQ(after("2026-03-28T12:00:00Z", "PT24H", "Europe/Berlin"), "2026-03-29T12:00:00Z");
  EXPECT_EQ(after("2026-10-24T12:00:00Z", "P1DT1H", "Europe/Berlin"), "2026-10-25T14:00:00Z");
  // 02:30 does not exist on the 29th: read with the offset before the change.
  EXPECT_EQ(after("2026-03-28T01:30:00Z", "P1D", "Europe/Berlin"), "2026-03-29T01:30:00Z");
  EXPECT_EQ(after("2026-10-25T01:30:00Z", "PT10M", "Europe/Berlin"), "2026-10-25T01:40:00Z")
      << "02:30 for the second time";
  EXPECT_EQ(after("2026-03-28T12:00:00Z", "P1D", "Nowhere/Land"), "2026-03-29T12:00:00Z");
}

/// A planned reminder of `task`.
Reminder Planned(const ReminderTime& time, const Task& task) {
  Reminder reminder;
  reminder.id = {.user = task.user, .task_id = task.id, .number = 1};
  reminder.time = time;
  reminder.planned_at = reminder.remind_at = ResolveReminder(time, task.fields);
  return reminder;
}

/// `reminder` planned anew after a change of `task` at `since`.
void PlanSince(Reminder& reminder, const Task& task, std::string_view since) {
  reminder.unplanned_since = At(since);
  Plan(reminder, task);
  EXPECT_FALSE(reminder.unplanned_since);
}

TEST(PlanTest, MovesWithTheDueDate) {
  Reminder reminder = Planned(Before("PT1H"), DueLocally("2026-01-01T10:00:00", "UTC"));
  PlanSince(reminder, DueLocally("2026-01-02T12:00:00", "UTC"), "2026-01-01T08:00:00Z");
  EXPECT_EQ(reminder.state, ReminderState::kPending);
  EXPECT_EQ(FormatInstant(*reminder.remind_at), "2026-01-02T11:00:00Z");
}

TEST(PlanTest, ADateInThePastCancelsAndALaterOneRestores) {
  Reminder reminder = Planned(Before("PT1H"), DueLocally("2026-01-02T10:00:00", "UTC"));
  PlanSince(reminder, DueLocally("2026-01-01T08:30:00", "UTC"), "2026-01-01T08:00:00Z");
  EXPECT_EQ(reminder.state, ReminderState::kCancelled);
  PlanSince(reminder, DueLocally("2026-01-03T08:30:00", "UTC"), "2026-01-01T08:00:01Z");
  EXPECT_EQ(reminder.state, ReminderState::kPending);
}

TEST(PlanTest, AFiredReminderFiresAgainOnlyOnAnotherDate) {
  Task task = DueLocally("2026-01-01T10:00:00", "UTC");
  Reminder reminder = Planned(Before("PT1H"), task);
  reminder.state = ReminderState::kFired;
  PlanSince(reminder, task, "2026-01-01T08:00:00Z");
  EXPECT_EQ(reminder.state, ReminderState::kFired);
  PlanSince(reminder, DueLocally("2026-01-02T10:00:00", "UTC"), "2026-01-01T09:30:00Z");
  EXPECT_EQ(reminder.state, ReminderState::kPending);
}

TEST(PlanTest, CompletingCancelsAndUncompletingRestoresFutureReminders) {
  Task task = DueLocally("2026-01-01T10:00:00", "UTC");
  Reminder reminder = Planned(Before("PT1H"), task);
  task.completed = true;
  PlanSince(reminder, task, "2026-01-01T08:00:00Z");
  EXPECT_EQ(reminder.state, ReminderState::kCancelled);
  task.completed = false;
  Reminder passed = reminder;
  PlanSince(reminder, task, "2026-01-01T08:59:59Z");
  EXPECT_EQ(reminder.state, ReminderState::kPending);
  PlanSince(passed, task, "2026-01-01T09:00:00Z");
  EXPECT_EQ(passed.state, ReminderState::kCancelled);
}

TEST(PlanTest, AReminderStillAheadAtTheChangeSurvivesLatePlanning) {
  Reminder reminder = Planned(Before("PT1H"), DueLocally("2026-01-02T10:00:00", "UTC"));
  // Moved to fire at 09:00, planned only at noon: still pending, and so due.
  PlanSince(reminder, DueLocally("2026-01-01T10:00:00", "UTC"), "2026-01-01T08:00:00Z");
  EXPECT_TRUE(IsDue(reminder, At("2026-01-01T12:00:00Z")));
}

TEST(PlanTest, DeletingTheTaskOrItsDueDateCancels) {
  Task task = DueLocally("2026-01-01T10:00:00", "UTC");
  Reminder reminder = Planned(Before("PT1H"), task);
  Reminder absolute = Planned(Absolute("2026-01-01T09:00:00Z"), task);
  task.fields.due = {};
  PlanSince(reminder, task, "2026-01-01T08:00:00Z");
  EXPECT_EQ(reminder.state, ReminderState::kCancelled);
  PlanSince(absolute, task, "2026-01-01T08:00:00Z");
  EXPECT_EQ(absolute.state, ReminderState::kPending);
  task.deleted = true;
  PlanSince(absolute, task, "2026-01-01T08:00:00Z");
  EXPECT_EQ(absolute.state, ReminderState::kCancelled);
}

TEST(PlanTest, ASnoozeLastsUntilTheDueDateMoves) {
  Task task = DueLocally("2026-01-01T10:00:00", "UTC");
  Reminder reminder = Planned(Before("PT1H"), task);
  reminder.remind_at = At("2026-01-01T11:00:00Z");
  PlanSince(reminder, task, "2026-01-01T09:30:00Z");
  EXPECT_EQ(FormatInstant(*reminder.remind_at), "2026-01-01T11:00:00Z");
  PlanSince(reminder, DueLocally("2026-01-02T10:00:00", "UTC"), "2026-01-01T09:31:00Z");
  EXPECT_EQ(FormatInstant(*reminder.remind_at), "2026-01-02T09:00:00Z");
}

TEST(PlanTest, ADeletedReminderStaysDeleted) {
  const Task task = DueLocally("2026-01-01T10:00:00", "UTC");
  Reminder reminder = Planned(Before("PT1H"), task);
  reminder.state = ReminderState::kDeleted;
  PlanSince(reminder, DueLocally("2026-01-05T10:00:00", "UTC"), "2026-01-01T08:00:00Z");
  EXPECT_EQ(reminder.state, ReminderState::kDeleted);
}

TEST(PlanTest, WithoutAChangeNothingIsPlanned) {
  Reminder reminder = Planned(Before("PT1H"), DueLocally("2026-01-01T10:00:00", "UTC"));
  const Reminder was = reminder;
  Plan(reminder, DueLocally("2026-01-05T10:00:00", "UTC"));
  EXPECT_EQ(reminder, was);
}

TEST(IsDueTest, NeverEarly) {
  const Reminder reminder = Planned(Absolute("2026-01-01T09:00:00Z"), Task());
  EXPECT_FALSE(IsDue(reminder, At("2026-01-01T08:59:59.999999Z")));
  EXPECT_TRUE(IsDue(reminder, At("2026-01-01T09:00:00Z")));
}

TEST(ReminderJobTest, TheJobOfTheFirstReminderHasNoNumber) {
  EXPECT_EQ(ReminderJobName({7}, 1), "reminder-task-7");
  EXPECT_EQ(ReminderJobName({7}, 2), "reminder-task-7-2");
  EXPECT_EQ(ParseReminderJobName("reminder-task-7"),
            (ReminderJobTarget{.task_id = {7}, .number = 1}));
  EXPECT_EQ(ParseReminderJobName("reminder-task-7-12"),
            (ReminderJobTarget{.task_id = {7}, .number = 12}));
  for (const char* name :
       {"", "reminder-task-", "reminder-task-x", "reminder-task-7-", "reminder-task-7-0",
        "reminder-task-07", "reminder-task-0", "reminder-task--7", "reminder-task-7-1-1",
        "reminder-task-99999999999999999999", "other", "xreminder-task-7"}) {
    EXPECT_FALSE(ParseReminderJobName(name)) << name;
  }
}

TEST(ReminderJobTest, CarriesTheContractsJson) {
  Task task = DueLocally("2026-01-01T10:00:00", "UTC");
  task.user = {"a\"b"};
  const auto data = nlohmann::json::parse(ReminderJobData(Planned(Before("PT1H"), task)));
  EXPECT_EQ(data, (nlohmann::json{{"task_id", 7},
                                  {"user_id", "a\"b"},
                                  {"type", "reminder"},
                                  {"number", 1},
                                  {"remind_at", "2026-01-01T09:00:00Z"}}));
}

TEST(ReminderEventRecordTest, IsAWholeCloudEvent) {
  const Task task = DueLocally("2026-01-01T10:00:00", "UTC");
  const EventId id{*Uuid::Parse("01a20878-ab15-77d8-bb51-91b163b43065")};
  const auto event = nlohmann::json::parse(
      ReminderEventRecord(Planned(Before("PT1H"), task), task, id, At("2026-01-01T09:00:00.5Z")));
  EXPECT_EQ(event["id"], id.value());
  EXPECT_EQ(event["type"], "todo.reminder.due.v1");
  EXPECT_EQ(event["source"], "todo-service");
  EXPECT_EQ(event["subject"], "7");
  EXPECT_EQ(event["time"], "2026-01-01T09:00:00.500Z");
  EXPECT_EQ(event["data"], (nlohmann::json{{"id", id.value()},
                                           {"task_id", 7},
                                           {"title", "call \"Bob\""},
                                           {"remind_at", "2026-01-01T09:00:00Z"},
                                           {"user_id", "ann"},
                                           {"number", 1},
                                           {"due_date", "2026-01-01T10:00:00Z"},
                                           {"due_kind", "local"},
                                           {"due_local", "2026-01-01T10:00:00"}}));
}

TEST(ReminderEventRecordTest, IsReadBackAsWritten) {
  const Task task = DueLocally("2026-01-01T10:00:00", "UTC");
  const EventId id{*Uuid::Parse("01a20878-ab15-77d8-bb51-91b163b43065")};
  const auto event = ParseReminderEventRecord(
      ReminderEventRecord(Planned(Before("PT1H"), task), task, id, At("2026-01-01T09:00:00.5Z")));
  ASSERT_TRUE(event.ok()) << event.status();
  EXPECT_EQ(event->id, id);
  EXPECT_EQ(event->user, task.user);
  EXPECT_EQ(event->title, task.fields.title);
  EXPECT_EQ(event->at, At("2026-01-01T09:00:00Z"));
  EXPECT_EQ(event->due, task.fields.due);
}

TEST(ReminderEventRecordTest, SaysHowTheDueDateWasMeant) {
  const auto data = [](const Task& task) {
    return nlohmann::json::parse(ReminderEventRecord(Planned(Before("PT1H"), task), task, EventId(),
                                                     At("2026-01-01T09:00:00Z")))["data"];
  };
  const auto day = data(DueLocally("2026-01-02"));
  EXPECT_EQ(day["due_kind"], "date");
  EXPECT_EQ(day["due_local"], "2026-01-02");
  EXPECT_EQ(day["due_date"], "2026-01-01T23:00:00Z");
  const auto local = data(DueLocally("2026-01-02T10:00:00"));
  EXPECT_EQ(local["due_kind"], "local");
  EXPECT_EQ(local["due_local"], "2026-01-02T10:00:00");
  Task task;
  task.fields.due = *ResolveInstantDue(At("2026-01-02T10:00:00Z"));
  EXPECT_EQ(data(task)["due_kind"], "instant");
  EXPECT_FALSE(data(task).contains("due_local"));
}

TEST(ReminderEventRecordTest, SaysWhenItIsLateAndWhenThereIsNoDueDate) {
  const Task task;
  const Reminder reminder = Planned(Absolute("2026-01-01T09:00:00Z"), task);
  const auto late = nlohmann::json::parse(
      ReminderEventRecord(reminder, task, EventId(), At("2026-01-01T09:01:00.000001Z")));
  EXPECT_EQ(late["data"]["late"], true);
  EXPECT_FALSE(late["data"].contains("due_date"));
  const auto in_time = nlohmann::json::parse(
      ReminderEventRecord(reminder, task, EventId(), At("2026-01-01T09:01:00Z")));
  EXPECT_FALSE(in_time["data"].contains("late"));
}

}  // namespace
}  // namespace todo::domain
