#include "service/consumers/recurring_task_service.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <nlohmann/json.hpp>
#include <random>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "domain/event/event_reader.h"
#include "domain/event/event_writer.h"
#include "fixtures.h"
#include "service/tasks/task_service.h"
#include "support/fake_database.h"
#include "support/fake_event_inbox.h"
#include "support/fake_preferred_zones.h"
#include "support/fake_task_store.h"

namespace todo::service {
namespace {

using domain::ChangeKind;
using domain::Task;
using domain::TaskEvent;
using testing::ElementsAre;
using testing::IsEmpty;
using testing::SizeIs;
using Events = std::vector<TaskEvent>;

constexpr char kTraceparent[] = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";

class RecurringTaskServiceTest : public testing::Test {
 protected:
  // ---- what users do

  CallContext Call() {
    return {.user = alice_, .request_id = {}, .fingerprint = "f", .traceparent = kTraceparent};
  }
  Task Create(const std::string& rule = "FREQ=DAILY") {
    CreateTaskInput input;
    input.title = "water the plants";
    input.description = "all of them";
    input.priority = domain::Priority::kHigh;
    input.tags = {"home", "green"};
    input.due.due_local = "2026-10-24T09:00:00";
    input.time_zone = "Europe/Berlin";
    if (!rule.empty()) input.recurrence_rule = rule;
    const auto task = tasks_.Create(Call(), input);
    EXPECT_TRUE(task.ok()) << task.status();
    return *task;
  }
  void SetCompleted(const Task& task, bool completed) {
    EXPECT_TRUE(tasks_.SetCompleted(Call(), task.id, std::nullopt, completed).ok());
  }
  void Rename(const Task& task, const std::string& title) {
    UpdateTaskInput input;
    input.id = task.id;
    input.title = title;
    EXPECT_TRUE(tasks_.Update(Call(), input).ok());
  }
  void Delete(const Task& task) { EXPECT_TRUE(tasks_.Delete(Call(), task.id, std::nullopt).ok()); }

  // ---- what the bus does

  /// All that has happened so far, as the bus delivers it.
  const Events& Log() {
    auto tables = database_.Read();
    for (std::size_t i = log_.size(); i < tables->changes.size(); ++i) {
      const auto event =
          domain::ParseTaskEventRecord(domain::TaskEventRecord(tables->changes[i].change));
      EXPECT_TRUE(event.ok()) << event.status();
      log_.push_back(*event);
    }
    return log_;
  }
  absl::Status Apply(const Events& events) {
    return inbox_.Transact(
        [&](ports::InboxTransaction& transaction) { return service_.Apply(transaction, events); });
  }
  void Deliver(const Events& events) {
    const absl::Status status = Apply(events);
    EXPECT_TRUE(status.ok()) << status;
  }
  /// The events since the last call.
  void DeliverNews() {
    const Events& all = Log();
    Deliver({all.begin() + static_cast<std::ptrdiff_t>(delivered_), all.end()});
    delivered_ = all.size();
  }

  // ---- what is there

  std::vector<Task> Live(const domain::UserId& user = {"alice"}) {
    return tasks_.List(user, {})->tasks;
  }
  /// The numbers of the live tasks in their series, sorted.
  std::vector<std::int64_t> LiveOccurrences() {
    std::vector<std::int64_t> occurrences;
    for (const Task& task : Live()) occurrences.push_back(task.series->occurrence);
    std::ranges::sort(occurrences);
    return occurrences;
  }
  /// The only live task besides `first`.
  Task SuccessorOf(const Task& first) {
    std::vector<Task> others;
    for (const Task& task : Live(first.user)) {
      if (task.id != first.id) others.push_back(task);
    }
    EXPECT_EQ(others.size(), 1u);
    return others.empty() ? Task{} : others[0];
  }
  std::vector<std::string> Kinds() {
    std::vector<std::string> kinds;
    for (const TaskEvent& event : Log()) kinds.emplace_back(domain::ToString(event.kind));
    return kinds;
  }

  /// As if nothing had happened.
  void Forget() {
    *database_.Read() = {};
    log_.clear();
    delivered_ = 0;
  }

  // ---- tasks of other programs

  TaskEvent Foreign(ChangeKind kind, std::int64_t version, const std::string& at) {
    Task task;
    task.fields.title = "call mum";
    task.fields.due = *domain::ResolveInstantDue(At("2026-10-24T09:00:00Z"));
    task.fields.recurrence_rule = "FREQ=DAILY";
    task.version = version;
    return {{.id = {ids_.NewId()},
             .task_id = domain::TaskId{4'711},
             .user = alice_,
             .at = At(at),
             .source = "another-service",
             .traceparent = {}},
            kind,
            task,
            alice_};
  }

  const domain::UserId alice_{"alice"};
  support::FakeDatabase database_;
  support::FakeTaskStore store_{database_};
  support::FakePreferredZones zones_{database_};
  support::FakeEventInbox inbox_{database_};
  SetClock clock_{"2026-10-24T08:00:00Z"};
  CountedIds ids_;
  TaskService tasks_{store_, zones_, clock_, ids_};
  RecurringTaskService service_{clock_, ids_};
  Events log_;  // what was committed, as far as it was asked for
  std::size_t delivered_ = 0;
};

TEST_F(RecurringTaskServiceTest, CompletingMakesTheNextOccurrence) {
  const Task first = Create();
  SetCompleted(first, true);
  DeliverNews();
  const Task next = SuccessorOf(first);
  domain::TaskFields expected = first.fields;
  expected.due = *domain::ResolveLocalDue("2026-10-25T09:00:00", "Europe/Berlin");
  EXPECT_EQ(next.fields, expected);
  EXPECT_FALSE(next.completed);
  ASSERT_TRUE(next.series.has_value());
  EXPECT_EQ(next.series->series_id, first.series->series_id);
  EXPECT_EQ(next.series->occurrence, 2);
  EXPECT_EQ(next.series->anchor, first.series->anchor);
  EXPECT_THAT(Kinds(), ElementsAre("created", "completed", "created"));
  EXPECT_EQ(Log().back().task_id, next.id);
  EXPECT_EQ(Log().back().traceparent, kTraceparent) << "that of the cause";
}

TEST_F(RecurringTaskServiceTest, TheTimeOfTheCompletionCountsNotThatOfTheRedelivery) {
  const Task first = Create();
  clock_.Set("2026-10-27T12:00:00Z");
  SetCompleted(first, true);
  clock_.Set("2026-11-20T12:00:00Z");
  DeliverNews();
  const Task next = SuccessorOf(first);
  EXPECT_EQ(next.fields.due.local, absl::CivilSecond(2026, 10, 28, 9));
  EXPECT_EQ(next.series->missed, 3);
}

TEST_F(RecurringTaskServiceTest, ARedeliveredEventMakesNoSecondSuccessor) {
  const Task first = Create();
  SetCompleted(first, true);
  const TaskEvent completed = Log().back();
  Deliver({completed, completed, completed});
  Deliver({completed});
  Deliver({completed});
  SuccessorOf(first);
  EXPECT_THAT(Kinds(), ElementsAre("created", "completed", "created"));
}

TEST_F(RecurringTaskServiceTest, OnlyRecurringTasksHaveSuccessors) {
  const Task plain = Create("");
  SetCompleted(plain, true);
  DeliverNews();
  EXPECT_THAT(Live(), SizeIs(1));
}

TEST_F(RecurringTaskServiceTest, OtherKindsOfEventsAreNoOccasion) {
  const Task first = Create();
  SetCompleted(first, true);
  Events events = Log();
  for (ChangeKind kind : {ChangeKind::kUpdated, ChangeKind::kDeleted}) {
    events[1].kind = kind;
    Deliver({events[1]});
  }
  EXPECT_THAT(Live(), SizeIs(1));
}

TEST_F(RecurringTaskServiceTest, OpeningATaskAgainRemovesAnUntouchedSuccessor) {
  const Task first = Create();
  SetCompleted(first, true);
  DeliverNews();
  const Task next = SuccessorOf(first);
  SetCompleted(first, false);
  DeliverNews();
  EXPECT_THAT(Live(), SizeIs(1));
  EXPECT_EQ(Log().back().kind, ChangeKind::kDeleted);
  EXPECT_EQ(Log().back().task_id, next.id);
}

TEST_F(RecurringTaskServiceTest, ATouchedSuccessorStays) {
  const Task first = Create();
  SetCompleted(first, true);
  DeliverNews();
  const Task next = SuccessorOf(first);
  Rename(next, "water all plants");
  SetCompleted(first, false);
  DeliverNews();
  EXPECT_EQ(SuccessorOf(first).fields.title, "water all plants");
  SetCompleted(first, true);
  DeliverNews();
  EXPECT_EQ(SuccessorOf(first).id, next.id) << "and there is no second one";
}

TEST_F(RecurringTaskServiceTest, CompletingAgainRevivesTheRemovedSuccessor) {
  const Task first = Create();
  SetCompleted(first, true);
  DeliverNews();
  const Task next = SuccessorOf(first);
  SetCompleted(first, false);
  DeliverNews();
  Rename(first, "water all plants");
  clock_.Set("2026-10-26T12:00:00Z");
  SetCompleted(first, true);
  DeliverNews();
  const Task revived = SuccessorOf(first);
  EXPECT_EQ(revived.id, next.id);
  EXPECT_EQ(revived.fields.title, "water all plants") << "as the task is now";
  EXPECT_EQ(revived.fields.due.local, absl::CivilSecond(2026, 10, 27, 9));
  SetCompleted(first, false);
  DeliverNews();
  EXPECT_THAT(Live(), SizeIs(1)) << "a revived one is as untouched as a new one";
}

TEST_F(RecurringTaskServiceTest, ADeletedSuccessorStaysDeletedUntilTheTaskBeforeIsOpenedAgain) {
  const Task first = Create();
  SetCompleted(first, true);
  DeliverNews();
  Delete(SuccessorOf(first));
  Deliver(Log());
  EXPECT_THAT(Live(), SizeIs(1));
  SetCompleted(first, false);
  Deliver(Log());
  EXPECT_THAT(Live(), SizeIs(1));
  SetCompleted(first, true);
  Deliver(Log());
  EXPECT_THAT(Live(), SizeIs(2)) << "an open task with a rule recurs";
}

TEST_F(RecurringTaskServiceTest, ADeletedOccurrenceStaysDeletedOnceALaterOneIsThere) {
  const Task first = Create();
  SetCompleted(first, true);
  DeliverNews();
  const Task second = SuccessorOf(first);
  SetCompleted(second, true);
  Delete(second);
  SetCompleted(first, false);
  Deliver(Log());  // and the third one is made of what is known of the second only now
  SetCompleted(first, true);
  Deliver(Log());
  EXPECT_THAT(LiveOccurrences(), ElementsAre(1, 3));
}

TEST_F(RecurringTaskServiceTest, AnOccurrenceRestoredInABatchIsOpenForTheRestOfTheBatch) {
  const Task first = Create();
  SetCompleted(first, true);
  DeliverNews();
  const Task second = SuccessorOf(first);
  SetCompleted(second, true);
  Delete(second);
  SetCompleted(first, false);
  SetCompleted(first, true);
  DeliverNews();  // of both tasks at once: the second comes back, open
  EXPECT_THAT(LiveOccurrences(), ElementsAre(1, 2));
}

TEST_F(RecurringTaskServiceTest, ACompletedSuccessorIsTouchedAndHasItsOwn) {
  const Task first = Create();
  SetCompleted(first, true);
  DeliverNews();
  SetCompleted(SuccessorOf(first), true);
  DeliverNews();
  SetCompleted(first, false);
  DeliverNews();
  EXPECT_THAT(LiveOccurrences(), ElementsAre(1, 2, 3));
}

TEST_F(RecurringTaskServiceTest, ASeriesEndsWhenItsRuleSaysSo) {
  for (const char* rule : {"FREQ=DAILY;COUNT=3", "FREQ=DAILY;UNTIL=20261026T235959Z"}) {
    Task task = Create(rule);
    const domain::Uuid series = task.series->series_id;
    int occurrences = 0;
    for (bool found = true; found;) {
      found = false;
      for (const Task& live : Live()) {
        if (live.series->series_id != series || live.completed) continue;
        found = true;
        ++occurrences;
        SetCompleted(live, true);
      }
      DeliverNews();
      ASSERT_LE(occurrences, 10);
    }
    EXPECT_EQ(occurrences, 3) << rule;
  }
}

TEST_F(RecurringTaskServiceTest, ATaskThatIsGoneEndsTheSameWayWhenEverItsEventsCome) {
  for (const bool delivered_before : {true, false}) {
    const Task first = Create();
    SetCompleted(first, true);
    if (delivered_before) DeliverNews();
    Delete(first);
    DeliverNews();
    const Task next = SuccessorOf(first);
    EXPECT_EQ(next.series->series_id, first.series->series_id);
    EXPECT_EQ(next.series->occurrence, 2);
    Delete(next);
  }
}

TEST_F(RecurringTaskServiceTest, ANewRuleLeavesNoSuccessorOfTheOldOneBehind) {
  for (const bool delivered_before : {true, false}) {
    const Task first = Create();
    SetCompleted(first, true);
    DeliverNews();
    SetCompleted(first, false);
    if (delivered_before) DeliverNews();
    UpdateTaskInput input;
    input.id = first.id;
    input.recurrence_rule = std::optional<std::string>("FREQ=WEEKLY");
    ASSERT_TRUE(tasks_.Update(Call(), input).ok());
    DeliverNews();
    ASSERT_THAT(Live(), SizeIs(1)) << "delivered before: " << delivered_before;
    SetCompleted(first, true);
    DeliverNews();
    const Task next = SuccessorOf(first);
    EXPECT_EQ(next.fields.due.local, absl::CivilSecond(2026, 10, 31, 9));
    Delete(next);
    Delete(first);
  }
}

// ---- any order, delay and repetition

TEST_F(RecurringTaskServiceTest, EveryOrderOfATasksEventsEndsInTheSameState) {
  std::vector<std::size_t> order = {0, 1, 2, 3};
  do {
    for (const bool completed_in_the_end : {true, false}) {
      Forget();
      const Task first = Create();
      SetCompleted(first, true);
      SetCompleted(first, false);
      SetCompleted(first, true);
      Rename(first, "renamed");
      if (!completed_in_the_end) SetCompleted(first, false);
      const Events all = Log();
      for (const std::size_t i : order) Deliver({all[1 + i]});
      if (!completed_in_the_end) Deliver({all[5]});
      if (completed_in_the_end) {
        EXPECT_EQ(SuccessorOf(first).fields.title, "renamed");
      } else {
        EXPECT_THAT(Live(), SizeIs(1));
      }
    }
  } while (std::ranges::next_permutation(order).found);
}

TEST_F(RecurringTaskServiceTest, LateAndRepeatedEventsInBatchesOfAnySizeDoNoHarm) {
  for (unsigned seed = 1; seed <= 30; ++seed) {
    std::mt19937 random(seed);
    const auto pick = [&random](std::size_t count) {
      return std::uniform_int_distribution<std::size_t>(0, count - 1)(random);
    };
    Forget();
    const Task first = Create();
    bool completed = false;
    std::set<domain::TaskId> successors;
    for (int i = 0; i < 30; ++i) {
      if (pick(2) == 0) SetCompleted(first, completed = !completed);
      const Events& all = Log();
      Events batch;
      for (std::size_t n = pick(4); n > 0; --n) {
        batch.push_back(all[pick(all.size())]);
      }
      Deliver(batch);
      int live = 0;
      for (const Task& task : Live()) {
        if (task.id == first.id) continue;
        successors.insert(task.id);
        ++live;
      }
      ASSERT_LE(live, 1) << "seed " << seed;
    }
    Events all = Log();
    std::ranges::shuffle(all, random);
    Deliver(all);
    ASSERT_EQ(Live().size(), completed ? 2u : 1u) << "seed " << seed;
    EXPECT_LE(successors.size(), 1u) << "it is revived, never made twice; seed " << seed;
  }
}

TEST_F(RecurringTaskServiceTest, ABatchOfManyTasksIsTakenAtOnce) {
  std::vector<Task> firsts;
  for (int i = 0; i < 20; ++i) firsts.push_back(Create());
  for (const Task& first : firsts) SetCompleted(first, true);
  Deliver(Log());
  EXPECT_THAT(Live(), SizeIs(40));
}

TEST_F(RecurringTaskServiceTest, AnOutageOfTheStoreIsPassedOn) {
  const Task first = Create();
  SetCompleted(first, true);
  const Events events = Log();
  database_.FailWith(absl::UnavailableError("no database"));
  EXPECT_EQ(Apply(events), absl::UnavailableError("no database"));
  database_.FailWith(absl::OkStatus());
  Deliver(events);
  SuccessorOf(first);
}

// ---- whose task it is

TEST_F(RecurringTaskServiceTest, AnEventAboutAnotherUsersTaskHasNoEffect) {
  const Task first = Create();
  SetCompleted(first, true);
  TaskEvent event = Log().back();
  event.user = {"mallory"};
  event.source = "another-service";
  Deliver({event});
  EXPECT_THAT(Live(), SizeIs(1));
  EXPECT_THAT(Live({"mallory"}), IsEmpty());
}

TEST_F(RecurringTaskServiceTest, TheRowOfAHeldTaskCountsNotTheEvent) {
  const Task first = Create();
  TaskEvent event = Foreign(ChangeKind::kCompleted, 1, "2026-10-24T10:00:00Z");
  event.task_id = first.id;
  Deliver({event});
  EXPECT_THAT(Live(), SizeIs(1)) << "it is not completed, whatever others say";
}

TEST_F(RecurringTaskServiceTest, AForeignTaskHasASuccessorToo) {
  const TaskEvent completed = Foreign(ChangeKind::kCompleted, 3, "2026-10-24T10:00:00Z");
  Deliver({completed});
  Deliver({completed, completed});
  ASSERT_THAT(Live(), SizeIs(1));
  const Task next = Live()[0];
  EXPECT_EQ(next.fields.title, "call mum");
  EXPECT_EQ(next.fields.due.at, At("2026-10-25T09:00:00Z"));
  EXPECT_EQ(next.series->series_id,
            ForeignSeriesId("another-service", alice_, domain::TaskId{4'711}));
  EXPECT_EQ(next.series->occurrence, 2);

  SetCompleted(next, true);
  DeliverNews();
  EXPECT_THAT(Live(), SizeIs(2)) << "from then on the series is ours";
}

/// As the bus brings it: `user` did it, to a task of `owner`.
TaskEvent AsItComes(const TaskEvent& event, const std::string& user, const std::string& owner) {
  nlohmann::json data = {{"id", event.id.value()},
                         {"event_type", domain::ToString(event.kind)},
                         {"task_id", event.task_id.value},
                         {"user_id", user},
                         {"timestamp", domain::FormatInstant(event.at)}};
  data["task_data"] = nlohmann::json::parse(domain::FormatTaskJson(*event.task));
  data["task_data"]["user_id"] = owner;
  const nlohmann::json record = {{"specversion", "1.0"},
                                 {"id", event.id.value()},
                                 {"source", event.source},
                                 {"type", "t"},
                                 {"data", data}};
  const auto read = domain::ParseTaskEventRecord(record.dump());
  EXPECT_TRUE(read.ok()) << read.status();
  return read.value_or(TaskEvent());
}

TEST_F(RecurringTaskServiceTest, TheSuccessorIsTheOwnersWhoeverCompletedTheTask) {
  const TaskEvent completed = Foreign(ChangeKind::kCompleted, 3, "2026-10-24T10:00:00Z");
  Deliver({AsItComes(completed, "bob", "alice")});
  EXPECT_THAT(Live({"bob"}), IsEmpty());
  ASSERT_THAT(Live(), SizeIs(1));
  EXPECT_EQ(Live()[0].series->series_id,
            ForeignSeriesId("another-service", alice_, domain::TaskId{4'711}));

  const TaskEvent opened = Foreign(ChangeKind::kUncompleted, 4, "2026-10-24T11:00:00Z");
  Deliver({AsItComes(opened, "carol", "alice")});
  EXPECT_THAT(Live(), IsEmpty()) << "it is the same series, whoever opens the task again";
}

TEST_F(RecurringTaskServiceTest, AnotherUsersEventAboutAHeldTaskIsAnOccasionToLook) {
  const Task first = Create();
  SetCompleted(first, true);
  TaskEvent event = Log().back();
  event.source = "another-service";
  Deliver({AsItComes(event, "bob", "alice")});
  SuccessorOf(first);
}

TEST_F(RecurringTaskServiceTest, AForeignDueDateMattersWhereTheNextOneIsCountedFromIt) {
  TaskEvent far = Foreign(ChangeKind::kCompleted, 3, "2026-10-24T10:00:00Z");
  far.task->fields.due.at = domain::ParseAnyInstant("0001-01-01T00:00:00Z").value();
  const absl::Status refused = Apply({far});
  EXPECT_EQ(refused.code(), absl::StatusCode::kInvalidArgument);
  EXPECT_THAT(std::string(refused.message()), testing::HasSubstr("task_data.due_date"));
  far.task->fields.recurrence_rule.reset();
  Deliver({far});
}

TEST_F(RecurringTaskServiceTest, ARuleWithoutADueDateCountsFromTheForeignEvent) {
  TaskEvent completed = Foreign(ChangeKind::kCompleted, 3, "2026-10-24T10:00:00Z");
  completed.task->fields.due = {};
  Deliver({completed});
  ASSERT_THAT(Live(), SizeIs(1));
  EXPECT_EQ(Live()[0].fields.due.at, At("2026-10-25T10:00:00Z"));
}

TEST_F(RecurringTaskServiceTest, TheNewestForeignEventWinsInEveryOrder) {
  const Events events = {Foreign(ChangeKind::kCompleted, 2, "2026-10-24T10:00:00Z"),
                         Foreign(ChangeKind::kUncompleted, 3, "2026-10-24T10:01:00Z"),
                         Foreign(ChangeKind::kCompleted, 4, "2026-10-24T10:02:00Z"),
                         Foreign(ChangeKind::kUncompleted, 5, "2026-10-24T10:03:00Z")};
  for (const std::size_t newest : {1u, 2u, 3u}) {
    for (const bool versions : {true, false}) {
      std::vector<std::size_t> order;
      for (std::size_t i = 0; i <= newest; ++i) order.push_back(i);
      do {
        Events shuffled;
        for (const std::size_t i : order) {
          shuffled.push_back(events[i]);
          shuffled.back().task_id.value += 1;
          if (!versions) shuffled.back().task->version = 0;
        }
        Forget();
        for (const TaskEvent& event : shuffled) Deliver({event});
        Deliver(shuffled);
        EXPECT_EQ(Live().size(), newest == 2 ? 1u : 0u) << "versions: " << versions;
      } while (std::ranges::next_permutation(order).found);
    }
  }
}

TEST_F(RecurringTaskServiceTest, ForeignTasksOfTwoSourcesAreTwoTasks) {
  TaskEvent other = Foreign(ChangeKind::kCompleted, 1, "2026-10-24T10:00:00Z");
  other.source = "a-third-service";
  Deliver({Foreign(ChangeKind::kCompleted, 1, "2026-10-24T10:00:00Z"), other});
  EXPECT_THAT(Live(), SizeIs(2));
}

TEST_F(RecurringTaskServiceTest, AForeignTaskThatDoesNotRecurHasNoEffect) {
  TaskEvent plain = Foreign(ChangeKind::kCompleted, 1, "2026-10-24T10:00:00Z");
  plain.task->fields.recurrence_rule.reset();
  Deliver({plain});
  plain.task.reset();
  Deliver({plain});
  EXPECT_THAT(Live(), IsEmpty());
}

TEST_F(RecurringTaskServiceTest, TheLastOccurrenceOfAForeignSeriesHasNoSuccessorAndIsNoFault) {
  for (const char* rule : {"FREQ=DAILY;COUNT=1", "FREQ=DAILY;UNTIL=20261024T090000Z"}) {
    TaskEvent last = Foreign(ChangeKind::kCompleted, 1, "2026-10-24T10:00:00Z");
    last.task->fields.recurrence_rule = rule;
    Deliver({last});
  }
  EXPECT_THAT(Live(), IsEmpty());
}

TEST_F(RecurringTaskServiceTest, AForeignTaskThatBreaksTheRulesIsRefusedWhole) {
  const Task first = Create();
  SetCompleted(first, true);
  const Events own = Log();
  TaskEvent bad_title = Foreign(ChangeKind::kCompleted, 1, "2026-10-24T10:00:00Z");
  bad_title.task->fields.title = "";
  TaskEvent bad_rule = Foreign(ChangeKind::kCompleted, 1, "2026-10-24T10:00:00Z");
  bad_rule.task->fields.recurrence_rule = "every day";
  TaskEvent bad_zone = Foreign(ChangeKind::kCompleted, 1, "2026-10-24T10:00:00Z");
  bad_zone.task->fields.time_zone = "Berlin";
  for (const TaskEvent& bad : {bad_title, bad_rule, bad_zone}) {
    const absl::Status refused = Apply({own.back(), bad});
    EXPECT_EQ(refused.code(), absl::StatusCode::kInvalidArgument);
    EXPECT_EQ(BlamedIn(refused), bad.id);
    EXPECT_THAT(Live(), SizeIs(1)) << "nothing of the batch is kept";
  }
  Deliver({own.back(), Foreign(ChangeKind::kCompleted, 1, "2026-10-24T10:00:00Z")});
  EXPECT_THAT(Live(), SizeIs(3)) << "what was refused is not known as the newest";
}

TEST(ForeignSeriesIdTest, TellsItsPartsApart) {
  const auto id = [](std::string_view source, const std::string& user, std::int64_t task) {
    return ForeignSeriesId(source, {user}, domain::TaskId{task});
  };
  EXPECT_EQ(id("a", "b", 1), id("a", "b", 1));
  std::set<domain::Uuid> ids = {id("a", "b", 1), id("a", "b", 2),  id("b", "a", 1),
                                id("ab", "", 1), id("a", "b1", 1), id("a1:b", "", 1),
                                id("", "ab", 1)};
  EXPECT_EQ(ids.size(), 7u);
}

}  // namespace
}  // namespace todo::service
