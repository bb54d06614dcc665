// Changes of whole series by users, and their effects in the consumer: TaskService and
// RecurringTaskService together on the store in memory.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <functional>
#include <map>
#include <random>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "domain/event/event_reader.h"
#include "domain/event/event_writer.h"
#include "domain/recurrence/recurring_task.h"
#include "fixtures.h"
#include "service/consumers/recurring_task_service.h"
#include "service/tasks/task_service.h"
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
  /// A task that is due at a point in time, or whose rule counts from completions.
  Task CreateAs(const std::function<void(CreateTaskInput&)>& change) {
    CreateTaskInput input;
    input.title = "water the plants";
    input.time_zone = "Europe/Berlin";
    change(input);
    absl::StatusOr<Task> task = tasks_.Create(Call(), input);
    EXPECT_TRUE(task.ok()) << task.status();
    return task.value_or(Task{});
  }
  Task CreateFromCompletion(const std::string& rule, const std::string& due) {
    return CreateAs([&](CreateTaskInput& input) {
      input.recurrence_rule = rule;
      input.due.due_local = due;
      input.basis = domain::RecurrenceBasis::kCompletion;
    });
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
  Task SetZone(const Task& task, const std::string& zone, SeriesScope scope) {
    UpdateTaskInput input = UpdateOf(task, scope);
    input.time_zone = std::optional<std::string>(zone);
    return Update(input);
  }
  Task SetRule(const Task& task, const std::string& rule) {
    UpdateTaskInput input = UpdateOf(task, SeriesScope::kDefault);
    input.recurrence_rule = Rule(rule);
    return Update(input);
  }
  Task Delete(const Task& task, SeriesScope scope) {
    absl::StatusOr<Task> deleted = tasks_.Delete(Call(), task.id, std::nullopt, scope);
    EXPECT_TRUE(deleted.ok()) << deleted.status();
    return deleted.value_or(Task{});
  }

  Task Restore(const Task& task) {
    absl::StatusOr<Task> restored = tasks_.Restore(Call(), task.id);
    EXPECT_TRUE(restored.ok()) << restored.status();
    return restored.value_or(Task{});
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
  /// Delivers the events since the last call.
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

  void Clear() {
    for (const auto& [occurrence, task] : Live()) Delete(task, SeriesScope::kDefault);
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

TEST_F(SeriesTest, SkippingDeletesTheOccurrenceAndMakesTheNextOne) {
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

// ---- restore

TEST_F(SeriesTest, ARestoredTaskTakesThePlaceOfItsUntouchedSuccessor) {
  const Task first = Create();
  Skip(first);
  DeliverNews();
  const Task second = Newest();
  const Task restored = Restore(first);
  EXPECT_EQ(restored.skipped_at, std::nullopt);
  DeliverNews();
  EXPECT_THAT(Occurrences(), ElementsAre(1));
  EXPECT_EQ(Advance(restored).id, second.id) << "the same task comes back";
  EXPECT_THAT(Occurrences(), ElementsAre(1, 2));
}

TEST_F(SeriesTest, ASuccessorThatAUserHasChangedStaysBesideTheRestoredTask) {
  const Task first = Create();
  Skip(first);
  DeliverNews();
  Rename(Newest(), "mine", SeriesScope::kThis);
  Restore(first);
  DeliverNews();
  EXPECT_THAT(Occurrences(), ElementsAre(1, 2));
}

TEST_F(SeriesTest, ATaskThatIsRestoredBeforeItsSkipIsTakenUpHasNoSuccessor) {
  const Task first = Create();
  Skip(first);
  Restore(first);
  DeliverNews();
  EXPECT_THAT(Occurrences(), ElementsAre(1));
}

TEST_F(SeriesTest, ARestoredTaskBringsItsSeriesBack) {
  for (const SeriesScope scope :
       {SeriesScope::kDefault, SeriesScope::kFollowing, SeriesScope::kAll}) {
    const Task first = Create();
    const Task second = Advance(first);
    Delete(second, scope);
    DeliverNews();
    EXPECT_THAT(Occurrences(), ElementsAre(1));
    Restore(second);
    DeliverNews();
    EXPECT_THAT(Occurrences(), ElementsAre(1, 2));
    Advance(second);
    EXPECT_THAT(Occurrences(), ElementsAre(1, 2, 3));
    Clear();
  }
}

TEST_F(SeriesTest, AnOccurrenceThatTheConsumerTookAwayCanBeRestored) {
  const Task first = Create();
  const Task second = Advance(first);
  SetCompleted(first, false);
  DeliverNews();
  Restore(second);
  DeliverNews();
  EXPECT_THAT(Occurrences(), ElementsAre(1, 2));
  SetCompleted(first, true);
  DeliverNews();
  EXPECT_THAT(Occurrences(), ElementsAre(1, 2)) << "there is one already";
}

TEST_F(SeriesTest, ARestoredCompletedTaskMakesNoOtherSuccessor) {
  const Task first = Create();
  Advance(first);
  Delete(first, SeriesScope::kDefault);
  EXPECT_TRUE(Restore(first).completed);
  DeliverNews();
  EXPECT_THAT(Occurrences(), ElementsAre(1, 2));
}

// ---- change

TEST_F(SeriesTest, ChangesOfOneOccurrenceAreNotCarriedOver) {
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

TEST_F(SeriesTest, ScopeAllChangesOpenAndLaterOccurrences) {
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

TEST_F(SeriesTest, AChangeOfTheSeriesAppliesToANextOccurrenceNotYetMade) {
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

TEST_F(SeriesTest, AChangeOfTheSeriesLeavesASuccessorThatIsAboutToBeRemoved) {
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

TEST_F(SeriesTest, TheLastOccurrenceFromCompletionCanBeMovedToo) {
  clock_.Set("2027-03-12T12:00:00Z");
  const Task first = CreateAs([](CreateTaskInput& input) {
    input.time_zone = "America/New_York";
    input.due.due_date = At("2027-03-14T05:45:00Z");
    input.recurrence_rule = "FREQ=WEEKLY;BYDAY=SU;UNTIL=20270328T044500Z";
    input.basis = domain::RecurrenceBasis::kCompletion;
  });
  clock_.Set("2027-03-21T12:00:00Z");
  Skip(first);
  DeliverNews();
  const Task last = Newest();
  ASSERT_EQ(last.fields.due.at, At("2027-03-28T04:45:00Z"));
  UpdateTaskInput input = UpdateOf(last, SeriesScope::kAll);
  input.due = DueInput{.due_date = At("2027-03-26T04:45:00Z"), .due_local = {}};
  EXPECT_EQ(Update(input).fields.due.at, At("2027-03-26T04:45:00Z"));
}

TEST_F(SeriesTest, AMoveThatWouldEndTheSeriesIsRefused) {
  const Task second = Advance(Create("FREQ=WEEKLY;UNTIL=20261130T080000Z"));
  for (const char* due : {"2026-12-20T09:00:00", "2500-01-01T09:00:00"}) {
    UpdateTaskInput input = UpdateOf(second, SeriesScope::kFollowing);
    input.due = DueInput{.due_date = {}, .due_local = due};
    const absl::Status refused = tasks_.Update(Call(), input).status();
    EXPECT_TRUE(absl::IsInvalidArgument(refused)) << refused;
    EXPECT_THAT(std::string(refused.message()), HasSubstr("task.due_local")) << due;
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

// ---- moving a series whose rule names its days

TEST_F(SeriesTest, ARuleThatNamesOneDayFollowsAMove) {
  struct Case {
    std::string rule, due, to, moved_rule, next;
  };
  clock_.Set("2026-11-26T08:00:00Z");
  for (const Case& c : std::vector<Case>{
           {"FREQ=WEEKLY;BYDAY=MO", "2026-11-30T09:00:00", "2026-11-27T09:00:00",
            "FREQ=WEEKLY;BYDAY=FR", "2026-12-04T09:00:00"},
           {"FREQ=WEEKLY;COUNT=3;BYDAY=MO", "2026-11-30T09:00:00", "2026-11-27T09:00:00",
            "FREQ=WEEKLY;COUNT=3;BYDAY=FR", "2026-12-04T09:00:00"},
           {"FREQ=WEEKLY;INTERVAL=2;BYDAY=MO", "2026-11-30T09:00:00", "2026-12-07T09:00:00",
            "FREQ=WEEKLY;INTERVAL=2;BYDAY=MO", "2026-12-21T09:00:00"},
           {"FREQ=DAILY;BYDAY=MO", "2026-11-30T09:00:00", "2026-12-01T09:00:00",
            "FREQ=DAILY;BYDAY=TU", "2026-12-08T09:00:00"},
           {"FREQ=MONTHLY;BYMONTHDAY=15", "2026-12-15T09:00:00", "2026-12-17T09:00:00",
            "FREQ=MONTHLY;BYMONTHDAY=17", "2027-01-17T09:00:00"},
           {"FREQ=MONTHLY;BYDAY=2TU", "2026-12-08T09:00:00", "2026-12-11T09:00:00",
            "FREQ=MONTHLY;BYDAY=2FR", "2027-01-08T09:00:00"},
           {"FREQ=MONTHLY;BYDAY=-1FR", "2026-12-25T09:00:00", "2026-12-31T09:00:00",
            "FREQ=MONTHLY;BYDAY=-1TH", "2027-01-28T09:00:00"},
           {"FREQ=YEARLY;BYMONTH=12;BYDAY=2TU", "2026-12-08T09:00:00", "2027-01-15T09:00:00",
            "FREQ=YEARLY;BYMONTH=1;BYDAY=3FR", "2028-01-21T09:00:00"},
           {"FREQ=YEARLY;BYDAY=50MO", "2026-12-14T09:00:00", "2026-12-15T09:00:00",
            "FREQ=YEARLY;BYDAY=50TU", "2027-12-14T09:00:00"},
           {"FREQ=YEARLY;BYMONTH=12;BYMONTHDAY=24", "2026-12-24T09:00:00", "2027-01-02T09:00:00",
            "FREQ=YEARLY;BYMONTH=1;BYMONTHDAY=2", "2028-01-02T09:00:00"},
           {"FREQ=YEARLY;BYMONTH=6,12;BYMONTHDAY=24", "2026-12-24T09:00:00", "2026-12-23T09:00:00",
            "FREQ=YEARLY;BYMONTH=6,12;BYMONTHDAY=23", "2027-06-23T09:00:00"},
           {"FREQ=YEARLY;BYMONTH=4", "2027-04-03T09:00:00", "2027-03-31T09:00:00",
            "FREQ=YEARLY;BYMONTH=3", "2028-03-31T09:00:00"},
           {"FREQ=DAILY;BYHOUR=9", "2026-11-27T09:00:00", "2026-11-27T18:00:00",
            "FREQ=DAILY;BYHOUR=18", "2026-11-28T18:00:00"},
           {"FREQ=DAILY;BYHOUR=9,17", "2026-11-27T09:00:00", "2026-11-27T10:00:00",
            "FREQ=DAILY;BYHOUR=10,17", "2026-11-27T17:00:00"},
           {"FREQ=WEEKLY;BYDAY=MO;BYHOUR=9;BYMINUTE=0", "2026-11-30T09:00:00",
            "2026-11-27T18:30:00", "FREQ=WEEKLY;BYDAY=FR;BYHOUR=18;BYMINUTE=30",
            "2026-12-04T18:30:00"},
           {"FREQ=WEEKLY;BYDAY=MO;BYHOUR=9", "2026-11-30T09:00:00", "2026-11-27",
            "FREQ=WEEKLY;BYDAY=FR;BYHOUR=9", "2026-12-04"}}) {
    for (const SeriesScope scope : {SeriesScope::kFollowing, SeriesScope::kAll}) {
      SCOPED_TRACE(c.rule + " to " + c.to);
      const Task moved = Move(Create(c.rule, c.due), c.to, scope);
      EXPECT_EQ(DueOf(moved), c.to);
      EXPECT_EQ(moved.fields.recurrence_rule, c.moved_rule);
      EXPECT_EQ(DueOf(Advance(moved)), c.next);
      Clear();
    }
  }
}

TEST_F(SeriesTest, AMoveToADateOfTheRuleIsNeverRefused) {
  struct Case {
    std::string rule, due, to, next;
  };
  clock_.Set("2026-11-26T08:00:00Z");
  for (const Case& c : std::vector<Case>{
           {"weekdays", "2026-11-30T09:00:00", "2026-12-01T10:00:00", "2026-12-02T10:00:00"},
           {"weekdays", "2026-11-30T09:00:00", "2026-11-30T18:00:00", "2026-12-01T18:00:00"},
           {"FREQ=WEEKLY;BYDAY=MO,FR", "2026-11-30T09:00:00", "2026-12-04T09:00:00",
            "2026-12-07T09:00:00"},
           {"FREQ=WEEKLY;INTERVAL=2;BYDAY=MO,FR", "2026-11-30T09:00:00", "2026-12-07T09:00:00",
            "2026-12-11T09:00:00"},
           {"FREQ=MONTHLY;BYDAY=MO,TU,WE,TH,FR;BYSETPOS=-1", "2026-11-30T09:00:00",
            "2026-12-31T10:00:00", "2027-01-29T10:00:00"},
           {"FREQ=MONTHLY;BYDAY=MO,TU,WE,TH,FR;BYSETPOS=-1", "2026-11-30T09:00:00",
            "2026-11-30T10:00:00", "2026-12-31T10:00:00"},
           {"FREQ=MONTHLY;BYMONTHDAY=-1", "2026-11-30T09:00:00", "2026-11-30T18:00:00",
            "2026-12-31T18:00:00"},
           {"FREQ=YEARLY;BYYEARDAY=334", "2026-11-30T09:00:00", "2026-11-30T18:00:00",
            "2027-11-30T18:00:00"},
           {"FREQ=WEEKLY;BYDAY=TU", "2026-11-30T09:00:00", "2026-11-30T18:00:00",
            "2026-12-01T18:00:00"}}) {
    SCOPED_TRACE(c.rule + " to " + c.to);
    const Task moved = Move(Create(c.rule, c.due), c.to, SeriesScope::kFollowing);
    EXPECT_EQ(DueOf(moved), c.to);
    EXPECT_EQ(moved.fields.recurrence_rule, c.rule) << "as the user wrote it";
    EXPECT_EQ(DueOf(Advance(moved)), c.next);
    Clear();
  }
}

TEST_F(SeriesTest, AMoveThatTheRuleCannotFollowNamesThePartToChange) {
  struct Case {
    std::string rule, due, to, part;
  };
  clock_.Set("2026-11-26T08:00:00Z");
  for (const Case& c : std::vector<Case>{
           {"weekdays", "2026-11-30T09:00:00", "2026-12-06T09:00:00",
            "2026-12-06 is not a date of 'weekdays', which cannot follow: replace "
            "task.recurrence_rule by a rule that names the day"},
           {"RRULE:FREQ=WEEKLY;BYDAY=FR,MO", "2026-11-30T09:00:00", "2026-12-01T09:00:00",
            "not a date of 'RRULE:FREQ=WEEKLY;BYDAY=FR,MO', which cannot follow: change BYDAY of"},
           {"FREQ=WEEKLY;BYDAY=MO,FR", "2026-11-30T09:00:00", "2026-12-01T09:00:00",
            "change BYDAY of"},
           {"FREQ=MONTHLY;BYDAY=MO,TU,WE,TH,FR;BYSETPOS=-1", "2026-11-30T09:00:00",
            "2026-12-01T09:00:00", "change BYSETPOS of"},
           {"FREQ=MONTHLY;BYDAY=MO,TU,WE,TH,FR;BYSETPOS=-1", "2026-11-30T09:00:00",
            "2026-11-29T09:00:00", "change BYDAY and BYSETPOS of"},
           {"FREQ=YEARLY;BYYEARDAY=334", "2026-11-30T09:00:00", "2026-12-01T09:00:00",
            "change BYYEARDAY of"},
           {"FREQ=YEARLY;BYWEEKNO=20;BYDAY=MO", "2027-05-17T09:00:00", "2027-05-24T09:00:00",
            "change BYWEEKNO of"},
           {"FREQ=MONTHLY;BYMONTHDAY=-1", "2026-11-30T09:00:00", "2026-11-29T09:00:00",
            "change BYMONTHDAY of"},
           {"FREQ=MONTHLY;BYMONTHDAY=1,15", "2026-12-01T09:00:00", "2026-12-02T09:00:00",
            "change BYMONTHDAY of"},
           {"FREQ=YEARLY;BYMONTH=6,12;BYMONTHDAY=24", "2026-12-24T09:00:00", "2027-01-02T09:00:00",
            "change BYMONTH and BYMONTHDAY of"}}) {
    SCOPED_TRACE(c.rule + " to " + c.to);
    const Task task = Create(c.rule, c.due);
    UpdateTaskInput input = UpdateOf(task, SeriesScope::kFollowing);
    input.due = DueInput{.due_date = {}, .due_local = c.to};
    const auto violations = util::FieldViolationsOf(tasks_.Update(Call(), input).status());
    ASSERT_THAT(violations, SizeIs(1));
    EXPECT_EQ(violations[0].field, "task.due_local");
    EXPECT_THAT(violations[0].description, HasSubstr(c.part));

    input.recurrence_rule = Rule("FREQ=WEEKLY");
    EXPECT_EQ(DueOf(Update(input)), c.to) << "with a rule of its own it can be moved anywhere";
    Clear();
  }
}

TEST_F(SeriesTest, AMoveWithinTheRuleIsNotRefusedBecauseOfItsEnd) {
  clock_.Set("2026-11-26T08:00:00Z");
  const std::string rule = "FREQ=WEEKLY;BYDAY=MO;UNTIL=20261207T080000Z";
  Advance(
      Move(Create(rule, "2026-11-30T09:00:00"), "2026-12-07T09:00:00", SeriesScope::kFollowing));
  EXPECT_THAT(Occurrences(), ElementsAre(1)) << "nothing follows up to UNTIL";
}

TEST_F(SeriesTest, ATimeOfDayInUntilMovesWithTheTimeOfDay) {
  struct Case {
    std::string until, due, to, moved, last;
  };
  clock_.Set("2026-11-26T08:00:00Z");
  for (const Case& c :
       std::vector<Case>{{"20261207T080000Z", "2026-11-30T09:00:00", "2026-11-30T10:00:00",
                          "20261207T090000Z", "2026-12-07T10:00:00"},
                         {"20261207T080000Z", "2026-11-30T09:00:00", "2026-11-30T08:00:00",
                          "20261207T070000Z", "2026-12-07T08:00:00"},
                         {"20261207T090000", "2026-11-30T09:00:00", "2026-11-30T18:00:00",
                          "20261207T180000", "2026-12-07T18:00:00"},
                         {"20261207", "2026-11-30T09:00:00", "2026-11-30T18:00:00", "20261207",
                          "2026-12-07T18:00:00"},
                         {"20261207T080000Z", "2026-11-30T09:00:00", "2026-11-30",
                          "20261207T080000Z", "2026-12-07"},
                         {"20261207T000000Z", "2026-11-30", "2026-11-30T09:00:00", "20261207",
                          "2026-12-07T09:00:00"}}) {
    SCOPED_TRACE(c.until + " to " + c.to);
    const std::string rule = "FREQ=WEEKLY;BYDAY=MO;UNTIL=";
    const Task moved = Move(Create(rule + c.until, c.due), c.to, SeriesScope::kFollowing);
    std::string text = *moved.fields.recurrence_rule;
    EXPECT_THAT(text, HasSubstr("UNTIL=" + c.moved));
    EXPECT_EQ(DueOf(Advance(moved)), c.last);
    Advance(Newest());
    EXPECT_THAT(Occurrences(), ElementsAre(1, 2)) << "as many as before";
    Clear();
  }
}

TEST_F(SeriesTest, AMoveKeepsWhatIsLeftOfCount) {
  clock_.Set("2026-11-26T06:00:00Z");
  Task task = Advance(Create("FREQ=DAILY;COUNT=4;BYHOUR=9,17", "2026-11-27T09:00:00"));
  ASSERT_EQ(DueOf(task), "2026-11-27T17:00:00");
  task = Move(task, "2026-11-27T18:00:00", SeriesScope::kFollowing);
  EXPECT_EQ(task.fields.recurrence_rule, "FREQ=DAILY;COUNT=3;BYHOUR=9,18");
  std::vector<std::string> dates;
  while (!task.completed) {
    dates.push_back(DueOf(task));
    task = Advance(task);
  }
  EXPECT_THAT(dates,
              ElementsAre("2026-11-27T18:00:00", "2026-11-28T09:00:00", "2026-11-28T18:00:00"));
}

// ---- a task moved for this once

TEST_F(SeriesTest, LaterChangesKeepTheDaysOfTheSeries) {
  clock_.Set("2026-11-26T08:00:00Z");
  const std::vector<std::function<Task(const Task&)>> edits = {
      [this](const Task& task) {
        return SetZone(task, "America/New_York", SeriesScope::kFollowing);
      },
      [this](const Task& task) { return SetZone(task, "America/New_York", SeriesScope::kAll); },
      [this](const Task& task) { return SetZone(task, "America/New_York", SeriesScope::kDefault); },
      [this](const Task& task) { return SetRule(task, "FREQ=WEEKLY;UNTIL=20270101"); },
      [this](const Task& task) { return SetRule(task, "FREQ=WEEKLY;COUNT=3"); },
      [this](const Task& task) { return SetRule(task, "FREQ=WEEKLY;BYDAY=MO"); },
      [this](const Task& task) { return Rename(task, "renamed", SeriesScope::kFollowing); }};
  for (std::size_t i = 0; i < edits.size(); ++i) {
    for (const char* once : {"2026-12-02T09:00:00", "2026-12-02"}) {
      SCOPED_TRACE(std::to_string(i) + " after " + once);
      const Task edited =
          edits[i](Move(Create("FREQ=WEEKLY", "2026-11-30T09:00:00"), once, SeriesScope::kDefault));
      EXPECT_EQ(DueOf(edited), once) << "it stays where it was moved to";
      const Task second = Advance(edited);
      EXPECT_EQ(DueOf(second), "2026-12-07T09:00:00");
      EXPECT_EQ(second.series->missed, 0);
      EXPECT_EQ(DueOf(Advance(second)), "2026-12-14T09:00:00");
      Clear();
    }
  }
}

TEST_F(SeriesTest, ACountAddedAfterwardsCountsThisOneToo) {
  clock_.Set("2026-11-26T08:00:00Z");
  const Task first = Move(Create("FREQ=WEEKLY", "2026-11-30T09:00:00"), "2026-12-02T09:00:00",
                          SeriesScope::kDefault);
  Advance(Advance(Advance(SetRule(first, "FREQ=WEEKLY;COUNT=3"))));
  EXPECT_THAT(Occurrences(), ElementsAre(1, 2, 3));
  EXPECT_EQ(DueOf(Newest()), "2026-12-14T09:00:00");
}

TEST_F(SeriesTest, ANewRuleThatNamesTheMovedDayCountsFromThatDay) {
  clock_.Set("2026-11-26T08:00:00Z");
  const Task first = Move(Create("FREQ=WEEKLY;BYDAY=MO", "2026-11-30T09:00:00"),
                          "2026-12-02T09:00:00", SeriesScope::kDefault);
  EXPECT_EQ(DueOf(Advance(SetRule(first, "FREQ=WEEKLY;BYDAY=WE"))), "2026-12-09T09:00:00");
}

TEST_F(SeriesTest, AnEqualRuleInAnotherSpellingChangesNothing) {
  clock_.Set("2026-11-26T08:00:00Z");
  const std::string monday = "2026-11-30T09:00:00";
  for (const char* spelled :
       {"RRULE:FREQ=WEEKLY;BYDAY=MO", "freq=weekly;byday=MO;", "FREQ=WEEKLY;INTERVAL=1;BYDAY=MO"}) {
    const Task task = Create("FREQ=WEEKLY;BYDAY=MO", monday);
    EXPECT_EQ(SetRule(task, spelled).fields.recurrence_rule, "FREQ=WEEKLY;BYDAY=MO")
        << "the text stays that was there";
    UpdateTaskInput input = UpdateOf(task, SeriesScope::kFollowing);
    input.due = DueInput{.due_date = {}, .due_local = "2026-11-27T09:00:00"};
    input.recurrence_rule = Rule(spelled);
    EXPECT_EQ(DueOf(Advance(Update(input))), "2026-12-04T09:00:00") << spelled;
    Clear();
  }
  for (const char* spelled : {"FREQ=WEEKLY;COUNT=3;BYDAY=MO", "FREQ=WEEKLY;BYDAY=MO;COUNT=3;"}) {
    const Task second = Advance(Create("FREQ=WEEKLY;BYDAY=MO;COUNT=3", monday));
    Advance(Advance(SetRule(second, spelled)));
    EXPECT_THAT(Occurrences(), ElementsAre(1, 2, 3)) << spelled;
    Clear();
  }
}

TEST_F(SeriesTest, ARuleWithAnotherEndFollowsAMoveInTheSameCall) {
  clock_.Set("2026-11-26T08:00:00Z");
  for (const char* end : {";COUNT=5", ";UNTIL=20270101"}) {
    for (const SeriesScope scope : {SeriesScope::kFollowing, SeriesScope::kDefault}) {
      SCOPED_TRACE(end);
      UpdateTaskInput input =
          UpdateOf(Create("FREQ=WEEKLY;BYDAY=MO", "2026-11-30T09:00:00"), scope);
      input.recurrence_rule = Rule(std::string("FREQ=WEEKLY;BYDAY=MO") + end);
      input.due = DueInput{.due_date = {}, .due_local = "2026-11-27T09:00:00"};
      EXPECT_EQ(DueOf(Advance(Update(input))), "2026-12-04T09:00:00");
      Clear();
    }
    Task third = Create("monthly", "2026-12-31T09:00:00");
    while (third.series->occurrence < 3) third = Advance(third);
    ASSERT_EQ(DueOf(third), "2027-02-28T09:00:00");
    UpdateTaskInput input = UpdateOf(third, SeriesScope::kFollowing);
    input.recurrence_rule = Rule("RSCALE=GREGORIAN;FREQ=MONTHLY;SKIP=BACKWARD;COUNT=5");
    input.due = DueInput{.due_date = {}, .due_local = "2027-02-28T10:00:00"};
    EXPECT_EQ(DueOf(Advance(Update(input))), "2027-03-31T10:00:00")
        << "a new time leaves the days as they are";
    Clear();
  }
  const Task task = Create("weekdays", "2026-11-30T09:00:00");
  UpdateTaskInput input = UpdateOf(task, SeriesScope::kFollowing);
  input.recurrence_rule = Rule("FREQ=WEEKLY;BYDAY=MO,TU,WE,TH,FR;COUNT=5");
  input.due = DueInput{.due_date = {}, .due_local = "2026-12-06T09:00:00"};
  const auto violations = util::FieldViolationsOf(tasks_.Update(Call(), input).status());
  ASSERT_THAT(violations, SizeIs(1));
  EXPECT_THAT(violations[0].description, HasSubstr("change BYDAY of task.recurrence_rule"));
}

TEST_F(SeriesTest, AMoveOfOneOccurrenceCanBeExtendedToAll) {
  clock_.Set("2026-11-26T08:00:00Z");
  const std::string once = "2026-12-02T10:00:00";
  const Task first =
      Move(Create("FREQ=WEEKLY;BYDAY=MO", "2026-11-30T09:00:00"), once, SeriesScope::kDefault);
  const Task moved = Move(first, once, SeriesScope::kFollowing);
  EXPECT_EQ(moved.fields.recurrence_rule, "FREQ=WEEKLY;BYDAY=WE");
  const std::size_t changes = Log().size();
  Move(moved, once, SeriesScope::kFollowing);
  EXPECT_THAT(Log(), SizeIs(changes)) << "a due date that is all the series' already";
  EXPECT_EQ(DueOf(Advance(moved)), "2026-12-09T10:00:00");
  Move(moved, once, SeriesScope::kFollowing);  // done: nothing changes, so nothing is refused
}

TEST_F(SeriesTest, AnInstantMovedOnceKeepsTheInstantsOfItsSeriesInANewZone) {
  clock_.Set("2026-11-26T08:00:00Z");
  for (const SeriesScope scope : {SeriesScope::kFollowing, SeriesScope::kDefault}) {
    Task task = CreateAs([](CreateTaskInput& input) {
      input.recurrence_rule = "FREQ=WEEKLY;BYDAY=MO";
      input.due.due_date = At("2026-11-30T00:30:00Z");  // Monday in Berlin, Sunday in New York
    });
    UpdateTaskInput input = UpdateOf(task, SeriesScope::kDefault);
    input.due = DueInput{.due_date = At("2026-12-02T00:30:00Z"), .due_local = {}};
    task = SetZone(Update(input), "America/New_York", scope);
    EXPECT_EQ(task.fields.due.at, At("2026-12-02T00:30:00Z"));
    EXPECT_EQ(task.fields.recurrence_rule, "FREQ=WEEKLY;BYDAY=SU");
    EXPECT_EQ(Advance(task).fields.due.at, At("2026-12-07T00:30:00Z"));
    Clear();
  }
}

TEST_F(SeriesTest, ANewZoneWithoutAScopeLeavesTheInstantsOfASeries) {
  clock_.Set("2026-11-26T08:00:00Z");
  const auto create = [this] {
    return CreateAs([](CreateTaskInput& input) {
      input.recurrence_rule = "FREQ=WEEKLY";
      input.due.due_date = At("2026-11-30T20:00:00Z");
    });
  };
  EXPECT_EQ(Advance(SetZone(create(), "Asia/Tokyo", SeriesScope::kDefault)).fields.due.at,
            At("2026-12-07T20:00:00Z"));
  Clear();
  UpdateTaskInput input = UpdateOf(create(), SeriesScope::kDefault);
  input.time_zone = std::optional<std::string>("Asia/Tokyo");
  input.due = DueInput{.due_date = At("2026-12-01T20:00:00Z"), .due_local = {}};
  const Task moved = Update(input);
  EXPECT_EQ(moved.fields.due.at, At("2026-12-01T20:00:00Z")) << "for this once";
  EXPECT_EQ(Advance(moved).fields.due.at, At("2026-12-07T20:00:00Z"));
  Clear();
  input = UpdateOf(create(), SeriesScope::kDefault);
  input.time_zone = std::optional<std::string>("Asia/Tokyo");
  input.due = DueInput{.due_date = {}, .due_local = "2026-12-02"};
  const Task day = Update(input);
  EXPECT_EQ(DueOf(day), "2026-12-02") << "a day, for this once";
  EXPECT_EQ(Advance(day).fields.due.at, At("2026-12-07T20:00:00Z"));
}

TEST_F(SeriesTest, NextCountsFromTheScheduledDateNotFromTheMovedOne) {
  clock_.Set("2026-11-26T08:00:00Z");
  for (const bool skipped : {false, true}) {
    const Task moved = Move(Create("FREQ=WEEKLY", "2026-11-30T09:00:00"), "2026-12-09T09:00:00",
                            SeriesScope::kDefault);
    skipped ? (void)Skip(moved) : SetCompleted(moved, true);
    DeliverNews();
    EXPECT_EQ(DueOf(Newest()), "2026-12-07T09:00:00") << "skipped: " << skipped;
    EXPECT_EQ(Newest().series->missed, 0);
    Clear();
  }
}

TEST_F(SeriesTest, AnEndAddedToASeriesOfThe31stKeepsThe31st) {
  for (const std::string end : {"UNTIL=20270401", "COUNT=3"}) {
    clock_.Set("2026-01-30T08:00:00Z");
    Task task = Advance(Create("monthly", "2026-01-31T09:00:00"));
    ASSERT_EQ(DueOf(task), "2026-02-28T09:00:00");
    task = SetRule(task, "RSCALE=GREGORIAN;FREQ=MONTHLY;SKIP=BACKWARD;" + end);
    EXPECT_EQ(DueOf(Advance(task)), "2026-03-31T09:00:00") << end;
    Clear();
  }
}

// ---- counting from completion, days that are named

TEST_F(SeriesTest, FromCompletionANamedDayComesAfterTheOneThatWasDone) {
  struct Case {
    std::string rule, due;
    std::vector<std::string> next;
  };
  for (const Case& c :
       std::vector<Case>{{"FREQ=YEARLY;BYMONTH=12;BYMONTHDAY=24", "2026-12-24", {"2027-12-24"}},
                         {"FREQ=YEARLY;BYMONTH=12", "2026-12-24", {"2027-12-24"}},
                         {"FREQ=WEEKLY;BYDAY=MO;COUNT=3",
                          "2026-11-30T09:00:00",
                          {"2026-12-07T09:00:00", "2026-12-14T09:00:00", ""}},
                         {"FREQ=WEEKLY;INTERVAL=3;BYDAY=SA", "2026-11-28", {"2026-12-19"}},
                         {"FREQ=WEEKLY;INTERVAL=3;BYDAY=SA", "2026-11-21", {"2026-12-19"}},
                         {"FREQ=WEEKLY;INTERVAL=3;BYDAY=SA", "2026-12-19", {"2027-01-09"}},
                         {"FREQ=MONTHLY;INTERVAL=2;BYMONTHDAY=31", "2026-10-31", {"2027-01-31"}},
                         {"FREQ=MONTHLY;INTERVAL=3;BYMONTHDAY=30", "2026-10-30", {"2027-05-30"}},
                         {"FREQ=YEARLY;BYWEEKNO=53;BYDAY=MO", "2026-12-28", {"2032-12-27"}},
                         {"FREQ=YEARLY;BYWEEKNO=53", "2026-12-28", {"2032-12-27"}},
                         {"FREQ=DAILY", "2026-11-30", {"2026-11-27"}},
                         {"FREQ=WEEKLY;INTERVAL=6", "2026-12-05", {"2027-01-07"}}}) {
    clock_.Set("2026-11-26T08:00:00Z");
    SCOPED_TRACE(c.rule + " from " + c.due);
    Task task = CreateFromCompletion(c.rule, c.due);
    for (const std::string& next : c.next) {
      const std::int64_t occurrence = task.series->occurrence;
      task = Advance(task);
      if (next.empty()) {
        EXPECT_EQ(task.series->occurrence, occurrence) << "COUNT ends it";
      } else {
        EXPECT_EQ(DueOf(task), next);
      }
    }
    Clear();
  }
}

// ---- days

TEST_F(SeriesTest, OfAnAllDaySeriesTodayStillCounts) {
  clock_.Set("2026-11-26T08:00:00Z");
  for (const bool skipped : {false, true}) {
    for (const std::string end : {"", ";UNTIL=20261126"}) {
      const Task late = Create("FREQ=WEEKLY" + end, "2026-11-19");
      skipped ? (void)Skip(late) : SetCompleted(late, true);
      DeliverNews();
      EXPECT_EQ(DueOf(Newest()), "2026-11-26") << "skipped: " << skipped;
      EXPECT_EQ(Newest().series->missed, 0);
      const std::int64_t last = Advance(Newest()).series->occurrence;
      EXPECT_EQ(last, end.empty() ? 3 : 2) << "with UNTIL today it is the last one";
      Clear();
    }
  }
}

TEST_F(SeriesTest, TodayIsTheDayOfTheSeriesZone) {
  clock_.Set("2026-11-25T23:30:00Z");  // the 26th in Berlin
  EXPECT_EQ(DueOf(Advance(Create("FREQ=WEEKLY", "2026-11-18"))), "2026-12-02");
  Clear();
  EXPECT_EQ(DueOf(Advance(Create("FREQ=WEEKLY", "2026-11-19"))), "2026-11-26");
}

// ---- an hour that comes twice

TEST_F(SeriesTest, ASeriesCanStartInTheSecondOfTwoEqualHours) {
  clock_.Set("2027-11-01T08:00:00Z");
  const auto create = [this](const std::string& rule) {
    return CreateAs([&](CreateTaskInput& input) {
      input.recurrence_rule = rule;
      input.due.due_date = At("2027-11-07T06:30:00Z");
      input.time_zone = "America/New_York";
    });
  };
  const Task second = Advance(create("FREQ=DAILY;BYHOUR=1;BYMINUTE=30,45"));
  EXPECT_EQ(second.fields.due.at, At("2027-11-08T06:30:00Z"));
  EXPECT_EQ(second.series->missed, 0);
  Clear();

  Task task = create("FREQ=DAILY;COUNT=3;BYHOUR=1;BYMINUTE=30,45");
  std::vector<domain::Instant> dates;
  while (!task.completed) {
    dates.push_back(task.fields.due.at);
    task = Advance(task);
  }
  EXPECT_THAT(dates, ElementsAre(At("2027-11-07T06:30:00Z"), At("2027-11-08T06:30:00Z"),
                                 At("2027-11-08T06:45:00Z")));

  PreviewInput input;
  input.due.due_date = At("2027-11-07T06:30:00Z");
  input.time_zone = "America/New_York";
  input.recurrence_rule = "FREQ=DAILY;COUNT=3;BYHOUR=1;BYMINUTE=30,45";
  input.count = 10;
  const auto preview = tasks_.Preview(Call().user, input);
  ASSERT_TRUE(preview.ok()) << preview.status();
  ASSERT_THAT(preview->occurrences, SizeIs(2));
  EXPECT_EQ(preview->occurrences[0].due.at, At("2027-11-08T06:30:00Z"));
  EXPECT_EQ(preview->occurrences[0].number, 2);
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

TEST_F(SeriesTest, ATaskOpenedAgainRecursThoughTheNextOneWasDeleted) {
  const Task first = Create();
  Delete(Advance(first), SeriesScope::kDefault);
  SetCompleted(first, true);
  Deliver(Log());
  EXPECT_THAT(Occurrences(), ElementsAre(1)) << "the series has ended";
  SetCompleted(first, false);
  EXPECT_EQ(Newest().fields.recurrence_rule, "FREQ=DAILY");
  DeliverNews();
  EXPECT_THAT(Occurrences(), ElementsAre(1)) << "nothing comes before it is done";
  UpdateTaskInput input = UpdateOf(first, SeriesScope::kFollowing);
  input.recurrence_rule = Rule("FREQ=WEEKLY");
  Update(input);  // it is the newest one again
  const Task second = Advance(first);
  EXPECT_EQ(second.series->occurrence, 2);
  EXPECT_EQ(DueOf(second), "2026-10-31T09:00:00");
  EXPECT_EQ(Advance(second).series->occurrence, 3) << "and goes on";
}

TEST_F(SeriesTest, TheNextOneMayBeDeletedWhileTheOneBeforeIsOpenAgain) {
  const Task first = Create();
  const Task second = Rename(Advance(first), "touched", SeriesScope::kDefault);
  SetCompleted(first, false);
  DeliverNews();
  ASSERT_THAT(Occurrences(), ElementsAre(1, 2));
  Delete(second, SeriesScope::kDefault);
  DeliverNews();
  EXPECT_EQ(Advance(first).series->occurrence, 2);
}

TEST_F(SeriesTest, ATaskOpenedAgainRecursAlsoWhenTheNextOneWasDoneAndDeleted) {
  const Task first = Create();
  const Task second = Advance(first);
  const Task third = Advance(second);
  Delete(second, SeriesScope::kDefault);
  SetCompleted(first, false);
  SetCompleted(first, true);
  Deliver(Log());
  EXPECT_THAT(Occurrences(), ElementsAre(1, 3)) << "the series goes on there";
  Delete(third, SeriesScope::kDefault);
  SetCompleted(first, false);
  Deliver(Log());
  EXPECT_THAT(Occurrences(), ElementsAre(1));
  EXPECT_EQ(Advance(first).series->occurrence, 2);
  EXPECT_EQ(Advance(Newest()).series->occurrence, 3) << "and goes on";
}

TEST_F(SeriesTest, AfterDeletingFollowingNoOccurrenceComes) {
  const Task first = Create();
  const Task second = Rename(Advance(first), "touched", SeriesScope::kDefault);
  SetCompleted(first, false);
  DeliverNews();
  Delete(second, SeriesScope::kFollowing);
  EXPECT_EQ(Newest().fields.recurrence_rule, std::nullopt) << "so it shows no rule";
  EXPECT_EQ(Advance(first).series->occurrence, 1);
}

TEST_F(SeriesTest, AfterDeletingFollowingNoOccurrenceComesEvenOverAGap) {
  const Task first = Create();
  const Task second = Advance(first);
  const Task third = Advance(second);
  SetCompleted(first, false);
  Delete(second, SeriesScope::kDefault);
  DeliverNews();
  Delete(third, SeriesScope::kFollowing);
  DeliverNews();
  EXPECT_EQ(Newest().fields.recurrence_rule, std::nullopt);
  Advance(first);
  Advance(first);
  EXPECT_THAT(Occurrences(), ElementsAre(1));
}

TEST_F(SeriesTest, ACompletionBeforeTheDeletionLeavesTheOlderTaskAlone) {
  const Task first = Create();
  const Task second = Advance(first);
  const Task third = Advance(second);
  SetCompleted(first, false);
  DeliverNews();
  Delete(third, SeriesScope::kFollowing);
  EXPECT_EQ(Live().at(1).fields.recurrence_rule, "FREQ=DAILY") << "its next one is there";
}

TEST_F(SeriesTest, StoppingEndsTheSeriesWhereItIs) {
  const Task first = Create();
  const Task second = Advance(first);
  EXPECT_EQ(Stop(first).fields.recurrence_rule, std::nullopt) << "it may be opened again";
  EXPECT_EQ(Live().at(2).fields.recurrence_rule, std::nullopt);
  const std::size_t changes = Log().size();
  Stop(second);
  EXPECT_THAT(Log(), SizeIs(changes)) << "stopping again changes nothing";
  SetCompleted(second, true);
  Deliver(Log());
  EXPECT_THAT(Occurrences(), ElementsAre(1, 2));
}

TEST_F(SeriesTest, AStoppedSeriesDoesNotComeBack) {
  clock_.Set("2026-11-26T08:00:00Z");
  for (const bool deleted_first : {true, false}) {
    for (const bool with_a_gap : {false, true}) {
      SCOPED_TRACE(testing::Message() << deleted_first << with_a_gap);
      const Task first = Create("FREQ=WEEKLY", "2026-11-30T09:00:00");
      Task newest = Advance(first);
      if (with_a_gap) {
        const Task second = newest;
        newest = Advance(second);
        Delete(second, SeriesScope::kDefault);
      }
      Stop(newest);
      if (deleted_first) Delete(newest, SeriesScope::kDefault);
      SetCompleted(first, false);
      if (!deleted_first) Delete(newest, SeriesScope::kDefault);
      DeliverNews();
      EXPECT_EQ(Newest().fields.recurrence_rule, std::nullopt);
      Advance(first);
      EXPECT_THAT(Occurrences(), ElementsAre(1));
      Clear();
    }
  }
}

TEST_F(SeriesTest, AStoppedSeriesCanBeTakenUpByATaskThatWasOpenedAgain) {
  const Task first = Create();
  const Task second = Stop(Advance(first));
  Delete(second, SeriesScope::kDefault);
  SetCompleted(first, false);
  Update([&] {
    UpdateTaskInput input = UpdateOf(first, SeriesScope::kDefault);
    input.recurrence_rule = Rule("FREQ=WEEKLY");
    return input;
  }());
  EXPECT_EQ(DueOf(Advance(first)), "2026-10-31T09:00:00");
}

TEST_F(SeriesTest, StoppingAndDeletingReachOccurrencesNotYetMade) {
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
  EXPECT_THAT(preview->warnings, ElementsAre("The rule skips months without a 31st."));

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

/// After any calls of users and any order of delivery, once every event has come: each occurrence
/// that passed has exactly one successor, unless a person has deleted that or the series ended, and
/// no open task has an untouched successor.
TEST_F(SeriesTest, EveryOrderOfEventsLeadsToTheStateOfTheRows) {
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
      if (pick(10) == 0) {
        std::vector<Task> gone;
        for (const auto& [key, row] : database_.Read()->tasks) {
          if (row.task.deleted) gone.push_back(row.task);
        }
        if (!gone.empty()) Restore(gone[pick(gone.size())]);
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
