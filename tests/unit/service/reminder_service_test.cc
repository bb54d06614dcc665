#include "service/reminders/reminder_service.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "fixtures.h"
#include "service/tasks/task_service.h"
#include "support/fake_database.h"
#include "support/fake_preferred_zones.h"
#include "support/fake_reminder_store.h"
#include "support/fake_task_store.h"
#include "support/kept_spans.h"
#include "util/status.h"
#include "util/trace_context.h"

namespace todo::service {
namespace {

using absl::StatusCode;
using domain::Reminder;
using domain::ReminderState;
using domain::Task;
using testing::Each;
using testing::ElementsAre;
using testing::IsEmpty;
using testing::SizeIs;

constexpr char kNow[] = "2026-03-27T08:00:00Z";

class ReminderServiceTest : public testing::Test {
 protected:
  static CallContext Call(std::string user = "alice") {
    return {.user = {std::move(user)}, .request_id = {}, .fingerprint = "f", .traceparent = {}};
  }
  static CallContext Named(std::string fingerprint = "f") {
    CallContext call = Call();
    call.request_id =
        domain::RequestId{*domain::Uuid::Parse("7d444840-9dc0-41d1-b245-5ffdce74fad2")};
    call.fingerprint = std::move(fingerprint);
    return call;
  }
  static ReminderInput Before(std::string before) {
    return {.at = {}, .before = std::move(before), .time_of_day = {}};
  }
  static ReminderInput Absolute(std::string_view at) {
    return {.at = At(at), .before = {}, .time_of_day = {}};
  }

  /// Due the day after the clocks go forward.
  Task MakeTask(std::string due_local = "2026-03-30T12:00:00", const std::string& user = "alice",
                std::optional<std::string> rule = {}) {
    CreateTaskInput input;
    input.recurrence_rule = std::move(rule);
    input.title = "water the plants";
    if (!due_local.empty()) input.due.due_local = std::move(due_local);
    input.time_zone = "Europe/Berlin";
    const auto task = tasks_.Create(Call(user), input);
    EXPECT_TRUE(task.ok()) << task.status();
    return *task;
  }
  Reminder Make(const Task& task, const ReminderInput& input) {
    const auto reminder = service_.Create(Call(task.user.value), task.id, input);
    EXPECT_TRUE(reminder.ok()) << reminder.status();
    return reminder.value_or(Reminder());
  }
  void MoveDue(const Task& task, std::string due_local) {
    UpdateTaskInput input;
    input.id = task.id;
    input.due = DueInput{.due_date = {}, .due_local = std::move(due_local)};
    const auto moved = tasks_.Update(Call(task.user.value), input);
    ASSERT_TRUE(moved.ok()) << moved.status();
  }
  void SetCompleted(const Task& task, bool completed) {
    ASSERT_TRUE(tasks_.SetCompleted(Call(), task.id, {}, completed).ok());
  }
  Reminder Only(const Task& task) {
    const auto reminders = service_.List(task.user, task.id);
    EXPECT_TRUE(reminders.ok()) << reminders.status();
    EXPECT_THAT(*reminders, SizeIs(1));
    return reminders->empty() ? Reminder() : reminders->front();
  }
  std::string RemindAt(const Task& task) { return domain::FormatInstant(*Only(task).remind_at); }
  void Trigger(const Task& task) {
    EXPECT_THAT(Codes(service_.Trigger({task.id})), ElementsAre(StatusCode::kOk));
  }
  static std::vector<StatusCode> Codes(const std::vector<absl::Status>& statuses) {
    std::vector<StatusCode> codes;
    for (const absl::Status& status : statuses) codes.push_back(status.code());
    return codes;
  }
  int Sweep() {
    const auto swept = service_.Sweep();
    EXPECT_TRUE(swept.ok()) << swept.status();
    return swept.ok() ? swept->fired : -1;
  }
  /// The data of the events posted since the last call.
  std::vector<nlohmann::json> Posted() {
    std::vector<nlohmann::json> events;
    const auto messages = database_.Read()->messages;
    for (; seen_ < messages.size(); ++seen_) {
      EXPECT_EQ(messages[seen_].message.topic, "reminders");
      const auto event = nlohmann::json::parse(messages[seen_].message.payload);
      EXPECT_EQ(messages[seen_].message.key, event["data"]["user_id"]);
      EXPECT_EQ(event["id"], messages[seen_].message.id.value());
      events.push_back(event["data"]);
    }
    return events;
  }

  static std::vector<std::string> FieldsOf(const absl::Status& status) {
    std::vector<std::string> fields;
    for (const util::FieldViolation& violation : util::FieldViolationsOf(status))
      fields.push_back(violation.field);
    return fields;
  }

  support::FakeDatabase database_;
  support::FakeTaskStore store_{database_};
  support::FakePreferredZones zones_{database_};
  int posts_ = 0;
  support::FakeReminderStore reminder_store_{database_, [this](int) { ++posts_; }};
  SetClock clock_{kNow};
  CountedIds ids_;
  TaskService tasks_{store_, zones_, clock_, ids_};
  int changes_ = 0;
  ReminderService service_{reminder_store_, clock_, ids_, {}, [this] { ++changes_; }};
  std::size_t seen_ = 0;
};

// Calls.

TEST_F(ReminderServiceTest, ARelativeReminderIsPlannedAtOnce) {
  const Task task = MakeTask();
  ReminderInput input = Before("P1D");
  input.time_of_day = "09:00";
  const Reminder reminder = Make(task, input);
  EXPECT_EQ(reminder.id.number, 1);
  EXPECT_EQ(reminder.state, ReminderState::kPending);
  EXPECT_EQ(domain::FormatInstant(*reminder.remind_at), "2026-03-29T07:00:00Z")
      << "09:00 on the clock";
  EXPECT_EQ(Only(task), reminder);
  EXPECT_EQ(changes_, 1) << "there is a job to write";
  EXPECT_EQ(Make(task, Before("PT1H")).id.number, 2);
}

TEST_F(ReminderServiceTest, AnAbsoluteReminderIsNeverEarly) {
  const Task task = MakeTask("");
  EXPECT_EQ(domain::FormatInstant(*Make(task, Absolute("2026-03-28T09:00:00.000001Z")).remind_at),
            "2026-03-28T09:00:01Z");
}

TEST_F(ReminderServiceTest, EveryFaultOfTheInputIsNamed) {
  const Task task = MakeTask();
  const auto refused = [&](const ReminderInput& input) {
    const absl::Status status = service_.Create(Call(), task.id, input).status();
    EXPECT_EQ(status.code(), StatusCode::kInvalidArgument) << status;
    return FieldsOf(status);
  };
  EXPECT_THAT(refused({}), ElementsAre("reminder.at"));
  EXPECT_THAT(refused({.at = At("2026-03-29T00:00:00Z"), .before = "PT1H", .time_of_day = {}}),
              ElementsAre("reminder.at"));
  EXPECT_THAT(refused({.at = {}, .before = "soon", .time_of_day = "noon"}),
              ElementsAre("reminder.before", "reminder.time_of_day"));
  EXPECT_THAT(refused({.at = {}, .before = "PT1H", .time_of_day = "09:00"}),
              ElementsAre("reminder.time_of_day"));
  EXPECT_THAT(refused({.at = At("2026-03-29T00:00:00Z"), .before = {}, .time_of_day = "09:00"}),
              ElementsAre("reminder.time_of_day"));
  EXPECT_THAT(refused(Before("P367D")), ElementsAre("reminder.before"));
  EXPECT_THAT(refused(Absolute(kNow)), ElementsAre("reminder.at")) << "has passed";
  EXPECT_THAT(refused(Before("P30D")), ElementsAre("reminder.before")) << "has passed";
}

TEST_F(ReminderServiceTest, ARelativeReminderNeedsADueDate) {
  const Task task = MakeTask("");
  EXPECT_THAT(FieldsOf(service_.Create(Call(), task.id, Before("PT1H")).status()),
              ElementsAre("reminder.before"));
}

TEST_F(ReminderServiceTest, ATaskHasAtMostTwentyReminders) {
  const Task task = MakeTask();
  for (int n = 1; n <= domain::kMaxRemindersPerTask; ++n) Make(task, Before("PT1H"));
  const absl::Status status = service_.Create(Call(), task.id, Before("PT1H")).status();
  EXPECT_EQ(status.code(), StatusCode::kFailedPrecondition);
  EXPECT_EQ(util::ReasonOf(status), "TOO_MANY_REMINDERS");
  ASSERT_TRUE(service_.Delete(Call(), task.id, 20).ok());
  Make(task, Before("PT1H"));
}

TEST_F(ReminderServiceTest, TheTaskOfAnotherUserIsNotFound) {
  const Task task = MakeTask();
  Make(task, Before("PT1H"));
  const CallContext bob = Call("bob");
  for (const domain::TaskId id : {task.id, domain::TaskId{4711}}) {
    for (const absl::Status& status :
         {service_.Create(bob, id, Before("PT1H")).status(), service_.List(bob.user, id).status(),
          service_.Delete(bob, id, 1).status(),
          service_.Snooze(bob, id, 1, {.until = {}, .duration = "PT1H"}).status()}) {
      EXPECT_EQ(status.code(), StatusCode::kNotFound) << status;
      EXPECT_EQ(util::ReasonOf(status), "TASK_NOT_FOUND");
    }
  }
  EXPECT_EQ(Only(task).state, ReminderState::kPending);
}

TEST_F(ReminderServiceTest, AnUnknownNumberIsNotFound) {
  const Task task = MakeTask();
  for (const absl::Status& status :
       {service_.Delete(Call(), task.id, 1).status(),
        service_.Snooze(Call(), task.id, 1, {.until = {}, .duration = "PT1H"}).status()}) {
    EXPECT_EQ(status.code(), StatusCode::kNotFound);
    EXPECT_EQ(util::ReasonOf(status), "REMINDER_NOT_FOUND");
  }
}

TEST_F(ReminderServiceTest, ACompletedTaskTakesNoReminder) {
  const Task task = MakeTask();
  Make(task, Before("PT1H"));
  SetCompleted(task, true);
  EXPECT_EQ(util::ReasonOf(service_.Create(Call(), task.id, Before("PT1H")).status()),
            "TASK_COMPLETED");
  EXPECT_EQ(util::ReasonOf(
                service_.Snooze(Call(), task.id, 1, {.until = {}, .duration = "PT1H"}).status()),
            "TASK_COMPLETED");
}

TEST_F(ReminderServiceTest, ARepeatedRequestIsAnsweredAsTheFirstTime) {
  const Task task = MakeTask();
  const auto first = service_.Create(Named(), task.id, Before("PT1H"));
  ASSERT_TRUE(first.ok()) << first.status();
  clock_.Set("2026-03-31T00:00:00Z");  // when it would be refused
  const auto again = service_.Create(Named(), task.id, Before("PT1H"));
  ASSERT_TRUE(again.ok()) << again.status();
  EXPECT_EQ(*again, *first);
  EXPECT_EQ(Only(task), *first);
  EXPECT_EQ(service_.Create(Named("other"), task.id, Before("PT2H")).status().code(),
            StatusCode::kAlreadyExists);
}

TEST_F(ReminderServiceTest, ALostAnswerIsFoundOutByTheRequestsId) {
  const Task task = MakeTask();
  database_.LoseNextAnswer();
  EXPECT_TRUE(service_.Create(Call(), task.id, Before("PT1H")).ok());
  Only(task);
}

TEST_F(ReminderServiceTest, AnOutageOfTheStoreIsReportedUnchanged) {
  const Task task = MakeTask();
  database_.FailWith(absl::UnavailableError("away"));
  EXPECT_EQ(service_.Create(Call(), task.id, Before("PT1H")).status().code(),
            StatusCode::kUnavailable);
  EXPECT_THAT(Codes(service_.Trigger({task.id})), ElementsAre(StatusCode::kUnavailable))
      << "the scheduler must repeat it";
  EXPECT_EQ(service_.Sweep().status().code(), StatusCode::kUnavailable);
}

TEST_F(ReminderServiceTest, ACreateRepeatedAfterTheDeleteAnswersTheFirstAndRevivesNothing) {
  const Task task = MakeTask();
  const auto first = service_.Create(Named(), task.id, Before("PT1H"));
  ASSERT_TRUE(first.ok()) << first.status();
  ASSERT_TRUE(service_.Delete(Call(), task.id, 1).ok());
  EXPECT_EQ(*service_.Create(Named(), task.id, Before("PT1H")), *first);
  EXPECT_THAT(*service_.List(task.user, task.id), IsEmpty());
  ASSERT_TRUE(tasks_.Delete(Call(), task.id, {}).ok());
  EXPECT_EQ(*service_.Create(Named(), task.id, Before("PT1H")), *first) << "nor the task";
}

TEST_F(ReminderServiceTest, ARelativeReminderOfAnOverdueSeriesIsForLaterOccurrences) {
  const Task task = MakeTask("2026-03-26T12:00:00", "alice", "FREQ=DAILY");
  const Reminder reminder = Make(task, Before("PT1H"));
  EXPECT_EQ(reminder.state, ReminderState::kCancelled);
  EXPECT_EQ(domain::FormatInstant(*reminder.remind_at), "2026-03-26T10:00:00Z");
  EXPECT_EQ(Only(task), reminder);
  clock_.Set("2026-03-27T08:01:00Z");
  Trigger(task);
  EXPECT_EQ(Sweep(), 0) << "its time has passed";
  MoveDue(task, "2026-03-28T12:00:00");
  EXPECT_EQ(Only(task).state, ReminderState::kPending) << "moved ahead again";

  const Task ahead = MakeTask("2026-03-27T18:00:00", "alice", "FREQ=DAILY");
  EXPECT_EQ(Make(ahead, Before("P1D")).state, ReminderState::kCancelled) << "due, but not yet";
  EXPECT_EQ(Make(ahead, Before("PT1H")).state, ReminderState::kPending);
}

TEST_F(ReminderServiceTest, AReminderThatWouldNeverFireIsRefused) {
  const Task last = MakeTask("2026-03-25T12:00:00", "alice", "FREQ=DAILY;UNTIL=20260326T235959");
  EXPECT_THAT(FieldsOf(service_.Create(Call(), last.id, Before("PT1H")).status()),
              ElementsAre("reminder.before"))
      << "nothing follows it";
  const Task overdue = MakeTask("2026-03-26T12:00:00", "alice", "FREQ=DAILY");
  EXPECT_THAT(
      FieldsOf(service_.Create(Call(), overdue.id, Absolute("2026-03-26T10:00:00Z")).status()),
      ElementsAre("reminder.at"));
}

// Firing.

TEST_F(ReminderServiceTest, AReminderFiresOnceAtItsTime) {
  const Task task = MakeTask();
  Make(task, Before("PT1H"));
  clock_.Set("2026-03-30T08:00:00Z");
  Trigger(task);
  EXPECT_THAT(Posted(), IsEmpty()) << "of another time";
  EXPECT_EQ(Only(task).state, ReminderState::kPending);
  clock_.Set("2026-03-30T09:00:00.25Z");
  Trigger(task);
  const auto events = Posted();
  ASSERT_THAT(events, SizeIs(1));
  EXPECT_EQ(events[0]["task_id"], task.id.value);
  EXPECT_EQ(events[0]["title"], "water the plants");
  EXPECT_EQ(events[0]["remind_at"], "2026-03-30T09:00:00Z");
  EXPECT_EQ(events[0]["due_date"], "2026-03-30T10:00:00Z");
  EXPECT_FALSE(events[0].contains("late"));
  EXPECT_EQ(Only(task).state, ReminderState::kFired);
  EXPECT_EQ(Only(task).fired_at, At("2026-03-30T09:00:00.25Z"));
  EXPECT_EQ(service_.lateness().count(), 1u);
  EXPECT_NEAR(service_.lateness().sum_seconds, 0.25, 1e-9);
  Trigger(task);
  clock_.Set("2026-03-30T10:00:00Z");
  EXPECT_EQ(Sweep(), 0);
  EXPECT_EQ(service_.lateness().count(), 1u);
  EXPECT_THAT(Posted(), IsEmpty()) << "repeated";
}

TEST_F(ReminderServiceTest, AFiringBeginsATraceWithLinksToTheChangeThatLedToItAndToItsTrigger) {
  support::KeptSpans kept;
  CallContext call = Call();
  call.traceparent = util::FormatTraceparent(support::kCause);
  CreateTaskInput input;
  input.title = "water the plants";
  input.due.due_date = At("2026-03-30T12:00:00Z");
  const auto task = tasks_.Create(call, input);
  ASSERT_TRUE(task.ok()) << task.status();
  Make(*task, Before("PT1H"));
  clock_.Set("2026-03-30T11:00:00Z");
  {
    const util::WithTrace trigger(support::kOtherCause);
    Trigger(*task);
  }
  const auto spans = kept.Named("fire reminder");
  ASSERT_THAT(spans, SizeIs(1));
  EXPECT_THAT(spans[0].links, ElementsAre(support::kCause, support::kOtherCause));
  EXPECT_NE(util::TraceIdOf(spans[0].context), util::TraceIdOf(support::kCause));
  const auto messages = database_.Read()->messages;
  ASSERT_FALSE(messages.empty());
  EXPECT_EQ(nlohmann::json::parse(messages.back().message.payload)["traceparent"],
            util::FormatTraceparent(spans[0].context));
}

TEST_F(ReminderServiceTest, AnEarlyTriggerComesAgainUntilItIsTime) {
  const Task task = MakeTask();
  Make(task, Before("PT1H"));
  Make(task, Before("PT58M"));
  const Task other = MakeTask();
  Make(other, Before("PT59M55S"));
  clock_.Set("2026-03-30T08:59:59.999Z");
  EXPECT_THAT(Codes(service_.Trigger({task.id, other.id})), Each(StatusCode::kUnavailable))
      << "the scheduler's clock is ahead";
  EXPECT_THAT(Posted(), IsEmpty());
  clock_.Set("2026-03-30T09:00:01Z");
  EXPECT_THAT(Codes(service_.Trigger({task.id, other.id})),
              ElementsAre(StatusCode::kOk, StatusCode::kUnavailable));
  EXPECT_THAT(Posted(), SizeIs(1)) << "the other reminder of the task has a job of its own";
}

TEST_F(ReminderServiceTest, UnknownTriggersAreAnsweredOk) {
  const Task without_reminder = MakeTask();
  EXPECT_THAT(Codes(service_.Trigger({{4711}, without_reminder.id})),
              ElementsAre(StatusCode::kOk, StatusCode::kOk));
  EXPECT_THAT(service_.Trigger({}), IsEmpty());
}

TEST_F(ReminderServiceTest, ManyTriggersAreOneTransaction) {
  std::vector<domain::TaskId> tasks{{4711}};
  for (int n = 0; n < 3; ++n) {
    const Task task = MakeTask();
    Make(task, Before("PT1H"));
    tasks.push_back(task.id);
  }
  tasks.push_back(tasks.back());
  clock_.Set("2026-03-30T09:00:00Z");
  EXPECT_THAT(Codes(service_.Trigger(tasks)), Each(StatusCode::kOk));
  EXPECT_THAT(Posted(), SizeIs(3));
  EXPECT_EQ(posts_, 1);
}

TEST_F(ReminderServiceTest, ATaskThatCannotBeSettledDelaysNoOther) {
  const Task first = MakeTask();
  const Task locked = MakeTask("2026-03-30T12:00:00", "bob");
  const Task broken = MakeTask("2026-03-30T12:00:00", "carol");
  const Task last = MakeTask();
  for (const Task& task : {first, locked, broken, last}) Make(task, Before("PT1H"));
  clock_.Set("2026-03-30T09:00:10Z");
  reminder_store_.FailFor({"bob"}, absl::AbortedError("others held a lock for too long"));
  reminder_store_.FailFor({"carol"}, absl::InternalError("a bug"));
  EXPECT_THAT(Codes(service_.Trigger({first.id, locked.id, broken.id, last.id})),
              ElementsAre(StatusCode::kOk, StatusCode::kAborted, StatusCode::kOk, StatusCode::kOk))
      << "of the broken one the scheduler need not hear: the sweep finds it";
  EXPECT_THAT(Posted(), SizeIs(2));
  EXPECT_EQ(service_.Sweep().status().code(), StatusCode::kAborted) << "nothing else is due";

  reminder_store_.FailFor({"bob"}, absl::OkStatus());
  EXPECT_EQ(Sweep(), 1);
  EXPECT_EQ(Sweep(), 0) << "and no mistaking it for progress";
  reminder_store_.FailFor({"carol"}, absl::OkStatus());
  EXPECT_EQ(Sweep(), 0) << "it is left aside";
  clock_.Set("2026-03-30T09:00:40Z");
  EXPECT_EQ(Sweep(), 1);
}

TEST_F(ReminderServiceTest, ManyTasksThatCannotBeSettledDelayNoOther) {
  std::vector<Task> tasks;
  for (int n = 0; n < 150; ++n) {  // more than a batch, and the longest due
    tasks.push_back(MakeTask("2026-03-30T12:00:00", "carol"));
    Make(tasks.back(), Before("PT2H"));
  }
  Make(MakeTask(), Before("PT1H"));
  reminder_store_.FailFor({"carol"}, absl::InternalError("a bug"));
  clock_.Set("2026-03-30T09:00:10Z");
  EXPECT_EQ(Sweep() + Sweep(), 1);

  for (const Task& task : tasks) MoveDue(task, "2026-03-31T12:00:00");
  const Task planned = MakeTask();
  Make(planned, Before("PT30M"));
  MoveDue(planned, "2026-03-31T12:00:00");
  clock_.Set("2026-03-30T09:00:11Z");
  EXPECT_TRUE(*service_.PlanBacklog() || *service_.PlanBacklog());
}

TEST_F(ReminderServiceTest, ATaskThatCannotBePlannedIsPutOnHold) {
  const Task task = MakeTask();
  Make(task, Before("PT1H"));
  MoveDue(task, "2026-03-31T12:00:00");
  reminder_store_.FailFor({"alice"}, absl::InternalError("a bug"));
  const auto planned = service_.PlanBacklog();
  ASSERT_TRUE(planned.ok()) << planned.status();
  EXPECT_FALSE(*planned) << "true would be asked again at once";
}

TEST_F(ReminderServiceTest, TheSweepFiresDueRemindersWithoutATrigger) {
  const Task task = MakeTask();
  Make(task, Before("PT1H"));
  clock_.Set("2026-03-30T09:00:02.9Z");
  EXPECT_EQ(Sweep(), 0) << "its job may yet come";
  clock_.Set("2026-03-30T09:00:03Z");
  EXPECT_EQ(Sweep(), 1);
  EXPECT_THAT(Posted(), SizeIs(1));
  EXPECT_EQ(Sweep(), 0);
}

TEST_F(ReminderServiceTest, AfterALongOutageEachMissedReminderFiresOnceAndIsMarkedLate) {
  std::vector<Task> tasks;
  for (int n = 0; n < 5; ++n) tasks.push_back(MakeTask());
  for (const Task& task : tasks) {
    Make(task, Before("PT1H"));
    Make(task, Before("P1D"));
  }
  clock_.Set("2026-04-02T00:00:00Z");
  EXPECT_EQ(Sweep(), 10);
  for (const auto& event : Posted()) EXPECT_EQ(event["late"], true);
  EXPECT_EQ(Sweep(), 0);
}

TEST_F(ReminderServiceTest, CompletedAndDeletedTasksDoNotRemind) {
  const Task completed = MakeTask();
  const Task deleted = MakeTask();
  Make(completed, Before("PT1H"));
  Make(deleted, Before("PT1H"));
  SetCompleted(completed, true);
  ASSERT_TRUE(tasks_.Delete(Call(), deleted.id, {}).ok());
  clock_.Set("2026-03-30T09:00:10Z");
  Trigger(completed);
  Trigger(deleted);
  EXPECT_EQ(Sweep(), 0);
  EXPECT_THAT(Posted(), IsEmpty());
}

TEST_F(ReminderServiceTest, AMovedTaskRemindsAtItsNewTimeOnly) {
  const Task task = MakeTask();
  Make(task, Before("PT1H"));
  MoveDue(task, "2026-03-31T12:00:00");
  EXPECT_EQ(RemindAt(task), "2026-03-31T09:00:00Z") << "also before it is planned";
  clock_.Set("2026-03-30T09:00:10Z");
  Trigger(task);  // its former job, before anybody planned
  EXPECT_EQ(Sweep(), 0);
  EXPECT_THAT(Posted(), IsEmpty());
  clock_.Set("2026-03-31T09:00:00Z");
  Trigger(task);
  EXPECT_THAT(Posted(), SizeIs(1));
}

TEST_F(ReminderServiceTest, UncompletingRestoresFutureReminders) {
  const Task task = MakeTask();
  Make(task, Before("PT1H"));
  SetCompleted(task, true);
  EXPECT_TRUE(*service_.PlanBacklog());
  EXPECT_EQ(Only(task).state, ReminderState::kCancelled);
  clock_.Set("2026-03-29T00:00:00Z");
  SetCompleted(task, false);
  EXPECT_TRUE(*service_.PlanBacklog());
  EXPECT_EQ(Only(task).state, ReminderState::kPending);

  SetCompleted(task, true);
  EXPECT_TRUE(*service_.PlanBacklog());
  clock_.Set("2026-03-30T09:30:00Z");
  SetCompleted(task, false);
  EXPECT_TRUE(*service_.PlanBacklog());
  EXPECT_EQ(Only(task).state, ReminderState::kCancelled) << "its time has passed";
  EXPECT_FALSE(*service_.PlanBacklog());
}

TEST_F(ReminderServiceTest, PlanningAnnouncesChangesOfJobs) {
  const Task task = MakeTask();
  Make(task, Before("PT1H"));
  changes_ = 0;
  EXPECT_FALSE(*service_.PlanBacklog());
  EXPECT_EQ(changes_, 0);
  MoveDue(task, "2026-03-31T12:00:00");
  EXPECT_TRUE(*service_.PlanBacklog());
  EXPECT_EQ(changes_, 1);
}

// Snoozing.

TEST_F(ReminderServiceTest, SnoozingMovesTheReminderNotTheTask) {
  const Task task = MakeTask();
  Make(task, Before("PT1H"));
  ASSERT_TRUE(
      service_.Snooze(Call(), task.id, 1, {.until = At("2026-03-30T09:30:00.5Z"), .duration = {}})
          .ok());
  EXPECT_EQ(RemindAt(task), "2026-03-30T09:30:01Z");
  EXPECT_EQ(*tasks_.Get(task.user, task.id), task) << "no change of the task";
  clock_.Set("2026-03-30T09:00:10Z");
  Trigger(task);
  EXPECT_EQ(Sweep(), 0);
  clock_.Set("2026-03-30T09:30:01Z");
  Trigger(task);
  EXPECT_THAT(Posted(), SizeIs(1));
}

TEST_F(ReminderServiceTest, AFiredReminderCanBeSnoozedAndFiresAgain) {
  const Task task = MakeTask();
  Make(task, Before("PT1H"));
  clock_.Set("2026-03-30T09:00:00Z");
  Trigger(task);
  const auto snoozed = service_.Snooze(Call(), task.id, 1, {.until = {}, .duration = "PT10M"});
  ASSERT_TRUE(snoozed.ok()) << snoozed.status();
  EXPECT_EQ(snoozed->state, ReminderState::kPending);
  EXPECT_EQ(domain::FormatInstant(*snoozed->remind_at), "2026-03-30T09:10:00Z");
  clock_.Set("2026-03-30T09:10:00Z");
  Trigger(task);
  EXPECT_THAT(Posted(), SizeIs(2));
}

TEST_F(ReminderServiceTest, ASnoozeEndsWhenTheDueDateMoves) {
  const Task task = MakeTask();
  Make(task, Before("PT1H"));
  ASSERT_TRUE(service_.Snooze(Call(), task.id, 1, {.until = {}, .duration = "P5D"}).ok());
  MoveDue(task, "2026-03-31T12:00:00");
  EXPECT_EQ(RemindAt(task), "2026-03-31T09:00:00Z");
}

TEST_F(ReminderServiceTest, ASnoozeByDaysKeepsTheTimeOnTheClock) {
  const Task task = MakeTask();  // in Berlin, where clocks go forward on the 29th
  Make(task, Before("PT1H"));
  const auto snoozed = [&](std::string duration) -> std::string {
    const auto reminder =
        service_.Snooze(Call(), task.id, 1, {.until = {}, .duration = std::move(duration)});
    EXPECT_TRUE(reminder.ok()) << reminder.status();
    return reminder.ok() ? domain::FormatInstant(*reminder->remind_at) : "";
  };
  clock_.Set("2026-03-28T12:00:00.5Z");  // 13:00
  EXPECT_EQ(snoozed("P1D"), "2026-03-29T11:00:01Z");
  EXPECT_EQ(snoozed("PT24H"), "2026-03-29T12:00:01Z") << "hours that pass";
  EXPECT_EQ(snoozed("P1DT1H"), "2026-03-29T12:00:01Z");
  EXPECT_EQ(snoozed("P1W"), "2026-04-04T11:00:01Z");
  clock_.Set("2026-10-24T12:00:00Z");  // 14:00; they go back that night
  EXPECT_EQ(snoozed("P1D"), "2026-10-25T13:00:00Z");
  EXPECT_EQ(snoozed("PT10M"), "2026-10-24T12:10:00Z");
  clock_.Set("2026-10-25T01:30:00Z");  // 02:30 for the second time
  EXPECT_EQ(snoozed("PT10M"), "2026-10-25T01:40:00Z");
  clock_.Set("2026-06-01T10:00:00Z");
  EXPECT_EQ(snoozed("P366D"), "2027-06-02T10:00:00Z");
  clock_.Set("2026-10-24T10:00:00Z");
  EXPECT_EQ(snoozed("P366D"), "2027-10-25T10:00:00Z");
  clock_.Set("2026-10-25T10:00:00Z");  // 11:00, and 12:00 UTC+2 in a year: an hour more than 366
  EXPECT_EQ(snoozed("P160D"), "2027-04-03T09:00:00Z");
  clock_.Set("2027-10-30T10:00:00Z");  // summer; the 31st of October 2028 is winter
  EXPECT_EQ(snoozed("P366D"), "2028-10-30T11:00:00Z") << "longer than 366 times 24 hours";
}

TEST_F(ReminderServiceTest, SnoozeNamesEachFault) {
  const Task task = MakeTask();
  Make(task, Before("PT1H"));
  const auto refused = [&](const SnoozeInput& input) {
    const absl::Status status = service_.Snooze(Call(), task.id, 1, input).status();
    EXPECT_EQ(status.code(), StatusCode::kInvalidArgument) << status;
    return FieldsOf(status);
  };
  EXPECT_THAT(refused({}), ElementsAre("until"));
  EXPECT_THAT(refused({.until = At("2026-03-29T00:00:00Z"), .duration = "PT1H"}),
              ElementsAre("until"));
  EXPECT_THAT(refused({.until = At(kNow), .duration = {}}), ElementsAre("until"));
  EXPECT_THAT(refused({.until = At("2027-03-29T00:00:00Z"), .duration = {}}), ElementsAre("until"));
  EXPECT_THAT(refused({.until = {}, .duration = "later"}), ElementsAre("duration"));
  EXPECT_THAT(refused({.until = {}, .duration = "PT0S"}), ElementsAre("duration"));
}

// Deleting.

TEST_F(ReminderServiceTest, ADeletedReminderIsGone) {
  const Task task = MakeTask();
  Make(task, Before("PT1H"));
  const auto last = service_.Delete(Call(), task.id, 1);
  ASSERT_TRUE(last.ok()) << last.status();
  EXPECT_EQ(last->state, ReminderState::kPending);
  EXPECT_THAT(*service_.List(task.user, task.id), IsEmpty());
  EXPECT_EQ(service_.Delete(Call(), task.id, 1).status().code(), StatusCode::kNotFound);
  clock_.Set("2026-03-30T09:00:10Z");
  Trigger(task);
  EXPECT_EQ(Sweep(), 0);
  EXPECT_THAT(Posted(), IsEmpty());
}

}  // namespace
}  // namespace todo::service
