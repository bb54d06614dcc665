#include "chat/grammar/grammar.h"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <chrono>
#include <fstream>
#include <optional>
#include <sstream>
#include <string>
#include <string_view>
#include <vector>

#include "chat/grammar/rule_words.h"
#include "domain/recurrence/recurrence_rule.h"
#include "domain/reminder/reminder.h"

namespace todo::chat {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::SizeIs;

GrammarContext ContextAt(const std::string& now, const std::string& zone) {
  GrammarContext context;
  context.zone = domain::TimeZone::Load(zone).value();
  absl::CivilSecond local;
  EXPECT_TRUE(absl::ParseCivilTime(now, &local)) << now;
  context.now = context.zone.ToInstant(local);
  return context;
}

/// A Thursday.
GrammarContext Now() { return ContextAt("2026-11-26T10:00:00", "Europe/Berlin"); }

std::string Trim(std::string_view text) {
  while (text.starts_with(' ')) text.remove_prefix(1);
  while (text.ends_with(' ')) text.remove_suffix(1);
  return std::string(text);
}

std::vector<std::string> Fields(const std::string& line) {
  std::vector<std::string> fields;
  std::istringstream in(line);
  for (std::string field; std::getline(in, field, '|');) fields.push_back(Trim(field));
  return fields;
}

std::vector<std::string> LinesOf(const std::string& name) {
  std::ifstream file(fmt::format("{}/{}", TODO_TEST_DATA_DIR, name));
  EXPECT_TRUE(file.is_open()) << name;
  std::vector<std::string> lines;
  for (std::string line; std::getline(file, line);) lines.push_back(line);
  return lines;
}

/// A comment, or an empty line. A sentence may begin with a tag.
bool IsComment(const std::string& line) { return line.empty() || line.starts_with("# "); }

/// "= now 2026-11-26 10:00 Europe/Berlin month_first sunday"
GrammarContext ContextOf(const std::string& line) {
  std::istringstream in(line);
  std::string equals;
  std::string now;
  std::string day;
  std::string time;
  std::string zone;
  in >> equals >> now >> day >> time >> zone;
  GrammarContext context = ContextAt(fmt::format("{}T{}:00", day, time), zone);
  for (std::string word; in >> word;) {
    if (word == "month_first") context.wording.date_order = domain::DateOrder::kMonthFirst;
    if (word == "sunday") context.wording.week_start = absl::Weekday::sunday;
  }
  return context;
}

/// "2026-11-27" or "2026-11-27 15:00".
std::string Short(const Moment& moment) {
  std::string text = ToDueLocal(moment);
  std::ranges::replace(text, 'T', ' ');
  return text.substr(0, std::string_view("2026-11-27 15:00").size());
}

/// The fields of a line of the table.
std::vector<std::string> Answer(const TaskPhrase& task) {
  std::vector<std::string> answer = {task.title, task.due ? Short(*task.due) : "-"};
  if (task.recurrence_rule) answer.push_back(*task.recurrence_rule);
  if (task.basis == domain::RecurrenceBasis::kCompletion) answer.emplace_back("from completion");
  if (task.priority) answer.emplace_back(domain::ToString(*task.priority));
  for (const std::string& tag : task.tags) answer.push_back(fmt::format("#{}", tag));
  for (const ReminderPhrase& reminder : task.reminders) {
    answer.push_back(fmt::format(
        "remind {}", reminder.at ? Short(*reminder.at) : domain::FormatPeriod(*reminder.before)));
  }
  for (const std::string& note : task.notes) answer.push_back(fmt::format("note: {}", note));
  return answer;
}

TEST(GrammarTable, SentencesMeanWhatTheTableSays) {
  std::optional<GrammarContext> context;
  int number = 0;
  int sentences = 0;
  for (const std::string& line : LinesOf("sentences.txt")) {
    ++number;
    if (IsComment(line)) continue;
    if (line.starts_with("= now")) {
      context = ContextOf(line);
      continue;
    }
    ASSERT_TRUE(context) << "the table begins with a line '= now'";
    std::vector<std::string> fields = Fields(line);
    ASSERT_GE(fields.size(), 3U) << line;
    const std::string text = fields.front();
    fields.erase(fields.begin());
    EXPECT_EQ(Answer(ParseTaskPhrase(text, *context)), fields)
        << "sentences.txt, line " << number << ": " << text;
    ++sentences;
  }
  EXPECT_GE(sentences, 350);
}

TEST(GrammarTable, TheNegativeCorpusHoldsNoDate) {
  int sentences = 0;
  for (const std::string& line : LinesOf("sentences_without_dates.txt")) {
    if (IsComment(line)) continue;
    const TaskPhrase task = ParseTaskPhrase(line, Now());
    EXPECT_EQ(task.title, line);
    EXPECT_THAT(task.pieces, IsEmpty()) << line;
    EXPECT_FALSE(task.due.has_value()) << line;
    ++sentences;
  }
  EXPECT_GE(sentences, 180);
}

// ---- pieces

TEST(Grammar, PiecesSayWhereTheyStandAndWhatTheyMean) {
  const std::string text = "call Ann every friday at 3pm, 30 min before #home p1";
  const TaskPhrase task = ParseTaskPhrase(text, Now());
  EXPECT_THAT(task.pieces, ElementsAre(Piece{PieceKind::kRecurrence, {9, 28}, "every Friday"},
                                       Piece{PieceKind::kReminder, {30, 43}, "30 minutes before"},
                                       Piece{PieceKind::kTag, {44, 49}, "home"},
                                       Piece{PieceKind::kPriority, {50, 52}, "high priority"}));
}

TEST(Grammar, ADateInTwoPiecesHasOneMeaning) {
  const TaskPhrase task = ParseTaskPhrase("at 9 call Ann tomorrow", Now());
  EXPECT_THAT(task.pieces,
              ElementsAre(Piece{PieceKind::kDueDate, {0, 4}, "Friday, 27 November 2026, 09:00"},
                          Piece{PieceKind::kDueDate, {14, 22}, "Friday, 27 November 2026, 09:00"}));
}

TEST(Grammar, PlainStretchesAreNotRead) {
  const std::string text = "read every day tomorrow";
  EXPECT_EQ(ParseTaskPhrase(text, Now(), {{5, 14}}).title, "read every day");
  EXPECT_EQ(ParseTaskPhrase(text, Now(), {{5, 14}}).due->local, absl::CivilSecond(2026, 11, 27));
  EXPECT_THAT(ParseTaskPhrase(text, Now(), {{5, 14}, {15, 23}}).pieces, IsEmpty());
  EXPECT_THAT(ParseTaskPhrase(text, Now(), {{22, 23}}).pieces, SizeIs(1))
      << "only the rule is left";
}

TEST(Grammar, ATaskHasAtMostTwentyTags) {
  std::string text = "x";
  for (int i = 0; i < 21; ++i) text += fmt::format(" #tag{}", i);
  const TaskPhrase task = ParseTaskPhrase(text, Now());
  EXPECT_THAT(task.tags, SizeIs(20));
  EXPECT_EQ(task.title, "x #tag20");
  EXPECT_THAT(task.notes, ElementsAre(HasSubstr("at most 20 tags")));
}

TEST(Grammar, ALongTagStaysInTheTitle) {
  const TaskPhrase task = ParseTaskPhrase(fmt::format("x #{}", std::string(51, 'a')), Now());
  EXPECT_THAT(task.tags, IsEmpty());
  EXPECT_THAT(task.notes, ElementsAre(HasSubstr("at most 50 characters")));
}

TEST(Grammar, TextBehindTheLimitIsPlain) {
  const std::string text = fmt::format("{} tomorrow", std::string(kMaxTextBytes, 'x'));
  EXPECT_THAT(ParseTaskPhrase(text, Now()).pieces, IsEmpty());
  EXPECT_EQ(ParseTaskPhrase(text, Now()).title, text);
}

TEST(Grammar, TheHoursOfPartsOfTheDayArePreferences) {
  GrammarContext context = Now();
  context.wording.morning = std::chrono::hours(7);
  context.wording.night = std::chrono::hours(22);
  EXPECT_EQ(Short(*ParseTaskPhrase("tomorrow morning", context).due), "2026-11-27 07:00");
  EXPECT_EQ(Short(*ParseTaskPhrase("tonight", context).due), "2026-11-26 22:00");
}

// ---- whole texts

TEST(Grammar, AWhenIsAMomentOrAShift) {
  const auto read = [](std::string_view text) -> std::string {
    const auto when = ParseWhen(text, Now());
    if (!when) return "none";
    return when->moment ? Short(*when->moment) : domain::FormatPeriod(*when->shift);
  };
  EXPECT_EQ(read("friday"), "2026-11-27");
  EXPECT_EQ(read("to tomorrow at 9"), "2026-11-27 09:00");
  EXPECT_EQ(read("until next week"), "2026-11-30");
  EXPECT_EQ(read("to april"), "2027-04-01");
  EXPECT_EQ(read("to the 5th"), "2026-12-05");
  EXPECT_EQ(read("in two days"), "2026-11-28");
  EXPECT_EQ(read("by friday."), "2026-11-27");
  EXPECT_EQ(read("to noon"), "2026-11-26 12:00");
  EXPECT_EQ(read("by two days"), "P2D");
  EXPECT_EQ(read("for an hour"), "PT1H");
  EXPECT_EQ(read("a week"), "P7D");
  EXPECT_EQ(read("another 3 days"), "P3D");
  EXPECT_EQ(read("2 days later"), "P2D");
  EXPECT_EQ(read("by a month"), "P30D");
  for (const std::string_view none :
       {"", "the shop", "a day or two", "tomorrow or friday", "to every monday", "to 2020-01-31",
        "friday monday", "friday buy milk", "by a year", "soon", "#friday"}) {
    EXPECT_EQ(read(none), "none") << none;
  }
}

TEST(Grammar, ARangeOfDays) {
  const auto read = [](std::string_view text) -> std::string {
    const auto range = ParseDayRange(text, Now());
    if (!range) return "none";
    return fmt::format("{} to {}", absl::FormatCivilTime(range->first),
                       absl::FormatCivilTime(range->last));
  };
  EXPECT_EQ(read("today"), "2026-11-26 to 2026-11-26");
  EXPECT_EQ(read("due today?"), "2026-11-26 to 2026-11-26");
  EXPECT_EQ(read("tonight"), "2026-11-26 to 2026-11-26");
  EXPECT_EQ(read("yesterday"), "2026-11-25 to 2026-11-25");
  EXPECT_EQ(read("on friday"), "2026-11-27 to 2026-11-27");
  EXPECT_EQ(read("last friday"), "2026-11-20 to 2026-11-20");
  EXPECT_EQ(read("next friday"), "2026-12-04 to 2026-12-04");
  EXPECT_EQ(read("this week"), "2026-11-23 to 2026-11-29");
  EXPECT_EQ(read("next week"), "2026-11-30 to 2026-12-06");
  EXPECT_EQ(read("last week"), "2026-11-16 to 2026-11-22");
  EXPECT_EQ(read("this month"), "2026-11-01 to 2026-11-30");
  EXPECT_EQ(read("next month"), "2026-12-01 to 2026-12-31");
  EXPECT_EQ(read("in december"), "2026-12-01 to 2026-12-31");
  EXPECT_EQ(read("november"), "2026-11-01 to 2026-11-30");
  EXPECT_EQ(read("this year"), "2026-01-01 to 2026-12-31");
  EXPECT_EQ(read("this weekend"), "2026-11-28 to 2026-11-29");
  EXPECT_EQ(read("on the weekend"), "2026-11-28 to 2026-11-29");
  EXPECT_EQ(read("the next 3 days"), "2026-11-26 to 2026-11-28");
  EXPECT_EQ(read("the last two weeks"), "2026-11-13 to 2026-11-26");
  EXPECT_EQ(read("until friday"), "2026-11-26 to 2026-11-27");
  EXPECT_EQ(read("2026-11-01"), "2026-11-01 to 2026-11-01");
  for (const std::string_view none :
       {"", "milk", "today milk", "at 3pm", "every day", "week", "until 2020-01-31"})
    EXPECT_EQ(read(none), "none") << none;
}

TEST(Grammar, WeeksOfARangeBeginAsTheUserSays) {
  GrammarContext context = Now();
  context.wording.week_start = absl::Weekday::sunday;
  EXPECT_EQ(ParseDayRange("this week", context),
            (DayRange{absl::CivilDay(2026, 11, 22), absl::CivilDay(2026, 11, 28)}));
}

// ---- words

TEST(Grammar, DescribesMoments) {
  const Moment day{.local = absl::CivilSecond(2026, 11, 27), .has_time = false};
  EXPECT_EQ(Describe(day, {}), "Friday, 27 November 2026");
  EXPECT_EQ(ToDueLocal(day), "2026-11-27");
  const Moment time{.local = absl::CivilSecond(2026, 11, 27, 9, 5), .has_time = true};
  EXPECT_EQ(Describe(time, {}), "Friday, 27 November 2026, 09:05");
  EXPECT_EQ(ToDueLocal(time), "2026-11-27T09:05:00");
}

TEST(Grammar, SaysRulesWithTheTimeOfTheFirstDate) {
  using namespace std::chrono_literals;
  const auto words = [](std::string_view rule, std::chrono::seconds time) {
    return RuleInWords(domain::ParseRecurrenceRule(rule).value(), {}, time);
  };
  EXPECT_EQ(words("FREQ=WEEKLY;BYDAY=MO", 9h), "every Monday at 09:00");
  EXPECT_EQ(words("FREQ=DAILY;COUNT=10", 7h + 5min + 30s), "every day at 07:05:30, 10 times");
  EXPECT_EQ(words("FREQ=DAILY;BYHOUR=8,20", 8h + 30min), "every day at 08:30 and 20:30");
  EXPECT_EQ(words("FREQ=DAILY;BYHOUR=8;BYMINUTE=0,15", 9h), "every day at 08:00 and 08:15");
}

TEST(Grammar, SaysTimesWithTwelveHours) {
  using namespace std::chrono_literals;
  domain::Wording wording;
  wording.hour12 = true;
  const Moment time{.local = absl::CivilSecond(2026, 11, 27, 17, 0), .has_time = true};
  EXPECT_EQ(Describe(time, wording), "Friday, 27 November 2026, 5 pm");
  const auto words = [&](std::string_view rule, std::optional<std::chrono::seconds> first) {
    return RuleInWords(domain::ParseRecurrenceRule(rule).value(), wording, first);
  };
  EXPECT_EQ(words("FREQ=WEEKLY;BYDAY=MO", 18h + 30min), "every Monday at 6:30 pm");
  EXPECT_EQ(words("FREQ=DAILY;BYHOUR=0,9,12", 7h), "every day at 12 am, 9 am and 12 pm");
  EXPECT_EQ(words("FREQ=DAILY;BYHOUR=17;BYMINUTE=0,30", {}), "every day at 5 pm and 5:30 pm");
  EXPECT_EQ(words("FREQ=DAILY;UNTIL=20261231T170000Z", {}),
            "every day, until Thursday, 31 December 2026, 5 pm UTC");
}

TEST(Grammar, ReadsTheTimesThatItWrites) {
  GrammarContext context = ContextAt("2026-11-26T10:00:00", "Europe/Berlin");
  for (const bool hour12 : {true, false}) {
    context.wording.hour12 = hour12;
    for (int minute = 0; minute < 24 * 60; minute += 15) {
      const std::chrono::minutes time(minute);
      const Moment wanted{
          .local = absl::CivilSecond(2026, 11, 27) + std::chrono::seconds(time).count(),
          .has_time = true};
      const std::string words = domain::ClockWords(time, context.wording);
      for (const std::string& text : {fmt::format("Call tomorrow at {}", words),
                                      "Call " + Describe(wanted, context.wording)}) {
        const TaskPhrase task = ParseTaskPhrase(text, context);
        ASSERT_TRUE(task.due) << text;
        EXPECT_EQ(ToDueLocal(*task.due), ToDueLocal(wanted)) << text;
        EXPECT_EQ(task.title, "Call") << text;
      }
    }
  }
}

TEST(Grammar, SaysRulesInWords) {
  const auto words = [](std::string_view rule) {
    return RuleInWords(domain::ParseRecurrenceRule(rule).value(), {});
  };
  EXPECT_EQ(words("FREQ=DAILY"), "every day");
  EXPECT_EQ(words("FREQ=DAILY;INTERVAL=2"), "every 2 days");
  EXPECT_EQ(words("FREQ=WEEKLY"), "every week");
  EXPECT_EQ(words("FREQ=WEEKLY;BYDAY=MO"), "every Monday");
  EXPECT_EQ(words("FREQ=WEEKLY;BYDAY=SU,WE,MO"), "every Monday, Wednesday and Sunday");
  EXPECT_EQ(words("FREQ=WEEKLY;BYDAY=MO,TU,WE,TH,FR"), "every weekday");
  EXPECT_EQ(words("FREQ=WEEKLY;INTERVAL=2;BYDAY=MO,FR"), "every 2 weeks on Monday and Friday");
  EXPECT_EQ(words("FREQ=MONTHLY;BYMONTHDAY=1"), "every month on the 1st");
  EXPECT_EQ(words("FREQ=MONTHLY;BYMONTHDAY=-1"), "every month on the last day");
  EXPECT_EQ(words("FREQ=MONTHLY;BYDAY=-1FR"), "every month on the last Friday");
  EXPECT_EQ(words("FREQ=MONTHLY;BYDAY=1MO,3MO"), "every month on the 1st Monday and 3rd Monday");
  EXPECT_EQ(words("monthly"), "every month (or the last day of a shorter month)");
  EXPECT_EQ(words("FREQ=MONTHLY;BYDAY=MO,TU,WE,TH,FR;BYSETPOS=-1"),
            "every month on a weekday, only the last of these days");
  EXPECT_EQ(words("FREQ=MONTHLY;BYDAY=FR;BYMONTHDAY=13"),
            "every month on the 13th if it is Friday");
  EXPECT_EQ(words("FREQ=YEARLY;BYMONTH=4;BYMONTHDAY=15"), "every year on 15 April");
  EXPECT_EQ(words("FREQ=YEARLY;BYMONTH=11;BYDAY=4TH"),
            "every year in November on the 4th Thursday");
  EXPECT_EQ(words("FREQ=YEARLY;BYWEEKNO=20;BYDAY=MO"), "every year in the 20th week on Monday");
  EXPECT_EQ(words("FREQ=YEARLY;BYYEARDAY=100,-1"),
            "every year on the last and 100th day of the year");
  EXPECT_EQ(words("FREQ=DAILY;BYHOUR=9,17"), "every day at 09:00 and 17:00");
  EXPECT_EQ(words("FREQ=DAILY;BYHOUR=9;BYMINUTE=0,30"), "every day at 09:00 and 09:30");
  EXPECT_EQ(words("FREQ=DAILY;COUNT=10"), "every day, 10 times");
  EXPECT_EQ(words("FREQ=DAILY;UNTIL=20261231"), "every day, until Thursday, 31 December 2026");
}

}  // namespace
}  // namespace todo::chat
