#include "service/tasks/task_changes.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <functional>
#include <string>
#include <utility>
#include <vector>

#include "fixtures.h"
#include "service/reminders/reminder_service.h"
#include "service/tasks/task_service.h"
#include "support/delegating_task_store.h"
#include "support/fake_database.h"
#include "support/fake_preferred_zones.h"
#include "support/fake_reminder_store.h"
#include "support/fake_task_store.h"
#include "support/status_matchers.h"
#include "util/status.h"

namespace todo::service {
namespace {

using absl::StatusCode;
using domain::Task;
using support::HasReason;
using support::IsOk;
using support::StatusIs;
using testing::AllOf;
using testing::ElementsAre;
using testing::IsEmpty;
using testing::SizeIs;

/// The store in memory, where something may happen before each write.
class MeddledStore final : public support::DelegatingTaskStore {
 public:
  using DelegatingTaskStore::DelegatingTaskStore;

  absl::StatusOr<std::vector<ports::MutationResult>> ApplyAll(
      const ports::MutationList& list) override {
    ++apply_count;
    if (before_apply) before_apply();
    return DelegatingTaskStore::ApplyAll(list);
  }

  int apply_count = 0;
  std::function<void()> before_apply;
};

class TaskChangesTest : public testing::Test {
 protected:
  CallContext Call() {
    return {.user = {"alice"}, .request_id = {}, .fingerprint = "f", .traceparent = {}};
  }
  CallContext Named(std::string fingerprint = "f") {
    CallContext call = Call();
    call.request_id =
        domain::RequestId{*domain::Uuid::Parse("7d444840-9dc0-41d1-b245-5ffdce74fad2")};
    call.fingerprint = std::move(fingerprint);
    return call;
  }
  static CreateTaskInput Titled(std::string title) {
    CreateTaskInput input;
    input.title = std::move(title);
    return input;
  }
  static CreateTaskInput DueOn(std::string title, std::string due_local) {
    CreateTaskInput input = Titled(std::move(title));
    input.due.due_local = std::move(due_local);
    return input;
  }
  static UpdateTaskInput Renaming(const Task& task, std::string title) {
    UpdateTaskInput input;
    input.id = task.id;
    input.title = std::move(title);
    return input;
  }
  static UpdateTaskInput Moving(const Task& task, std::string due_local) {
    UpdateTaskInput input;
    input.id = task.id;
    input.due.emplace().due_local = std::move(due_local);
    return input;
  }
  static ReminderInput Before(std::string period) {
    ReminderInput input;
    input.before = std::move(period);
    return input;
  }
  static ReminderInput AtTime(std::string_view at) {
    ReminderInput input;
    input.at = At(at);
    return input;
  }

  Task Create(const CreateTaskInput& input) {
    absl::StatusOr<Task> task = tasks_.Create(Call(), input);
    EXPECT_THAT(task, IsOk());
    return task.value_or(Task{});
  }
  std::vector<ChangedTask> ChangeAll(const std::vector<TaskChange>& changes) {
    auto changed = tasks_.ChangeAll(Call(), changes);
    EXPECT_THAT(changed, IsOk());
    return changed.ok() ? *std::move(changed) : std::vector<ChangedTask>();
  }
  absl::Status Refusal(const std::vector<TaskChange>& changes) {
    const std::size_t before = Changes().size();
    const absl::Status status = tasks_.ChangeAll(Call(), changes).status();
    EXPECT_EQ(Changes().size(), before) << "nothing is written";
    return status;
  }
  std::vector<domain::Change> Changes() {
    return tasks_.ListChanges({"alice"}, {.limit = 500})->changes;
  }
  Task Read(const Task& task) { return *tasks_.Get({"alice"}, task.id); }

  support::FakeDatabase database_;
  support::FakeTaskStore fake_{database_};
  support::FakePreferredZones zones_{database_};
  support::FakeReminderStore reminder_store_{database_};
  MeddledStore store_{fake_};
  SetClock clock_{"2026-10-01T08:00:00Z"};
  CountedIds ids_;
  TaskService tasks_{store_, zones_, clock_, ids_};
  ReminderService reminders_{reminder_store_, clock_, ids_, {}};
};

TEST_F(TaskChangesTest, SeveralChangesAreOneStep) {
  const Task groceries = Create(Titled("buy groceries"));
  const Task rent = Create(Titled("pay rent"));
  const std::vector<ChangedTask> changed =
      ChangeAll({TaskCompletion{.id = groceries.id, .expected_version = {}},
                 TaskCreation{.task = Titled("cook"), .reminders = {}},
                 TaskDeletion{.id = rent.id, .expected_version = {}}});
  ASSERT_THAT(changed, SizeIs(3));
  EXPECT_EQ(changed[0].before, groceries);
  EXPECT_TRUE(changed[0].after.completed);
  EXPECT_TRUE(changed[0].changed);
  EXPECT_EQ(changed[1].before, std::nullopt);
  EXPECT_EQ(changed[1].after.fields.title, "cook");
  EXPECT_EQ(changed[2].before, rent);
  EXPECT_TRUE(changed[2].after.deleted);
  EXPECT_EQ(store_.apply_count, 1);
  EXPECT_THAT(Changes(), SizeIs(5));
}

TEST_F(TaskChangesTest, ATaskIsChangedTwiceInOneCall) {
  const Task task = Create(Titled("x"));
  const std::vector<ChangedTask> changed =
      ChangeAll({Renaming(task, "y"), Moving(task, "2026-10-02"),
                 TaskCompletion{.id = task.id, .expected_version = {}}});
  ASSERT_THAT(changed, SizeIs(3));
  EXPECT_EQ(changed[1].before->fields.title, "y");
  EXPECT_EQ(changed[2].after.fields.title, "y");
  EXPECT_EQ(FormatDueLocal(changed[2].after.fields.due), "2026-10-02");
  EXPECT_TRUE(changed[2].after.completed);
  EXPECT_EQ(Read(task), changed[2].after);
}

TEST_F(TaskChangesTest, ALaterChangeIsCheckedAgainstTheEarlierOnes) {
  const Task task = Create(Titled("x"));
  UpdateTaskInput recurs = Moving(task, "2026-10-02");
  UpdateTaskInput rule;
  rule.id = task.id;
  rule.recurrence_rule = std::optional<std::string>("FREQ=DAILY");
  EXPECT_THAT(Refusal({rule}), StatusIs(StatusCode::kInvalidArgument)) << "it has no due date";
  EXPECT_TRUE(ChangeAll({recurs, rule})[1].after.series);

  const absl::Status deleted_before =
      Refusal({TaskDeletion{.id = task.id, .expected_version = {}}, Renaming(task, "y")});
  EXPECT_THAT(deleted_before, StatusIs(StatusCode::kNotFound));
  EXPECT_EQ(util::IndexOf(deleted_before), 1u);
}

TEST_F(TaskChangesTest, OneChangeThatCannotBeMadeRefusesAll) {
  const Task task = Create(Titled("x"));
  const absl::Status unknown =
      Refusal({Renaming(task, "y"), TaskDeletion{.id = {4711}, .expected_version = {}}});
  EXPECT_THAT(unknown, AllOf(StatusIs(StatusCode::kNotFound), HasReason("TASK_NOT_FOUND")));
  EXPECT_EQ(util::IndexOf(unknown), 1u);
  const absl::Status wrong = Refusal({Renaming(task, "y"), Renaming(task, "")});
  EXPECT_THAT(wrong, StatusIs(StatusCode::kInvalidArgument));
  EXPECT_EQ(util::FieldViolationsOf(wrong).front().field, "task.title");
  EXPECT_EQ(util::IndexOf(wrong), 1u);
}

TEST_F(TaskChangesTest, ANewRuleOfASeriesIsChangedAlone) {
  CreateTaskInput input = DueOn("water the plants", "2026-10-02");
  input.recurrence_rule = "FREQ=DAILY";
  const Task task = Create(input);
  UpdateTaskInput rule;
  rule.id = task.id;
  rule.recurrence_rule = std::optional<std::string>("FREQ=WEEKLY");
  EXPECT_THAT(Refusal({rule}),
              AllOf(StatusIs(StatusCode::kFailedPrecondition), HasReason("CHANGE_ALONE")));
  EXPECT_EQ(FormatDueLocal(ChangeAll({Moving(task, "2026-10-03")})[0].after.fields.due),
            "2026-10-03");
}

TEST_F(TaskChangesTest, AnExpectedVersionIsThatBeforeTheCall) {
  const Task task = Create(Titled("x"));
  UpdateTaskInput rename = Renaming(task, "y");
  rename.expected_version = 1;
  ChangeAll({rename, TaskCompletion{.id = task.id, .expected_version = 1}});
  const absl::Status stale =
      Refusal({Renaming(task, "z"), TaskCompletion{.id = task.id, .expected_version = 1}});
  EXPECT_THAT(stale, AllOf(StatusIs(StatusCode::kAborted), HasReason("STALE_ETAG")));
  EXPECT_EQ(util::IndexOf(stale), 1u);
}

TEST_F(TaskChangesTest, AnOvertakenCallIsPlannedAnew) {
  const Task task = Create(DueOn("x", "2026-10-02"));
  store_.before_apply = [&] {
    store_.before_apply = {};
    ASSERT_THAT(tasks_.Update(Call(), Renaming(task, "by another call")), IsOk());
  };
  const std::vector<ChangedTask> changed = ChangeAll({Moving(task, "2026-10-03")});
  EXPECT_EQ(store_.apply_count, 2);
  EXPECT_EQ(changed[0].before->fields.title, "by another call");
  EXPECT_EQ(changed[0].after.fields.title, "by another call");

  store_.before_apply = [&] {
    ASSERT_THAT(tasks_.Update(Call(), Renaming(task, ids_.NewId().value())), IsOk());
  };
  EXPECT_THAT(tasks_.ChangeAll(Call(), {Moving(task, "2026-10-04")}), HasReason("STALE_ETAG"))
      << "not for ever";
}

TEST_F(TaskChangesTest, ARepeatedCallGetsTheFirstAnswers) {
  const Task task = Create(DueOn("x", "2026-10-02"));
  const std::vector<TaskChange> changes = {
      TaskDeletion{.id = task.id, .expected_version = {}},
      TaskCreation{.task = DueOn("y", "2026-10-09"), .reminders = {Before("P1D")}}};
  EXPECT_EQ(tasks_.FirstAnswers(Named())->has_value(), false);
  const auto first = tasks_.ChangeAll(Named(), changes);
  ASSERT_THAT(first, IsOk());
  // The task is gone, so the call could not be planned again.
  const auto again = tasks_.ChangeAll(Named(), changes);
  ASSERT_THAT(again, IsOk());
  const auto asked = tasks_.FirstAnswers(Named());
  ASSERT_THAT(asked, IsOk());
  for (const std::vector<ChangedTask>& answers : {*again, **asked}) {
    ASSERT_THAT(answers, SizeIs(2));
    EXPECT_EQ(answers[0].before, std::nullopt);
    EXPECT_EQ(answers[0].after, (*first)[0].after);
    EXPECT_TRUE(answers[0].changed);
    EXPECT_EQ(answers[1].after, (*first)[1].after);
    EXPECT_THAT(answers[1].reminder_numbers, ElementsAre(1));
  }
  const std::vector<TaskChange> creation = {changes[1]};
  CallContext other = Named();
  other.request_id = domain::RequestId{ids_.NewId()};
  const auto made = tasks_.ChangeAll(other, creation);
  EXPECT_EQ((*tasks_.ChangeAll(other, creation))[0].after, (*made)[0].after)
      << "planned again, and found to be a repetition";
  EXPECT_THAT(tasks_.FirstAnswers(Named("another call")), HasReason("REQUEST_ID_REUSED"));
  EXPECT_THAT(tasks_.ChangeAll(Named("another call"), creation), HasReason("REQUEST_ID_REUSED"));
}

TEST_F(TaskChangesTest, ADeletedTaskIsRestoredAndChanged) {
  const Task task = Create(Titled("x"));
  ChangeAll({TaskDeletion{.id = task.id, .expected_version = {}}});
  const std::vector<ChangedTask> changed =
      ChangeAll({TaskRestoration{.id = task.id, .expected_version = 2}, Renaming(task, "y")});
  EXPECT_TRUE(changed[0].before->deleted);
  EXPECT_FALSE(changed[0].after.deleted);
  EXPECT_EQ(Read(task).fields.title, "y");
  EXPECT_EQ(Changes()[2].kind, domain::ChangeKind::kCreated);
  EXPECT_FALSE(ChangeAll({TaskRestoration{.id = task.id, .expected_version = {}}})[0].changed)
      << "it is there";
}

TEST_F(TaskChangesTest, TagsAreAddedAndRemovedAmongThoseThatAreThere) {
  CreateTaskInput input = Titled("x");
  input.tags = {"home", "now"};
  const Task task = Create(input);
  const std::vector<ChangedTask> changed = ChangeAll(
      {TagChange{.id = task.id, .expected_version = 1, .added = {"home", "post"}, .removed = {}},
       TagChange{.id = task.id, .expected_version = 1, .added = {}, .removed = {"now", "none"}},
       TagChange{.id = task.id, .expected_version = {}, .added = {"post"}, .removed = {}},
       TagChange{.id = task.id, .expected_version = {}, .added = {"a"}, .removed = {"a", "home"}}});
  EXPECT_THAT(changed[0].after.fields.tags, ElementsAre("home", "now", "post"));
  EXPECT_THAT(changed[1].after.fields.tags, ElementsAre("home", "post"));
  EXPECT_FALSE(changed[2].changed);
  EXPECT_THAT(Read(task).fields.tags, ElementsAre("post", "a"));

  std::vector<std::string> many;
  for (std::size_t i = 0; i < domain::kMaxTags; ++i) many.push_back(std::to_string(i));
  EXPECT_THAT(
      Refusal({TagChange{.id = task.id, .expected_version = {}, .added = many, .removed = {}}}),
      StatusIs(StatusCode::kInvalidArgument));
  EXPECT_THAT(
      Refusal({TagChange{.id = task.id, .expected_version = 1, .added = {"b"}, .removed = {}}}),
      HasReason("STALE_ETAG"));
}

TEST_F(TaskChangesTest, TagsOfAnOvertakingCallStay) {
  const Task task = Create(Titled("x"));
  store_.before_apply = [&] {
    store_.before_apply = {};
    UpdateTaskInput input;
    input.id = task.id;
    input.tags = {"by another call"};
    ASSERT_THAT(tasks_.Update(Call(), input), IsOk());
  };
  ChangeAll({TagChange{.id = task.id, .expected_version = {}, .added = {"a"}, .removed = {}}});
  EXPECT_THAT(Read(task).fields.tags, ElementsAre("by another call", "a"));
}

TEST_F(TaskChangesTest, RemindersAreAddedAndTakenAwayWithTheTasks) {
  const std::vector<ChangedTask> made =
      ChangeAll({TaskCreation{.task = DueOn("x", "2026-10-09T12:00:00"),
                              .reminders = {Before("PT1H"), AtTime("2026-10-05T08:00:00Z")}}});
  const Task task = made[0].after;
  EXPECT_THAT(made[0].reminder_numbers, ElementsAre(1, 2));
  ASSERT_THAT(reminders_.PlanBacklog(), IsOk());
  std::vector<domain::Reminder> reminders = *reminders_.List({"alice"}, task.id);
  ASSERT_THAT(reminders, SizeIs(2));
  EXPECT_EQ(reminders[0].state, domain::ReminderState::kPending);
  EXPECT_EQ(reminders[0].remind_at, At("2026-10-09T11:00:00Z"));
  EXPECT_EQ(reminders[1].remind_at, At("2026-10-05T08:00:00Z"));

  // The reminder is that of the day to which the same call moves the task.
  ChangeAll({Moving(task, "2026-10-20T12:00:00"),
             ReminderAddition{.id = task.id, .reminders = {Before("PT2H")}},
             ReminderRemoval{.id = task.id, .numbers = {2}}});
  ASSERT_THAT(reminders_.PlanBacklog(), IsOk());
  reminders = *reminders_.List({"alice"}, task.id);
  ASSERT_THAT(reminders, SizeIs(2));
  EXPECT_EQ(reminders[0].remind_at, At("2026-10-20T11:00:00Z"));
  EXPECT_EQ(reminders[1].remind_at, At("2026-10-20T10:00:00Z"));
}

TEST_F(TaskChangesTest, AReminderThatCannotFireIsRefused) {
  const Task task = Create(Titled("x"));
  EXPECT_THAT(Refusal({ReminderAddition{.id = task.id, .reminders = {Before("PT1H")}}}),
              StatusIs(StatusCode::kInvalidArgument))
      << "it has no due date";
  EXPECT_THAT(
      Refusal({ReminderAddition{.id = task.id, .reminders = {AtTime("2026-09-30T08:00:00Z")}}}),
      StatusIs(StatusCode::kInvalidArgument))
      << "in the past";
  EXPECT_THAT(Refusal({TaskCreation{.task = Titled("y"), .reminders = {ReminderInput{}}}}),
              StatusIs(StatusCode::kInvalidArgument));
  EXPECT_THAT(Refusal({ReminderRemoval{.id = task.id, .numbers = {1}}}),
              HasReason("REMINDER_NOT_FOUND"));
  EXPECT_THAT(
      Refusal({TaskCompletion{.id = task.id, .expected_version = {}},
               ReminderAddition{.id = task.id, .reminders = {AtTime("2026-10-02T08:00:00Z")}}}),
      HasReason("TASK_COMPLETED"));
}

}  // namespace
}  // namespace todo::service
