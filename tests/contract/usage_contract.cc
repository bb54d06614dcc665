#include "contract/usage_contract.h"

#include <gmock/gmock.h>

#include <algorithm>
#include <cmath>
#include <utility>

#include "domain/event/dead_letter.h"
#include "util/status.h"

namespace todo::contract {

GTEST_ALLOW_UNINSTANTIATED_PARAMETERIZED_TEST(UsageContract);

using domain::ChangeKind;
using domain::Priority;
using domain::Task;
using domain::UserId;
using ports::Usage;
using ports::UsageBreakdown;
using ports::UsageCounts;
using ports::UsageEvent;
using ports::UsageQuery;
using ports::UsageTimes;
using testing::AllOf;
using testing::ElementsAre;
using testing::Field;
using testing::IsEmpty;

namespace {

UsageEvent Foreign(const UserId& user, ChangeKind kind, std::string_view at,
                   std::string_view created_at) {
  return {.user = user,
          .event_id = NewEventId(),
          .seq = 1,
          .task_id = domain::TaskId{900'000},
          .kind = kind,
          .at = At(at),
          .created_at = At(created_at),
          .priority = Priority::kHigh,
          .tags = {"foreign"}};
}

auto IsPart(const std::string& key, UsageCounts counts) {
  return AllOf(Field("key", &ports::UsagePart::key, key),
               Field("totals", &ports::UsagePart::totals,
                     Field("counts", &ports::UsageTotals::counts, counts)));
}

}  // namespace

Task UsageContract::Apply(ports::Mutation mutation, std::string_view at) {
  mutation.now = At(at);
  if (mutation.kind == ChangeKind::kCompleted && !mutation.patch.title) mutation.fingerprint += at;
  const auto result = tasks().Apply(mutation);
  EXPECT_TRUE(result.ok()) << result.status();
  return result.ok() ? result->task : Task{};
}

Task UsageContract::Create(const UserId& user, std::string_view at,
                           const domain::TaskFields& fields) {
  ports::Mutation mutation = contract::Create(user, fields.title);
  mutation.fields = fields;
  return Apply(mutation, at);
}

std::vector<UsageEvent> UsageContract::Events(const UserId& user) {
  std::vector<UsageEvent> events;
  for (const domain::Change& change : AllChanges(tasks(), user)) {
    events.push_back({.user = user,
                      .event_id = change.event_id,
                      .is_ours = true,
                      .seq = change.seq,
                      .task_id = change.task_id,
                      .kind = change.kind,
                      .at = change.at});
  }
  return events;
}

void UsageContract::Count(const std::vector<UsageEvent>& events, std::string_view oldest) {
  const absl::Status status =
      environment_->inbox().Transact([&](ports::InboxTransaction& transaction) {
        return transaction.usage().Count(events, At(oldest));
      });
  EXPECT_TRUE(status.ok()) << status;
}

void UsageContract::GiveUp(const UsageEvent& event) {
  domain::ReceivedEvent received;
  received.event.id = event.event_id;
  received.event.user = event.user;
  received.event.task_id = event.task_id;
  received.event.at = event.at;
  received.record.topic = "task-events";
  const absl::StatusOr<bool> added = environment_->retries().AddDeadLetter(
      domain::DeadLetterOf("usage", received, 1, event.at, event.at, "never"),
      ports::TakenFrom::kBus, event.at);
  EXPECT_TRUE(added.value_or(false)) << added.status();
}

Usage UsageContract::Read(const UsageQuery& query) {
  absl::StatusOr<Usage> usage = environment_->usage().Read(query);
  EXPECT_TRUE(usage.ok()) << usage.status();
  return usage.ok() ? *std::move(usage) : Usage{};
}

Usage UsageContract::Read(const std::optional<UserId>& user, std::string_view from,
                          std::string_view to) {
  return Read({.user = user, .borders = {At(from), At(to)}, .now = At(to)});
}

Usage UsageContract::ReadYear(const std::optional<UserId>& user, UsageBreakdown breakdown) {
  return Read({.user = user,
               .borders = {At("2026-01-01T00:00:00Z"), At("2027-01-01T00:00:00Z")},
               .breakdown = breakdown,
               .now = At("2027-01-01T00:00:00Z")});
}

void UsageContract::Rebuild() {
  ASSERT_TRUE(usage().StartRebuild(At("2026-03-10T00:00:00Z"))->running);
  absl::StatusOr<bool> more = true;
  while (more.value_or(false)) more = usage().ContinueRebuild(At("2026-03-10T00:00:01Z"));
  EXPECT_TRUE(more.ok()) << more.status();
  EXPECT_FALSE(usage().ReadRebuild()->running);
}

void UsageContract::Pack() {
  absl::StatusOr<bool> more = true;
  while (more.value_or(false)) more = usage().Pack(At("2100-01-01T00:00:00Z"));
  EXPECT_TRUE(more.ok()) << more.status();
}

TEST_P(UsageContract, NothingIsCountedAtFirst) {
  const Usage usage = ReadYear(ann_);
  EXPECT_THAT(usage.buckets, ElementsAre(UsageCounts{}));
  EXPECT_EQ(usage.totals, ports::UsageTotals{});
  EXPECT_EQ(usage.as_of_seq, 0);
  EXPECT_EQ(usage.open, 0);
  EXPECT_THAT(usage.completed_quarters, IsEmpty());
  EXPECT_EQ(ReadYear(std::nullopt).totals, ports::UsageTotals{});
}

TEST_P(UsageContract, CountsEachKindInTheBucketOfItsTime) {
  const Task task = Create(ann_, "2026-03-01T09:14:59Z");
  Apply(Rename(task, "renamed"), "2026-03-01T09:15:00Z");
  Apply(ChangeOf(ChangeKind::kCompleted, task), "2026-03-01T09:30:00Z");
  Apply(ChangeOf(ChangeKind::kUncompleted, task), "2026-03-01T09:44:59.999999Z");
  Apply(ChangeOf(ChangeKind::kDeleted, task), "2026-03-01T09:45:00Z");
  CountAll(ann_);
  const Usage usage = Read({.user = ann_,
                            .borders = {At("2026-03-01T09:00:00Z"), At("2026-03-01T09:15:00Z"),
                                        At("2026-03-01T09:30:00Z"), At("2026-03-01T09:45:00Z")}});
  EXPECT_THAT(usage.buckets,
              ElementsAre(UsageCounts{.created = 1, .born = 1}, UsageCounts{.updated = 1},
                          UsageCounts{.completed = 1, .uncompleted = 1}));
  EXPECT_EQ(usage.totals.counts,
            (UsageCounts{.created = 1, .updated = 1, .completed = 1, .uncompleted = 1, .born = 1}))
      << "the end of the range is exclusive";
  EXPECT_EQ(usage.as_of_seq, 5);
  EXPECT_THAT(usage.completed_quarters, ElementsAre(At("2026-03-01T09:30:00Z")));
}

TEST_P(UsageContract, AChangeCountsOnceHoweverOftenAndInWhateverOrderItComes) {
  for (int i = 0; i < 5; ++i) Create(ann_, "2026-03-01T09:00:00Z");
  const std::vector<UsageEvent> events = Events(ann_);
  Count({events[3], events[1]});
  EXPECT_EQ(ReadYear(ann_).as_of_seq, 0) << "the first change is not counted yet";
  Count({events[1], events[0]});
  EXPECT_EQ(ReadYear(ann_).as_of_seq, 2);
  Count({events[2]});
  EXPECT_EQ(ReadYear(ann_).as_of_seq, 4);
  Count(events);
  EXPECT_EQ(ReadYear(ann_).as_of_seq, 5);
  EXPECT_EQ(ReadYear(ann_).totals.counts.created, 5);
  EXPECT_EQ(ReadYear(std::nullopt).totals.counts.created, 5);
}

TEST_P(UsageContract, AFailedTransactionLeavesNothing) {
  Create(ann_, "2026-03-01T09:00:00Z");
  const absl::Status status =
      environment_->inbox().Transact([&](ports::InboxTransaction& transaction) -> absl::Status {
        TODO_RETURN_IF_ERROR(transaction.usage().Count(Events(ann_), At("2026-01-01T00:00:00Z")));
        return absl::InternalError("the effect failed");
      });
  EXPECT_EQ(status.code(), absl::StatusCode::kInternal);
  EXPECT_EQ(ReadYear(ann_).totals.counts.created, 0);
  CountAll(ann_);
  EXPECT_EQ(ReadYear(ann_).totals.counts.created, 1);
}

TEST_P(UsageContract, EventsOfOtherProgramsCountOnlyForTasksOfTheirs) {
  const Task task = Create(ann_, "2026-03-01T09:00:00Z");
  CountAll(ann_);
  UsageEvent about_ours =
      Foreign(ann_, ChangeKind::kCompleted, "2026-03-01T10:00:00Z", "2026-03-01T09:00:00Z");
  about_ours.task_id = task.id;
  UsageEvent not_in_the_log =
      Foreign(ann_, ChangeKind::kCompleted, "2026-03-01T10:00:00Z", "2026-03-01T09:00:00Z");
  not_in_the_log.is_ours = true;  // of a future that was undone, when the database was set back
  UsageEvent of_bob = about_ours;
  of_bob.user = bob_;
  Count({about_ours, not_in_the_log, of_bob});
  EXPECT_EQ(ReadYear(ann_).totals.counts.completed, 0);
  EXPECT_EQ(ReadYear(bob_).totals.counts.completed, 0);

  Count({Foreign(bob_, ChangeKind::kCompleted, "2026-03-02T10:00:00Z", "2026-03-02T09:00:00Z")});
  const Usage usage = ReadYear(bob_);
  EXPECT_EQ(usage.totals.counts, (UsageCounts{.completed = 1, .done = 1}));
  EXPECT_EQ(usage.totals.times, (UsageTimes{.count = 1, .p50 = 3600, .p90 = 3600}));
  EXPECT_EQ(usage.as_of_seq, 0);
  EXPECT_EQ(ReadYear(std::nullopt).totals.counts.completed, 1);
}

TEST_P(UsageContract, AnEventThatIsTooOldIsOnlyNoted) {
  Create(ann_, "2026-03-01T09:00:00Z");
  Create(ann_, "2026-03-03T09:00:00Z");
  Count(Events(ann_), "2026-03-02T00:00:00Z");
  Count({Foreign(ann_, ChangeKind::kCreated, "2026-03-01T09:00:00Z", "2026-03-01T09:00:00Z")},
        "2026-03-02T00:00:00Z");
  const Usage usage = ReadYear(ann_);
  EXPECT_EQ(usage.totals.counts.created, 1);
  EXPECT_EQ(usage.as_of_seq, 2) << "there is nothing to wait for";
  EXPECT_EQ(usage.uncounted_events, 2);
  EXPECT_EQ(ReadYear(std::nullopt).uncounted_events, 2);

  Rebuild();
  EXPECT_EQ(ReadYear(ann_).totals.counts.created, 2);
  EXPECT_EQ(ReadYear(ann_).as_of_seq, 2);
  EXPECT_EQ(ReadYear(ann_).uncounted_events, 1) << "the change log knows nothing of other programs";
  EXPECT_EQ(usage.uncounted_events, 2);
  EXPECT_EQ(this->usage().ReadRebuild()->counted_changes, 2);
  EXPECT_EQ(this->usage().ReadRebuild()->added_events, 1);
}

TEST_P(UsageContract, ADeadLetterIsNotWaitedForAndCountsWhenItIsReplayed) {
  for (int i = 0; i < 4; ++i) Create(ann_, "2026-03-01T09:00:00Z");
  const std::vector<UsageEvent> events = Events(ann_);
  GiveUp(events[2]);
  EXPECT_EQ(ReadYear(ann_).as_of_seq, 0);
  Count({events[1]});
  EXPECT_EQ(ReadYear(ann_).as_of_seq, 0) << "the first event may still come";
  Count({events[0]});
  EXPECT_EQ(ReadYear(ann_).as_of_seq, 3);
  EXPECT_EQ(ReadYear(ann_).totals.counts.created, 2);
  GiveUp(events[3]);
  EXPECT_EQ(ReadYear(ann_).as_of_seq, 4);

  Count({events[2]});
  EXPECT_EQ(ReadYear(ann_).totals.counts.created, 3);
  EXPECT_EQ(ReadYear(ann_).as_of_seq, 4);
  Rebuild();
  EXPECT_EQ(ReadYear(ann_).totals.counts.created, 4);
  EXPECT_EQ(ReadYear(ann_).as_of_seq, 4);
  EXPECT_EQ(usage().ReadRebuild()->added_events, 1);
}

TEST_P(UsageContract, ADeadLetterOfAnotherProgramPassesNothingOver) {
  Create(ann_, "2026-03-01T09:00:00Z");
  GiveUp(Foreign(ann_, ChangeKind::kCreated, "2026-03-01T09:00:00Z", "2026-03-01T09:00:00Z"));
  GiveUp(Foreign(bob_, ChangeKind::kCreated, "2026-03-01T09:00:00Z", "2026-03-01T09:00:00Z"));
  EXPECT_EQ(ReadYear(ann_).as_of_seq, 0);
  EXPECT_EQ(ReadYear(bob_).as_of_seq, 0);
}

TEST_P(UsageContract, BreaksDownByTheValuesThatTheTaskHadAtTheEvent) {
  Task task = Create(ann_, "2026-03-01T09:00:00Z",
                     {.title = "t", .priority = Priority::kLow, .tags = {"home", "garden"}});
  ports::Mutation change = ChangeOf(ChangeKind::kUpdated, task);
  change.patch.priority = Priority::kHigh;
  change.patch.tags = std::vector<std::string>{"home"};
  task = Apply(change, "2026-03-01T10:00:00Z");
  Apply(ChangeOf(ChangeKind::kCompleted, task), "2026-03-01T11:00:00Z");
  Create(ann_, "2026-03-01T09:00:00Z", {.title = "t", .priority = Priority::kMedium});
  CountAll(ann_);
  for (const auto& user : {std::optional(ann_), std::optional<UserId>()}) {
    EXPECT_THAT(ReadYear(user, UsageBreakdown::kPriority).parts,
                ElementsAre(IsPart("high", {.updated = 1, .completed = 1, .done = 1}),
                            IsPart("low", {.created = 1, .born = 1}),
                            IsPart("medium", {.created = 1, .born = 1})));
    EXPECT_THAT(
        ReadYear(user, UsageBreakdown::kTag).parts,
        ElementsAre(
            IsPart("home", {.created = 1, .updated = 1, .completed = 1, .born = 1, .done = 1}),
            IsPart("garden", {.created = 1, .born = 1})));
    EXPECT_EQ(ReadYear(user).totals.counts.created, 2);
    EXPECT_THAT(ReadYear(user).parts, IsEmpty());
  }
  const ports::UsagePart high = ReadYear(ann_, UsageBreakdown::kPriority).parts.front();
  EXPECT_EQ(high.totals.times, (UsageTimes{.count = 1, .p50 = 7200, .p90 = 7200}));
}

TEST_P(UsageContract, ASeriesHasTheTitleOfItsNewestOccurrence) {
  ports::Mutation mutation = CreateRecurring(ann_, "Water the plants");
  const Task task = Apply(mutation, "2026-03-01T09:00:00Z");
  Apply(Rename(task, "Water the roses"), "2026-03-01T10:00:00Z");
  Create(ann_, "2026-03-01T09:00:00Z");
  CountAll(ann_);
  const std::vector<ports::UsagePart> parts = ReadYear(ann_, UsageBreakdown::kSeries).parts;
  EXPECT_THAT(parts, ElementsAre(IsPart(task.series->series_id.value(),
                                        {.created = 1, .updated = 1, .born = 1})));
  EXPECT_EQ(parts.front().title, "Water the roses");
}

TEST_P(UsageContract, AnswersNoMorePartsThanWanted) {
  for (const char* tag : {"a", "b", "c"}) {
    for (int i = 0; i <= (tag[0] == 'b'); ++i)
      Create(ann_, "2026-03-01T09:00:00Z", {.title = "t", .tags = {tag}});
  }
  CountAll(ann_);
  const Usage usage = Read({.user = ann_,
                            .borders = {At("2026-03-01T00:00:00Z"), At("2026-03-02T00:00:00Z")},
                            .breakdown = UsageBreakdown::kTag,
                            .max_parts = 2});
  EXPECT_THAT(usage.parts, ElementsAre(IsPart("b", {.created = 2, .born = 2}),
                                       IsPart("a", {.created = 1, .born = 1})));
}

TEST_P(UsageContract, TimesAreExactForAUserAndNearForAll) {
  const std::vector<std::string> ends = {"09:00:10", "09:10:00", "10:00:00", "11:00:00",
                                         "12:00:00", "13:00:00", "14:00:00", "15:00:00",
                                         "16:00:00", "17:00:00"};
  for (const std::string& end : ends) {
    const Task task = Create(ann_, "2026-03-01T09:00:00Z");
    Apply(ChangeOf(ChangeKind::kCompleted, task), "2026-03-01T" + end + "Z");
  }
  CountAll(ann_);
  EXPECT_EQ(ReadYear(ann_).totals.times,
            (UsageTimes{.count = 10, .p50 = 3 * 3600, .p90 = 7 * 3600}))
      << "the fifth and the ninth";
  const UsageTimes all = ReadYear(std::nullopt).totals.times;
  EXPECT_EQ(all.count, 10);
  EXPECT_NEAR(all.p50, 3 * 3600, 0.05 * 3 * 3600);
  EXPECT_NEAR(all.p90, 7 * 3600, 0.05 * 7 * 3600);
}

TEST_P(UsageContract, CompletionsCountForTheTimeInWhichTheirTasksWereCreated) {
  const Task task = Create(ann_, "2026-03-01T09:00:00Z");
  const Task other = Create(ann_, "2026-03-01T09:00:00Z");
  Apply(ChangeOf(ChangeKind::kCompleted, task), "2026-03-05T09:00:00Z");
  Apply(ChangeOf(ChangeKind::kCompleted, other), "2026-03-05T09:00:00Z");
  Apply(ChangeOf(ChangeKind::kUncompleted, other), "2026-03-06T09:00:00Z");
  CountAll(ann_);
  EXPECT_EQ(Read(ann_, "2026-03-01T00:00:00Z", "2026-03-02T00:00:00Z").totals.counts,
            (UsageCounts{.created = 2, .born = 2, .done = 1}));
  EXPECT_EQ(Read(ann_, "2026-03-05T00:00:00Z", "2026-03-06T00:00:00Z").totals.counts,
            (UsageCounts{.completed = 2}));
}

TEST_P(UsageContract, ThePeriodBeforeHasTotalsOfItsOwn) {
  const Task task = Create(ann_, "2026-03-01T09:00:00Z");
  Apply(ChangeOf(ChangeKind::kCompleted, task), "2026-03-01T09:01:00Z");
  Create(ann_, "2026-03-02T09:00:00Z");
  CountAll(ann_);
  for (const auto& user : {std::optional(ann_), std::optional<UserId>()}) {
    const Usage usage = Read({.user = user,
                              .borders = {At("2026-03-02T00:00:00Z"), At("2026-03-03T00:00:00Z")},
                              .previous_start = At("2026-03-01T00:00:00Z")});
    EXPECT_EQ(usage.totals.counts, (UsageCounts{.created = 1, .born = 1}));
    EXPECT_EQ(usage.totals.times.count, 0);
    ASSERT_TRUE(usage.previous);
    EXPECT_EQ(usage.previous->counts,
              (UsageCounts{.created = 1, .completed = 1, .born = 1, .done = 1}));
    EXPECT_EQ(usage.previous->times.count, 1);
    EXPECT_FALSE(ReadYear(user).previous);
  }
}

TEST_P(UsageContract, OpenAndOverdueAreReadFromTheTasks) {
  const auto create_due = [&](const UserId& user, const domain::Due& due) {
    return Create(user, "2026-03-01T09:00:00Z", {.title = "t", .due = due});
  };
  const domain::Due day = *domain::ResolveLocalDue("2026-03-04", "UTC");
  create_due(ann_, DueAt("2026-03-05T08:59:59Z"));
  create_due(ann_, DueAt("2026-03-05T09:00:01Z"));
  create_due(ann_, day);
  create_due(bob_, day);
  Create(ann_, "2026-03-01T09:00:00Z");
  Apply(ChangeOf(ChangeKind::kCompleted, create_due(ann_, day)), "2026-03-01T09:00:00Z");
  Apply(ChangeOf(ChangeKind::kDeleted, create_due(ann_, day)), "2026-03-01T09:00:00Z");
  UsageQuery query{.user = ann_,
                   .borders = {At("2026-03-04T00:00:00Z"), At("2026-03-05T00:00:00Z")},
                   .now = At("2026-03-05T09:00:00Z"),
                   .today = absl::CivilDay(2026, 3, 5)};
  EXPECT_EQ(Read(query).open, 4);
  EXPECT_EQ(Read(query).overdue, 2);
  query.today = absl::CivilDay(2026, 3, 4);
  EXPECT_EQ(Read(query).overdue, 1) << "a day is over when it is, where the user is";
  query.user.reset();
  EXPECT_EQ(Read(query).open, 5);
  query.today = absl::CivilDay(2026, 3, 5);
  EXPECT_EQ(Read(query).overdue, 3);
}

TEST_P(UsageContract, ActiveUsersAreCountedOnce) {
  Create(ann_, "2026-03-01T09:00:00Z");
  Create(ann_, "2026-03-01T09:00:00Z");
  Create(ann_, "2026-03-02T23:45:00Z");
  Create(bob_, "2026-03-01T09:14:00Z");
  CountAll(ann_);
  CountAll(bob_);
  Count({Foreign(ann_, ChangeKind::kCreated, "2026-03-01T09:00:00Z", "2026-03-01T09:00:00Z"),
         Foreign({"cleo"}, ChangeKind::kCreated, "2026-03-02T09:00:00Z", "2026-03-02T09:00:00Z")});
  const Usage usage =
      Read({.user = {},
            .borders = {At("2026-03-01T00:00:00Z"), At("2026-03-03T00:00:00Z")},
            .active_since = {At("2026-03-02T23:45:00Z"), At("2026-03-02T00:00:00Z"),
                             At("2026-03-01T09:15:00Z"), At("2026-03-01T09:00:00Z")}});
  EXPECT_THAT(usage.active_users, ElementsAre(1, 2, 2, 3));
}

TEST_P(UsageContract, PackingChangesNoNumber) {
  Task task = Create(ann_, "2026-03-01T09:00:00Z",
                     {.title = "t", .priority = Priority::kLow, .tags = {"home", "garden"}});
  Apply(Rename(task, "renamed"), "2026-03-01T09:20:00Z");
  Apply(ChangeOf(ChangeKind::kCompleted, task), "2026-03-02T00:00:00.000001Z");
  Apply(ChangeOf(ChangeKind::kUncompleted, task), "2026-03-02T23:59:59.999999Z");
  Apply(ChangeOf(ChangeKind::kCompleted, task), "2026-04-01T09:00:00Z");
  Apply(CreateRecurring(ann_, "Water the plants"), "2026-03-01T09:00:00Z");
  CountAll(ann_);
  Count({Foreign(ann_, ChangeKind::kCompleted, "2026-03-02T10:00:00Z", "2026-03-01T08:00:00Z")});
  const auto read_all = [&] {
    std::vector<Usage> answers;
    for (const auto breakdown : {UsageBreakdown::kNone, UsageBreakdown::kPriority,
                                 UsageBreakdown::kTag, UsageBreakdown::kSeries}) {
      answers.push_back(ReadYear(ann_, breakdown));
      // Days and periods that events and packs overlap.
      answers.push_back(Read({.user = ann_,
                              .borders = {At("2026-03-01T09:15:00Z"), At("2026-03-02T00:00:00Z"),
                                          At("2026-03-02T12:00:00Z")},
                              .previous_start = At("2026-03-01T00:00:00Z"),
                              .breakdown = breakdown}));
    }
    return answers;
  };
  const auto expect_same = [&](const std::vector<Usage>& before) {
    const std::vector<Usage> after = read_all();
    for (std::size_t i = 0; i < before.size(); ++i) {
      EXPECT_EQ(after[i].buckets, before[i].buckets);
      EXPECT_EQ(after[i].totals, before[i].totals);
      EXPECT_EQ(after[i].previous, before[i].previous);
      EXPECT_EQ(after[i].parts, before[i].parts);
      EXPECT_EQ(after[i].completed_quarters, before[i].completed_quarters);
    }
  };
  const std::vector<Usage> loose = read_all();
  EXPECT_EQ(
      loose[0].totals.counts,
      (UsageCounts{
          .created = 2, .updated = 1, .completed = 3, .uncompleted = 1, .born = 2, .done = 2}));
  EXPECT_EQ(loose[1].previous->counts, (UsageCounts{.created = 2, .born = 2, .done = 2}));
  Pack();
  expect_same(loose);
  Count({Foreign(ann_, ChangeKind::kCompleted, "2026-03-02T11:00:00Z", "2026-03-01T08:00:00Z")});
  const std::vector<Usage> late = read_all();
  EXPECT_EQ(late[0].totals.counts.completed, 4) << "after its day was packed";
  Pack();
  expect_same(late);
  Rebuild();
  expect_same(late);
  Pack();
  expect_same(late);
}

TEST_P(UsageContract, ARebuildComesToTheSameNumbersAndKeepsThoseOfOtherPrograms) {
  for (const UserId& user : {ann_, bob_}) {
    for (int i = 0; i < 5; ++i) {
      const Task task = Create(user, "2026-03-01T09:00:00Z", {.title = "t", .tags = {"tag"}});
      if (i % 2 == 0) Apply(ChangeOf(ChangeKind::kCompleted, task), "2026-03-02T09:00:00Z");
    }
    CountAll(user);
  }
  Count({Foreign(ann_, ChangeKind::kCompleted, "2026-03-01T09:00:00Z", "2026-03-01T08:00:00Z")});
  for (const auto& user : {std::optional(ann_), std::optional(bob_), std::optional<UserId>()}) {
    const Usage before = ReadYear(user, UsageBreakdown::kTag);
    Rebuild();
    const Usage after = ReadYear(user, UsageBreakdown::kTag);
    EXPECT_EQ(after.totals, before.totals);
    EXPECT_EQ(after.parts, before.parts);
    EXPECT_EQ(after.completed_quarters, before.completed_quarters);
    EXPECT_EQ(after.as_of_seq, before.as_of_seq);
    EXPECT_EQ(usage().ReadRebuild()->added_events, 0);
  }
}

TEST_P(UsageContract, ARebuildAddsWhatWasNeverCounted) {
  Create(ann_, "2026-03-01T09:00:00Z");
  CountAll(ann_);
  Create(ann_, "2026-03-02T09:00:00Z");
  Create(bob_, "2026-03-02T09:00:00Z");
  Rebuild();
  EXPECT_EQ(ReadYear(std::nullopt).totals.counts.created, 3);
  EXPECT_EQ(usage().ReadRebuild()->added_events, 2);
  EXPECT_EQ(usage().ReadRebuild()->finished_at, At("2026-03-10T00:00:01Z"));
  CountAll(ann_);
  CountAll(bob_);
  EXPECT_EQ(ReadYear(ann_).totals.counts.created, 2) << "an event that comes later does not count";
  EXPECT_EQ(ReadYear(std::nullopt).totals.counts.created, 3);
}

TEST_P(UsageContract, EventsAreCountedWhileARebuildRuns) {
  std::int64_t expected = 0;
  const auto create = [&](const UserId& user) {
    Create(user, "2026-03-01T09:00:00Z");
    ++expected;
  };
  for (int i = 0; i < 5; ++i) {
    create(ann_);
    create(bob_);
  }
  CountAll(ann_);
  ASSERT_TRUE(usage().StartRebuild(At("2026-03-10T00:00:00Z"))->running);
  absl::StatusOr<bool> more = true;
  while (more.value_or(false)) {
    for (const UserId& user : {ann_, bob_}) {
      if (expected < 30) create(user);
      CountAll(user);
    }
    Count({Foreign(ann_, ChangeKind::kCreated, "2026-03-01T09:00:00Z", "2026-03-01T09:00:00Z")});
    ++expected;
    EXPECT_EQ(ReadYear(std::nullopt).totals.counts.created, expected);
    more = usage().ContinueRebuild(At("2026-03-10T00:00:01Z"));
  }
  ASSERT_TRUE(more.ok()) << more.status();
  EXPECT_FALSE(usage().ReadRebuild()->running);
  EXPECT_EQ(ReadYear(std::nullopt).totals.counts.created, expected);
  EXPECT_EQ(ReadYear(ann_).totals.counts.created + ReadYear(bob_).totals.counts.created, expected);
  Rebuild();
  EXPECT_EQ(ReadYear(std::nullopt).totals.counts.created, expected);
}

TEST_P(UsageContract, StartingARebuildThatRunsChangesNothing) {
  Create(ann_, "2026-03-01T09:00:00Z");
  ASSERT_TRUE(usage().StartRebuild(At("2026-03-10T00:00:00Z")).ok());
  EXPECT_EQ(usage().StartRebuild(At("2026-03-11T00:00:00Z")).value().started_at,
            At("2026-03-10T00:00:00Z"));
}

TEST_P(UsageContract, ManyMayCountAtOnceAndDuringARebuild) {
  constexpr int kUsers = 4;
  constexpr int kRounds = 10;
  const auto name = [](int i) { return UserId{"user-" + std::to_string(i)}; };
  ASSERT_TRUE(usage().StartRebuild(At("2026-03-10T00:00:00Z")).ok());
  InParallel(kUsers + 1, [&](int i) {
    for (int round = 0; round < kRounds; ++round) {
      if (i == kUsers) {
        EXPECT_TRUE(usage().ContinueRebuild(At("2026-03-10T00:00:00Z")).ok());
        EXPECT_TRUE(usage().Pack(At("2100-01-01T00:00:00Z")).ok());
        continue;
      }
      Create(name(i), "2026-03-01T09:00:00Z");
      // Each thread counts the events of all users, in an order of its own.
      std::vector<UsageEvent> events;
      for (int k = 0; k < kUsers; ++k) {
        for (const UsageEvent& event : Events(name((i + k) % kUsers))) events.push_back(event);
      }
      Count(events);
    }
  });
  absl::StatusOr<bool> more = true;
  while (more.value_or(false)) more = usage().ContinueRebuild(At("2026-03-10T00:00:01Z"));
  for (int i = 0; i < kUsers; ++i) {
    EXPECT_EQ(ReadYear(name(i)).totals.counts.created, kRounds);
    EXPECT_EQ(ReadYear(name(i)).as_of_seq, kRounds);
  }
  EXPECT_EQ(ReadYear(std::nullopt).totals.counts.created, kUsers * kRounds);
}

}  // namespace todo::contract
