#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "domain/event/event_writer.h"
#include "fixtures.h"
#include "service/analytics/usage_buckets.h"
#include "service/analytics/usage_counter.h"
#include "service/analytics/usage_service.h"
#include "support/fake_database.h"
#include "support/fake_event_inbox.h"
#include "support/fake_preferred_zones.h"
#include "support/fake_usage_store.h"
#include "support/status_matchers.h"

namespace todo::service {
namespace {

using domain::Instant;
using domain::TimeZone;
using domain::UserId;
using support::StatusIs;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::SizeIs;

TimeZone Zone(std::string_view name) { return *TimeZone::Load(name); }

std::vector<std::string> Begins(std::string_view from, std::string_view to, UsageBucket bucket,
                                std::string_view zone) {
  std::vector<std::string> begins;
  const auto buckets = BucketsOf({At(from), At(to)}, bucket, Zone(zone));
  if (!buckets) return {"too many"};
  Instant end = At(from);
  for (const RangeBucket& one : *buckets) {
    EXPECT_EQ(one.start, end) << "no gap and no overlap";
    end = one.end;
    begins.push_back(domain::FormatInstant(one.start));
  }
  EXPECT_EQ(end, At(to));
  return begins;
}

std::vector<int> Hours(std::string_view from, std::string_view to, std::string_view zone) {
  std::vector<int> hours;
  const auto days = BucketsOf({At(from), At(to)}, UsageBucket::kDay, Zone(zone));
  for (const RangeBucket& day : *days)
    hours.push_back(static_cast<int>((day.end - day.start) / std::chrono::hours(1)));
  return hours;
}

TEST(UsageBucketsTest, DaysAreThoseOfTheZone) {
  EXPECT_THAT(
      Begins("2026-03-01T18:15:00Z", "2026-03-03T18:15:00Z", UsageBucket::kDay, "Asia/Kathmandu"),
      ElementsAre("2026-03-01T18:15:00Z", "2026-03-02T18:15:00Z"));
  EXPECT_THAT(
      Begins("2026-03-01T00:00:00Z", "2026-03-02T00:00:00Z", UsageBucket::kDay, "Asia/Kathmandu"),
      ElementsAre("2026-03-01T00:00:00Z", "2026-03-01T18:15:00Z"));
}

TEST(UsageBucketsTest, ADayOnWhichClocksChangeHas23Or25Hours) {
  EXPECT_THAT(Hours("2026-03-27T23:00:00Z", "2026-03-29T22:00:00Z", "Europe/Berlin"),
              ElementsAre(24, 23));
  EXPECT_THAT(Hours("2026-10-24T22:00:00Z", "2026-10-26T23:00:00Z", "Europe/Berlin"),
              ElementsAre(25, 24));
  // 13:45 ahead in summer, 12:45 in winter.
  EXPECT_THAT(Hours("2026-04-04T10:15:00Z", "2026-04-06T11:15:00Z", "Pacific/Chatham"),
              ElementsAre(25, 24));
  EXPECT_THAT(Hours("2026-09-26T11:15:00Z", "2026-09-28T10:15:00Z", "Pacific/Chatham"),
              ElementsAre(23, 24));
}

TEST(UsageBucketsTest, HoursBeginOnTheHourOfTheZone) {
  EXPECT_THAT(
      Begins("2026-03-01T00:00:00Z", "2026-03-01T02:00:00Z", UsageBucket::kHour, "Asia/Kathmandu"),
      ElementsAre("2026-03-01T00:00:00Z", "2026-03-01T00:15:00Z", "2026-03-01T01:15:00Z"));
  // 02:00 to 03:00 comes twice.
  EXPECT_THAT(
      Begins("2026-10-25T00:00:00Z", "2026-10-25T03:00:00Z", UsageBucket::kHour, "Europe/Berlin"),
      ElementsAre("2026-10-25T00:00:00Z", "2026-10-25T01:00:00Z", "2026-10-25T02:00:00Z"));
  // Clocks go forward by half an hour at 02:00.
  EXPECT_THAT(Begins("2026-10-03T14:30:00Z", "2026-10-03T17:00:00Z", UsageBucket::kHour,
                     "Australia/Lord_Howe"),
              ElementsAre("2026-10-03T14:30:00Z", "2026-10-03T15:30:00Z", "2026-10-03T16:00:00Z"));
}

TEST(UsageBucketsTest, WeeksBeginOnMondayAndMonthsOnTheirFirst) {
  EXPECT_THAT(Begins("2026-03-02T00:00:00Z", "2026-03-18T00:00:00Z", UsageBucket::kWeek, "UTC"),
              ElementsAre("2026-03-02T00:00:00Z", "2026-03-09T00:00:00Z", "2026-03-16T00:00:00Z"));
  EXPECT_THAT(Begins("2026-01-15T00:00:00Z", "2026-03-15T00:00:00Z", UsageBucket::kMonth, "UTC"),
              ElementsAre("2026-01-15T00:00:00Z", "2026-02-01T00:00:00Z", "2026-03-01T00:00:00Z"));
}

TEST(UsageBucketsTest, ADayThatAZoneHasLeftOutIsNoBucket) {
  EXPECT_THAT(
      Begins("2011-12-29T10:00:00Z", "2011-12-31T10:00:00Z", UsageBucket::kDay, "Pacific/Apia"),
      ElementsAre("2011-12-29T10:00:00Z", "2011-12-30T10:00:00Z"));
}

TEST(UsageBucketsTest, ThereIsALimit) {
  EXPECT_THAT(Begins("2026-01-01T00:00:00Z", "2026-03-25T08:00:00Z", UsageBucket::kHour, "UTC"),
              SizeIs(2'000));
  EXPECT_THAT(Begins("2026-01-01T00:00:00Z", "2026-03-25T08:15:00Z", UsageBucket::kHour, "UTC"),
              ElementsAre("too many"));
  EXPECT_THAT(Begins("1970-01-01T00:00:00Z", "9998-01-01T00:00:00Z", UsageBucket::kHour, "UTC"),
              ElementsAre("too many"));
}

TEST(UsageBucketsTest, AStreakEndsTodayOrYesterday) {
  const auto day = [](int number) { return absl::CivilDay(2026, 3, number); };
  const std::vector<absl::CivilDay> days = {day(1), day(2), day(3), day(6), day(7)};
  EXPECT_EQ(StreakUpTo(day(7), days), 2);
  EXPECT_EQ(StreakUpTo(day(8), days), 2);
  EXPECT_EQ(StreakUpTo(day(9), days), 0);
  EXPECT_EQ(StreakUpTo(day(4), days), 3) << "what lies ahead does not count";
  EXPECT_EQ(StreakUpTo(day(7), {}), 0);
  EXPECT_EQ(LongestStreak(day(1), day(7), days), 3);
  EXPECT_EQ(LongestStreak(day(3), day(6), days), 1);
}

TEST(UsageBucketsTest, DaysOfQuartersAreThoseOfTheZone) {
  EXPECT_THAT(DaysOf({At("2026-03-01T18:00:00Z"), At("2026-03-01T18:15:00Z"),
                      At("2026-03-02T18:00:00Z"), At("2026-03-02T18:15:00Z")},
                     Zone("Asia/Kathmandu")),
              ElementsAre(absl::CivilDay(2026, 3, 1), absl::CivilDay(2026, 3, 2),
                          absl::CivilDay(2026, 3, 3)));
}

class UsageServiceTest : public testing::Test {
 protected:
  /// An event about a task of another program, created an hour before.
  domain::TaskEvent Event(domain::ChangeKind kind, std::string_view at) {
    domain::TaskEvent event;
    event.id = domain::EventId{ids_.NewId()};
    event.task_id = {7};
    event.user = ann_;
    event.at = At(at);
    event.source = "elsewhere";
    event.kind = kind;
    event.task = domain::Task{};
    event.task->created_at = event.at - std::chrono::hours(1);
    return event;
  }
  void Count(const std::vector<domain::TaskEvent>& events) {
    const absl::Status status = inbox_.Transact(
        [&](ports::InboxTransaction& transaction) { return counter_.Apply(transaction, events); });
    EXPECT_TRUE(status.ok()) << status;
  }
  void Complete(std::string_view at) { Count({Event(domain::ChangeKind::kCompleted, at)}); }
  UsageAnswer Get(UsageInput input = {}) {
    input.user = ann_;
    const auto answer = service_.Get(ann_, input);
    EXPECT_TRUE(answer.ok()) << answer.status();
    return answer.value_or(UsageAnswer{});
  }

  const UserId ann_{"ann"};
  CountedIds ids_;
  SetClock clock_{"2026-03-10T12:34:56Z"};
  support::FakeDatabase database_;
  support::FakeEventInbox inbox_{database_};
  support::FakeUsageStore store_{database_};
  support::FakePreferredZones zones_{database_};
  UsageCounter counter_{clock_};
  UsageService service_{store_, zones_, clock_};
};

TEST_F(UsageServiceTest, TheDefaultIsTheLast30DaysUpToNow) {
  Complete("2026-02-09T00:00:00Z");
  Complete("2026-02-08T23:59:59Z");
  Complete("2026-03-10T12:34:56Z");
  const UsageAnswer answer = Get();
  ASSERT_THAT(answer.points, SizeIs(30));
  EXPECT_EQ(answer.points.front().start, At("2026-02-09T00:00:00Z"));
  EXPECT_EQ(answer.points.front().counts.completed, 1);
  EXPECT_FALSE(answer.points[28].unfinished);
  EXPECT_TRUE(answer.points.back().unfinished);
  EXPECT_EQ(answer.points.back().end, At("2026-03-10T12:45:00Z"));
  EXPECT_EQ(answer.points.back().counts.completed, 1);
  EXPECT_EQ(answer.usage.totals.counts.completed, 2);
  EXPECT_EQ(answer.time_zone, "UTC");
}

TEST_F(UsageServiceTest, TheZoneIsThatOfThePreferences) {
  ASSERT_TRUE(zones_.Keep(ann_, "Asia/Kathmandu", At("2026-03-01T00:00:00Z")).ok());
  EXPECT_EQ(Get().time_zone, "Asia/Kathmandu");
  EXPECT_EQ(Get().points.back().start, At("2026-03-09T18:15:00Z"));
  EXPECT_EQ(Get({.time_zone = "Europe/Berlin"}).points.back().start, At("2026-03-09T23:00:00Z"));
}

TEST_F(UsageServiceTest, ARangeIsWidenedToWholeQuarters) {
  const UsageAnswer answer =
      Get({.start = At("2026-03-01T09:14:59Z"), .end = At("2026-03-01T09:45:01Z")});
  ASSERT_THAT(answer.points, SizeIs(1));
  EXPECT_EQ(answer.points[0].start, At("2026-03-01T09:00:00Z"));
  EXPECT_EQ(answer.points[0].end, At("2026-03-01T10:00:00Z"));
  EXPECT_TRUE(answer.points[0].unfinished) << "the range cuts the day";
}

TEST_F(UsageServiceTest, ComparesWithThePeriodOfEqualLengthBefore) {
  Complete("2026-03-01T09:00:00Z");
  Complete("2026-03-02T09:00:00Z");
  Complete("2026-03-02T10:00:00Z");
  const UsageAnswer answer = Get(
      {.start = At("2026-03-02T00:00:00Z"), .end = At("2026-03-03T00:00:00Z"), .compare = true});
  EXPECT_EQ(answer.usage.totals.counts.completed, 2);
  ASSERT_TRUE(answer.usage.previous);
  EXPECT_EQ(answer.usage.previous->counts.completed, 1);
  EXPECT_FALSE(answer.points[0].unfinished);
}

TEST_F(UsageServiceTest, StreaksAreDaysOfTheZone) {
  for (const char* at : {"2026-03-08T18:30:00Z", "2026-03-09T18:00:00Z", "2026-03-09T18:30:00Z"})
    Complete(at);
  EXPECT_EQ(Get({.time_zone = "UTC"}).streak_days, 2);
  EXPECT_EQ(Get({.time_zone = "Asia/Kathmandu"}).streak_days, 2) << "the 9th and the 10th";
  EXPECT_EQ(Get({.start = At("2026-03-09T00:00:00Z"), .time_zone = "UTC"}).longest_streak_days, 1);
}

TEST_F(UsageServiceTest, SummarisesSevenDays) {
  Count({Event(domain::ChangeKind::kCreated, "2026-03-04T00:00:00Z"),
         Event(domain::ChangeKind::kCreated, "2026-03-03T23:00:00Z")});
  Complete("2026-03-10T09:00:00Z");
  const auto summary = service_.Summary(ann_, Zone("UTC"));
  ASSERT_TRUE(summary.ok()) << summary.status();
  EXPECT_EQ(summary->created, 1);
  EXPECT_EQ(summary->completed, 1);
  EXPECT_EQ(summary->streak_days, 1);
}

TEST_F(UsageServiceTest, WhatWasOpenedAgainIsNotCompletedInTheSummary) {
  Complete("2026-03-10T09:00:00Z");
  Complete("2026-03-10T09:01:00Z");
  Count({Event(domain::ChangeKind::kUncompleted, "2026-03-10T09:02:00Z")});
  EXPECT_EQ(service_.Summary(ann_, Zone("UTC"))->completed, 1);
  Count({Event(domain::ChangeKind::kUncompleted, "2026-03-10T09:03:00Z"),
         Event(domain::ChangeKind::kUncompleted, "2026-03-10T09:04:00Z")});
  EXPECT_EQ(service_.Summary(ann_, Zone("UTC"))->completed, 0);
}

TEST_F(UsageServiceTest, SaysWhatIsWrong) {
  const auto get = [&](const UsageInput& input) { return service_.Get(ann_, input).status(); };
  EXPECT_THAT(get({.user = ann_, .time_zone = "Europe/Nowhere"}),
              StatusIs(absl::StatusCode::kInvalidArgument));
  EXPECT_THAT(get({.user = ann_, .start = At("2026-03-11T00:00:00Z")}),
              StatusIs(absl::StatusCode::kInvalidArgument));
  EXPECT_THAT(get({.user = ann_, .end = domain::kMaxInstant}),
              StatusIs(absl::StatusCode::kInvalidArgument));
  EXPECT_THAT(get({.breakdown = ports::UsageBreakdown::kSeries}),
              StatusIs(absl::StatusCode::kInvalidArgument));
  const absl::Status too_many = get({.user = ann_, .start = domain::kMinInstant});
  EXPECT_THAT(too_many, StatusIs(absl::StatusCode::kInvalidArgument));
  EXPECT_THAT(std::string(too_many.message()), HasSubstr("2000"));
}

TEST_F(UsageServiceTest, AllUsersHaveNoStreak) {
  Complete("2026-03-10T09:00:00Z");
  const auto answer = service_.Get(ann_, {.user = {}});
  ASSERT_TRUE(answer.ok()) << answer.status();
  EXPECT_EQ(answer->usage.totals.counts.completed, 1);
  EXPECT_EQ(answer->streak_days, 0);
  EXPECT_THAT(answer->usage.active_users, ElementsAre(1, 1, 1));
}

TEST_F(UsageServiceTest, EventsOlderThanTheInboxAreNotCounted) {
  Complete("2026-02-08T12:34:55Z");
  EXPECT_EQ(Get().usage.uncounted_events, 1);
  Complete("2026-02-08T12:34:56Z");
  EXPECT_EQ(Get({.start = At("2026-01-01T00:00:00Z")}).usage.totals.counts.completed, 1);
}

TEST_F(UsageServiceTest, WhatAnotherProgramLeavesOutIsNotKnown) {
  domain::TaskEvent bare = Event(domain::ChangeKind::kCompleted, "2026-03-10T09:00:00Z");
  bare.task.reset();
  domain::TaskEvent no_time = Event(domain::ChangeKind::kCompleted, "2026-03-10T09:00:00Z");
  no_time.task->created_at = {};
  no_time.task->fields.tags = {"", std::string(51, 'x'), "fine", "fine"};
  for (int i = 0; i < 100; ++i) no_time.task->fields.tags.push_back(std::to_string(i));
  Count({bare, no_time});
  const UsageAnswer answer = Get({.breakdown = ports::UsageBreakdown::kTag});
  EXPECT_EQ(answer.usage.totals.counts.completed, 2);
  EXPECT_EQ(answer.usage.totals.counts.done, 0);
  EXPECT_EQ(answer.usage.totals.times.count, 0);
  EXPECT_THAT(answer.usage.parts, SizeIs(20)) << "a task has no more tags than ours may have";
  EXPECT_EQ(answer.usage.parts[19].key, "fine");
  EXPECT_THAT(Get({.breakdown = ports::UsageBreakdown::kPriority}).usage.parts, SizeIs(1));
}

TEST(CompletionRateTest, IsAShareOfTheTasksCreated) {
  EXPECT_EQ(CompletionRate({.born = 4, .done = 1}), 0.25);
  EXPECT_EQ(CompletionRate({.done = 1}), -1);
  EXPECT_EQ(CompletionRate({.born = 1, .done = 2}), 1);
  EXPECT_EQ(CompletionRate({.born = 1, .done = -1}), 0);
}

}  // namespace
}  // namespace todo::service
