#include "contract/reminder_store_contract.h"

#include <gmock/gmock.h>

#include <algorithm>

#include "util/status.h"

namespace todo::contract {

GTEST_ALLOW_UNINSTANTIATED_PARAMETERIZED_TEST(ReminderStoreContract);

using absl::StatusCode;
using domain::ChangeKind;
using domain::Reminder;
using domain::ReminderState;
using domain::Task;
using ports::JobIntent;
using ports::ReminderTransaction;
using ports::TaskRef;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::SizeIs;
using testing::UnorderedElementsAre;

namespace {

TaskRef RefOf(const Task& task) { return {.user = task.user, .task_id = task.id}; }

/// Number `number` of `task`, `before` its due date and planned for `remind_at`.
Reminder ReminderOf(const Task& task, int number, std::string_view remind_at,
                    std::string_view before = "PT1H") {
  Reminder reminder;
  reminder.id = {.user = task.user, .task_id = task.id, .number = number};
  reminder.time.before = *domain::ParsePeriod(before);
  reminder.planned_at = reminder.remind_at = At(remind_at);
  reminder.created_at = At("2026-03-01T09:00:00.25Z");
  return reminder;
}

/// Number `number` of `task`, at `remind_at`.
Reminder AbsoluteOf(const Task& task, int number, std::string_view remind_at) {
  Reminder reminder = ReminderOf(task, number, remind_at);
  reminder.time = {};
  reminder.time.at = reminder.planned_at;
  return reminder;
}

std::vector<int> NumbersOf(const std::vector<JobIntent>& intents) {
  std::vector<int> numbers;
  for (const JobIntent& intent : intents) numbers.push_back(intent.reminder.id.number);
  return numbers;
}

/// The time of the only reminder of `task`.
std::optional<domain::Instant> Resolved(const std::vector<Reminder>& reminders, const Task& task) {
  return reminders.size() == 1 ? domain::ResolveReminder(reminders[0].time, task.fields)
                               : std::nullopt;
}

/// Due at the wall-clock time `local` in `zone`.
domain::Due DueOf(domain::DueKind kind, absl::CivilSecond local, const std::string& zone) {
  domain::Due due = *domain::ResolveLocalDue(absl::FormatCivilTime(local), zone);
  due.kind = kind;
  if (kind == domain::DueKind::kInstant) due.local = {};
  return due;
}

/// This task alone, once, in another zone, where it is due at `due_local`.
ports::Mutation Travel(const Task& task, const std::string& zone, std::string_view due_local) {
  ports::Mutation travel = ChangeOf(ChangeKind::kUpdated, task);
  travel.patch.time_zone = zone;
  travel.patch.due =
      DueOf(task.fields.due.kind, domain::ResolveLocalDue(due_local, zone)->local, zone);
  travel.patch.series = task.series;
  (*travel.patch.series)->following.time_zone = task.fields.time_zone;
  return travel;
}

ports::Mutation MoveTo(const Task& task, std::string_view due, std::string_view now) {
  ports::Mutation mutation = ChangeOf(ChangeKind::kUpdated, task);
  mutation.patch.due = DueAt(due);
  mutation.now = At(now);
  return mutation;
}

}  // namespace

Task ReminderStoreContract::Apply(const ports::Mutation& mutation) {
  const auto result = environment_->tasks().Apply(mutation);
  EXPECT_TRUE(result.ok()) << result.status();
  return result.ok() ? result->task : Task();
}

Task ReminderStoreContract::DueTask(const std::string& title) {
  ports::Mutation mutation = Create(user_, title);
  mutation.fields.due = DueAt("2026-03-10T12:00:00Z");
  return Apply(mutation);
}

void ReminderStoreContract::Commit(const Work& work) {
  const absl::Status status = store().Transact(work);
  EXPECT_TRUE(status.ok()) << status;
}

void ReminderStoreContract::Save(const std::vector<Reminder>& reminders) {
  Commit([&](ReminderTransaction& transaction) -> absl::Status {
    std::vector<TaskRef> refs;
    for (const Reminder& reminder : reminders)
      refs.push_back({.user = reminder.id.user, .task_id = reminder.id.task_id});
    TODO_RETURN_IF_ERROR(transaction.LockAndLoad(refs).status());
    return transaction.Save(reminders);
  });
}

std::vector<Reminder> ReminderStoreContract::RemindersOf(const Task& task) {
  std::vector<Reminder> reminders;
  Commit([&](ReminderTransaction& transaction) -> absl::Status {
    TODO_ASSIGN_OR_RETURN(auto held, transaction.LockAndLoad({RefOf(task)}));
    EXPECT_TRUE(held.at(0).has_value());
    if (held[0]) reminders = held[0]->reminders;
    return absl::OkStatus();
  });
  return reminders;
}

std::vector<JobIntent> ReminderStoreContract::Claim(std::string_view now, int limit) {
  auto intents = store().ClaimJobs(At(now), std::chrono::seconds(10), limit);
  EXPECT_TRUE(intents.ok()) << intents.status();
  return intents.ok() ? *intents : std::vector<JobIntent>();
}

void ReminderStoreContract::Record(const std::vector<Reminder>& reminders, std::string_view now) {
  std::vector<ports::JobRecord> records;
  for (const Reminder& reminder : reminders) {
    const bool wanted = reminder.state == ReminderState::kPending;
    records.push_back(
        {.id = reminder.id, .scheduled_for = wanted ? reminder.remind_at : std::nullopt});
  }
  const absl::Status status = store().RecordJobs(records, At(now));
  EXPECT_TRUE(status.ok()) << status;
}

Task ReminderStoreContract::MakeSeries(std::string_view due_local, const std::string& zone,
                                       domain::DueKind kind) {
  ports::Mutation create = CreateRecurring(user_, "daily");
  create.fields.time_zone = zone;
  const absl::CivilSecond local = domain::ResolveLocalDue(due_local, zone)->local;
  create.fields.due = DueOf(kind, local, zone);
  create.series->anchor = create.series->scheduled = local;
  return Apply(create);
}

Task ReminderStoreContract::WriteSuccessor(const Task& task, int days) {
  ports::ConsumerChange change;
  change.kind = ports::ConsumerChange::Kind::kCreateSuccessor;
  change.user = task.user;
  change.fields = task.fields;
  change.series = *task.series;
  ++change.series.occurrence;
  change.series.scheduled += std::int64_t{days} * 86400;
  change.series.following = {};
  if (const auto& zone = task.series->following.time_zone) change.fields.time_zone = *zone;
  change.fields.due = DueOf(task.fields.due.kind, change.series.scheduled, change.fields.time_zone);
  change.event_id = NewEventId();
  change.now = At("2026-03-02T12:00:00Z");
  std::optional<ports::HeldTask> held;
  const absl::Status status =
      environment_->inbox().Transact([&](ports::InboxTransaction& transaction) -> absl::Status {
        TODO_RETURN_IF_ERROR(transaction.recurrence().LockAndLoad({RefOf(task)}).status());
        TODO_RETURN_IF_ERROR(transaction.recurrence().Write({change}));
        TODO_ASSIGN_OR_RETURN(auto loaded, transaction.recurrence().LockAndLoad({RefOf(task)}));
        held = loaded.at(0);
        return absl::OkStatus();
      });
  EXPECT_TRUE(status.ok()) << status;
  EXPECT_TRUE(held && held->successor);
  return held && held->successor ? held->successor->task : Task();
}

void ReminderStoreContract::WriteOf(const Task& task, const Task& successor,
                                    ports::ConsumerChange::Kind kind) {
  ports::ConsumerChange change;
  change.kind = kind;
  change.user = task.user;
  change.task_id = successor.id;
  change.fields = successor.fields;
  change.series = *successor.series;
  change.event_id = NewEventId();
  change.now = At("2026-03-02T13:00:00Z");
  const absl::Status status =
      environment_->inbox().Transact([&](ports::InboxTransaction& transaction) -> absl::Status {
        TODO_RETURN_IF_ERROR(transaction.recurrence().LockAndLoad({RefOf(task)}).status());
        return transaction.recurrence().Write({change});
      });
  EXPECT_TRUE(status.ok()) << status;
}

namespace {

// Reading and writing.

TEST_P(ReminderStoreContract, ASavedReminderIsReadBackAsItWas) {
  const Task task = DueTask();
  Reminder relative = ReminderOf(task, 1, "2026-03-09T08:00:00Z", "P1D");
  relative.time.time_of_day = *domain::ParseTimeOfDay("09:00");
  relative.state = ReminderState::kFired;
  relative.fired_at = At("2026-03-09T08:00:00.123456Z");
  relative.unplanned_since = At("2026-03-09T08:00:01Z");
  Reminder absolute = ReminderOf(task, 2, "2026-03-09T09:00:00Z");
  absolute.time = {};
  absolute.time.at = absolute.planned_at;
  absolute.remind_at = At("2026-03-09T10:00:00.5Z");
  Reminder on_the_clock = ReminderOf(task, 3, "2026-03-09T09:00:00Z");
  on_the_clock.time = {};
  on_the_clock.time.at_local = absl::CivilSecond(2026, 3, 9, 10, 0, 0);
  on_the_clock.planned_at.reset();
  on_the_clock.remind_at.reset();
  on_the_clock.state = ReminderState::kCancelled;
  Save({relative, absolute, on_the_clock});
  EXPECT_THAT(RemindersOf(task), ElementsAre(relative, absolute, on_the_clock));

  absolute.state = ReminderState::kCancelled;
  absolute.remind_at = absolute.planned_at;
  Save({absolute});
  EXPECT_THAT(RemindersOf(task), ElementsAre(relative, absolute, on_the_clock));
  const auto read = store().Get(RefOf(task));
  ASSERT_TRUE(read.ok()) << read.status();
  EXPECT_EQ(read->task, task);
  EXPECT_THAT(read->reminders, ElementsAre(relative, absolute, on_the_clock));
}

TEST_P(ReminderStoreContract, ATaskAndItsJobsKnowTheTraceOfTheLastChange) {
  const auto trace = [&](const Task& task) {
    std::string traceparent;
    Commit([&](ReminderTransaction& transaction) -> absl::Status {
      TODO_ASSIGN_OR_RETURN(auto held, transaction.LockAndLoad({RefOf(task)}));
      traceparent = held.at(0)->traceparent;
      return absl::OkStatus();
    });
    return traceparent;
  };
  const Task task = DueTask();
  Save({ReminderOf(task, 1, "2026-03-10T11:00:00Z")});
  EXPECT_EQ(trace(task), "");
  ports::Mutation move = MoveTo(task, "2026-03-11T12:00:00Z", "2026-03-02T09:00:00Z");
  move.traceparent = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";
  Apply(move);
  EXPECT_EQ(trace(task), move.traceparent);
  const auto intents = Claim("2026-03-02T09:00:00Z");
  ASSERT_THAT(intents, SizeIs(1));
  EXPECT_EQ(intents[0].traceparent, move.traceparent);
}

TEST_P(ReminderStoreContract, OneEntryForEachTaskAskedForTombstonesIncluded) {
  const Task first = DueTask("first");
  const Task second = DueTask("second");
  Apply(ChangeOf(ChangeKind::kDeleted, second));
  Save({ReminderOf(first, 1, "2026-03-10T11:00:00Z")});
  Commit([&](ReminderTransaction& transaction) -> absl::Status {
    TODO_ASSIGN_OR_RETURN(
        const auto held,
        transaction.LockAndLoad({RefOf(second),
                                 {.user = {"bob"}, .task_id = first.id},
                                 {.user = user_, .task_id = {first.id.value + 1'000'000}},
                                 RefOf(first)}));
    EXPECT_THAT(held, SizeIs(4));
    EXPECT_TRUE(held[0] && held[0]->task.deleted && held[0]->reminders.empty());
    EXPECT_FALSE(held[1]) << "somebody else's";
    EXPECT_FALSE(held[2]);
    EXPECT_TRUE(held[3] && !held[3]->task.deleted);
    EXPECT_THAT(held[3]->reminders, SizeIs(1));
    return absl::OkStatus();
  });
}

TEST_P(ReminderStoreContract, GetShowsOnlyTheUsersLivingTasks) {
  const Task task = DueTask();
  EXPECT_EQ(store().Get({.user = {"bob"}, .task_id = task.id}).status().code(),
            StatusCode::kNotFound);
  Apply(ChangeOf(ChangeKind::kDeleted, task));
  const absl::Status status = store().Get(RefOf(task)).status();
  EXPECT_EQ(status.code(), StatusCode::kNotFound);
  EXPECT_EQ(util::ReasonOf(status), "TASK_NOT_FOUND");
}

TEST_P(ReminderStoreContract, OwnedAnswersTheOwnersOfExistingTasks) {
  const Task first = DueTask();
  const Task second = Apply(Create({"bob"}, "another's"));
  EXPECT_THAT(*store().Owned({second.id, {first.id.value + 1'000'000}, first.id, second.id}),
              UnorderedElementsAre(RefOf(first), RefOf(second)));
  EXPECT_THAT(*store().Owned({}), IsEmpty());
}

TEST_P(ReminderStoreContract, ARolledBackTransactionLeavesNoTrace) {
  const Task task = DueTask();
  const absl::Status status = store().Transact([&](ReminderTransaction& transaction) {
    EXPECT_TRUE(transaction.LockAndLoad({RefOf(task)}).ok());
    EXPECT_TRUE(transaction.Save({ReminderOf(task, 1, "2026-03-10T11:00:00Z")}).ok());
    EXPECT_TRUE(transaction
                    .Post({{.topic = "reminders",
                            .key = user_.value,
                            .id = NewUuid(),
                            .payload = "{}",
                            .at = {}}})
                    .ok());
    return absl::FailedPreconditionError("no");
  });
  EXPECT_EQ(status.code(), StatusCode::kFailedPrecondition);
  EXPECT_THAT(RemindersOf(task), IsEmpty());
  EXPECT_THAT(environment_->Posted(), IsEmpty());
  EXPECT_EQ(environment_->wakes().count(), 0);
}

TEST_P(ReminderStoreContract, PostedMessagesAreInTheOutboxAndWakeTheRelay) {
  const domain::Uuid id = NewUuid();
  Commit([&](ReminderTransaction& transaction) {
    return transaction.Post({{.topic = "reminders",
                              .key = "a \"key\", {with} all",
                              .id = id,
                              .payload = "{\"title\":\"ünd 🛒\"}",
                              .at = {}}});
  });
  EXPECT_THAT(environment_->Posted(), ElementsAre("reminders a \"key\", {with} all " + id.value() +
                                                  " {\"title\":\"ünd 🛒\"}"));
  EXPECT_EQ(environment_->wakes().count(), 1);
}

// Requests.

TEST_P(ReminderStoreContract, ARequestIsAnsweredAsTheFirstTime) {
  const Task task = DueTask();
  const Reminder answer = ReminderOf(task, 1, "2026-03-10T11:00:00Z");
  const ports::RequestName name{
      .user = user_, .request_id = NewRequestId(), .fingerprint = std::string("a\0b", 3)};
  Commit([&](ReminderTransaction& transaction) -> absl::Status {
    TODO_RETURN_IF_ERROR(transaction.LockAndLoad({RefOf(task)}).status());
    TODO_ASSIGN_OR_RETURN(const auto first, transaction.FirstAnswer(name));
    EXPECT_FALSE(first);
    return transaction.Remember(name, answer, At("2026-03-01T09:00:00Z"));
  });
  Commit([&](ReminderTransaction& transaction) -> absl::Status {
    TODO_ASSIGN_OR_RETURN(const auto first, transaction.FirstAnswer(name));
    EXPECT_EQ(first, answer);
    ports::RequestName of_another = name;
    of_another.user = {"bob"};
    TODO_ASSIGN_OR_RETURN(const auto none, transaction.FirstAnswer(of_another));
    EXPECT_FALSE(none);
    return absl::OkStatus();
  });
}

TEST_P(ReminderStoreContract, ARequestIdWithOtherContentIsRefused) {
  ports::Mutation create = Create(user_, "a task");
  const Task task = Apply(create);
  const ports::RequestName name{.user = user_, .request_id = NewRequestId(), .fingerprint = "one"};
  Commit([&](ReminderTransaction& transaction) {
    return transaction.Remember(name, ReminderOf(task, 1, "2026-03-10T11:00:00Z"),
                                At("2026-03-01T09:00:00Z"));
  });
  const auto reuse = [&](const domain::RequestId& id) {
    return store().Transact([&](ReminderTransaction& transaction) {
      return transaction.FirstAnswer({.user = user_, .request_id = id, .fingerprint = "another"})
          .status();
    });
  };
  EXPECT_EQ(reuse(name.request_id).code(), StatusCode::kAlreadyExists);
  EXPECT_EQ(util::ReasonOf(reuse(name.request_id)), "REQUEST_ID_REUSED");
  EXPECT_EQ(reuse(create.request_id).code(), StatusCode::kAlreadyExists) << "of a task's call";
}

// Effects of a change of the task.

TEST_P(ReminderStoreContract, ARelevantChangeOfATaskMarksItsReminders) {
  const Task task = DueTask();
  const Task other = DueTask();
  Save({ReminderOf(task, 1, "2026-03-10T11:00:00Z"), ReminderOf(task, 2, "2026-03-10T10:00:00Z"),
        ReminderOf(other, 1, "2026-03-10T11:00:00Z")});
  const auto since = [&] { return RemindersOf(task).at(1).unplanned_since; };

  Apply(Rename(task, "another title"));
  EXPECT_EQ(since(), std::nullopt) << "a title moves nothing";
  Apply(MoveTo(task, "2026-03-11T12:00:00Z", "2026-03-02T09:00:00Z"));
  EXPECT_EQ(since(), At("2026-03-02T09:00:00Z"));
  Apply(MoveTo(task, "2026-03-12T12:00:00Z", "2026-03-02T10:00:00Z"));
  EXPECT_EQ(since(), At("2026-03-02T09:00:00Z")) << "the first change counts";
  EXPECT_THAT(*store().Unplanned(10), ElementsAre(RefOf(task)));

  for (const ChangeKind kind :
       {ChangeKind::kCompleted, ChangeKind::kUncompleted, ChangeKind::kDeleted}) {
    Save(
        {ReminderOf(task, 1, "2026-03-10T11:00:00Z"), ReminderOf(task, 2, "2026-03-10T10:00:00Z")});
    Apply(ChangeOf(kind, task));
    EXPECT_EQ(since(), At("2026-03-01T10:00:00Z")) << domain::ToString(kind);
  }
}

TEST_P(ReminderStoreContract, ADeletedReminderIsNotMarked) {
  const Task task = DueTask();
  Save({ReminderOf(task, 1, "2026-03-10T11:00:00Z")});
  Record({ReminderOf(task, 1, "2026-03-10T11:00:00Z")}, "2026-03-01T09:00:00Z");
  Reminder deleted = ReminderOf(task, 1, "2026-03-10T11:00:00Z");
  deleted.state = ReminderState::kDeleted;
  Save({deleted});
  Apply(ChangeOf(ChangeKind::kCompleted, task));
  EXPECT_THAT(*store().Unplanned(10), IsEmpty());
}

TEST_P(ReminderStoreContract, TheNextOccurrenceGetsCopies) {
  Task task = MakeSeries("2026-03-28T09:00:00", "Europe/Berlin");
  Reminder relative = ReminderOf(task, 1, "2026-03-27T08:00:00Z", "P1D");
  relative.time.time_of_day = *domain::ParseTimeOfDay("09:00");
  Reminder absolute = ReminderOf(task, 3, "2026-03-28T05:30:00Z");  // 06:30 in Berlin
  absolute.time = {};
  absolute.time.at = absolute.planned_at;
  absolute.remind_at = At("2026-03-28T06:00:00Z");  // snoozed
  Save({relative, absolute});
  task = Apply(ChangeOf(ChangeKind::kCompleted, task));

  const Task next = WriteSuccessor(task);
  const std::vector<Reminder> copies = RemindersOf(next);
  ASSERT_THAT(copies, SizeIs(2));
  EXPECT_EQ(copies[0].id.number, 1);
  EXPECT_EQ(copies[0].time, relative.time);
  EXPECT_EQ(copies[1].id.number, 3);
  // The 29th is the day on which clocks go forward.
  EXPECT_EQ(copies[1].time.at_local, absl::CivilSecond(2026, 3, 29, 6, 30, 0));
  for (const Reminder& copy : copies) {
    EXPECT_EQ(copy.state, ReminderState::kCancelled);
    EXPECT_EQ(copy.unplanned_since, *task.completed_at) << "what passed meanwhile is not lost";
    EXPECT_EQ(copy.planned_at, std::nullopt);
    EXPECT_EQ(copy.created_at, At("2026-03-02T12:00:00Z"));
  }

  const Task after = WriteSuccessor(next);
  ASSERT_THAT(RemindersOf(after), SizeIs(2));
  EXPECT_EQ(RemindersOf(after)[1].time.at_local, absl::CivilSecond(2026, 3, 30, 6, 30, 0));
}

TEST_P(ReminderStoreContract, ACopyKeepsItsDistanceToTheScheduledDateWhereverTheTaskWasMoved) {
  Task task = MakeSeries("2026-11-30T09:00:00", "Europe/Berlin");
  Save({AbsoluteOf(task, 1, "2026-11-30T07:00:00Z")});  // 08:00 in Berlin
  ports::Mutation move = ChangeOf(ChangeKind::kUpdated, task);
  move.patch.due = *domain::ResolveLocalDue("2026-11-28T21:00:00", "Europe/Berlin");
  task = Apply(move);
  task = Apply(ChangeOf(ChangeKind::kCompleted, task));
  const Task next = WriteSuccessor(task);
  ASSERT_THAT(RemindersOf(next), SizeIs(1));
  EXPECT_EQ(RemindersOf(next)[0].time.at_local, absl::CivilSecond(2026, 12, 1, 8, 0, 0));
}

TEST_P(ReminderStoreContract, ACopyIsInTheZoneOfItsSeries) {
  Task task = MakeSeries("2026-11-30T09:00:00", "Europe/Berlin");
  Save({AbsoluteOf(task, 1, "2026-11-30T07:00:00Z")});
  task = Apply(Travel(task, "Asia/Tokyo", "2026-11-30T09:00:00"));
  EXPECT_EQ(Resolved(RemindersOf(task), task), At("2026-11-30T07:00:00Z"));
  task = Apply(ChangeOf(ChangeKind::kCompleted, task));
  const Task next = WriteSuccessor(task, 7);
  EXPECT_EQ(Resolved(RemindersOf(next), next), At("2026-12-07T07:00:00Z"));
}

TEST_P(ReminderStoreContract, ACopyKeepsItsTimeOnTheClockAsItsTaskDoes) {
  const Task first = MakeSeries("2026-11-30T09:00:00", "Europe/Berlin");
  Save({AbsoluteOf(first, 1, "2026-11-30T07:00:00Z")});
  Task task = WriteSuccessor(Apply(ChangeOf(ChangeKind::kCompleted, first)), 7);
  EXPECT_EQ(Resolved(RemindersOf(task), task), At("2026-12-07T07:00:00Z"));
  task = Apply(Travel(task, "Asia/Tokyo", "2026-12-07T09:00:00"));
  EXPECT_EQ(Resolved(RemindersOf(task), task), At("2026-12-06T23:00:00Z")) << "08:00 in Tokyo";
  const Task next = WriteSuccessor(Apply(ChangeOf(ChangeKind::kCompleted, task)), 7);
  EXPECT_EQ(Resolved(RemindersOf(next), next), At("2026-12-14T07:00:00Z"));
}

TEST_P(ReminderStoreContract, TheCopyForAnInstantStaysWhereItIsInAnyZone) {
  for (const bool once : {true, false}) {
    const Task first =
        MakeSeries("2026-11-30T09:00:00", "Europe/Berlin", domain::DueKind::kInstant);
    Save({AbsoluteOf(first, 1, "2026-11-30T07:00:00Z")});
    Task task = WriteSuccessor(Apply(ChangeOf(ChangeKind::kCompleted, first)), 7);
    ports::Mutation travel = Travel(task, "Asia/Tokyo", "2026-12-07T17:00:00");
    if (!once) {
      domain::SeriesPosition& series = **travel.patch.series;
      series.following = {};
      series.anchor = series.scheduled = absl::CivilSecond(2026, 12, 7, 17, 0, 0);
    }
    task = Apply(travel);
    ASSERT_EQ(task.fields.due.at, At("2026-12-07T08:00:00Z")) << "where it was";
    EXPECT_EQ(Resolved(RemindersOf(task), task), At("2026-12-07T07:00:00Z")) << once;
    const Task next = WriteSuccessor(Apply(ChangeOf(ChangeKind::kCompleted, task)), 7);
    ASSERT_EQ(next.fields.due.at, At("2026-12-14T08:00:00Z"));
    EXPECT_EQ(Resolved(RemindersOf(next), next), At("2026-12-14T07:00:00Z")) << once;
  }
}

TEST_P(ReminderStoreContract, AnUnmovedReminderWasReadAsTheCalendarReadsIt) {
  struct Case {
    const char* due;
    const char* remind_at;
    const char* copied;  // for the day after
  };
  for (const Case& one :
       {Case{"2026-03-28T03:30:00", "2026-03-28T01:30:00Z", "2026-03-29T01:30:00Z"},  // skipped
        Case{"2026-10-24T03:30:00", "2026-10-24T00:30:00Z", "2026-10-25T00:30:00Z"},  // twice
        Case{"2026-10-24T04:30:00", "2026-10-24T01:30:00Z", "2026-10-25T02:30:00Z"},
        Case{"2026-10-24T12:00:00", "2026-10-24T07:00:00Z", "2026-10-25T08:00:00Z"}}) {
    const Task first = MakeSeries(one.due, "Europe/Berlin", domain::DueKind::kInstant);
    Save({AbsoluteOf(first, 1, one.remind_at)});
    Task task = WriteSuccessor(Apply(ChangeOf(ChangeKind::kCompleted, first)));
    EXPECT_EQ(Resolved(RemindersOf(task), task), At(one.copied));
    ports::Mutation travel = ChangeOf(ChangeKind::kUpdated, task);
    travel.patch.time_zone = "Asia/Tokyo";
    task = Apply(travel);
    EXPECT_EQ(Resolved(RemindersOf(task), task), At(one.copied));
  }
}

TEST_P(ReminderStoreContract, ATimeOutsideTheStoredYearsHasNoInstantInAnyZone) {
  const Task first = MakeSeries("2026-11-30T09:00:00", "UTC", domain::DueKind::kInstant);
  Save({AbsoluteOf(first, 1, "9999-12-31T12:00:00Z")});
  Task task = WriteSuccessor(Apply(ChangeOf(ChangeKind::kCompleted, first)));
  task = Apply(Travel(task, "Asia/Tokyo", "2026-12-01T18:00:00"));
  ASSERT_THAT(RemindersOf(task), SizeIs(1));
  EXPECT_EQ(Resolved(RemindersOf(task), task), std::nullopt);
}

TEST_P(ReminderStoreContract, CopiesAreWantedSinceThePredecessorWasDoneOrSkipped) {
  Task task = MakeSeries("2026-03-10T09:00:00", "UTC");
  Save({ReminderOf(task, 1, "2026-03-10T08:00:00Z")});
  ports::Mutation skip = ChangeOf(ChangeKind::kDeleted, task);
  skip.skips = true;
  skip.now = At("2026-03-02T11:00:00Z");
  Apply(skip);
  task.skipped_at = skip.now;
  const std::vector<Reminder> copies = RemindersOf(WriteSuccessor(task));
  ASSERT_THAT(copies, SizeIs(1));
  EXPECT_EQ(copies[0].unplanned_since, At("2026-03-02T11:00:00Z"));
}

TEST_P(ReminderStoreContract, ASuccessorThatComesBackHasThePresentRemindersOfItsPredecessor) {
  Task task = MakeSeries("2026-03-02T09:00:00", "UTC");
  const Reminder deleted_later = ReminderOf(task, 1, "2026-03-02T08:00:00Z");
  const Reminder kept = AbsoluteOf(task, 2, "2026-03-02T07:00:00Z");
  Save({deleted_later, kept});
  const Task next = WriteSuccessor(task);
  ASSERT_THAT(RemindersOf(next), SizeIs(2));
  // Planned and with jobs, so that the new state differs from the old one.
  std::vector<Reminder> planned = RemindersOf(next);
  for (Reminder& copy : planned) {
    copy.planned_at = copy.remind_at = At("2026-03-03T06:00:00Z");
    copy.unplanned_since.reset();
    copy.state = ReminderState::kPending;
  }
  Save(planned);
  Record({planned[1]}, "2026-03-02T12:00:01Z");

  WriteOf(task, next, ports::ConsumerChange::Kind::kRemoveSuccessor);
  Reminder deleted = deleted_later;
  deleted.state = ReminderState::kDeleted;
  Save({deleted, ReminderOf(task, 3, "2026-03-02T07:00:00Z", "PT2H")});
  Task revived = next;
  revived.series->scheduled += 3 * 86400;
  revived.fields.due = *domain::ResolveLocalDue("2026-03-06T09:00:00", "UTC");
  WriteOf(task, revived, ports::ConsumerChange::Kind::kReviveSuccessor);

  std::vector<Reminder> copies = RemindersOf(next);
  std::erase_if(copies, [](const Reminder& copy) { return copy.state == ReminderState::kDeleted; });
  ASSERT_THAT(copies, SizeIs(2));
  EXPECT_EQ(copies[0].id.number, 2);
  EXPECT_EQ(copies[0].time.at_local, absl::CivilSecond(2026, 3, 6, 7, 0, 0));
  EXPECT_EQ(copies[1].id.number, 3);
  EXPECT_EQ(copies[1].time.before, *domain::ParsePeriod("PT2H"));
  for (const Reminder& copy : copies) {
    EXPECT_EQ(copy.planned_at, std::nullopt);
    EXPECT_EQ(copy.remind_at, std::nullopt);
    EXPECT_TRUE(copy.unplanned_since);
    EXPECT_EQ(copy.state, ReminderState::kCancelled);
  }
  // The job of the former life is found to be one too many.
  std::vector<JobIntent> intents = Claim("2026-03-02T13:00:01Z");
  std::erase_if(intents, [&](const JobIntent& one) { return one.reminder.id.task_id != next.id; });
  EXPECT_THAT(NumbersOf(intents), ElementsAre(2));
}

TEST_P(ReminderStoreContract, ASuccessorThatComesBackKeepsTheRemindersOfItsOwn) {
  const Task task = MakeSeries("2026-03-02T09:00:00", "UTC");
  Save({ReminderOf(task, 1, "2026-03-02T08:00:00Z")});
  const Task next = WriteSuccessor(task);
  Save({ReminderOf(next, 2, "2026-03-03T06:00:00Z", "PT3H")});
  WriteOf(task, next, ports::ConsumerChange::Kind::kRemoveSuccessor);
  Save({ReminderOf(task, 2, "2026-03-02T07:00:00Z", "PT2H")});
  WriteOf(task, next, ports::ConsumerChange::Kind::kReviveSuccessor);
  std::vector<std::string> found;
  for (const Reminder& reminder : RemindersOf(next))
    found.push_back(domain::FormatPeriod(*reminder.time.before));
  EXPECT_THAT(found, ElementsAre("PT1H", "PT3H", "PT2H")) << "by number";
}

TEST_P(ReminderStoreContract, ATaskOfAUserGetsNoCopies) {
  const Task task = Apply(CreateRecurring(user_, "daily"));
  Save({ReminderOf(task, 1, "2026-03-02T08:00:00Z")});
  ports::Mutation create = CreateRecurring(user_, "another series");
  EXPECT_THAT(RemindersOf(Apply(create)), IsEmpty());
}

TEST_P(ReminderStoreContract, ATaskThatAUserRestoresHasTheRemindersThatItHad) {
  const Task task = MakeSeries("2026-03-02T09:00:00", "UTC");
  Save({ReminderOf(task, 1, "2026-03-02T08:00:00Z")});
  const Task next = WriteSuccessor(task);
  std::vector<Reminder> snoozed = RemindersOf(next);
  ASSERT_THAT(snoozed, SizeIs(1));
  snoozed[0].remind_at = At("2026-03-03T08:30:00Z");
  snoozed[0].state = ReminderState::kPending;
  Save(snoozed);
  Apply(ChangeOf(ChangeKind::kDeleted, next));
  ports::Mutation restoration = ChangeOf(ChangeKind::kCreated, next);
  restoration.restores = true;
  Apply(restoration);
  const std::vector<Reminder> reminders = RemindersOf(next);
  ASSERT_THAT(reminders, SizeIs(1));
  EXPECT_EQ(reminders[0].remind_at, snoozed[0].remind_at);
  EXPECT_TRUE(reminders[0].unplanned_since);
}

// Reminders that change together with tasks.

ports::MutationList ListOf(std::vector<ports::Mutation> mutations) {
  return {.request_id = NewRequestId(),
          .fingerprint = "several changes",
          .mutations = std::move(mutations)};
}

domain::ReminderTime Before(std::string_view period) {
  domain::ReminderTime time;
  time.before = *domain::ParsePeriod(period);
  return time;
}
domain::ReminderTime Absolute(std::string_view at) {
  domain::ReminderTime time;
  time.at = At(at);
  return time;
}

TEST_P(ReminderStoreContract, AListMakesTasksWithReminders) {
  ports::Mutation create = Create(user_, "a task");
  create.fields.due = DueAt("2026-03-10T12:00:00Z");
  create.reminders.added = {Before("PT1H"), Absolute("2026-03-09T08:00:00Z")};
  const ports::MutationList list = ListOf({create});
  const auto results = environment_->tasks().ApplyAll(list);
  ASSERT_TRUE(results.ok()) << results.status();
  const Task& task = results->front().task;
  EXPECT_THAT(results->front().reminder_numbers, ElementsAre(1, 2));
  const std::vector<Reminder> reminders = RemindersOf(task);
  ASSERT_THAT(reminders, SizeIs(2));
  EXPECT_EQ(reminders[0].time, create.reminders.added[0]);
  EXPECT_EQ(reminders[1].time, create.reminders.added[1]);
  for (const Reminder& reminder : reminders) {
    EXPECT_EQ(reminder.state, ReminderState::kCancelled);
    EXPECT_EQ(reminder.unplanned_since, create.now);
    EXPECT_EQ(reminder.created_at, create.now);
  }
  EXPECT_THAT(*store().Unplanned(10), ElementsAre(RefOf(task)));

  const auto again = environment_->tasks().ApplyAll(list);
  EXPECT_THAT(again->front().reminder_numbers, ElementsAre(1, 2));
  EXPECT_TRUE(again->front().repeated);
  EXPECT_THAT(RemindersOf(task), SizeIs(2)) << "once";
  const auto first = environment_->tasks().FirstAnswers(
      {.user = user_, .request_id = list.request_id, .fingerprint = list.fingerprint});
  EXPECT_THAT((**first).front().reminder_numbers, ElementsAre(1, 2));
}

TEST_P(ReminderStoreContract, AListTakesRemindersAwayBeforeItAddsOthers) {
  const Task task = DueTask();
  const Reminder with_job = ReminderOf(task, 1, "2026-03-10T11:00:00Z");
  Save({with_job, ReminderOf(task, 2, "2026-03-10T11:00:00Z")});
  Record({with_job}, "2026-03-01T09:00:00Z");
  ports::Mutation change = ChangeOf(ChangeKind::kUpdated, task);
  change.reminders = {.removed = {1, 2}, .added = {Before("PT2H")}};
  const auto results = environment_->tasks().ApplyAll(ListOf({change}));
  ASSERT_TRUE(results.ok()) << results.status();
  EXPECT_FALSE(results->front().changed) << "the task stays";
  EXPECT_EQ(results->front().task, task);
  EXPECT_THAT(results->front().reminder_numbers, ElementsAre(2)) << "the number is free again";
  const std::vector<Reminder> reminders = RemindersOf(task);
  ASSERT_THAT(reminders, SizeIs(2));
  EXPECT_EQ(reminders[0].state, ReminderState::kDeleted) << "it has a job";
  EXPECT_EQ(reminders[1].time, change.reminders.added[0]);
  const auto intents = Claim("2026-03-01T09:00:02Z");
  ASSERT_THAT(NumbersOf(intents), ElementsAre(1));
  EXPECT_FALSE(intents[0].wanted);
}

TEST_P(ReminderStoreContract, AListThatNamesAnUnknownReminderIsRefusedAsAWhole) {
  const Task task = DueTask();
  ports::Mutation change = ChangeOf(ChangeKind::kUpdated, task);
  change.reminders.removed = {7};
  const auto results = environment_->tasks().ApplyAll(ListOf({Rename(task, "renamed"), change}));
  EXPECT_EQ(results.status().code(), absl::StatusCode::kNotFound);
  EXPECT_EQ(util::ReasonOf(results.status()), "REMINDER_NOT_FOUND");
  EXPECT_THAT(std::string(results.status().message()), HasSubstr("no reminder 7"));
  EXPECT_EQ(util::IndexOf(results.status()), 1u);
  EXPECT_EQ(environment_->tasks().Get(user_, task.id).value(), task);
}

TEST_P(ReminderStoreContract, AListDoesNotAddMoreRemindersThanATaskCanHave) {
  const Task task = DueTask();
  ports::Mutation change = ChangeOf(ChangeKind::kUpdated, task);
  change.reminders.added.assign(domain::kMaxRemindersPerTask, Before("PT1H"));
  ASSERT_TRUE(environment_->tasks().ApplyAll(ListOf({change})).ok());
  change.reminders.added = {Before("PT2H")};
  const auto refused = environment_->tasks().ApplyAll(ListOf({change}));
  EXPECT_EQ(refused.status().code(), absl::StatusCode::kFailedPrecondition);
  EXPECT_EQ(util::ReasonOf(refused.status()), "TOO_MANY_REMINDERS");
  EXPECT_EQ(util::IndexOf(refused.status()), 0u);
  change.reminders.removed = {3};
  EXPECT_TRUE(environment_->tasks().ApplyAll(ListOf({change})).ok()) << "one makes room";
}

// Work that is due.

TEST_P(ReminderStoreContract, UnplannedTasksComeOnceTheLongestWaitingFirst) {
  const Task first = DueTask();
  const Task second = DueTask();
  Save({ReminderOf(first, 1, "2026-03-10T11:00:00Z"), ReminderOf(second, 1, "2026-03-10T11:00:00Z"),
        ReminderOf(second, 2, "2026-03-10T11:00:00Z")});
  EXPECT_THAT(*store().Unplanned(10), IsEmpty());
  Apply(MoveTo(second, "2026-03-11T12:00:00Z", "2026-03-02T09:00:00Z"));
  Apply(MoveTo(first, "2026-03-11T12:00:00Z", "2026-03-02T10:00:00Z"));
  EXPECT_THAT(*store().Unplanned(10), ElementsAre(RefOf(second), RefOf(first)));
  EXPECT_THAT(*store().Unplanned(1), ElementsAre(RefOf(second)));
}

TEST_P(ReminderStoreContract, DueArePendingOnesInTimeOrder) {
  const Task first = DueTask();
  const Task second = DueTask();
  Reminder fired = ReminderOf(second, 2, "2026-03-10T08:00:00Z");
  fired.state = ReminderState::kFired;
  Save({ReminderOf(first, 1, "2026-03-10T11:00:00Z"), ReminderOf(second, 1, "2026-03-10T10:00:00Z"),
        fired});
  EXPECT_THAT(*store().Due(At("2026-03-10T09:59:59.999999Z"), 10), IsEmpty());
  EXPECT_THAT(*store().Due(At("2026-03-10T10:00:00Z"), 10), ElementsAre(RefOf(second)));
  EXPECT_THAT(*store().Due(At("2026-03-10T11:00:00Z"), 10),
              ElementsAre(RefOf(second), RefOf(first)));
  EXPECT_THAT(*store().Due(At("2026-03-10T11:00:00Z"), 1), ElementsAre(RefOf(second)));
}

// Jobs.

TEST_P(ReminderStoreContract, APendingReminderWantsAJobUntilItHasOne) {
  const Task task = DueTask();
  const Reminder reminder = ReminderOf(task, 1, "2026-03-10T11:00:00Z");
  Save({reminder});
  const auto intents = Claim("2026-03-01T09:00:00Z");
  ASSERT_THAT(intents, SizeIs(1));
  EXPECT_EQ(intents[0].reminder, reminder);
  EXPECT_TRUE(intents[0].wanted);
  EXPECT_THAT(Claim("2026-03-01T09:00:09.9Z"), IsEmpty()) << "somebody is at it";
  EXPECT_THAT(Claim("2026-03-01T09:00:10Z"), SizeIs(1)) << "somebody was at it and died";
  Record({reminder}, "2026-03-01T09:00:11Z");
  EXPECT_THAT(Claim("2026-03-02T09:00:00Z"), IsEmpty());
}

TEST_P(ReminderStoreContract, JobsComeSoonestFirst) {
  const Task task = DueTask();
  Save({ReminderOf(task, 1, "2026-03-10T11:00:00Z"), ReminderOf(task, 2, "2026-03-10T09:00:00Z"),
        ReminderOf(task, 3, "2026-03-10T10:00:00Z")});
  EXPECT_THAT(NumbersOf(Claim("2026-03-01T09:00:00Z", 2)), ElementsAre(2, 3));
  EXPECT_THAT(NumbersOf(Claim("2026-03-01T09:00:00Z", 2)), ElementsAre(1));
}

TEST_P(ReminderStoreContract, AMovedReminderWantsAnotherJob) {
  const Task task = DueTask();
  Reminder reminder = ReminderOf(task, 1, "2026-03-10T11:00:00Z");
  Save({reminder});
  Claim("2026-03-01T09:00:00Z");
  const Reminder moved = ReminderOf(task, 1, "2026-03-11T11:00:00Z");
  Save({moved});
  Record({reminder}, "2026-03-01T09:00:01Z");  // by a replica that had read the former time
  const auto intents = Claim("2026-03-01T09:00:02Z");
  ASSERT_THAT(intents, SizeIs(1));
  EXPECT_EQ(intents[0].reminder, moved);
}

TEST_P(ReminderStoreContract, ACancelledReminderWantsItsJobDeleted) {
  const Task task = DueTask();
  Reminder reminder = ReminderOf(task, 1, "2026-03-10T11:00:00Z");
  Save({reminder});
  Record({reminder}, "2026-03-01T09:00:00Z");
  reminder.state = ReminderState::kCancelled;
  Save({reminder});
  const auto intents = Claim("2026-03-01T09:00:02Z");
  ASSERT_THAT(intents, SizeIs(1));
  EXPECT_FALSE(intents[0].wanted);
  Record({reminder}, "2026-03-01T09:00:03Z");
  EXPECT_THAT(Claim("2026-03-02T09:00:00Z"), IsEmpty());
  EXPECT_THAT(RemindersOf(task), SizeIs(1));
}

TEST_P(ReminderStoreContract, AFiredReminderHasUsedUpItsJob) {
  const Task task = DueTask();
  Reminder reminder = ReminderOf(task, 1, "2026-03-10T11:00:00Z");
  Save({reminder});
  Record({reminder}, "2026-03-01T09:00:00Z");
  reminder.state = ReminderState::kFired;
  Save({reminder});
  EXPECT_THAT(Claim("2026-03-10T11:00:02Z"), IsEmpty());
  reminder.state = ReminderState::kPending;  // snoozed to the same time
  Save({reminder});
  EXPECT_THAT(Claim("2026-03-10T11:00:02Z"), SizeIs(1));
}

TEST_P(ReminderStoreContract, ADeletedReminderIsGoneWithItsJob) {
  const Task task = DueTask();
  Reminder with_job = ReminderOf(task, 1, "2026-03-10T11:00:00Z");
  Reminder without = ReminderOf(task, 2, "2026-03-10T11:00:00Z");
  Save({with_job, without});
  Record({with_job}, "2026-03-01T09:00:00Z");
  with_job.state = without.state = ReminderState::kDeleted;
  Save({with_job, without});
  EXPECT_THAT(RemindersOf(task), ElementsAre(with_job));
  const auto intents = Claim("2026-03-01T09:00:02Z");
  ASSERT_THAT(intents, SizeIs(1));
  EXPECT_FALSE(intents[0].wanted);
  Record({with_job}, "2026-03-01T09:00:03Z");
  EXPECT_THAT(RemindersOf(task), IsEmpty());
}

TEST_P(ReminderStoreContract, ForgottenJobsAreGivenOutAgainSoonestFirst) {
  const Task task = DueTask();
  std::vector<Reminder> reminders;
  for (const char* at : {"2026-03-10T11:00:00Z", "2026-03-10T09:00:00Z", "2026-03-10T10:00:00Z",
                         "2026-03-10T12:00:00Z"}) {
    reminders.push_back(ReminderOf(task, static_cast<int>(reminders.size()) + 1, at));
  }
  Save(reminders);
  Record({reminders[0], reminders[1], reminders[2]}, "2026-03-01T09:00:00Z");
  Record({reminders[3]}, "2026-03-01T10:00:00Z");
  EXPECT_THAT(Claim("2026-03-02T09:00:00Z"), IsEmpty());

  const auto forget = [&](domain::Instant from) {
    const auto next = store().ForgetJobs(At("2026-03-01T09:30:00Z"), from, 2);
    EXPECT_TRUE(next.ok()) << next.status();
    return *next;
  };
  auto next = forget(domain::kMinInstant);
  EXPECT_EQ(next, At("2026-03-10T10:00:00Z"));
  EXPECT_THAT(NumbersOf(Claim("2026-03-02T09:00:00Z")), ElementsAre(2, 3));
  next = forget(*next);
  EXPECT_EQ(next, At("2026-03-10T11:00:00Z"));
  EXPECT_EQ(forget(*next), std::nullopt) << "the last was written later";
  EXPECT_THAT(NumbersOf(Claim("2026-03-02T09:00:00Z")), ElementsAre(1));
}

TEST_P(ReminderStoreContract, AReminderFiresOnceWhenManyCallsTryAtOnce) {
  const Task task = DueTask();
  Save({ReminderOf(task, 1, "2026-03-10T11:00:00Z")});
  InParallel(8, [&](int) {
    Commit([&](ReminderTransaction& transaction) -> absl::Status {
      TODO_ASSIGN_OR_RETURN(auto held, transaction.LockAndLoad({RefOf(task)}));
      Reminder reminder = held.at(0)->reminders.at(0);
      if (reminder.state != ReminderState::kPending) return absl::OkStatus();
      reminder.state = ReminderState::kFired;
      TODO_RETURN_IF_ERROR(transaction.Save({reminder}));
      return transaction.Post(
          {{.topic = "reminders", .key = "ann", .id = NewUuid(), .payload = "{}", .at = {}}});
    });
  });
  EXPECT_THAT(environment_->Posted(), ElementsAre(HasSubstr("reminders ann")));
}

TEST_P(ReminderStoreContract, RecordingJobsAndChangingTasksDoNotDeadlock) {
  const Task task = DueTask();
  std::vector<Reminder> reminders;
  for (int number = 1; number <= 20; ++number)
    reminders.push_back(ReminderOf(task, number, "2026-03-10T11:00:00Z"));
  Save(reminders);
  std::vector<Reminder> backwards(reminders.rbegin(), reminders.rend());
  InParallel(6, [&](int worker) {
    for (int round = 0; round < 20; ++round) {
      switch (worker % 3) {
        case 0: Record(backwards, "2026-03-01T09:00:00Z"); break;
        case 1: Save(backwards); break;
        default:
          Apply(ChangeOf(round % 2 == 0 ? ChangeKind::kCompleted : ChangeKind::kUncompleted, task));
      }
    }
  });
}

TEST_P(ReminderStoreContract, JobsAreClaimedByOneOnly) {
  const Task task = DueTask();
  std::vector<Reminder> reminders;
  for (int number = 1; number <= 20; ++number)
    reminders.push_back(ReminderOf(task, number, "2026-03-10T11:00:00Z"));
  Save(reminders);
  std::atomic<int> claimed = 0;
  InParallel(8, [&](int) { claimed += static_cast<int>(Claim("2026-03-01T09:00:00Z", 5).size()); });
  claimed += static_cast<int>(Claim("2026-03-01T09:00:00Z", 20).size());
  EXPECT_EQ(claimed, 20);
}

}  // namespace
}  // namespace todo::contract
