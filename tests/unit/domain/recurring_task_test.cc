#include "domain/recurrence/recurring_task.h"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "domain/recurrence/series_preview.h"
#include "support/status_matchers.h"

namespace todo::domain {
namespace {

using support::StatusIs;

Instant At(std::string_view text) { return *ParseInstant(text); }

Task Recurring(std::string_view rule, std::string_view due_local, std::string_view zone = "UTC") {
  Task task;
  task.fields.title = "water the plants";
  task.fields.description = "all of them";
  task.fields.priority = Priority::kHigh;
  task.fields.tags = {"home"};
  task.fields.time_zone = zone;
  task.fields.due = *ResolveLocalDue(due_local, zone);
  task.fields.recurrence_rule = rule;
  task.series = *StartSeries(task.fields, *Uuid::Parse("550e8400-e29b-41d4-a716-446655440000"));
  task.completed = true;
  return task;
}

Task Follow(const Task& task, const NextOccurrence& next) {
  Task following = task;
  following.fields = next.fields;
  following.series = next.series;
  return following;
}

TEST(NextOccurrenceOf, CarriesEverythingOverExceptTheDate) {
  const Task task = Recurring("FREQ=DAILY", "2026-01-01T10:00:00");
  const auto next = NextOccurrenceOf(task, At("2026-01-01T09:00:00Z"));
  ASSERT_TRUE(next.ok()) << next.status();
  ASSERT_TRUE(next->has_value());
  TaskFields expected = task.fields;
  expected.due = *ResolveLocalDue("2026-01-02T10:00:00", "UTC");
  EXPECT_EQ((*next)->fields, expected);
  EXPECT_EQ((*next)->series.series_id, task.series->series_id);
  EXPECT_EQ((*next)->series.occurrence, 2);
  EXPECT_EQ((*next)->series.anchor, task.series->anchor);
  EXPECT_EQ((*next)->series.missed, 0);
}

TEST(NextOccurrenceOf, MissedOccurrencesDoNotPileUpAndAreCounted) {
  const Task task = Recurring("FREQ=DAILY", "2026-01-01T10:00:00");
  const auto next = *NextOccurrenceOf(task, At("2026-01-05T12:00:00Z"));
  EXPECT_EQ(FormatInstant(next->fields.due.at), "2026-01-06T10:00:00Z");
  EXPECT_EQ(next->series.missed, 4);
}

TEST(NextOccurrenceOf, EarlyCompletionStaysAfterTheDueDate) {
  const Task task = Recurring("FREQ=WEEKLY", "2026-01-08T10:00:00");
  EXPECT_EQ(FormatInstant((*NextOccurrenceOf(task, At("2026-01-02T00:00:00Z")))->fields.due.at),
            "2026-01-15T10:00:00Z");
}

TEST(NextOccurrenceOf, APulledAheadTaskDoesNotComeTwiceOnItsDate) {
  Task task = Recurring("FREQ=WEEKLY", "2026-01-08T10:00:00");
  task.fields.due = *ResolveLocalDue("2026-01-06T10:00:00", "UTC");
  EXPECT_EQ(FormatInstant((*NextOccurrenceOf(task, At("2026-01-06T09:00:00Z")))->fields.due.at),
            "2026-01-15T10:00:00Z");
}

TEST(NextOccurrenceOf, APostponedTaskDoesNotMoveTheSeries) {
  Task task = Recurring("FREQ=WEEKLY", "2026-01-08T10:00:00");
  task.fields.due = *ResolveLocalDue("2026-01-09T18:00:00", "UTC");
  EXPECT_EQ(FormatInstant((*NextOccurrenceOf(task, At("2026-01-09T12:00:00Z")))->fields.due.at),
            "2026-01-15T10:00:00Z");
}

TEST(NextOccurrenceOf, CountsFromTheSeriesAndEnds) {
  Task task = Recurring("FREQ=DAILY;COUNT=3", "2026-01-01T10:00:00");
  for (const char* due : {"2026-01-02T10:00:00Z", "2026-01-03T10:00:00Z"}) {
    const auto next = *NextOccurrenceOf(task, task.fields.due.at);
    ASSERT_TRUE(next.has_value());
    EXPECT_EQ(FormatInstant(next->fields.due.at), due);
    task = Follow(task, *next);
  }
  EXPECT_FALSE(NextOccurrenceOf(task, task.fields.due.at)->has_value());
}

TEST(NextOccurrenceOf, FromCompletionCountsFromThatDay) {
  Task task = Recurring("FREQ=DAILY;INTERVAL=10", "2026-01-01T10:00:00");
  task.fields.recurrence_basis = RecurrenceBasis::kCompletion;
  EXPECT_EQ(FormatInstant((*NextOccurrenceOf(task, At("2026-01-07T23:00:00Z")))->fields.due.at),
            "2026-01-17T10:00:00Z");
}

TEST(NextOccurrenceOf, ADayStaysADay) {
  const Task task = Recurring("FREQ=DAILY", "2026-10-24", "Europe/Berlin");
  const auto next = *NextOccurrenceOf(task, At("2026-10-24T10:00:00Z"));
  EXPECT_EQ(next->fields.due.kind, DueKind::kDate);
  EXPECT_EQ(FormatDueLocal(next->fields.due), "2026-10-25");
}

TEST(NextOccurrenceOf, ADayHasNoTimesOfDay) {
  Task task = Recurring("FREQ=DAILY;BYHOUR=9,17;BYMINUTE=30;BYSECOND=7;COUNT=3", "2026-11-26",
                        "Europe/Berlin");
  for (const char* day : {"2026-11-27", "2026-11-28"}) {
    const auto next = *NextOccurrenceOf(task, task.fields.due.at);
    ASSERT_TRUE(next.has_value()) << day;
    EXPECT_EQ(next->fields.due, *ResolveLocalDue(day, "Europe/Berlin"));
    EXPECT_EQ(next->series.missed, 0);
    task = Follow(task, *next);
  }
  EXPECT_FALSE(NextOccurrenceOf(task, task.fields.due.at)->has_value());
}

TEST(NextOccurrenceOf, ADayFromCompletionHasNoTimesOfDay) {
  Task task = Recurring("FREQ=DAILY;INTERVAL=2;BYHOUR=9", "2026-11-26", "Europe/Berlin");
  task.fields.recurrence_basis = RecurrenceBasis::kCompletion;
  EXPECT_EQ((*NextOccurrenceOf(task, At("2026-11-27T20:00:00Z")))->fields.due,
            *ResolveLocalDue("2026-11-29", "Europe/Berlin"));
}

/// The days of the occurrences of `rule` after an all-day task that is due on `day`.
std::vector<std::string> DaysOf(std::string_view rule, std::string_view day,
                                std::string_view zone) {
  const Task task = Recurring(rule, day, zone);
  std::vector<std::string> days;
  const SeriesPreview preview = *PreviewSeries(task.fields, 5);
  for (const SeriesPreview::Occurrence& occurrence : preview.occurrences)
    days.push_back(FormatDueLocal(occurrence.due));
  return days;
}

TEST(PreviewSeries, UntilOfDaysCountsByItsDateAsWritten) {
  using ::testing::ElementsAre;
  for (std::string_view until :
       {"20261128", "20261128T000000Z", "20261128T235959Z", "20261128T000000", "20261128T090000"}) {
    for (std::string_view zone : {"UTC", "America/Los_Angeles", "Pacific/Auckland"}) {
      EXPECT_THAT(DaysOf(fmt::format("FREQ=DAILY;UNTIL={}", until), "2026-11-26", zone),
                  ElementsAre("2026-11-27", "2026-11-28"))
          << until << " " << zone;
    }
  }
}

TEST(PreviewSeries, DoesNotWarnOfClocksWhereADayHasNoTime) {
  // In Santiago the clocks skip the first hour of 6 September 2026.
  for (const char* rule : {"FREQ=DAILY", "FREQ=DAILY;BYHOUR=0", "weekly"}) {
    const Task task = Recurring(rule, "2026-08-30", "America/Santiago");
    const SeriesPreview preview = *PreviewSeries(task.fields, 5);
    for (const std::string& warning : preview.warnings)
      EXPECT_THAT(warning, ::testing::Not(::testing::HasSubstr("locks"))) << rule;
  }
}

TEST(PreviewSeries, SaysWhatADayIgnores) {
  const Task task = Recurring("FREQ=DAILY;BYHOUR=9;BYMINUTE=0", "2026-08-30");
  const SeriesPreview preview = *PreviewSeries(task.fields, 1);
  EXPECT_THAT(
      preview.warnings,
      ::testing::ElementsAre("BYHOUR, BYMINUTE are ignored: an all-day task has no time of day."));
  EXPECT_EQ(preview.rule, "FREQ=DAILY;BYHOUR=9;BYMINUTE=0");
}

TEST(PreviewSeries, TellsTheTimeOfDay) {
  using namespace std::chrono_literals;
  TaskFields fields = Recurring("daily", "2026-08-30T09:05:00", "Europe/Berlin").fields;
  EXPECT_EQ(PreviewSeries(fields, 1)->time_of_day, 9h + 5min);
  fields.due = {.kind = DueKind::kInstant, .local = {}, .at = At("2026-08-30T22:30:00Z")};
  EXPECT_EQ(PreviewSeries(fields, 1)->time_of_day, 30min) << "in Berlin";
  fields.due = *ResolveLocalDue("2026-08-30", "Europe/Berlin");
  EXPECT_EQ(PreviewSeries(fields, 1)->time_of_day, std::nullopt);
}

TEST(PreviewSeries, OfTheLastOccurrenceIsItsEnd) {
  using namespace std::chrono_literals;
  TaskFields fields = Recurring("daily", "2026-08-30T09:00:00").fields;
  fields.recurrence_rule = "FREQ=DAILY;UNTIL=20260830";
  EXPECT_THAT(PreviewSeries(fields, 1), StatusIs(absl::StatusCode::kOutOfRange));
  const SeriesPreview end = *PreviewEnd(fields);
  EXPECT_EQ(end.rule, "FREQ=DAILY;UNTIL=20260830");
  EXPECT_EQ(end.time_of_day, 9h);
  EXPECT_TRUE(end.occurrences.empty());
  EXPECT_THAT(end.warnings, ::testing::ElementsAre("The series ends with this task."));
  fields.recurrence_rule = "sometimes";
  EXPECT_THAT(PreviewEnd(fields), StatusIs(absl::StatusCode::kInvalidArgument));
}

TEST(NextOccurrenceOf, AnInstantKeepsItsWallClockTimeInTheTasksZone) {
  Task task = Recurring("FREQ=WEEKLY", "2026-10-20T09:00:00", "Europe/Berlin");
  task.fields.due = *ResolveInstantDue(task.fields.due.at);
  task.series = *StartSeries(task.fields, task.series->series_id);
  const auto next = *NextOccurrenceOf(task, task.fields.due.at);
  EXPECT_EQ(next->fields.due.kind, DueKind::kInstant);
  EXPECT_EQ(FormatInstant(next->fields.due.at), "2026-10-27T08:00:00Z");
}

TEST(NextOccurrenceOf, FromCompletionATaskSkippedAheadCountsFromItsScheduledDate) {
  Task task = Recurring("FREQ=DAILY;INTERVAL=10", "2026-11-30T09:00:00");
  task.fields.recurrence_basis = RecurrenceBasis::kCompletion;
  task.fields.due = *ResolveLocalDue("2026-12-09T09:00:00", "UTC");  // moved for this once
  task.completed = false;
  task.skipped_at = At("2026-11-26T08:00:00Z");
  EXPECT_EQ(FormatDueLocal((*NextOccurrenceOf(task, *PassedAt(task)))->fields.due),
            "2026-12-10T09:00:00");
}

TEST(StartSeries, RefusesWhatCannotRecur) {
  TaskFields fields;
  fields.due = *ResolveLocalDue("2026-01-01", "UTC");
  fields.recurrence_rule = "FREQ=FOO";
  EXPECT_EQ(StartSeries(fields, Uuid()).status().code(), absl::StatusCode::kInvalidArgument);
  fields.recurrence_rule = "FREQ=DAILY;UNTIL=20250101";
  EXPECT_THAT(StartSeries(fields, Uuid()), StatusIs(absl::StatusCode::kOutOfRange));
}

}  // namespace
}  // namespace todo::domain
