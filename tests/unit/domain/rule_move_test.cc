#include "domain/recurrence/rule_move.h"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

namespace todo::domain {
namespace {

using ::testing::HasSubstr;

absl::CivilSecond Civil(const std::string& text) {
  absl::CivilSecond time;
  EXPECT_TRUE(absl::ParseCivilTime(text, &time)) << text;
  return time;
}

/// The rule after the move, or why there is none.
std::string Moved(std::string_view rule, const std::string& from, const std::string& to,
                  Days days = Days::kNever) {
  const absl::StatusOr<RecurrenceRule> moved = MoveRule(rule, Civil(from), Civil(to), days);
  return moved.ok() ? FormatRecurrenceRule(*moved) : std::string(moved.status().message());
}

TEST(MoveRule, APartThatNamesOneDayNamesTheNewOne) {
  EXPECT_EQ(Moved("FREQ=WEEKLY;BYDAY=MO", "2026-11-30T09:00:00", "2026-11-27T09:00:00"),
            "FREQ=WEEKLY;BYDAY=FR");
  EXPECT_EQ(Moved("FREQ=MONTHLY;BYDAY=2TU", "2026-12-08T09:00:00", "2026-12-11T09:00:00"),
            "FREQ=MONTHLY;BYDAY=2FR");
  EXPECT_EQ(Moved("FREQ=MONTHLY;BYMONTHDAY=15", "2026-12-15T09:00:00", "2026-12-17T09:00:00"),
            "FREQ=MONTHLY;BYMONTHDAY=17");
  EXPECT_EQ(
      Moved("FREQ=MONTHLY;BYDAY=FR;BYMONTHDAY=13", "2026-11-13T09:00:00", "2026-11-16T09:00:00"),
      "FREQ=MONTHLY;BYMONTHDAY=16;BYDAY=MO");
  EXPECT_EQ(
      Moved("FREQ=YEARLY;BYMONTH=12;BYMONTHDAY=24", "2026-12-24T09:00:00", "2027-01-02T09:00:00"),
      "FREQ=YEARLY;BYMONTH=1;BYMONTHDAY=2");
}

TEST(MoveRule, APartThatTheMoveDoesNotTouchStays) {
  // The first date of a series need not be one that the rule names.
  EXPECT_EQ(Moved("FREQ=DAILY;BYSECOND=7", "2026-11-30T23:30:00", "2026-11-30T23:30:00"),
            "FREQ=DAILY;BYSECOND=7");
  EXPECT_EQ(Moved("FREQ=DAILY;BYHOUR=9;BYMINUTE=15", "2026-11-30T10:00:00", "2026-11-30T11:00:00"),
            "FREQ=DAILY;BYHOUR=11;BYMINUTE=15");
}

TEST(MoveRule, ADayThatTheRuleNamesLeavesItsDays) {
  EXPECT_EQ(Moved("FREQ=WEEKLY;BYDAY=MO,FR", "2026-11-30T09:00:00", "2026-12-04T09:00:00"),
            "FREQ=WEEKLY;BYDAY=MO,FR");
  EXPECT_EQ(Moved("FREQ=WEEKLY", "2026-11-30T09:00:00", "2026-12-04T09:00:00"), "FREQ=WEEKLY");
  EXPECT_EQ(Moved("FREQ=YEARLY;BYWEEKNO=20", "2027-05-17T09:00:00", "2027-05-21T09:00:00"),
            "FREQ=YEARLY;BYWEEKNO=20");
  EXPECT_EQ(Moved("FREQ=MONTHLY;BYMONTHDAY=-1", "2026-11-30T09:00:00", "2026-12-31T09:00:00"),
            "FREQ=MONTHLY;BYMONTHDAY=-1");
  // 31 November is 1 December here.
  const std::string carried = "RSCALE=GREGORIAN;FREQ=MONTHLY;BYMONTHDAY=31;SKIP=FORWARD";
  EXPECT_EQ(Moved(carried, "2026-10-31T09:00:00", "2026-12-01T09:00:00"), carried);
}

TEST(MoveRule, TimesOfDayMoveOneByOne) {
  EXPECT_EQ(Moved("FREQ=DAILY;BYHOUR=9", "2026-11-27T09:00:00", "2026-11-27T18:30:00"),
            "FREQ=DAILY;BYHOUR=18");
  EXPECT_EQ(Moved("FREQ=DAILY;BYHOUR=9,17", "2026-11-27T17:00:00", "2026-11-27T08:00:00"),
            "FREQ=DAILY;BYHOUR=8,9");
  EXPECT_EQ(Moved("FREQ=DAILY;BYHOUR=9,17", "2026-11-27T09:00:00", "2026-11-27T17:00:00"),
            "FREQ=DAILY;BYHOUR=9,17");
  EXPECT_EQ(
      Moved("FREQ=DAILY;BYHOUR=9", "2026-11-27T00:00:00", "2026-11-28T00:00:00", Days::kAfter),
      "FREQ=DAILY;BYHOUR=9");
  for (const char* hour : {"00", "10"}) {
    EXPECT_EQ(Moved("FREQ=DAILY;BYHOUR=9;BYMINUTE=0", "2026-11-27T00:00:00",
                    fmt::format("2026-11-27T{}:00:00", hour), Days::kBefore),
              fmt::format("FREQ=DAILY;BYHOUR={};BYMINUTE=0", std::stoi(hour)))
        << "days had no time of day";
  }
}

TEST(MoveRule, SaysWhatToChangeWhereTheRuleCannotFollow) {
  EXPECT_EQ(Moved("weekdays", "2026-11-30T09:00:00", "2026-12-06T09:00:00"),
            "2026-12-06 is not a date of 'weekdays', which cannot follow: replace "
            "task.recurrence_rule by a "
            "rule that names the day in the same call, or choose a date that the rule names");
  EXPECT_EQ(
      Moved("RRULE:FREQ=WEEKLY;\r\n BYDAY=fr,mo", "2026-11-30T09:00:00", "2026-12-06T09:00:00"),
      "2026-12-06 is not a date of 'RRULE:FREQ=WEEKLY;   BYDAY=fr,mo', which cannot follow: change "
      "BYDAY of task.recurrence_rule in the same call, or choose a date that the rule names")
      << "as it was written, on one line";
  EXPECT_THAT(
      Moved("FREQ=YEARLY;BYYEARDAY=334;BYDAY=MO", "2026-11-30T09:00:00", "2026-12-01T09:00:00"),
      HasSubstr("change BYDAY and BYYEARDAY of"));
  EXPECT_THAT(
      Moved("FREQ=YEARLY;BYWEEKNO=20;BYDAY=MO", "2027-05-17T09:00:00", "2027-05-24T09:00:00"),
      HasSubstr("change BYWEEKNO of"));
  EXPECT_THAT(
      Moved("FREQ=YEARLY;BYWEEKNO=20;BYDAY=MO", "2027-05-17T09:00:00", "2027-05-28T09:00:00"),
      HasSubstr("change BYDAY and BYWEEKNO of"));
  EXPECT_THAT(
      Moved("FREQ=YEARLY;BYWEEKNO=20;BYDAY=MO", "2027-05-17T09:00:00", "2027-05-21T09:00:00"),
      HasSubstr("change BYDAY of"));
}

TEST(KeepDays, WritesOutTheDayOnlyWhereItWouldBeLost) {
  const auto kept = [](std::string_view rule, const std::string& anchor, const std::string& start) {
    return FormatRecurrenceRule(KeepDays(*ParseRecurrenceRule(rule), Civil(anchor), Civil(start)));
  };
  EXPECT_EQ(kept("monthly", "2026-01-31T09:00:00", "2026-02-28T09:00:00"),
            "RSCALE=GREGORIAN;FREQ=MONTHLY;BYMONTHDAY=31;SKIP=BACKWARD");
  EXPECT_EQ(kept("monthly", "2026-01-31T09:00:00", "2026-03-31T09:00:00"),
            "RSCALE=GREGORIAN;FREQ=MONTHLY;SKIP=BACKWARD");
  EXPECT_EQ(kept("yearly", "2024-02-29T09:00:00", "2026-02-28T09:00:00"),
            "RSCALE=GREGORIAN;FREQ=YEARLY;BYMONTH=2;BYMONTHDAY=29;SKIP=BACKWARD");
  EXPECT_EQ(kept("weekly", "2026-01-05T09:00:00", "2026-02-02T09:00:00"), "FREQ=WEEKLY");
}

}  // namespace
}  // namespace todo::domain
