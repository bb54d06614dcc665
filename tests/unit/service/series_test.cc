// What users do with whole series, and what the consumer makes of it: TaskService and
// RecurringTaskService together on the store in memory.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <random>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "fixtures.h"
#include "service/recurring_task_service.h"
#include "service/task_service.h"
#include "support/fake_database.h"
#include "support/fake_event_inbox.h"
#include "support/fake_preferred_zones.h"
#include "support/fake_task_store.h"

namespace todo::service {
namespace {

using domain::Task;
using domain::TaskEvent;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::SizeIs;
using Events = std::vector<TaskEvent>;
using Rule = std::optional<std::string>;

class SeriesTest : public testing::Test {
 protected:
  CallContext Call() {
    return {.user = {"ada"}, .request_id = {}, .fingerprint = "f", .traceparent = {}};
  }
  CallContext Named() {
    CallContext call = Call();
    call.request_id =
        domain::RequestId{*domain::Uuid::Parse("7d444840-9dc0-41d1-b245-5ffdce74fad2")};
    return call;
  }
  Task Create(const std::string& rule = "FREQ=DAILY",
              const std::string& due = "2026-10-24T09:00:00") {
    CreateTaskInput input;
    input.title = "water the plants";
    input.due.due_local = due;
    input.time_zone = "Europe/Berlin";
    input.recurrence_rule = rule;
    return *tasks_.Create(Call(), input);
  }
  static UpdateTaskInput UpdateOf(const Task& task, SeriesScope scope) {
    UpdateTaskInput input;
    input.id = task.id;
    input.scope = scope;
    return input;
  }
  Task Update(const UpdateTaskInput& input) {
    absl::StatusOr<Task> task = tasks_.Update(Call(), input);
    EXPECT_TRUE(task.ok()) << task.status();
    return task.value_or(Task{});
  }
  Task Rename(const Task& task, const std::string& title, SeriesScope scope) {
    UpdateTaskInput input = UpdateOf(task, scope);
    input.title = title;
    return Update(input);
  }
  Task Move(const Task& task, const std::string& due_local, SeriesScope scope) {
    UpdateTaskInput input = UpdateOf(task, scope);
    input.due = DueInput{.due_date = {}, .due_local = due_local};
    return Update(input);
  }
  void SetCompleted(const Task& task, bool completed) {
    EXPECT_TRUE(tasks_.SetCompleted(Call(), task.id, std::nullopt, completed).ok());
  }
  Task Skip(const Task& task) {
    absl::StatusOr<Task> skipped = tasks_.Skip(Call(), task.id, std::nullopt);
    EXPECT_TRUE(skipped.ok()) << skipped.status();
    return skipped.value_or(Task{});
  }
  Task Stop(const Task& task) {
    absl::StatusOr<Task> stopped = tasks_.StopSeries(Call(), task.id, std::nullopt);
    EXPECT_TRUE(stopped.ok()) << stopped.status();
    return stopped.value_or(Task{});
  }
  Task Delete(const Task& task, SeriesScope scope) {
    absl::StatusOr<Task> deleted = tasks_.Delete(Call(), task.id, std::nullopt, scope);
    EXPECT_TRUE(deleted.ok()) << deleted.status();
    return deleted.value_or(Task{});
  }

  const Events& Log() {
    auto tables = database_.Read();
    for (std::size_t i = log_.size(); i < tables->changes.size(); ++i) {
      log_.push_back(
          *domain::ParseTaskEventRecord(domain::TaskEventRecord(tables->changes[i].change)));
    }
    return log_;
  }
  void Deliver(const Events& events) {
    const absl::Status status = inbox_.Transact(
        [&](ports::InboxTransaction& transaction) { return service_.Apply(transaction, events); });
    EXPECT_TRUE(status.ok()) << status;
  }
  /// What happened since the last time.
  void DeliverNews() {
    const Events& all = Log();
    Deliver({all.begin() + static_cast<std::ptrdiff_t>(delivered_), all.end()});
    delivered_ = all.size();
  }
  /// Completes `task` and answers the next occurrence.
  Task Advance(const Task& task) {
    SetCompleted(task, true);
    DeliverNews();
    return Newest();
  }

  /// Live tasks by occurrence.
  std::map<std::int64_t, Task> Live() {
    std::map<std::int64_t, Task> live;
    const std::vector<Task> tasks = tasks_.List({"ada"}, {})->tasks;
    for (const Task& task : tasks) {
      EXPECT_TRUE(live.emplace(task.series ? task.series->occurrence : 0, task).second)
          << "one task for each occurrence";
    }
    return live;
  }
  Task Newest() {
    const auto live = Live();
    return live.empty() ? Task{} : live.rbegin()->second;
  }
  std::vector<std::int64_t> Occurrences() {
    std::vector<std::int64_t> occurrences;
    for (const auto& [occurrence, task] : Live()) occurrences.push_back(occurrence);
    return occurrences;
  }
  static std::string DueOf(const Task& task) { return FormatDueLocal(task.fields.due); }
  std::string ReasonOf(const absl::StatusOr<Task>& task) { return util::ReasonOf(task.status()); }

  support::FakeDatabase database_;
  support::FakeTaskStore store_{database_};
  support::FakePreferredZones zones_{database_};
  support::FakeEventInbox inbox_{database_};
  SetClock clock_{"2026-10-24T08:00:00Z"};
  CountedIds ids_;
  TaskService tasks_{store_, zones_, clock_, ids_};
  RecurringTaskService service_{clock_, ids_};
  Events log_;
  std::size_t delivered_ = 0;
};

// ---- long series

TEST_F(SeriesTest, ASeriesWithTooManyOpenOccurrencesIsNotChangedAsAWhole) {
  const Task first = Create();
  const auto add = [&](std::int64_t occurrence) {
    ports::Mutation mutation;
    mutation.user = first.user;
    mutation.request_id = domain::RequestId{ids_.NewId()};
    mutation.event_id = domain::EventId{ids_.NewId()};
    mutation.now = clock_.Now();
    mutation.fields = first.fields;
    mutation.series = first.series;
    mutation.series->occurrence = occurrence;
    return store_.Apply(mutation)->task;
  };
  for (int n = 2; n <= TaskService::kMaxOpenOccurrences; ++n) add(n);
  // One that is done does not count.
  SetCompleted(add(TaskService::kMaxOpenOccurrences + 1), true);
  EXPECT_EQ(Rename(first, "all", SeriesScope::kAll).fields.title, "all");

  add(TaskService::kMaxOpenOccurrences + 2);
  UpdateTaskInput input = UpdateOf(first, SeriesScope::kAll);
  input.title = "none";
  const absl::StatusOr<Task> renamed = tasks_.Update(Call(), input);
  EXPECT_EQ(renamed.status().code(), absl::StatusCode::kFailedPrecondition);
  EXPECT_EQ(ReasonOf(renamed), "TOO_MANY_OCCURRENCES");
  EXPECT_THAT(std::string(renamed.status().message()), HasSubstr("delete some of them first"));
  EXPECT_EQ(ReasonOf(tasks_.Delete(Call(), first.id, std::nullopt, SeriesScope::kAll)),
            "TOO_MANY_OCCURRENCES");
  EXPECT_EQ(ReasonOf(tasks_.StopSeries(Call(), first.id, std::nullopt)), "TOO_MANY_OCCURRENCES");

  Delete(first, SeriesScope::kThis);
  EXPECT_EQ(Live().begin()->second.fields.title, "all");
}

// ---- skip

TEST_F(SeriesTest, ASkippedOccurrenceGoesAndTheNextOneComes) {
  const Task first = Create();
  const Task skipped = Skip(first);
  EXPECT_FALSE(skipped.completed);
  EXPECT_EQ(skipped.skipped_at, clock_.Now());
  DeliverNews();
  EXPECT_THAT(Occurrences(), ElementsAre(2));
  EXPECT_EQ(DueOf(Newest()), "2026-10-25T09:00:00");
  const Events& log = Log();
  ASSERT_THAT(log, SizeIs(3));
  EXPECT_EQ(log[1].kind, domain::ChangeKind::kDeleted);
  EXPECT_EQ(log[1].task->skipped_at, clock_.Now()) << "events say so";
  EXPECT_EQ(log[2].kind, domain::ChangeKind::kCreated);
}

TEST_F(SeriesTest, SkippingAheadOfTimeCountsFromTheDueDate) {
  UpdateTaskInput input = UpdateOf(Create("FREQ=DAILY;INTERVAL=10"), SeriesScope::kDefault);
  input.basis = domain::RecurrenceBasis::kCompletion;
  clock_.Set("2026-10-20T08:00:00Z");
  Skip(Update(input));
  DeliverNews();
  EXPECT_EQ(DueOf(Newest()), "2026-11-03T09:00:00");
}

TEST_F(SeriesTest, SkippingTheLastOccurrenceEndsTheSeries) {
  Skip(Advance(Create("FREQ=DAILY;COUNT=2")));
  DeliverNews();
  EXPECT_THAT(Occurrences(), ElementsAre(1));
}

TEST_F(SeriesTest, OnlyOpenRecurringTasksCanBeSkipped) {
  const Task first = Create();
  const Task second = Advance(first);
  EXPECT_EQ(ReasonOf(tasks_.Skip(Call(), first.id, std::nullopt)), "TASK_COMPLETED");
  Stop(second);
  EXPECT_EQ(ReasonOf(tasks_.Skip(Call(), second.id, std::nullopt)), "TASK_NOT_RECURRING");
  EXPECT_EQ(ReasonOf(tasks_.Skip(Call(), domain::TaskId{99}, std::nullopt)), "TASK_NOT_FOUND");
  EXPECT_EQ(ReasonOf(tasks_.Skip(Call(), second.id, 1)), "TASK_NOT_RECURRING");
}

TEST_F(SeriesTest, ASkipRepeatedByItsRequestIdSkipsOnce) {
  const Task first = Create();
  const auto skipped = tasks_.Skip(Named(), first.id, std::nullopt);
  ASSERT_TRUE(skipped.ok());
  DeliverNews();
  const auto again = tasks_.Skip(Named(), first.id, std::nullopt);
  ASSERT_TRUE(again.ok()) << again.status();
  EXPECT_EQ(again->skipped_at, skipped->skipped_at);
  DeliverNews();
  EXPECT_THAT(Occurrences(), ElementsAre(2));
}

TEST_F(SeriesTest, TheTaskBeforeASkippedOneDoesNotBringItBack) {
  const Task first = Create();
  Skip(Advance(first));
  DeliverNews();
  SetCompleted(first, false);
  DeliverNews();
  SetCompleted(first, true);
  DeliverNews();
  EXPECT_THAT(Occurrences(), ElementsAre(1, 3));
}

// ---- change

TEST_F(SeriesTest, WhatIsChangedForThisOneAloneIsNotCarriedOver) {
  const Task first = Create();
  UpdateTaskInput input = UpdateOf(first, SeriesScope::kThis);
  input.title = "water and feed";
  input.description = std::optional<std::string>("twice");
  input.priority = domain::Priority::kHigh;
  input.tags = {"once"};
  input.time_zone = "America/New_York";
  input.due = DueInput{.due_date = {}, .due_local = "2026-10-24"};
  const Task changed = Update(input);
  EXPECT_EQ(changed.fields.title, "water and feed");
  EXPECT_EQ(DueOf(changed), "2026-10-24");

  domain::TaskFields expected = first.fields;
  expected.due = *domain::ResolveLocalDue("2026-10-25T09:00:00", "Europe/Berlin");
  const Task second = Advance(changed);
  EXPECT_EQ(second.fields, expected);
  EXPECT_EQ(second.series->following, domain::FollowingFields());
}

TEST_F(SeriesTest, AnExceptionStaysOneUntilItIsMadeTheRule) {
  const Task first = Create();
  Rename(first, "once", SeriesScope::kThis);
  Rename(first, "once, really", SeriesScope::kDefault);
  EXPECT_EQ(Newest().series->following.title, "water the plants");
  Rename(first, "water the plants", SeriesScope::kThis);
  EXPECT_EQ(Newest().series->following, domain::FollowingFields());
  Rename(first, "once", SeriesScope::kThis);
  Rename(first, "from now on", SeriesScope::kFollowing);
  EXPECT_EQ(Newest().series->following, domain::FollowingFields());
  EXPECT_EQ(Advance(first).fields.title, "from now on");
}

TEST_F(SeriesTest, WithoutAScopeTextIsCarriedOverAndADueDateIsNot) {
  const Task first = Create();
  Rename(first, "water all plants", SeriesScope::kDefault);
  Move(first, "2026-10-26", SeriesScope::kDefault);
  clock_.Set("2026-10-26T12:00:00Z");
  const Task second = Advance(first);
  EXPECT_EQ(second.fields.title, "water all plants");
  EXPECT_EQ(DueOf(second), "2026-10-27T09:00:00") << "a wall-clock time again";
  EXPECT_EQ(second.series->missed, 2);
}

TEST_F(SeriesTest, TheWholeSeriesIsWhatIsOpenAndWhatComes) {
  const Task first = Create();
  const Task second = Advance(first);
  Rename(second, "touched", SeriesScope::kDefault);
  SetCompleted(first, false);
  DeliverNews();
  ASSERT_THAT(Occurrences(), ElementsAre(1, 2)) << "both open now";
  Task third = Advance(second);
  Rename(second, "all", SeriesScope::kAll);
  auto live = Live();
  EXPECT_EQ(live.at(1).fields.title, "all");
  EXPECT_EQ(live.at(2).fields.title, "touched") << "history";
  EXPECT_EQ(live.at(3).fields.title, "all");
  Rename(second, "from here", SeriesScope::kFollowing);
  live = Live();
  EXPECT_EQ(live.at(1).fields.title, "all");
  EXPECT_EQ(live.at(2).fields.title, "from here");
  EXPECT_EQ(live.at(3).fields.title, "from here");
  EXPECT_EQ(Advance(third).fields.title, "from here");
}

TEST_F(SeriesTest, AChangeOfTheSeriesMeetsTheNextOneEvenBeforeItIsThere) {
  for (const bool delivered_before : {true, false}) {
    const Task first = Create();
    SetCompleted(first, true);
    if (delivered_before) DeliverNews();
    Rename(first, "all", SeriesScope::kAll);
    DeliverNews();
    const auto live = Live();
    EXPECT_EQ(live.at(1).fields.title, "water the plants");
    EXPECT_EQ(live.at(2).fields.title, "all") << "delivered before: " << delivered_before;
    Delete(live.at(1), SeriesScope::kFollowing);
    EXPECT_THAT(Live(), IsEmpty());
  }
}

TEST_F(SeriesTest, AChangeOfTheSeriesDoesNotTouchWhatIsAboutToGo) {
  const Task first = Create();
  Advance(first);
  SetCompleted(first, false);
  Rename(first, "all", SeriesScope::kAll);
  DeliverNews();
  EXPECT_THAT(Occurrences(), ElementsAre(1)) << "as if the event had come at once";
}

TEST_F(SeriesTest, MovingWhatFollowsMovesTheTimeOfDay) {
  const Task second = Advance(Create("monthly", "2026-01-31T09:00:00"));
  ASSERT_EQ(DueOf(second), "2026-10-31T09:00:00");
  SetCompleted(second, true);
  clock_.Set("2026-11-01T08:00:00Z");
  DeliverNews();
  const Task third = Move(Newest(), "2026-11-30T18:30:00", SeriesScope::kFollowing);
  clock_.Set("2026-12-01T08:00:00Z");
  EXPECT_EQ(DueOf(Advance(third)), "2026-12-31T18:30:00") << "no drift to the 30th";
}

TEST_F(SeriesTest, MovingWhatFollowsToAnotherDayMovesTheSeries) {
  const Task second = Advance(Create("FREQ=WEEKLY;COUNT=4"));
  ASSERT_EQ(DueOf(second), "2026-10-31T09:00:00");
  const Task moved = Move(second, "2026-11-02T10:00:00", SeriesScope::kFollowing);
  EXPECT_EQ(moved.fields.recurrence_rule, "FREQ=WEEKLY;COUNT=3") << "what is left of 4";
  EXPECT_EQ(moved.series->series_id, second.series->series_id);
  clock_.Set("2026-11-02T12:00:00Z");
  const Task third = Advance(moved);
  EXPECT_EQ(DueOf(third), "2026-11-09T10:00:00");
  clock_.Set("2026-11-09T12:00:00Z");
  const Task fourth = Advance(third);
  EXPECT_EQ(DueOf(fourth), "2026-11-16T10:00:00");
  clock_.Set("2026-11-16T12:00:00Z");
  Advance(fourth);
  EXPECT_THAT(Occurrences(), ElementsAre(1, 2, 3, 4));
}

TEST_F(SeriesTest, TheLastOccurrenceCanBeMovedWithNothingToFollow) {
  const Task second = Advance(Create("FREQ=WEEKLY;COUNT=2"));
  const Task moved = Move(second, "2026-11-02T10:00:00", SeriesScope::kFollowing);
  EXPECT_EQ(DueOf(moved), "2026-11-02T10:00:00");
  Advance(moved);
  EXPECT_THAT(Occurrences(), ElementsAre(1, 2));
}

TEST_F(SeriesTest, AMoveThatWouldEndTheSeriesIsRefused) {
  const Task second = Advance(Create("FREQ=WEEKLY;UNTIL=20261130T080000Z"));
  for (const char* due : {"2026-12-20T09:00:00", "2500-01-01T09:00:00"}) {
    UpdateTaskInput input = UpdateOf(second, SeriesScope::kFollowing);
    input.due = DueInput{.due_date = {}, .due_local = due};
    const absl::Status refused = tasks_.Update(Call(), input).status();
    EXPECT_TRUE(absl::IsInvalidArgument(refused)) << refused;
    EXPECT_THAT(std::string(refused.message()), HasSubstr("task.due_date")) << due;
  }
  EXPECT_EQ(DueOf(Move(second, "2026-11-14T18:00:00", SeriesScope::kFollowing)),
            "2026-11-14T18:00:00");
}

TEST_F(SeriesTest, FromCompletionCountCountsFromWhereTheRuleWasSet) {
  const Task second = Advance(Create());
  UpdateTaskInput input = UpdateOf(second, SeriesScope::kFollowing);
  input.recurrence_rule = Rule("FREQ=DAILY;COUNT=2");
  input.basis = domain::RecurrenceBasis::kCompletion;
  Task task = Update(input);
  EXPECT_EQ(task.series->rule_since, 2);
  task = Advance(task);
  EXPECT_EQ(task.series->occurrence, 3);
  Advance(task);
  EXPECT_THAT(Occurrences(), ElementsAre(1, 2, 3));
}

TEST_F(SeriesTest, ANewRuleMakesNoSecondSuccessorOfTheTaskBefore) {
  const Task first = Create();
  const Task second = Advance(first);
  UpdateTaskInput input = UpdateOf(second, SeriesScope::kFollowing);
  input.recurrence_rule = Rule("FREQ=WEEKLY");
  Update(input);
  SetCompleted(first, false);
  SetCompleted(first, true);
  Deliver(Log());
  EXPECT_THAT(Occurrences(), ElementsAre(1, 2));
  EXPECT_EQ(DueOf(Advance(second)), "2026-11-01T09:00:00");
}

TEST_F(SeriesTest, TheScheduleIsChangedOnTheNewestOccurrence) {
  const Task first = Create();
  const Task second = Advance(first);
  Rename(second, "touched", SeriesScope::kDefault);
  for (const SeriesScope scope :
       {SeriesScope::kDefault, SeriesScope::kFollowing, SeriesScope::kAll}) {
    UpdateTaskInput input = UpdateOf(first, scope);
    input.recurrence_rule = Rule("FREQ=WEEKLY");
    EXPECT_EQ(ReasonOf(tasks_.Update(Call(), input)), "TASK_COMPLETED");
  }
  SetCompleted(first, false);
  DeliverNews();
  for (const SeriesScope scope :
       {SeriesScope::kDefault, SeriesScope::kFollowing, SeriesScope::kAll}) {
    UpdateTaskInput input = UpdateOf(first, scope);
    input.recurrence_rule = Rule("FREQ=WEEKLY");
    EXPECT_EQ(ReasonOf(tasks_.Update(Call(), input)), "LATER_OCCURRENCE_EXISTS");
  }
}

TEST_F(SeriesTest, RuleAndBasisBelongToTheSeries) {
  const Task first = Create();
  UpdateTaskInput input = UpdateOf(first, SeriesScope::kThis);
  input.recurrence_rule = Rule("FREQ=WEEKLY");
  input.basis = domain::RecurrenceBasis::kCompletion;
  const auto violations = util::FieldViolationsOf(tasks_.Update(Call(), input).status());
  ASSERT_THAT(violations, SizeIs(2));
  EXPECT_EQ(violations[0].field, "task.recurrence_rule");
  EXPECT_EQ(violations[1].field, "task.recurrence_basis");
  input = UpdateOf(first, SeriesScope::kAll);
  input.recurrence_rule = Rule();
  EXPECT_THAT(util::FieldViolationsOf(tasks_.Update(Call(), input).status()), SizeIs(1));
}

TEST_F(SeriesTest, ForATaskThatDoesNotRecurAllScopesAreTheSame) {
  CreateTaskInput plain;
  plain.title = "buy milk";
  for (const SeriesScope scope :
       {SeriesScope::kDefault, SeriesScope::kThis, SeriesScope::kFollowing, SeriesScope::kAll}) {
    const Task task = *tasks_.Create(Call(), plain);
    EXPECT_EQ(Rename(task, "buy bread", scope).fields.title, "buy bread");
    Delete(task, scope);
    EXPECT_THAT(Live(), IsEmpty());
  }
}

// ---- delete and stop

TEST_F(SeriesTest, DeletingThisOneLetsTheSeriesGoOn) {
  const Task second = Advance(Create());
  Delete(second, SeriesScope::kThis);
  DeliverNews();
  EXPECT_THAT(Occurrences(), ElementsAre(1, 3));
  Delete(Live().at(1), SeriesScope::kThis);
  DeliverNews();
  EXPECT_THAT(Occurrences(), ElementsAre(3)) << "one of the past is only gone";
}

TEST_F(SeriesTest, DeletingWhatFollowsOrAllLeavesHistory) {
  for (const SeriesScope scope : {SeriesScope::kFollowing, SeriesScope::kAll}) {
    const Task first = Create();
    const Task second = Advance(first);
    Rename(second, "touched", SeriesScope::kDefault);
    SetCompleted(first, false);
    const Task third = Advance(second);
    ASSERT_THAT(Occurrences(), ElementsAre(1, 2, 3));
    const Task answer = Delete(second, scope);
    EXPECT_EQ(answer.id, second.id);
    DeliverNews();
    if (scope == SeriesScope::kFollowing) {
      EXPECT_THAT(Occurrences(), ElementsAre(1)) << "the one before, and itself and those after";
    } else {
      EXPECT_THAT(Occurrences(), ElementsAre(2)) << "what is done stays";
    }
    for (const auto& [occurrence, task] : Live()) Delete(task, SeriesScope::kFollowing);
  }
}

TEST_F(SeriesTest, StoppingEndsTheSeriesWhereItIs) {
  const Task first = Create();
  const Task second = Advance(first);
  EXPECT_EQ(Stop(first).fields.recurrence_rule, "FREQ=DAILY") << "history";
  EXPECT_EQ(Live().at(2).fields.recurrence_rule, std::nullopt);
  const std::size_t changes = Log().size();
  Stop(second);
  EXPECT_THAT(Log(), SizeIs(changes)) << "stopping again changes nothing";
  SetCompleted(second, true);
  Deliver(Log());
  EXPECT_THAT(Occurrences(), ElementsAre(1, 2));
}

TEST_F(SeriesTest, WhatIsNotThereYetIsStoppedAndDeletedToo) {
  const std::vector<std::function<void(const Task&)>> ways = {
      [this](const Task& task) { Stop(task); },
      [this](const Task& task) { Delete(task, SeriesScope::kFollowing); },
      [this](const Task& task) { Delete(task, SeriesScope::kAll); }};
  for (const auto& way : ways) {
    for (const bool skipped : {false, true}) {
      const Task first = Create();
      const Task second = Advance(first);
      if (skipped) {
        Skip(second);  // a tombstone: the series is named by its history
      } else {
        SetCompleted(second, true);
      }
      way(skipped ? first : second);
      Deliver(Log());
      EXPECT_FALSE(Live().contains(3)) << "skipped: " << skipped;
      for (const auto& [occurrence, task] : Live()) Delete(task, SeriesScope::kFollowing);
    }
  }
}

TEST_F(SeriesTest, AStoppedSeriesCanBeTakenUpAgain) {
  const Task second = Stop(Advance(Create()));
  UpdateTaskInput input = UpdateOf(second, SeriesScope::kDefault);
  input.recurrence_rule = Rule("FREQ=WEEKLY");
  EXPECT_EQ(Update(input).series->series_id, second.series->series_id);
  const Task third = Advance(second);
  EXPECT_EQ(third.series->occurrence, 3);
  EXPECT_EQ(DueOf(third), "2026-11-01T09:00:00");
}

TEST_F(SeriesTest, ACallOnTheSeriesIsRepeatedByItsRequestId) {
  const Task first = Create();
  const Task second = Advance(first);
  Rename(second, "touched", SeriesScope::kDefault);
  SetCompleted(first, false);
  DeliverNews();
  UpdateTaskInput input = UpdateOf(first, SeriesScope::kAll);
  input.title = "all";
  const auto answer = tasks_.Update(Named(), input);
  ASSERT_TRUE(answer.ok()) << answer.status();
  const std::size_t changes = Log().size();
  Delete(second, SeriesScope::kDefault);
  EXPECT_EQ(*tasks_.Update(Named(), input), *answer);
  Delete(first, SeriesScope::kDefault);
  EXPECT_EQ(*tasks_.Update(Named(), input), *answer) << "also when the task is gone";
  EXPECT_THAT(Log(), SizeIs(changes + 2));
}

TEST_F(SeriesTest, AStaleEtagIsRefusedInEveryScope) {
  const Task task = Create();
  Rename(task, "newer", SeriesScope::kDefault);
  for (const SeriesScope scope : {SeriesScope::kThis, SeriesScope::kFollowing, SeriesScope::kAll}) {
    UpdateTaskInput input = UpdateOf(task, scope);
    input.title = "stale";
    input.expected_version = 1;
    EXPECT_EQ(ReasonOf(tasks_.Update(Call(), input)), "STALE_ETAG");
    EXPECT_EQ(ReasonOf(tasks_.Delete(Call(), task.id, 1, scope)), "STALE_ETAG");
  }
  EXPECT_EQ(ReasonOf(tasks_.Skip(Call(), task.id, 1)), "STALE_ETAG");
  EXPECT_EQ(ReasonOf(tasks_.StopSeries(Call(), task.id, 1)), "STALE_ETAG");
}

// ---- preview

TEST_F(SeriesTest, APreviewIsWhatWouldFollow) {
  PreviewInput input;
  input.due.due_local = "2026-10-31T09:00:00";
  input.time_zone = "Europe/Berlin";
  input.recurrence_rule = "FREQ=MONTHLY";
  input.count = 2;
  const auto preview = tasks_.Preview(Call().user, input);
  ASSERT_TRUE(preview.ok()) << preview.status();
  ASSERT_THAT(preview->occurrences, SizeIs(2));
  EXPECT_EQ(FormatDueLocal(preview->occurrences[1].due), "2027-01-31T09:00:00");
  EXPECT_EQ(preview->occurrences[1].due.at, At("2027-01-31T08:00:00Z"));
  EXPECT_EQ(preview->occurrences[1].number, 3);
  EXPECT_THAT(preview->warnings, ElementsAre("Skips months without a 31st."));

  Task task = Create("FREQ=MONTHLY", "2026-10-31T09:00:00");
  clock_.Set("2026-11-01T08:00:00Z");
  task = Advance(task);
  EXPECT_EQ(task.fields.due, preview->occurrences[0].due) << "and does follow";
}

TEST_F(SeriesTest, APreviewIsRefusedAsTheTaskWouldBe) {
  const auto fields_of = [this](const PreviewInput& input) {
    std::vector<std::string> fields;
    for (const auto& violation :
         util::FieldViolationsOf(tasks_.Preview(Call().user, input).status()))
      fields.push_back(violation.field);
    return fields;
  };
  PreviewInput input;
  input.count = 10;
  EXPECT_THAT(fields_of(input), ElementsAre("task.recurrence_rule", "task.recurrence_rule"));
  input.recurrence_rule = "FREQ=HOURLY";
  input.time_zone = "Berlin";
  input.due.due_local = "2026-10-24";
  EXPECT_THAT(fields_of(input), ElementsAre("task.time_zone", "task.recurrence_rule"));
  input.time_zone = "Europe/Berlin";
  input.recurrence_rule = "FREQ=DAILY;COUNT=1";
  EXPECT_THAT(fields_of(input), ElementsAre("task.recurrence_rule"));
}

// ---- any order, delay and repetition

/// Whatever users did and however the bus delivered it: once every event has come, each occurrence
/// that passed has exactly one successor, unless a person has deleted that or the series ended, and
/// no open one has a successor that nobody has touched.
TEST_F(SeriesTest, EveryOrderOfEventsEndsAsTheRowsDemand) {
  for (unsigned seed = 1; seed <= 100; ++seed) {
    std::mt19937 random(seed);
    const auto pick = [&random](std::size_t count) {
      return std::uniform_int_distribution<std::size_t>(0, count - 1)(random);
    };
    *database_.Read() = {};
    log_.clear();
    Create(pick(2) == 0 ? "FREQ=DAILY" : "FREQ=DAILY;COUNT=6");
    for (int step = 0; step < 40; ++step) {
      const auto live = Live();
      if (!live.empty()) {
        const Task& task =
            std::next(live.begin(), static_cast<std::ptrdiff_t>(pick(live.size())))->second;
        switch (pick(9)) {
          case 0:
          case 1:
          case 2: SetCompleted(task, !task.completed); break;
          case 3: (void)tasks_.Skip(Call(), task.id, std::nullopt); break;
          case 4: Rename(task, std::to_string(step), SeriesScope::kDefault); break;
          case 5: Rename(task, std::to_string(step), SeriesScope::kAll); break;
          case 6: Rename(task, std::to_string(step), SeriesScope::kThis); break;
          default: break;
        }
      }
      const Events& all = Log();
      Events batch;
      for (std::size_t n = pick(4); n > 0; --n) batch.push_back(all[pick(all.size())]);
      Deliver(batch);
    }
    Events all = Log();
    std::ranges::shuffle(all, random);
    while (!all.empty()) {  // what is made meanwhile comes last, in a shuffle of its own
      const std::size_t known = Log().size();
      Deliver(all);
      all.assign(Log().begin() + static_cast<std::ptrdiff_t>(known), Log().end());
    }

    auto tables = database_.Read();
    std::map<std::int64_t, support::FakeDatabase::TaskRow> rows;
    for (const auto& [key, row] : tables->tasks) {
      ASSERT_TRUE(rows.emplace(row.task.series->occurrence, row).second) << "seed " << seed;
    }
    for (const auto& [occurrence, row] : rows) {
      const auto next = rows.find(occurrence + 1);
      const auto passed = domain::PassedAt(row.task);
      if (passed && domain::NextOccurrenceOf(row.task, *passed)->has_value()) {
        ASSERT_NE(next, rows.end()) << "seed " << seed << ", after " << occurrence;
        EXPECT_FALSE(next->second.task.deleted && next->second.untouched()) << "seed " << seed;
      } else if (!passed && next != rows.end()) {
        EXPECT_FALSE(!next->second.task.deleted && next->second.untouched()) << "seed " << seed;
      }
    }
  }
}

}  // namespace
}  // namespace todo::service
