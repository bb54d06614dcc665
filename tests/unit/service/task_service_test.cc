#include "service/tasks/task_service.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <functional>
#include <string>
#include <vector>

#include "fixtures.h"
#include "support/delegating_task_store.h"
#include "support/fake_database.h"
#include "support/fake_preferred_zones.h"
#include "support/fake_task_store.h"
#include "util/status.h"

namespace todo::service {
namespace {

using domain::ChangeKind;
using domain::DueKind;
using domain::Task;
using testing::ElementsAre;
using testing::IsEmpty;
using Description = std::optional<std::string>;
using Rule = std::optional<std::string>;

/// The store in memory, where something may happen before each write.
class MeddledStore final : public support::DelegatingTaskStore {
 public:
  using DelegatingTaskStore::DelegatingTaskStore;

  absl::StatusOr<ports::MutationResult> Apply(const ports::Mutation& mutation) override {
    ++apply_count;
    if (before_apply) before_apply();
    return DelegatingTaskStore::Apply(mutation);
  }
  absl::StatusOr<ports::MutationResult> ApplyToSeries(
      const ports::SeriesMutation& mutation) override {
    ++apply_count;
    if (before_apply) before_apply();
    return DelegatingTaskStore::ApplyToSeries(mutation);
  }

  int apply_count = 0;
  std::function<void()> before_apply;
};

class TaskServiceTest : public testing::Test {
 protected:
  CallContext Call(std::string user = "alice") {
    return {.user = {std::move(user)}, .request_id = {}, .fingerprint = "f", .traceparent = {}};
  }
  /// A call that may be repeated.
  CallContext Named(std::string fingerprint = "f") {
    CallContext call = Call();
    call.request_id = domain::RequestId{*domain::Uuid::Parse(kRequestId)};
    call.fingerprint = std::move(fingerprint);
    return call;
  }

  static CreateTaskInput Titled(std::string title) {
    CreateTaskInput input;
    input.title = std::move(title);
    return input;
  }
  static CreateTaskInput Recurring(std::string rule = "FREQ=DAILY",
                                   std::string due_local = "2026-10-24T09:00:00") {
    CreateTaskInput input = Titled("water the plants");
    input.due.due_local = std::move(due_local);
    input.time_zone = "Europe/Berlin";
    input.recurrence_rule = std::move(rule);
    return input;
  }
  static UpdateTaskInput UpdateOf(const Task& task) {
    UpdateTaskInput input;
    input.id = task.id;
    return input;
  }

  Task Create(const CreateTaskInput& input) {
    absl::StatusOr<Task> task = tasks_.Create(Call(), input);
    EXPECT_TRUE(task.ok()) << task.status();
    return task.value_or(Task{});
  }
  Task Update(const UpdateTaskInput& input) {
    absl::StatusOr<Task> task = tasks_.Update(Call(), input);
    EXPECT_TRUE(task.ok()) << task.status();
    return task.value_or(Task{});
  }
  Task Complete(const Task& task) {
    absl::StatusOr<Task> completed = tasks_.SetCompleted(Call(), task.id, std::nullopt, true);
    EXPECT_TRUE(completed.ok()) << completed.status();
    return completed.value_or(Task{});
  }
  /// Sets the zone in alice's preferences.
  void Prefer(const std::string& time_zone) {
    EXPECT_TRUE(zones_.Keep({"alice"}, time_zone, domain::kMinInstant + ++preferred_at_).ok());
  }
  std::vector<domain::Change> Changes() {
    return tasks_.ListChanges({"alice"}, {.limit = 500})->changes;
  }

  static std::vector<std::string> Fields(const absl::Status& status) {
    std::vector<std::string> fields;
    for (const auto& violation : util::FieldViolationsOf(status)) {
      EXPECT_NE(violation.description, "");
      fields.push_back(violation.field);
    }
    return fields;
  }
  std::vector<std::string> ViolatedBy(const CreateTaskInput& input) {
    return Fields(tasks_.Create(Call(), input).status());
  }
  std::vector<std::string> ViolatedBy(const UpdateTaskInput& input) {
    return Fields(tasks_.Update(Call(), input).status());
  }

  static constexpr char kRequestId[] = "7d444840-9dc0-41d1-b245-5ffdce74fad2";

  support::FakeDatabase database_;
  support::FakeTaskStore fake_{database_};
  support::FakePreferredZones zones_{database_};
  MeddledStore store_{fake_};
  std::chrono::seconds preferred_at_{0};
  SetClock clock_{"2026-10-01T08:00:00Z"};
  CountedIds ids_;
  TaskService tasks_{store_, zones_, clock_, ids_};
};

// ---- creating

TEST_F(TaskServiceTest, ATaskNeedsNothingButATitle) {
  const Task task = Create(Titled("buy milk"));
  EXPECT_EQ(task.user.value, "alice");
  EXPECT_EQ(task.fields.title, "buy milk");
  EXPECT_EQ(task.fields.priority, domain::Priority::kMedium);
  EXPECT_EQ(task.fields.time_zone, "UTC");
  EXPECT_EQ(task.fields.due.kind, DueKind::kNone);
  EXPECT_EQ(task.series, std::nullopt);
  EXPECT_EQ(task.version, 1);
  EXPECT_EQ(task.created_at, clock_.Now());
}

TEST_F(TaskServiceTest, ADueDateKeepsWhatTheUserMeant) {
  CreateTaskInput input = Recurring();
  input.recurrence_rule.reset();
  EXPECT_EQ(Create(input).fields.due,
            (domain::Due{DueKind::kLocal, absl::CivilSecond(2026, 10, 24, 9),
                         At("2026-10-24T07:00:00Z")}));
  input.due.due_local = "2026-10-24";
  EXPECT_EQ(Create(input).fields.due, (domain::Due{DueKind::kDate, absl::CivilSecond(2026, 10, 24),
                                                   At("2026-10-23T22:00:00Z")}));
  input.due = {.due_date = At("2026-10-24T09:00:00Z"), .due_local = {}};
  EXPECT_EQ(Create(input).fields.due.kind, DueKind::kInstant);
  EXPECT_EQ(Create(input).fields.due.at, At("2026-10-24T09:00:00Z"));
}

TEST_F(TaskServiceTest, ARuleStartsASeriesAtTheDueDate) {
  const Task first = Create(Recurring());
  ASSERT_TRUE(first.series.has_value());
  EXPECT_EQ(first.series->occurrence, 1);
  EXPECT_EQ(first.series->anchor, absl::CivilSecond(2026, 10, 24, 9));
  EXPECT_EQ(first.series->scheduled, first.series->anchor);
  EXPECT_NE(Create(Recurring()).series->series_id, first.series->series_id);
}

TEST_F(TaskServiceTest, EveryViolationOfANewTaskIsNamedAtOnce) {
  CreateTaskInput input;
  input.title = "";
  input.description = std::string(10'001, 'x');
  input.tags = {"home", "home"};
  input.due.due_local = "tomorrow";
  input.recurrence_rule = "every day";
  EXPECT_THAT(ViolatedBy(input), ElementsAre("task.title", "task.description", "task.tags[1]",
                                             "task.due_local", "task.recurrence_rule"));
  input.time_zone = "Berlin";
  EXPECT_THAT(ViolatedBy(input), ElementsAre("task.title", "task.description", "task.tags[1]",
                                             "task.time_zone", "task.recurrence_rule"))
      << "what is due when cannot be said";
  EXPECT_THAT(Changes(), IsEmpty());
  EXPECT_EQ(store_.apply_count, 0);
}

TEST_F(TaskServiceTest, TheScheduleOfANewTaskMustFitTogether) {
  CreateTaskInput input = Recurring();
  input.due.due_date = At("2026-10-24T09:00:00Z");
  EXPECT_THAT(ViolatedBy(input), ElementsAre("task.due_local")) << "in Berlin it is 07:00 UTC";
  input.due.due_date = At("2026-10-24T07:00:00Z");
  EXPECT_THAT(ViolatedBy(input), IsEmpty()) << "the same, twice";
  input.due = {};
  EXPECT_THAT(ViolatedBy(input), ElementsAre("task.recurrence_rule")) << "no date to count from";
  EXPECT_THAT(ViolatedBy(Recurring("every day")), ElementsAre("task.recurrence_rule"));
  EXPECT_THAT(ViolatedBy(Recurring("")), ElementsAre("task.recurrence_rule"));
  EXPECT_THAT(ViolatedBy(Recurring("FREQ=DAILY;COUNT=1")), ElementsAre("task.recurrence_rule"))
      << "nothing follows";
  EXPECT_THAT(ViolatedBy(Recurring("FREQ=DAILY;UNTIL=20260101T000000Z")),
              ElementsAre("task.recurrence_rule"))
      << "nothing follows";
}

TEST_F(TaskServiceTest, TheChangeCarriesTheTraceparent) {
  CallContext call = Call();
  call.traceparent = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";
  ASSERT_TRUE(tasks_.Create(call, Titled("buy milk")).ok());
  ASSERT_EQ(Changes().size(), 1u);
  EXPECT_EQ(Changes()[0].traceparent, call.traceparent);
}

// ---- the user's zone

TEST_F(TaskServiceTest, ATaskWithoutAZoneGetsTheUsersZone) {
  Prefer("Europe/Berlin");
  CreateTaskInput input = Recurring();
  input.time_zone.reset();
  const Task local = Create(input);
  EXPECT_EQ(local.fields.time_zone, "Europe/Berlin");
  EXPECT_EQ(local.fields.due.at, At("2026-10-24T07:00:00Z"));
  input.due = {.due_date = At("2026-10-24T22:30:00Z"), .due_local = {}};
  EXPECT_EQ(Create(input).series->anchor, absl::CivilSecond(2026, 10, 25, 0, 30))
      << "the days of a rule are those of the user";
  EXPECT_EQ(tasks_.Create(Call("bob"), input)->fields.time_zone, "UTC");
}

TEST_F(TaskServiceTest, ANamedZoneIsKept) {
  Prefer("Europe/Berlin");
  CreateTaskInput input = Recurring();
  input.time_zone = "UTC";
  Task task = Create(input);
  EXPECT_EQ(task.fields.due.at, At("2026-10-24T09:00:00Z"));
  UpdateTaskInput later = UpdateOf(task);
  later.due = DueInput{.due_date = {}, .due_local = "2026-10-25T09:00:00"};
  EXPECT_EQ(Update(later).fields.due.at, At("2026-10-25T09:00:00Z")) << "and stays it";
}

TEST_F(TaskServiceTest, BothFormsOfADueDateAreComparedInTheZoneOfTheTask) {
  Prefer("Europe/Berlin");
  CreateTaskInput input = Titled("buy milk");
  input.due = {.due_date = At("2026-10-24T07:00:00Z"), .due_local = "2026-10-24T09:00:00"};
  const Task task = Create(input);
  EXPECT_EQ(task.fields.due.kind, DueKind::kLocal);
  UpdateTaskInput update = UpdateOf(task);
  update.due = DueInput{.due_date = At("2026-10-26T08:00:00Z"), .due_local = "2026-10-26T09:00:00"};
  EXPECT_EQ(Update(update).fields.due.at, At("2026-10-26T08:00:00Z"));
  update.due->due_date = At("2026-10-26T09:00:00Z");
  EXPECT_THAT(ViolatedBy(update), ElementsAre("task.due_local"));
}

TEST_F(TaskServiceTest, TheFirstDueDateIsReadInTheUsersZone) {
  Prefer("Europe/Berlin");
  const Task before = Create(Titled("buy milk"));
  UpdateTaskInput input = UpdateOf(before);
  input.title = "buy bread";
  EXPECT_EQ(Update(input).fields.time_zone, "UTC");
  input.due = DueInput{.due_date = {}, .due_local = "2026-10-24T09:00:00"};
  Task task = Update(input);
  EXPECT_EQ(task.fields.time_zone, "Europe/Berlin");
  EXPECT_EQ(task.fields.due.at, At("2026-10-24T07:00:00Z"));
  Prefer("Asia/Tokyo");
  EXPECT_EQ(Update(input).fields.due.at, At("2026-10-24T07:00:00Z")) << "it has one now";

  CreateTaskInput elsewhere = Titled("call home");
  elsewhere.time_zone = "America/New_York";
  input.id = Create(elsewhere).id;
  EXPECT_EQ(Update(input).fields.due.at, At("2026-10-24T13:00:00Z")) << "it had one";
}

TEST_F(TaskServiceTest, ClearingTheZoneGivesTheUsersZone) {
  Prefer("Asia/Tokyo");
  CreateTaskInput create = Recurring();
  create.recurrence_rule.reset();
  UpdateTaskInput input = UpdateOf(Create(create));
  input.time_zone.emplace();
  const Task task = Update(input);
  EXPECT_EQ(task.fields.time_zone, "Asia/Tokyo");
  EXPECT_EQ(task.fields.due.at, At("2026-10-24T00:00:00Z")) << "09:00 stays 09:00";
}

TEST_F(TaskServiceTest, APreviewIsInTheUsersZoneToo) {
  Prefer("Europe/Berlin");
  PreviewInput input;
  input.due.due_local = "2026-10-24T09:00:00";
  input.recurrence_rule = "FREQ=DAILY";
  input.count = 2;
  EXPECT_EQ(tasks_.Preview({"alice"}, input)->occurrences[1].due.at, At("2026-10-26T08:00:00Z"));
  EXPECT_EQ(tasks_.Preview({"bob"}, input)->occurrences[1].due.at, At("2026-10-26T09:00:00Z"));
}

// ---- changing

TEST_F(TaskServiceTest, AnUpdateChangesOnlyWhatItNames) {
  CreateTaskInput create = Recurring();
  create.description = "all";
  create.tags = {"home"};
  const Task before = Create(create);
  UpdateTaskInput input = UpdateOf(before);
  input.title = "water all plants";
  input.description = Description();
  const Task after = Update(input);
  domain::TaskFields expected = before.fields;
  expected.title = "water all plants";
  expected.description.reset();
  EXPECT_EQ(after.fields, expected);
  EXPECT_EQ(after.series, before.series);
  EXPECT_EQ(after.version, 2);
}

TEST_F(TaskServiceTest, EveryViolationOfAnUpdateIsNamedBeforeTheDatabaseIsAsked) {
  const Task task = Create(Titled("buy milk"));
  database_.FailWith(absl::UnavailableError("no database"));
  UpdateTaskInput input = UpdateOf(task);
  input.title = std::string("a\0b", 3);
  input.description = Description(std::string(10'001, 'x'));
  input.tags = std::vector<std::string>{""};
  input.due = DueInput{.due_date = domain::kMinInstant - std::chrono::seconds(1), .due_local = {}};
  input.recurrence_rule = Rule("every day");
  EXPECT_THAT(ViolatedBy(input), ElementsAre("task.title", "task.description", "task.tags[0]",
                                             "task.due_date", "task.recurrence_rule"));
  input.time_zone = "Berlin";
  input.due = DueInput{.due_date = {}, .due_local = "tomorrow"};
  EXPECT_THAT(ViolatedBy(input), ElementsAre("task.title", "task.description", "task.tags[0]",
                                             "task.time_zone", "task.recurrence_rule"));
  input.time_zone = "Europe/Berlin";
  EXPECT_THAT(ViolatedBy(input), ElementsAre("task.title", "task.description", "task.tags[0]",
                                             "task.due_local", "task.recurrence_rule"));
  UpdateTaskInput good = UpdateOf(task);
  good.title = "buy bread";
  EXPECT_EQ(tasks_.Update(Call(), good).status().code(), absl::StatusCode::kUnavailable);
}

TEST_F(TaskServiceTest, ALocalDueDateIsReadInTheTasksOwnZone) {
  UpdateTaskInput input = UpdateOf(Create(Recurring()));
  input.due = DueInput{.due_date = {}, .due_local = "2026-12-24T09:00:00"};
  EXPECT_EQ(Update(input).fields.due.at, At("2026-12-24T08:00:00Z"));
  input.due = DueInput{.due_date = {}, .due_local = "2026-12-24 9 o'clock"};
  EXPECT_THAT(ViolatedBy(input), ElementsAre("task.due_local"));
  input.recurrence_rule = Rule("every day");
  EXPECT_THAT(ViolatedBy(input), ElementsAre("task.due_local", "task.recurrence_rule"));
}

TEST_F(TaskServiceTest, AnotherZoneKeepsTheWallClockTime) {
  CreateTaskInput create = Recurring();
  create.recurrence_rule.reset();
  const Task local = Create(create);
  create.due = {.due_date = At("2026-10-24T07:00:00Z"), .due_local = {}};
  const Task instant = Create(create);

  UpdateTaskInput input = UpdateOf(local);
  input.time_zone = "America/New_York";
  const Task moved = Update(input);
  EXPECT_EQ(moved.fields.due.local, absl::CivilSecond(2026, 10, 24, 9));
  EXPECT_EQ(moved.fields.due.at, At("2026-10-24T13:00:00Z"));
  input.id = instant.id;
  EXPECT_EQ(Update(input).fields.due.at, At("2026-10-24T07:00:00Z")) << "a point in time stays";
}

TEST_F(TaskServiceTest, ADueDateMovedAloneDoesNotMoveTheSeries) {
  const Task before = Create(Recurring());
  UpdateTaskInput input = UpdateOf(before);
  input.due = DueInput{.due_date = {}, .due_local = "2026-10-26T20:00:00"};
  const Task after = Update(input);
  EXPECT_EQ(after.series, before.series);
  EXPECT_EQ(after.fields.due.at, At("2026-10-26T19:00:00Z"));
}

TEST_F(TaskServiceTest, ANewRuleCountsFromTheDueDateInTheSameSeries) {
  const Task before = Create(Recurring());
  UpdateTaskInput input = UpdateOf(before);
  input.recurrence_rule = Rule("FREQ=DAILY");
  EXPECT_EQ(Update(input).series, before.series) << "the same rule";
  input.recurrence_rule = Rule("FREQ=WEEKLY");
  input.due = DueInput{.due_date = {}, .due_local = "2026-10-26T20:00:00"};
  const Task after = Update(input);
  ASSERT_TRUE(after.series.has_value());
  EXPECT_EQ(after.series->series_id, before.series->series_id);
  EXPECT_EQ(after.series->occurrence, 1);
  EXPECT_EQ(after.series->anchor, absl::CivilSecond(2026, 10, 26, 20));
  EXPECT_EQ(after.series->scheduled, after.series->anchor);
}

TEST_F(TaskServiceTest, ARuleNeedsADueDateInUpdatesToo) {
  const Task plain = Create(Titled("buy milk"));
  UpdateTaskInput input = UpdateOf(plain);
  input.recurrence_rule = Rule("FREQ=DAILY");
  EXPECT_THAT(ViolatedBy(input), ElementsAre("task.recurrence_rule"));
  input.due = DueInput{.due_date = {}, .due_local = "2026-10-24"};
  EXPECT_TRUE(Update(input).series.has_value());

  UpdateTaskInput clear = UpdateOf(plain);
  clear.due = DueInput{};
  EXPECT_THAT(ViolatedBy(clear), ElementsAre("task.due_date"));
  clear.recurrence_rule = Rule();
  const Task cleared = Update(clear);
  EXPECT_EQ(cleared.fields.due.kind, DueKind::kNone);
  EXPECT_EQ(cleared.fields.recurrence_rule, std::nullopt);
}

TEST_F(TaskServiceTest, TheRuleOfACompletedTaskIsHistory) {
  const Task task = Complete(Create(Recurring()));
  UpdateTaskInput input = UpdateOf(task);
  for (const Rule& rule : {Rule("FREQ=WEEKLY"), Rule()}) {
    input.recurrence_rule = rule;
    const absl::Status status = tasks_.Update(Call(), input).status();
    EXPECT_EQ(status.code(), absl::StatusCode::kFailedPrecondition);
    EXPECT_EQ(util::ReasonOf(status), "TASK_COMPLETED");
  }
  input.recurrence_rule = Rule("FREQ=DAILY");
  input.title = "watered";
  EXPECT_EQ(Update(input).fields.title, "watered") << "the rule is as it was";
}

TEST_F(TaskServiceTest, CompletingTwiceChangesNothing) {
  const Task once = Complete(Create(Titled("buy milk")));
  EXPECT_EQ(once.completed_at, clock_.Now());
  clock_.Set("2026-10-02T08:00:00Z");
  EXPECT_EQ(Complete(once), once);
  const auto open = tasks_.SetCompleted(Call(), once.id, std::nullopt, false);
  ASSERT_TRUE(open.ok());
  EXPECT_FALSE(open->completed);
  EXPECT_EQ(*tasks_.SetCompleted(Call(), once.id, std::nullopt, false), *open);
  EXPECT_EQ(Changes().size(), 3u);
}

TEST_F(TaskServiceTest, AUserCannotReachTheTasksOfOthers) {
  const Task task = Create(Recurring());
  UpdateTaskInput title = UpdateOf(task);
  title.title = "mine";
  UpdateTaskInput due = UpdateOf(task);
  due.due = DueInput{.due_date = {}, .due_local = "2026-10-24"};
  const CallContext bob = Call("bob");
  for (const absl::Status& status :
       {tasks_.Get(bob.user, task.id).status(), tasks_.Update(bob, title).status(),
        tasks_.Update(bob, due).status(),
        tasks_.SetCompleted(bob, task.id, std::nullopt, true).status(),
        tasks_.Delete(bob, task.id, std::nullopt).status()}) {
    EXPECT_EQ(status.code(), absl::StatusCode::kNotFound) << status;
    EXPECT_EQ(util::ReasonOf(status), "TASK_NOT_FOUND");
  }
  EXPECT_EQ(*tasks_.Get({"alice"}, task.id), task);
}

// ---- versions

TEST_F(TaskServiceTest, AStaleVersionIsRefusedAndNotTriedAgain) {
  const Task task = Create(Recurring());
  UpdateTaskInput title = UpdateOf(task);
  title.title = "new";
  ASSERT_EQ(Update(title).version, 2);
  title.expected_version = 1;
  UpdateTaskInput due = UpdateOf(task);
  due.due = DueInput{.due_date = {}, .due_local = "2026-10-26"};
  due.expected_version = 1;
  for (const std::function<absl::Status()>& attempt : std::vector<std::function<absl::Status()>>{
           [&] { return tasks_.Update(Call(), title).status(); },
           [&] { return tasks_.Update(Call(), due).status(); },
           [&] { return tasks_.SetCompleted(Call(), task.id, 1, true).status(); },
           [&] { return tasks_.Delete(Call(), task.id, 1).status(); }}) {
    store_.apply_count = 0;
    const absl::Status status = attempt();
    EXPECT_EQ(status.code(), absl::StatusCode::kAborted) << status;
    EXPECT_EQ(util::ReasonOf(status), "STALE_ETAG");
    EXPECT_EQ(store_.apply_count, 1);
  }
  EXPECT_EQ(Changes().size(), 2u);
}

/// Somebody else's change of the title, between the read and the write of a schedule update.
std::function<void()> Rename(ports::TaskStore& store, const Task& task, CountedIds& ids,
                             int times) {
  return [&store, &task, &ids, times, done = 0]() mutable {
    if (done++ == times) return;
    ports::Mutation mutation;
    mutation.kind = ChangeKind::kUpdated;
    mutation.user = task.user;
    mutation.task_id = task.id;
    mutation.patch.title = "renamed " + std::to_string(done);
    mutation.request_id = {ids.NewId()};
    mutation.fingerprint = "f";
    mutation.event_id = {ids.NewId()};
    mutation.now = task.created_at;
    EXPECT_TRUE(store.Apply(mutation).ok());
  };
}

TEST_F(TaskServiceTest, AScheduleUpdateThatWasOvertakenIsTriedAgain) {
  const Task task = Create(Recurring());
  UpdateTaskInput input = UpdateOf(task);
  input.due = DueInput{.due_date = {}, .due_local = "2026-10-26T09:00:00"};
  store_.before_apply = Rename(fake_, task, ids_, 4);
  const Task after = Update(input);
  EXPECT_EQ(after.fields.title, "renamed 4") << "nothing is lost";
  EXPECT_EQ(after.fields.due.local, absl::CivilSecond(2026, 10, 26, 9));
  EXPECT_EQ(after.version, 6);
}

TEST_F(TaskServiceTest, AScheduleUpdateThatIsAlwaysOvertakenGivesUp) {
  const Task task = Create(Recurring());
  store_.apply_count = 0;
  UpdateTaskInput input = UpdateOf(task);
  input.due = DueInput{.due_date = {}, .due_local = "2026-10-26T09:00:00"};
  store_.before_apply = Rename(fake_, task, ids_, 1'000);
  EXPECT_EQ(tasks_.Update(Call(), input).status().code(), absl::StatusCode::kAborted);
  EXPECT_EQ(store_.apply_count, 5);
}

TEST_F(TaskServiceTest, AScheduleUpdateIsCheckedAgainstTheTaskAsLastRead) {
  const Task task = Create(Recurring());
  UpdateTaskInput input = UpdateOf(task);
  input.recurrence_rule = Rule("FREQ=WEEKLY");
  store_.before_apply = [&, done = false]() mutable {
    if (std::exchange(done, true)) return;
    TaskService other(fake_, zones_, clock_, ids_);
    EXPECT_TRUE(other.SetCompleted(Call(), task.id, std::nullopt, true).ok());
  };
  EXPECT_EQ(util::ReasonOf(tasks_.Update(Call(), input).status()), "TASK_COMPLETED");
}

TEST_F(TaskServiceTest, AnOvertakenNewRuleLeavesTheSameRuleOfAnotherAlone) {
  const Task task = Create(Recurring());
  UpdateTaskInput input = UpdateOf(task);
  input.recurrence_rule = Rule("FREQ=WEEKLY");
  std::optional<domain::SeriesPosition> theirs;
  store_.before_apply = [&] {
    if (theirs) return;
    TaskService other(fake_, zones_, clock_, ids_);
    theirs = other.Update(Call(), input)->series;
  };
  EXPECT_EQ(Update(input).series, theirs);
}

// ---- repeated requests

TEST_F(TaskServiceTest, ARepeatedCallGetsTheFirstAnswerAndChangesNothing) {
  const auto created = tasks_.Create(Named(), Titled("buy milk"));
  ASSERT_TRUE(created.ok());
  UpdateTaskInput rename = UpdateOf(*created);
  rename.title = "buy bread";
  Update(rename);
  EXPECT_EQ(*tasks_.Create(Named(), Titled("buy milk")), *created);
  EXPECT_EQ(Changes().size(), 2u);
  EXPECT_EQ(tasks_.Create(Named("other"), Titled("buy butter")).status().code(),
            absl::StatusCode::kAlreadyExists);
}

TEST_F(TaskServiceTest, CallsWithoutARequestIdAreNeverRepetitions) {
  EXPECT_NE(Create(Titled("buy milk")).id, Create(Titled("buy milk")).id);
}

TEST_F(TaskServiceTest, AScheduleUpdateRepeatedAfterTheTaskChangedGetsTheFirstAnswer) {
  const Task task = Create(Recurring());
  UpdateTaskInput input = UpdateOf(task);
  input.recurrence_rule = Rule("FREQ=WEEKLY");
  const auto first = tasks_.Update(Named(), input);
  ASSERT_TRUE(first.ok()) << first.status();
  UpdateTaskInput rename = UpdateOf(task);
  rename.title = "meanwhile";
  Update(rename);
  EXPECT_EQ(*tasks_.Update(Named(), input), *first);
  Complete(task);
  EXPECT_EQ(*tasks_.Update(Named(), input), *first);
  ASSERT_TRUE(tasks_.Delete(Call(), task.id, std::nullopt).ok());
  const auto repeated = tasks_.Update(Named(), input);
  ASSERT_TRUE(repeated.ok()) << repeated.status();
  EXPECT_EQ(*repeated, *first) << "also when the task is gone";
  EXPECT_EQ(Changes().size(), 5u);
}

TEST_F(TaskServiceTest, ARefusedScheduleUpdateMayBeCorrectedUnderTheSameRequestId) {
  const Task task = Create(Titled("buy milk"));
  UpdateTaskInput input = UpdateOf(task);
  input.recurrence_rule = Rule("FREQ=DAILY");
  EXPECT_THAT(Fields(tasks_.Update(Named("rule"), input).status()),
              ElementsAre("task.recurrence_rule"));
  EXPECT_EQ(Changes().size(), 1u);
  input.due = DueInput{.due_date = {}, .due_local = "2026-10-24"};
  EXPECT_TRUE(tasks_.Update(Named("rule and date"), input).ok());

  input.id = domain::TaskId{1'000};
  CallContext call = Call();
  call.request_id = domain::RequestId{ids_.NewId()};
  EXPECT_EQ(tasks_.Update(call, input).status().code(), absl::StatusCode::kNotFound);
}

TEST_F(TaskServiceTest, ALostAnswerIsFoundByRepeatingTheRequest) {
  database_.LoseNextAnswer();
  EXPECT_EQ(tasks_.Create(Named(), Titled("buy milk")).status().code(), absl::StatusCode::kUnknown);
  ASSERT_TRUE(tasks_.Create(Named(), Titled("buy milk")).ok());
  EXPECT_EQ(Changes().size(), 1u);
}

// ---- reading

TEST_F(TaskServiceTest, TextsOfAFilterAreChecked) {
  ports::TaskQuery query;
  query.tag = "\xff";
  query.text = std::string("a\0b", 3);
  EXPECT_THAT(Fields(tasks_.List({"alice"}, query).status()),
              ElementsAre("filter.tag", "filter.text"));
  query = {};
  query.text = "MILK";
  Create(Titled("buy milk"));
  Create(Titled("buy bread"));
  EXPECT_EQ(tasks_.List({"alice"}, query)->tasks.size(), 1u);
}

}  // namespace
}  // namespace todo::service
