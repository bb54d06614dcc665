#include "domain/recurrence/recurrence.h"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>
#include <cstdio>
#include <fstream>
#include <nlohmann/json.hpp>
#include <random>
#include <set>
#include <string>
#include <thread>
#include <vector>

#include "util/status.h"

namespace todo::domain {
namespace {

using nlohmann::json;
using std::chrono::days;
using std::chrono::hours;
using std::chrono::microseconds;
using std::chrono::seconds;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

TimeZone Zone(std::string_view name) {
  absl::StatusOr<TimeZone> zone = TimeZone::Load(name);
  EXPECT_TRUE(zone.ok()) << zone.status();
  return zone.value_or(TimeZone());
}

absl::CivilSecond Civil(const std::string& text) {
  absl::CivilSecond time;
  EXPECT_TRUE(absl::ParseCivilTime(text, &time)) << text;
  return time;
}

Instant At(std::string_view text) { return ParseInstant(text).value(); }

/// The series, or a failed test.
Recurrence Series(std::string_view rule, const std::string& anchor, std::string_view zone = "UTC") {
  absl::StatusOr<Recurrence> recurrence = Recurrence::Parse({rule, Civil(anchor), Zone(zone)});
  EXPECT_TRUE(recurrence.ok()) << rule << ": " << recurrence.status();
  return recurrence.ok() ? *recurrence
                         : Recurrence::Parse({"daily", Civil(anchor), TimeZone()}).value();
}

std::vector<std::string> Instants(const std::vector<Recurrence::Occurrence>& occurrences) {
  std::vector<std::string> texts;
  for (const auto& occurrence : occurrences) texts.push_back(FormatInstant(occurrence.at));
  return texts;
}

/// The list called `name` in the file of known cases.
json Known(const char* name) {
  std::ifstream file(TODO_TEST_DATA_DIR "/recurrence_cases.json");
  EXPECT_TRUE(file.is_open()) << TODO_TEST_DATA_DIR;
  return json::parse(file).at(name);
}

TEST(Recurrence, GivesTheOccurrencesOfEveryKnownCase) {
  for (const json& known : Known("cases")) {
    SCOPED_TRACE(known.dump());
    Recurrence series =
        Series(known.at("rule").get<std::string>(), known.at("anchor").get<std::string>(),
               known.at("zone").get<std::string>());
    std::vector<std::string> expected = known.at("next").get<std::vector<std::string>>();
    const int n = static_cast<int>(expected.size()) + (known.value("ends", false) ? 5 : 0);
    EXPECT_EQ(Instants(series.Upcoming(kMinInstant, n)), expected);

    // The same one by one, with numbers.
    Instant now = series.zone().ToInstant(series.anchor());
    std::int64_t number = 1;
    for (const std::string& at : expected) {
      auto next = series.NextAfter(now);
      ASSERT_TRUE(next);
      EXPECT_EQ(FormatInstant(next->at), at);
      EXPECT_EQ(next->number, ++number);
      EXPECT_EQ(series.zone().ToInstant(next->local), next->at);
      now = next->at;
    }
    EXPECT_EQ(series.NextAfter(now).has_value(), !known.value("ends", false));
  }
}

TEST(Recurrence, RefusesWhatIsNoRuleOrNeverOccurs) {
  for (const json& known : Known("refused")) {
    absl::StatusOr<Recurrence> series =
        Recurrence::Parse({known.at("rule").get<std::string>(),
                           Civil(known.value("anchor", "2026-01-01T10:00:00")), TimeZone()});
    EXPECT_EQ(series.status().code(), absl::StatusCode::kInvalidArgument) << known;
    EXPECT_THAT(std::string(series.status().message()), HasSubstr("recurrence rule: ")) << known;
    EXPECT_LT(series.status().message().size(), 800u) << known;
  }
}

TEST(Recurrence, TellsARuleThatHasEndedFromAWrongOne) {
  for (const json& known : Known("ended")) {
    absl::StatusOr<Recurrence> series = Recurrence::Parse(
        {known.at("rule").get<std::string>(), Civil("2026-01-01T10:00:00"), TimeZone()});
    EXPECT_EQ(series.status().code(), absl::StatusCode::kOutOfRange) << known;
    EXPECT_THAT(std::string(series.status().message()), HasSubstr("it can never occur again"))
        << known;
  }
}

std::string ReasonFor(std::string_view rule) {
  return std::string(
      Recurrence::Parse({rule, Civil("2026-01-01T10:00:00"), TimeZone()}).status().message());
}

TEST(Recurrence, ExplainsFaultsForPeople) {
  EXPECT_EQ(ReasonFor("FREQ=FOO"),
            "recurrence rule: FREQ must be DAILY, WEEKLY, MONTHLY or YEARLY, not 'FOO'");
  EXPECT_EQ(ReasonFor("FREQ=DAILY;INTERVAL=0"),
            "recurrence rule: INTERVAL must be a whole number from 1 to 10000, not '0'");
  EXPECT_EQ(ReasonFor("FREQ=DAILY;COUNT=2;UNTIL=20270101"),
            "recurrence rule: COUNT and UNTIL cannot be used together");
  EXPECT_THAT(ReasonFor("FREQ=HOURLY"), HasSubstr("once a day at most"));
  EXPECT_EQ(ReasonFor("FREQ=MONTHLY;BYWEEKNO=20"),
            "recurrence rule: BYWEEKNO can only be used with FREQ=YEARLY");
  EXPECT_EQ(ReasonFor("FREQ=YEARLY;BYWEEKNO=20;BYDAY=-1MO"),
            "recurrence rule: BYDAY cannot have a number, as in 2TU, together with BYWEEKNO");
  EXPECT_THAT(ReasonFor("FREQ=MONTHLY;BYMONTH=2;BYMONTHDAY=31"),
              HasSubstr("no day after 2026-01-01 10:00 and before 2400 fits "
                        "FREQ=MONTHLY;BYMONTH=2;BYMONTHDAY=31"));
  EXPECT_THAT(ReasonFor("FREQ=DAILY;COUNT=" + std::string(100, '\1')), HasSubstr("????????…"));
}

TEST(Recurrence, QuotesTheRuleAsItWasWritten) {
  EXPECT_THAT(ReasonFor("every tuesday"), HasSubstr("'every tuesday' is neither daily"));
  EXPECT_THAT(ReasonFor("jeden Dienstag, täglich"), HasSubstr("'jeden Dienstag, täglich' is"));
  EXPECT_THAT(ReasonFor("каждый день"), HasSubstr("'каждый день' is neither"));
  EXPECT_THAT(ReasonFor("freq=Fortnightly"), HasSubstr("not 'Fortnightly'"));
  EXPECT_THAT(ReasonFor("freq=daily;every=2"), HasSubstr("no part called 'every'"));
  EXPECT_THAT(ReasonFor("freq=daily;Interval=1;interval=2"),
              HasSubstr("'interval' is given twice"));
  EXPECT_THAT(ReasonFor("freq=daily;count=two"), HasSubstr("not 'two'"));
  EXPECT_THAT(ReasonFor("freq=weekly;byday=mo,tuesday"), HasSubstr("not 'tuesday'"));
  EXPECT_THAT(ReasonFor("freq=daily;until=tomorrow"), HasSubstr("not 'tomorrow'"));
  EXPECT_THAT(ReasonFor("freq=weekly;wkst=monday"), HasSubstr("not 'monday'"));
  EXPECT_THAT(ReasonFor("freq=daily;weekly"), HasSubstr("'weekly' is not of the form"));
  EXPECT_THAT(ReasonFor("rscale=hebrew;freq=daily"), HasSubstr("not 'hebrew'"));
  EXPECT_THAT(ReasonFor("täglich " + std::string(100, 'x')), HasSubstr("'täglich xxx"));
  for (const char* same : {"Freq=Weekly;Byday=mo,Tu;Until=20270101t000000z;wkst=su", "WeekDays",
                           " rrule:rscale=gregorian;freq=monthly;skip=backward "}) {
    EXPECT_EQ(ReasonFor(same), "") << same;
  }
}

TEST(Recurrence, RefusesAnAnchorOutsideTheCalendar) {
  for (absl::CivilSecond anchor :
       {absl::CivilSecond(1969, 12, 31), absl::CivilSecond(2400), absl::CivilSecond(-4000),
        absl::CivilSecond::max(), absl::CivilSecond::min()}) {
    EXPECT_EQ(Recurrence::Parse({"daily", anchor, TimeZone()}).status().code(),
              absl::StatusCode::kInvalidArgument);
  }
  EXPECT_TRUE(Recurrence::Parse({"daily", absl::CivilSecond(1970), Zone("Asia/Tokyo")}).ok());
}

TEST(Recurrence, EndsWithTheCalendar) {
  Recurrence series = Series("daily", "2399-12-29T10:00:00");
  EXPECT_THAT(Instants(series.Upcoming(kMinInstant, 10)),
              ElementsAre("2399-12-30T10:00:00Z", "2399-12-31T10:00:00Z"));
  EXPECT_EQ(series.NextAfter(kMaxInstant), std::nullopt);
  EXPECT_EQ(series.NextAfter(Instant::max()), std::nullopt);
  EXPECT_EQ(series.NextAfter(Instant::min())->number, 2);
}

TEST(Recurrence, GivesAtMostAHundredAndNeverLessThanNone) {
  Recurrence series = Series("daily", "2026-01-01T10:00:00");
  EXPECT_EQ(series.Upcoming(kMinInstant, 100).size(), 100u);
  EXPECT_EQ(series.Upcoming(kMinInstant, 1'000'000).size(), 100u);
  EXPECT_THAT(series.Upcoming(kMinInstant, 0), IsEmpty());
  EXPECT_THAT(series.Upcoming(kMinInstant, -5), IsEmpty());
}

TEST(Recurrence, KeepsTheNominalTimeInAGap) {
  Recurrence series = Series("daily", "2026-03-28T02:30:00", "Europe/Berlin");
  auto next = series.NextAfter(kMinInstant);
  ASSERT_TRUE(next);
  EXPECT_EQ(next->local, Civil("2026-03-29T02:30:00"));
  EXPECT_EQ(FormatInstant(next->at), "2026-03-29T01:30:00Z");
}

TEST(Recurrence, CountsFromAnAnchorFarAway) {
  EXPECT_EQ(Series("daily", "2000-01-01T10:00:00").NextAfter(At("2109-07-09T00:00:00Z"))->number,
            40'002);
  EXPECT_EQ(Series("FREQ=DAILY;INTERVAL=3", "2000-01-01T10:00:00")
                .NextAfter(At("2000-02-01T00:00:00Z"))
                ->number,
            12);
  EXPECT_EQ(Series("weekdays", "2026-01-01T10:00:00").NextAfter(At("2027-01-01T00:00:00Z"))->number,
            262);
  EXPECT_EQ(Series("monthly", "2000-01-31T10:00:00").NextAfter(At("2026-03-01T00:00:00Z"))->number,
            315);
}

TEST(Recurrence, MissedOccurrencesAreTheGapInTheNumbers) {
  Recurrence series = Series("weekly", "2026-01-05T09:00:00");
  auto after_long_absence = series.NextAfter(At("2026-02-03T12:00:00Z"));
  ASSERT_TRUE(after_long_absence);
  EXPECT_EQ(FormatInstant(after_long_absence->at), "2026-02-09T09:00:00Z");
  EXPECT_EQ(after_long_absence->number - 1 - 1, 4);  // 12, 19, 26 January and 2 February
}

TEST(Recurrence, CountEndsTheSeriesForEveryQuery) {
  Recurrence series = Series("FREQ=DAILY;COUNT=4", "2026-01-01T10:00:00");
  EXPECT_EQ(series.NextAfter(At("2026-01-03T10:00:00Z"))->number, 4);
  EXPECT_EQ(series.NextAfter(At("2026-01-04T09:59:59.999999Z"))->number, 4);
  EXPECT_EQ(series.NextAfter(At("2026-01-04T10:00:00Z")), std::nullopt);
  EXPECT_EQ(series.NextAfter(At("2300-01-04T10:00:00Z")), std::nullopt);
}

TEST(RecurrenceFromCompletion, StartsAnewOnTheDayOfCompletion) {
  Recurrence series = Series("FREQ=DAILY;INTERVAL=3", "2026-01-01T09:00:00", "Europe/Berlin");
  // Done late in the evening of the 5th: three days later, at the time of the anchor.
  auto next = series.NextAfterCompletion(At("2026-01-05T22:30:00Z"), 1);
  ASSERT_TRUE(next);
  EXPECT_EQ(FormatInstant(next->at), "2026-01-08T08:00:00Z");
  EXPECT_EQ(next->number, 2);
  // Done after midnight of the zone, while it is still the 5th in UTC.
  EXPECT_EQ(FormatInstant(series.NextAfterCompletion(At("2026-01-05T23:30:00Z"), 1)->at),
            "2026-01-09T08:00:00Z");
  // Done before the time of day.
  EXPECT_EQ(FormatInstant(series.NextAfterCompletion(At("2026-01-06T05:00:00Z"), 7)->at),
            "2026-01-09T08:00:00Z");
}

TEST(RecurrenceFromCompletion, CountsCreatedTasks) {
  Recurrence series = Series("FREQ=WEEKLY;COUNT=3", "2026-01-01T09:00:00");
  EXPECT_EQ(series.NextAfterCompletion(At("2027-06-01T12:00:00Z"), 2)->number, 3);
  EXPECT_EQ(series.NextAfterCompletion(At("2026-01-01T12:00:00Z"), 3), std::nullopt);
  EXPECT_EQ(series.NextAfterCompletion(At("2026-01-01T12:00:00Z"), 99), std::nullopt);
}

TEST(RecurrenceFromCompletion, EndsAtUntil) {
  Recurrence series = Series("FREQ=WEEKLY;UNTIL=20260201", "2026-01-01T09:00:00");
  EXPECT_EQ(FormatInstant(series.NextAfterCompletion(At("2026-01-25T12:00:00Z"), 2)->at),
            "2026-02-01T09:00:00Z");
  EXPECT_EQ(series.NextAfterCompletion(At("2026-01-26T12:00:00Z"), 2), std::nullopt);
  EXPECT_EQ(series.NextAfterCompletion(kMaxInstant, 2), std::nullopt);
  EXPECT_EQ(series.NextAfterCompletion(Instant::min(), 2), std::nullopt);
}

TEST(RecurrenceFromCompletion, TakesTheDayOfMonthFromTheCompletion) {
  Recurrence series = Series("monthly", "2026-01-05T09:00:00");
  EXPECT_EQ(FormatInstant(series.NextAfterCompletion(At("2026-01-31T12:00:00Z"), 2)->at),
            "2026-02-28T09:00:00Z");
  Recurrence first_monday = Series("FREQ=MONTHLY;BYDAY=1MO", "2026-01-05T09:00:00");
  EXPECT_EQ(FormatInstant(first_monday.NextAfterCompletion(At("2026-01-31T12:00:00Z"), 2)->at),
            "2026-02-02T09:00:00Z");
}

TEST(RecurrenceFromCompletion, ANumberedWeekIsADateThatTheRuleNames) {
  // Done early: week 20 of this year is over with it, on the weekday that the series has.
  Recurrence series = Series("FREQ=YEARLY;BYWEEKNO=20", "2026-05-11T09:00:00");
  EXPECT_EQ(
      FormatInstant(
          series.NextAfterCompletion(At("2026-05-05T12:00:00Z"), 1, At("2026-05-11T09:00:00Z"))
              ->at),
      "2027-05-17T09:00:00Z");
  // Done in week 53 of 2026, though it is January: in the second year after that one.
  Recurrence second = Series("FREQ=YEARLY;INTERVAL=2;BYWEEKNO=1;BYDAY=MO", "2024-12-30T09:00:00");
  EXPECT_EQ(
      FormatInstant(
          second.NextAfterCompletion(At("2027-01-02T12:00:00Z"), 1, At("2024-12-30T09:00:00Z"))
              ->at),
      "2028-01-03T09:00:00Z");
}

std::string TextOf(std::string_view rule) {
  absl::StatusOr<RecurrenceRule> parsed = ParseRecurrenceRule(rule);
  return parsed.ok() ? FormatRecurrenceRule(*parsed) : parsed.status().ToString();
}

TEST(RecurrenceText, HasOneCanonicalForm) {
  EXPECT_EQ(Series("Weekdays", "2026-01-30T10:00:00").rule(), "FREQ=WEEKLY;BYDAY=MO,TU,WE,TH,FR");
  EXPECT_EQ(TextOf("daily"), "FREQ=DAILY");
  EXPECT_EQ(TextOf("weekdays"), "FREQ=WEEKLY;BYDAY=MO,TU,WE,TH,FR");
  EXPECT_EQ(TextOf("Monthly"), "RSCALE=GREGORIAN;FREQ=MONTHLY;SKIP=BACKWARD");
  EXPECT_EQ(TextOf("yearly"), "RSCALE=GREGORIAN;FREQ=YEARLY;SKIP=BACKWARD");
  EXPECT_EQ(TextOf(" rrule:byday=fr,mo,fr,+2tu,-1we;freq=monthly;interval=1;wkst=mo "),
            "FREQ=MONTHLY;BYDAY=-1WE,MO,FR,2TU");
  EXPECT_EQ(TextOf("RSCALE=GREGORIAN;FREQ=MONTHLY;SKIP=OMIT"), "FREQ=MONTHLY");
  EXPECT_EQ(TextOf("UNTIL=20270101T000000Z;FREQ=DAILY"), "FREQ=DAILY;UNTIL=20270101T000000Z");
  EXPECT_EQ(TextOf("UNTIL=20270101T000000;FREQ=DAILY"), "FREQ=DAILY;UNTIL=20270101T000000");
  EXPECT_EQ(TextOf("UNTIL=20270101;FREQ=DAILY"), "FREQ=DAILY;UNTIL=20270101");
  EXPECT_EQ(TextOf("FREQ=YEARLY;WKST=SU;BYSETPOS=-1,1;BYSECOND=5;BYMINUTE=4;BYHOUR=3;BYDAY=MO;"
                   "BYMONTHDAY=7,-7;"
                   "BYYEARDAY=200,100;BYWEEKNO=20,-1,+9;BYMONTH=12,4;COUNT=9;INTERVAL=2"),
            "FREQ=YEARLY;INTERVAL=2;COUNT=9;BYMONTH=4,12;BYWEEKNO=-1,9,20;BYYEARDAY=100,200;"
            "BYMONTHDAY=-7,7;BYDAY="
            "MO;BYHOUR=3;BYMINUTE=4;"
            "BYSECOND=5;BYSETPOS=-1,1;WKST=SU");
}

TEST(RecurrenceText, IsReadBackAsAnEqualRule) {
  for (const json& known : Known("cases")) {
    auto rule = ParseRecurrenceRule(known.at("rule").get<std::string>());
    ASSERT_TRUE(rule.ok());
    std::string text = FormatRecurrenceRule(*rule);
    auto again = ParseRecurrenceRule(text);
    ASSERT_TRUE(again.ok()) << text;
    EXPECT_EQ(*again, *rule) << text;
    EXPECT_EQ(FormatRecurrenceRule(*again), text);
  }
}

std::vector<std::string> WarningsOf(std::string_view rule, const std::string& anchor,
                                    std::string_view zone = "UTC") {
  return Series(rule, anchor, zone).Warnings();
}

TEST(RecurrenceWarnings, AreSilentWhereNothingSurprises) {
  for (std::string_view rule :
       {"daily", "weekly", "monthly", "yearly", "FREQ=MONTHLY;BYMONTHDAY=-1",
        "FREQ=MONTHLY;BYMONTH=1,3;BYMONTHDAY=31", "FREQ=MONTHLY;BYDAY=-1SA"}) {
    EXPECT_THAT(WarningsOf(rule, "2026-01-31T10:00:00"), IsEmpty()) << rule;
  }
  EXPECT_THAT(WarningsOf("weekdays", "2026-01-30T10:00:00"), IsEmpty());
  // One of the other days is there in the months without.
  EXPECT_THAT(WarningsOf("FREQ=MONTHLY;BYMONTHDAY=28,29,30;BYSETPOS=-1", "2026-01-30T10:00:00"),
              IsEmpty());
  EXPECT_THAT(WarningsOf("FREQ=MONTHLY;BYMONTHDAY=28,29,30,31;BYSETPOS=-1", "2026-01-31T10:00:00"),
              IsEmpty());
  EXPECT_THAT(WarningsOf("FREQ=YEARLY;BYWEEKNO=52,53;BYDAY=SU;BYSETPOS=-1", "2026-12-27T10:00:00"),
              ElementsAre(HasSubstr("The first occurrence, 2026-12-27")));
  // The months that are left out are none of the rule's.
  EXPECT_THAT(WarningsOf("FREQ=MONTHLY;INTERVAL=6", "2026-01-31T10:00:00"), IsEmpty());
  EXPECT_THAT(WarningsOf("FREQ=MONTHLY;INTERVAL=12;BYDAY=-1SA", "2026-01-31T10:00:00"), IsEmpty());
  // The series has ended by then.
  EXPECT_THAT(WarningsOf("FREQ=MONTHLY;COUNT=2", "2026-07-31T10:00:00"), IsEmpty());
  EXPECT_THAT(WarningsOf("FREQ=MONTHLY;UNTIL=20260915", "2026-07-31T10:00:00"), IsEmpty());
  EXPECT_THAT(WarningsOf("FREQ=MONTHLY;BYDAY=5MO;COUNT=2", "2026-08-31T10:00:00"),
              ElementsAre("The rule skips months without a fifth Monday."));
}

TEST(RecurrenceWarnings, NameTheDaysThatSomeMonthsOrYearsLack) {
  EXPECT_THAT(WarningsOf("FREQ=MONTHLY", "2026-01-31T10:00:00"),
              ElementsAre("The rule skips months without a 31st."));
  EXPECT_THAT(WarningsOf("FREQ=MONTHLY", "2026-01-30T10:00:00"),
              ElementsAre("The rule skips February, which has no 30th day."));
  EXPECT_THAT(WarningsOf("FREQ=MONTHLY", "2026-01-29T10:00:00"),
              ElementsAre("The rule skips February in years in which it has no 29th day."));
  EXPECT_THAT(WarningsOf("FREQ=YEARLY", "2024-02-29T10:00:00"),
              ElementsAre("29 February comes only in leap years."));
  EXPECT_THAT(WarningsOf("FREQ=YEARLY;BYYEARDAY=366", "2024-12-31T10:00:00"),
              ElementsAre("Day 366 comes only in leap years."));
  EXPECT_THAT(WarningsOf("FREQ=MONTHLY;BYMONTHDAY=-31", "2026-01-01T10:00:00"),
              ElementsAre("The rule skips months without 31 days."));
  EXPECT_THAT(WarningsOf("FREQ=MONTHLY;BYDAY=5MO", "2026-03-30T10:00:00"),
              ElementsAre("The rule skips months without a fifth Monday."));
  EXPECT_THAT(WarningsOf("FREQ=MONTHLY;BYDAY=6TU,1MO", "2026-01-05T10:00:00"),
              ElementsAre("No month has 6 Tuesdays."));
  EXPECT_THAT(WarningsOf("FREQ=YEARLY;BYDAY=53TH", "2026-12-31T10:00:00"),
              ElementsAre("The rule skips years without a 53rd Thursday."));
}

TEST(RecurrenceWarnings, NameTheYearsWithoutAWeek) {
  EXPECT_THAT(WarningsOf("FREQ=YEARLY;BYWEEKNO=53", "2026-12-30T10:00:00"),
              ElementsAre("The rule skips years without a week 53."));
  EXPECT_THAT(WarningsOf("FREQ=YEARLY;BYWEEKNO=-53", "2025-12-30T10:00:00"),
              ElementsAre("The rule skips years without 53 weeks."));
  EXPECT_THAT(WarningsOf("FREQ=YEARLY;BYWEEKNO=1,53", "2026-12-30T10:00:00"),
              ElementsAre("There are fewer occurrences in years without a week 53."));
}

TEST(RecurrenceWarnings, NameTheMonthsAndYearsWithFewerOccurrences) {
  EXPECT_THAT(WarningsOf("FREQ=MONTHLY;BYMONTHDAY=15,31", "2026-01-31T10:00:00"),
              ElementsAre("There are fewer occurrences in months without a 31st."));
  EXPECT_THAT(WarningsOf("FREQ=MONTHLY;BYMONTHDAY=30,31", "2026-01-31T10:00:00"),
              ElementsAre("The rule skips February, which has no 30th day.",
                          "There are fewer occurrences in months without a 31st."));
  EXPECT_THAT(WarningsOf("FREQ=MONTHLY;BYDAY=1MO,5MO", "2026-03-30T10:00:00"),
              ElementsAre("There are fewer occurrences in months without a fifth Monday."));
  EXPECT_THAT(WarningsOf("FREQ=YEARLY;BYYEARDAY=1,366", "2024-12-31T10:00:00"),
              ElementsAre("Day 366 comes only in leap years."));
}

TEST(RecurrenceWarnings, SayThatTheFirstOccurrenceIsNotTheRules) {
  EXPECT_THAT(WarningsOf("FREQ=WEEKLY;BYDAY=MO", "2026-01-01T10:00:00"),
              ElementsAre("The first occurrence, 2026-01-01 10:00, is not one that the rule names; "
                          "it counts as the "
                          "first all the same."));
  // 1 March is there for the 31st of February.
  EXPECT_THAT(
      WarningsOf("RSCALE=GREGORIAN;FREQ=MONTHLY;BYMONTHDAY=31;SKIP=FORWARD", "2026-03-01T10:00:00"),
      IsEmpty());
}

TEST(RecurrenceWarnings, SayWhereClocksSkipTheTime) {
  EXPECT_THAT(WarningsOf("daily", "2026-01-01T02:30:00", "Europe/Berlin"),
              ElementsAre("Clocks in Europe/Berlin go forward over 2026-03-29 02:30; that "
                          "occurrence comes at 2026-03-29 "
                          "03:30."));
  EXPECT_THAT(WarningsOf("weekly", "2026-01-01T02:30:00", "Europe/Berlin"), IsEmpty());
  for (const char* end : {"COUNT=30", "UNTIL=20260328", "UNTIL=20260329T012959Z"}) {
    EXPECT_THAT(
        WarningsOf(fmt::format("FREQ=DAILY;{}", end), "2026-01-01T02:30:00", "Europe/Berlin"),
        IsEmpty())
        << end;
  }
  EXPECT_EQ(WarningsOf("FREQ=DAILY;UNTIL=20260329T013000Z", "2026-01-01T02:30:00", "Europe/Berlin")
                .size(),
            1u);
}

/// A random rule in good order, mostly one that occurs.
std::string RandomRule(std::mt19937_64& random) {
  auto below = [&random](int n) { return static_cast<int>(random() % static_cast<unsigned>(n)); };
  auto numbers = [&below](int low, int high, int most) {
    std::vector<int> list;
    for (int i = 0, n = 1 + below(most); i < n; ++i) {
      const int number = low + below(high - low + 1);
      list.push_back(number == 0 && low < 0 ? 1 : number);
    }
    return list;
  };
  static constexpr std::string_view kDays[] = {"MO", "TU", "WE", "TH", "FR", "SA", "SU"};
  static constexpr std::string_view kFrequencies[] = {"DAILY", "WEEKLY", "MONTHLY", "YEARLY"};
  const int frequency = below(4);
  const bool skip = below(5) == 0;
  std::string rule;
  if (skip) rule = fmt::format("RSCALE=GREGORIAN;SKIP={};", below(2) == 0 ? "FORWARD" : "BACKWARD");
  rule += fmt::format("FREQ={}", kFrequencies[frequency]);
  auto add = [&rule](std::string_view name, const std::vector<int>& list) {
    rule += fmt::format(";{}={}", name, fmt::join(list, ","));
  };
  if (below(2) == 0) add("INTERVAL", {1 + below(6)});
  if (below(4) == 0) add("BYMONTH", numbers(1, 12, 6));
  if (frequency != 1 && below(3) == 0) add("BYMONTHDAY", numbers(skip ? -28 : -31, 31, 5));
  const bool weeks = frequency == 3 && !skip && below(4) == 0;
  if (weeks) add("BYWEEKNO", numbers(-53, 53, 5));
  if (frequency == 3 && below(4) == 0) add("BYYEARDAY", numbers(-365, 366, 6));
  if (below(3) == 0) {
    std::vector<std::string> list;
    for (int i = 0, n = 1 + below(4); i < n; ++i) {
      const bool plain = frequency < 2 || weeks || below(3) != 0;
      const std::string_view day = kDays[below(7)];
      list.push_back(plain
                         ? std::string(day)
                         : fmt::format("{}{}", below(2) == 0 ? 1 + below(5) : -1 - below(5), day));
    }
    rule += fmt::format(";BYDAY={}", fmt::join(list, ","));
  }
  if (below(4) == 0) add("BYHOUR", numbers(0, 4, 3));
  if (below(6) == 0) add("BYMINUTE", numbers(0, 59, 3));
  if (rule.find(";BY") != std::string::npos && below(5) == 0) add("BYSETPOS", numbers(-4, 4, 2));
  if (below(3) == 0) rule += fmt::format(";WKST={}", kDays[below(7)]);
  return rule;
}

struct RandomSeries {
  std::string rule;
  Recurrence series;
};

/// `n` random series that go on, in zones with remarkable clocks.
std::vector<RandomSeries> SomeSeries(std::uint64_t seed, int n) {
  static constexpr std::string_view kZones[] = {
      "UTC",          "Europe/Berlin",     "America/New_York", "Australia/Lord_Howe",
      "Pacific/Apia", "America/Sao_Paulo", "Antarctica/Troll"};
  std::mt19937_64 random(seed);
  std::vector<RandomSeries> some;
  while (static_cast<int>(some.size()) < n) {
    std::string rule = RandomRule(random);
    absl::CivilSecond anchor(1980 + static_cast<int>(random() % 60), 1,
                             1 + static_cast<int>(random() % 366), static_cast<int>(random() % 5),
                             static_cast<int>(random() % 4) * 15);
    auto series = Recurrence::Parse({rule, anchor, Zone(kZones[random() % std::size(kZones)])});
    if (series.ok()) some.push_back({rule, *series});
  }
  return some;
}

std::string Describe(const RandomSeries& random) {
  return random.rule + " from " + absl::FormatCivilTime(random.series.anchor()) + " in " +
         random.series.zone().name();
}

TEST(RecurrenceProperty, OccurrencesIncreaseAndAreNumberedWithoutGaps) {
  for (const RandomSeries& random : SomeSeries(1, 1500)) {
    SCOPED_TRACE(Describe(random));
    Instant before = random.series.zone().ToInstant(random.series.anchor());
    std::int64_t number = 1;
    for (const auto& occurrence : random.series.Upcoming(kMinInstant, 40)) {
      ASSERT_GT(occurrence.at, before);
      ASSERT_EQ(occurrence.number, ++number);
      ASSERT_EQ(random.series.zone().ToInstant(occurrence.local), occurrence.at);
      before = occurrence.at;
    }
  }
}

TEST(RecurrenceProperty, TheNextOccurrenceIsFoundFromEveryMomentBeforeIt) {
  std::mt19937_64 random_moment(7);
  for (const RandomSeries& random : SomeSeries(2, 300)) {
    SCOPED_TRACE(Describe(random));
    auto all = random.series.Upcoming(kMinInstant, 60);
    Instant from = random.series.zone().ToInstant(random.series.anchor());
    for (const auto& occurrence : all) {
      const auto distance = static_cast<std::uint64_t>((occurrence.at - from).count());
      for (Instant moment :
           {from, from + microseconds{static_cast<std::int64_t>(random_moment() % distance)},
            occurrence.at - microseconds{1}}) {
        auto next = random.series.NextAfter(moment);
        ASSERT_TRUE(next) << FormatInstant(moment);
        ASSERT_EQ(next->at, occurrence.at) << FormatInstant(moment);
        ASSERT_EQ(next->number, occurrence.number) << FormatInstant(moment);
        ASSERT_EQ(next->local, occurrence.local) << FormatInstant(moment);
      }
      from = occurrence.at;
    }
  }
}

TEST(RecurrenceProperty, CountIsExact) {
  std::mt19937_64 random_count(3);
  for (const RandomSeries& random : SomeSeries(4, 400)) {
    const int count = 2 + static_cast<int>(random_count() % 30);
    SCOPED_TRACE(Describe(random) + " COUNT=" + std::to_string(count));
    auto endless = random.series.Upcoming(kMinInstant, count - 1);
    auto counted = Recurrence::Parse({random.rule + ";COUNT=" + std::to_string(count),
                                      random.series.anchor(), random.series.zone()});
    ASSERT_TRUE(counted.ok());
    EXPECT_EQ(counted->Upcoming(kMinInstant, 100), endless);
    EXPECT_EQ(counted->NextAfter(endless.back().at).has_value(), false);
  }
}

TEST(RecurrenceProperty, UntilIsInclusive) {
  std::mt19937_64 random_place(5);
  for (const RandomSeries& random : SomeSeries(6, 400)) {
    SCOPED_TRACE(Describe(random));
    auto endless = random.series.Upcoming(kMinInstant, 20);
    const std::size_t last = random_place() % endless.size();
    absl::CivilSecond utc = TimeZone().ToLocal(endless[last].at);
    std::string until = absl::FormatTime(
        "%Y%m%dT%H%M%SZ", absl::FromCivil(utc, absl::UTCTimeZone()), absl::UTCTimeZone());
    auto ended = Recurrence::Parse(
        {random.rule + ";UNTIL=" + until, random.series.anchor(), random.series.zone()});
    ASSERT_TRUE(ended.ok()) << until;
    endless.resize(last + 1);
    EXPECT_EQ(ended->Upcoming(kMinInstant, 100), endless) << until;

    until = absl::FormatTime("%Y%m%dT%H%M%SZ", absl::FromCivil(utc - 1, absl::UTCTimeZone()),
                             absl::UTCTimeZone());
    ended = Recurrence::Parse(
        {random.rule + ";UNTIL=" + until, random.series.anchor(), random.series.zone()});
    endless.pop_back();
    if (endless.empty()) {
      EXPECT_EQ(ended.status().code(), absl::StatusCode::kOutOfRange) << until;
    } else {
      ASSERT_TRUE(ended.ok()) << until;
      EXPECT_EQ(ended->Upcoming(kMinInstant, 100), endless) << until;
    }
  }
}

TEST(Recurrence, MayBeUsedFromManyThreads) {
  Recurrence shared =
      Series("FREQ=MONTHLY;BYDAY=-1FR;BYHOUR=2,3", "2026-01-30T02:30:00", "Europe/Berlin");
  const auto expected = shared.Upcoming(kMinInstant, 50);
  std::vector<std::jthread> threads;
  for (int i = 0; i < 8; ++i) {
    threads.emplace_back([&shared, &expected] {
      for (int round = 0; round < 50; ++round) {
        EXPECT_EQ(shared.Upcoming(kMinInstant, 50), expected);
        EXPECT_FALSE(Recurrence::Parse(
                         {"FREQ=MONTHLY;BYMONTH=2;BYMONTHDAY=31", shared.anchor(), shared.zone()})
                         .ok());
        EXPECT_TRUE(Recurrence::Parse({"monthly", shared.anchor(), shared.zone()}).ok());
      }
    });
  }
}

/// Milliseconds of one call: the best of a few, since other work may run beside this.
template <typename Call>
double Milliseconds(const Call& call) {
  double best = 1e9;
  for (int i = 0; i < 5; ++i) {
    const auto begin = std::chrono::steady_clock::now();
    call();
    best = std::min(
        best, std::chrono::duration<double, std::milli>(std::chrono::steady_clock::now() - begin)
                  .count());
  }
  return best;
}

// Prints what the aims of the rule room are measured by; machines differ, so it asserts results
// only. The reference loop shows how fast this machine is.
TEST(RecurrenceCost, IsPrinted) {
  volatile std::uint64_t sink = 0;
  const double reference = Milliseconds([&sink] {
    std::uint64_t x = 88172645463325252u;
    for (int i = 0; i < 1'000'000; ++i) {
      x ^= x << 13;
      x ^= x >> 7;
      x ^= x << 17;
    }
    sink = x;
  });
  std::printf("%10.4f ms  reference: a million steps of a xorshift generator\n", reference);

  struct Question {
    std::string_view what;
    std::string rule;
    std::string_view zone;
    std::string_view after;
  };
  const std::string all_hours = "0,1,2,3,4,5,6,7,8,9,10,11,12,13,14,15,16,17,18,19,20,21,22,23";
  const Question questions[] = {
      {"daily, 40,000 days after its anchor", "FREQ=DAILY", "Europe/Berlin",
       "2109-07-08T12:00:00Z"},
      {"weekdays, as far", "weekdays", "Europe/Berlin", "2109-07-08T12:00:00Z"},
      {"daily on weekdays, as far", "FREQ=DAILY;BYDAY=MO,TU,WE,TH,FR", "Europe/Berlin",
       "2109-07-08T12:00:00Z"},
      {"last working day of the month, as far", "FREQ=MONTHLY;BYDAY=MO,TU,WE,TH,FR;BYSETPOS=-1",
       "Europe/Berlin", "2109-07-08T12:00:00Z"},
      {"29 February on a Monday, as far", "FREQ=DAILY;BYMONTH=2;BYMONTHDAY=29;BYDAY=MO",
       "Europe/Berlin", "2109-07-08T12:00:00Z"},
      {"every hour of every day, yearly, at the calendar's end",
       "FREQ=YEARLY;BYDAY=MO,TU,WE,TH,FR,SA,SU;BYHOUR=" + all_hours, "Europe/Berlin",
       "2399-12-01T12:00:00Z"},
      {"COUNT=10000 that ended long ago", "FREQ=DAILY;BYDAY=MO,TU,WE,TH,FR;COUNT=10000",
       "Europe/Berlin", "2399-12-01T12:00:00Z"},
  };
  for (const Question& question : questions) {
    Recurrence series = Series(question.rule, "2000-01-01T02:30:00", question.zone);
    const Instant after = At(question.after);
    std::optional<Recurrence::Occurrence> next;
    const double spent = Milliseconds([&] { next = series.NextAfter(after); });
    EXPECT_TRUE(!next || next->at > after);
    std::printf("%10.4f ms  next: %.*s\n", spent, static_cast<int>(question.what.size()),
                question.what.data());
  }
  for (std::string_view rule :
       {"FREQ=DAILY;BYMONTH=2;BYMONTHDAY=30", "FREQ=DAILY;BYHOUR=7,15;BYSETPOS=-5",
        "FREQ=MONTHLY;BYSETPOS=300;BYDAY=MO",
        "FREQ=YEARLY;BYDAY=1MO,2TU,3WE,4TH,5FR,-1SA,53SU;BYSETPOS=366",
        "FREQ=YEARLY;BYWEEKNO=1,53,-53,-1;BYYEARDAY=100,200,300;BYMONTHDAY=1,15"}) {
    absl::Status status;
    const double spent = Milliseconds([&] {
      status = Recurrence::Parse({rule, absl::CivilSecond(1970), TimeZone()}).status();
    });
    EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument);
    std::printf("%10.4f ms  refusal: %.*s\n", spent, static_cast<int>(rule.size()), rule.data());
  }
}

}  // namespace
}  // namespace todo::domain
