#include "contract/event_inbox_contract.h"

#include <fmt/format.h>
#include <gmock/gmock.h>

#include <algorithm>
#include <future>

#include "util/status.h"

namespace todo::contract {

GTEST_ALLOW_UNINSTANTIATED_PARAMETERIZED_TEST(EventInboxContract);

using absl::StatusCode;
using domain::Change;
using domain::ChangeKind;
using domain::EventId;
using domain::Task;
using domain::TaskEvent;
using domain::TaskId;
using domain::UserId;
using ports::ConsumerChange;
using ports::HeldTask;
using ports::InboxTransaction;
using ports::RetryEntry;
using ports::TaskRef;
using testing::ElementsAre;
using testing::IsEmpty;

namespace {

constexpr char kConsumer[] = "recurring";
constexpr std::chrono::milliseconds kLongEnoughToSeeThatItWaits{50};

TaskEvent EventAt(std::string_view instant) {
  TaskEvent event;
  event.id = NewEventId();
  event.at = At(instant);
  return event;
}

TaskEvent NewEvent() { return EventAt("2026-03-01T09:00:00Z"); }

TaskEvent EventOf(const UserId& user, TaskId task_id) {
  TaskEvent event = NewEvent();
  event.user = user;
  event.task_id = task_id;
  return event;
}

RetryEntry EntryOf(const TaskEvent& event, int attempts) {
  RetryEntry entry;
  entry.consumer = kConsumer;
  entry.event_id = event.id;
  entry.attempts = attempts;
  return entry;
}

std::vector<domain::ReceivedEvent> Deliveries(const std::vector<TaskEvent>& events) {
  std::vector<domain::ReceivedEvent> received_events;
  for (const TaskEvent& event : events) received_events.push_back({.event = event, .record = {}});
  return received_events;
}

ConsumerChange SuccessorOf(const Task& task) {
  ConsumerChange change;
  change.kind = ConsumerChange::Kind::kCreateSuccessor;
  change.user = task.user;
  change.fields = task.fields;
  change.fields.due.at += std::chrono::hours(24);
  change.series = *task.series;
  ++change.series.occurrence;
  change.event_id = NewEventId();
  change.now = At("2026-03-01T11:00:00Z");
  change.traceparent = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";
  return change;
}

ConsumerChange Removal(const Task& successor) {
  ConsumerChange change;
  change.kind = ConsumerChange::Kind::kRemoveSuccessor;
  change.user = successor.user;
  change.task_id = successor.id;
  change.event_id = NewEventId();
  change.now = At("2026-03-01T12:00:00Z");
  return change;
}

ConsumerChange Revival(const Task& successor) {
  ConsumerChange change = Removal(successor);
  change.kind = ConsumerChange::Kind::kReviveSuccessor;
  change.fields = successor.fields;
  change.series = *successor.series;
  change.now = At("2026-03-01T13:00:00Z");
  return change;
}

}  // namespace

Task EventInboxContract::Apply(const ports::Mutation& mutation) {
  absl::StatusOr<ports::MutationResult> result = store().Apply(mutation);
  EXPECT_TRUE(result.ok()) << result.status();
  return result.ok() ? result->task : Task();
}

void EventInboxContract::Commit(const Work& work) {
  const absl::Status status = inbox().Transact(work);
  EXPECT_TRUE(status.ok()) << status;
}

std::set<EventId> EventInboxContract::Claim(std::string_view consumer,
                                            const std::vector<TaskEvent>& events) {
  return ClaimAll(consumer, events).fresh;
}

ports::Claimed EventInboxContract::ClaimAll(std::string_view consumer,
                                            const std::vector<TaskEvent>& events) {
  ports::Claimed claimed;
  Commit([&](InboxTransaction& transaction) -> absl::Status {
    TODO_ASSIGN_OR_RETURN(claimed, transaction.Claim(consumer, Deliveries(events)));
    return absl::OkStatus();
  });
  return claimed;
}

bool EventInboxContract::Retry(const TaskEvent& event, int attempts) {
  bool taken_up = false;
  Commit([&](InboxTransaction& transaction) -> absl::Status {
    const RetryEntry entry = EntryOf(event, attempts);
    TODO_ASSIGN_OR_RETURN(taken_up, transaction.TakeUp(entry));
    return taken_up ? transaction.LeaveQueue(entry, At("2026-03-01T09:05:00Z")) : absl::OkStatus();
  });
  return taken_up;
}

std::optional<HeldTask> EventInboxContract::Load(const TaskRef& ref) {
  std::optional<HeldTask> held;
  Commit([&](InboxTransaction& transaction) -> absl::Status {
    TODO_ASSIGN_OR_RETURN(const auto all, transaction.recurrence().LockAndLoad({ref}));
    EXPECT_EQ(all.size(), 1u);
    held = all.at(0);
    return absl::OkStatus();
  });
  return held;
}

HeldTask EventInboxContract::LoadHeld(const Task& task) {
  const std::optional<HeldTask> held = Load({task.user, task.id});
  EXPECT_TRUE(held);
  return held.value_or(HeldTask());
}

Task EventInboxContract::MakeSuccessor(const Task& task) {
  Commit([&](InboxTransaction& transaction) -> absl::Status {
    TODO_RETURN_IF_ERROR(transaction.recurrence().LockAndLoad({{task.user, task.id}}).status());
    return transaction.recurrence().Write({SuccessorOf(task)});
  });
  const HeldTask held = LoadHeld(task);
  EXPECT_TRUE(held.successor);
  return held.successor ? held.successor->task : Task();
}

namespace {

// Claiming.

TEST_P(EventInboxContract, AnEventIsClaimedOnce) {
  const std::vector<TaskEvent> events = {NewEvent(), NewEvent()};
  EXPECT_THAT(Claim(kConsumer, events), ElementsAre(events[0].id, events[1].id));
  EXPECT_THAT(Claim(kConsumer, events), IsEmpty());
  const TaskEvent third = NewEvent();
  EXPECT_THAT(Claim(kConsumer, {events[1], third, events[0]}), ElementsAre(third.id));
}

TEST_P(EventInboxContract, TwoCopiesInOneCallAreClaimedOnce) {
  const TaskEvent event = NewEvent();
  EXPECT_THAT(Claim(kConsumer, {event, event}), ElementsAre(event.id));
  EXPECT_THAT(Claim(kConsumer, {event}), IsEmpty());
}

TEST_P(EventInboxContract, ConsumersClaimEachForThemselves) {
  const TaskEvent event = NewEvent();
  EXPECT_THAT(Claim("recurring", {event}), ElementsAre(event.id));
  EXPECT_THAT(Claim("analytics", {event}), ElementsAre(event.id));
  EXPECT_THAT(Claim("recurring", {event}), IsEmpty());
}

TEST_P(EventInboxContract, AnIdThatIsUsedForTwoEventsOfADayIsNoticed) {
  TaskEvent first = NewEvent();
  first.identity = 1;
  TaskEvent other = first;
  other.identity = -2;
  const auto expect = [&](const std::vector<TaskEvent>& events, std::size_t fresh,
                          std::size_t reused) {
    const ports::Claimed claimed = ClaimAll(kConsumer, events);
    EXPECT_EQ(claimed.fresh.size(), fresh);
    EXPECT_EQ(claimed.reused.size(), reused);
  };
  expect({first, NewEvent()}, 2, 0);
  expect({first, first}, 0, 0);
  expect({other, NewEvent()}, 1, 1);
  expect({other, first}, 0, 1);
  TaskEvent unknown = first;
  unknown.identity = 0;
  expect({unknown}, 0, 0);
  EXPECT_THAT(ClaimAll("analytics", {other}).reused, IsEmpty()) << "another consumer's first";

  first.id = other.id = NewEventId();
  expect({first, other}, 1, 1);
  first.id = other.id = unknown.id = NewEventId();
  expect({unknown}, 1, 0);
  expect({other}, 0, 0);
}

TEST_P(EventInboxContract, EventsOfAnyDayCanBeClaimed) {
  const std::vector<TaskEvent> events = {EventAt("1970-01-01T00:00:00Z"),
                                         EventAt("9999-12-31T23:59:59.999999Z"),
                                         EventAt("2026-03-01T23:59:59Z")};
  EXPECT_EQ(Claim(kConsumer, events).size(), 3u);
  EXPECT_THAT(Claim(kConsumer, events), IsEmpty());
}

TEST_P(EventInboxContract, NoEventsCanBeClaimed) { EXPECT_THAT(Claim(kConsumer, {}), IsEmpty()); }

TEST_P(EventInboxContract, FailedWorkIsReturnedAndLeavesNoTrace) {
  const TaskEvent event = NewEvent();
  const Task task = Apply(CreateRecurring(user_, "title"));
  const absl::Status failure = util::WithReason(absl::FailedPreconditionError("no"), "BECAUSE");
  const absl::Status status = inbox().Transact([&](InboxTransaction& transaction) -> absl::Status {
    TODO_RETURN_IF_ERROR(transaction.Claim(kConsumer, Deliveries({event})).status());
    TODO_RETURN_IF_ERROR(transaction.recurrence().LockAndLoad({{user_, task.id}}).status());
    TODO_RETURN_IF_ERROR(transaction.recurrence().Write({SuccessorOf(task)}));
    EXPECT_TRUE(transaction.recurrence()
                    .AdvanceForeignTasks({{user_, task.series->series_id, 1, event.at}})
                    .value()
                    .at(0));
    return failure;
  });
  EXPECT_EQ(status, failure);
  EXPECT_EQ(environment_->wakes().count(), 0);
  EXPECT_THAT(Claim(kConsumer, {event}), ElementsAre(event.id));
  EXPECT_FALSE(LoadHeld(task).successor);
  EXPECT_EQ(AllChanges(store(), user_).size(), 1u);
  Commit([&](InboxTransaction& transaction) {
    EXPECT_TRUE(transaction.recurrence()
                    .AdvanceForeignTasks({{user_, task.series->series_id, 1, event.at}})
                    .value()
                    .at(0));
    return absl::OkStatus();
  });
}

TEST_P(EventInboxContract, ManyCopiesAtOnceHaveOneEffect) {
  const Task task = Apply(CreateRecurring(user_, "title"));
  const TaskEvent event = NewEvent();
  std::atomic<int> claimed_count{0};
  InParallel(8, [&](int) {
    const absl::Status status =
        inbox().Transact([&](InboxTransaction& transaction) -> absl::Status {
          TODO_ASSIGN_OR_RETURN(const auto claimed,
                                transaction.Claim(kConsumer, Deliveries({event})));
          if (claimed.fresh.empty()) return absl::OkStatus();
          ++claimed_count;
          TODO_RETURN_IF_ERROR(transaction.recurrence().LockAndLoad({{user_, task.id}}).status());
          return transaction.recurrence().Write({SuccessorOf(task)});
        });
    EXPECT_TRUE(status.ok()) << status;
  });
  EXPECT_EQ(claimed_count, 1);
  EXPECT_EQ(AllChanges(store(), user_).size(), 2u);
}

TEST_P(EventInboxContract, AClaimWaitsForAnotherTransactionsClaimAndSucceedsIfThatRollsBack) {
  for (const bool first_commits : {true, false}) {
    const TaskEvent event = NewEvent();
    std::future<std::set<EventId>> second;
    const absl::Status failure = absl::InternalError("the first one's work");
    const absl::Status status =
        inbox().Transact([&](InboxTransaction& transaction) -> absl::Status {
          TODO_ASSIGN_OR_RETURN(const auto claimed,
                                transaction.Claim(kConsumer, Deliveries({event})));
          EXPECT_THAT(claimed.fresh, ElementsAre(event.id));
          second = std::async(std::launch::async, [&] { return Claim(kConsumer, {event}); });
          EXPECT_EQ(second.wait_for(kLongEnoughToSeeThatItWaits), std::future_status::timeout)
              << "the first transaction may still roll back";
          return first_commits ? absl::OkStatus() : failure;
        });
    EXPECT_EQ(status, first_commits ? absl::OkStatus() : failure);
    if (first_commits) {
      EXPECT_THAT(second.get(), IsEmpty());
    } else {
      EXPECT_THAT(second.get(), ElementsAre(event.id));
    }
  }
}

// The retry queue of a task.

TEST_P(EventInboxContract, AnEventWhoseTaskHasOthersWaitingIsPutBehindThem) {
  const TaskEvent failed = EventOf(user_, TaskId{7});
  environment_->Enqueue(kConsumer, {.event = failed, .record = {}});
  const TaskEvent later = EventOf(user_, TaskId{7});
  const TaskEvent other_task = EventOf(user_, TaskId{8});
  const TaskEvent other_user = EventOf(other_, TaskId{7});
  EXPECT_THAT(Claim(kConsumer, {other_user, later, other_task}),
              testing::UnorderedElementsAre(other_task.id, other_user.id));
  EXPECT_THAT(Claim(kConsumer, {failed, later}), IsEmpty()) << "both are taken";
  EXPECT_THAT(Claim("analytics", {later}), ElementsAre(later.id)) << "has no such queue";
}

TEST_P(EventInboxContract, TheEventsOfAQueueAreTakenUpAsTheyCame) {
  // The oldest id came last.
  const TaskEvent third = EventOf(user_, TaskId{7});
  const TaskEvent second = EventOf(user_, TaskId{7});
  const TaskEvent first = EventOf(user_, TaskId{7});
  environment_->Enqueue(kConsumer, {.event = first, .record = {}});
  EXPECT_THAT(Claim(kConsumer, {second, third}), IsEmpty());
  EXPECT_FALSE(Retry(second, 0));
  EXPECT_FALSE(Retry(third, 0));
  EXPECT_TRUE(Retry(first, 1));
  EXPECT_FALSE(Retry(third, 0));
  EXPECT_TRUE(Retry(second, 0));
  EXPECT_TRUE(Retry(third, 0));
  const TaskEvent fourth = EventOf(user_, TaskId{7});
  EXPECT_THAT(Claim(kConsumer, {fourth}), ElementsAre(fourth.id)) << "the queue is empty";
}

TEST_P(EventInboxContract, AnEntryTriedSinceItWasReadIsNotTakenUp) {
  const TaskEvent event = EventOf(user_, TaskId{7});
  environment_->Enqueue(kConsumer, {.event = event, .record = {}});
  EXPECT_FALSE(Retry(event, 0)) << "it has failed since";
  EXPECT_FALSE(Retry(EventOf(user_, TaskId{7}), 1)) << "never was in the queue";
  EXPECT_TRUE(Retry(event, 1));
  EXPECT_FALSE(Retry(event, 1)) << "is done";
}

TEST_P(EventInboxContract, OnlyOneAtATimeTakesAnEventUp) {
  const TaskEvent event = EventOf(user_, TaskId{7});
  environment_->Enqueue(kConsumer, {.event = event, .record = {}});
  std::future<bool> second;
  Commit([&](InboxTransaction& transaction) -> absl::Status {
    TODO_ASSIGN_OR_RETURN(const bool taken_up, transaction.TakeUp(EntryOf(event, 1)));
    EXPECT_TRUE(taken_up);
    second = std::async(std::launch::async, [&] { return Retry(event, 1); });
    // It may answer now or wait for us.
    second.wait_for(kLongEnoughToSeeThatItWaits);
    return transaction.LeaveQueue(EntryOf(event, 1), At("2026-03-01T09:05:00Z"));
  });
  EXPECT_FALSE(second.get());
}

TEST_P(EventInboxContract, ARetryThatFailedLeavesTheQueueAsItWas) {
  const TaskEvent first = EventOf(user_, TaskId{7});
  const TaskEvent second = EventOf(user_, TaskId{7});
  environment_->Enqueue(kConsumer, {.event = first, .record = {}});
  EXPECT_THAT(Claim(kConsumer, {second}), IsEmpty());
  const absl::Status failure = absl::InternalError("again");
  const absl::Status status = inbox().Transact([&](InboxTransaction& transaction) -> absl::Status {
    TODO_RETURN_IF_ERROR(transaction.TakeUp(EntryOf(first, 1)).status());
    TODO_RETURN_IF_ERROR(transaction.LeaveQueue(EntryOf(first, 1), At("2026-03-01T09:05:00Z")));
    return failure;
  });
  EXPECT_EQ(status, failure);
  EXPECT_FALSE(Retry(second, 0));
  EXPECT_TRUE(Retry(first, 1));
  EXPECT_TRUE(Retry(second, 0));
}

// Looking.

TEST_P(EventInboxContract, LoadAnswersEachRefInItsPlace) {
  const Task a = Apply(CreateRecurring(user_, "a"));
  const Task b = Apply(Create(other_, "b"));
  Commit([&](InboxTransaction& transaction) -> absl::Status {
    const std::vector<TaskRef> refs = {{other_, b.id},
                                       {user_, b.id},
                                       {user_, a.id},
                                       {UserId{"new \"user\", {\\}"}, a.id},
                                       {other_, b.id}};
    TODO_ASSIGN_OR_RETURN(const auto held, transaction.recurrence().LockAndLoad(refs));
    EXPECT_EQ(held.size(), 5u);
    EXPECT_TRUE(held[0] && held[0]->task == b && !held[0]->successor);
    EXPECT_FALSE(held[1]) << "the task of another user";
    EXPECT_TRUE(held[2] && held[2]->task == a && !held[2]->successor);
    EXPECT_FALSE(held[3]);
    EXPECT_TRUE(held[4] && held[4]->task == b);
    TODO_ASSIGN_OR_RETURN(const auto none, transaction.recurrence().LockAndLoad({}));
    EXPECT_THAT(none, IsEmpty());
    return absl::OkStatus();
  });
}

TEST_P(EventInboxContract, ALockedUsersOwnCallsWait) {
  const Task task = Apply(CreateRecurring(user_, "title"));
  std::future<Task> call;
  Commit([&](InboxTransaction& transaction) -> absl::Status {
    TODO_RETURN_IF_ERROR(transaction.recurrence().LockAndLoad({{user_, task.id}}).status());
    call = std::async(std::launch::async, [&] { return Apply(Rename(task, "renamed")); });
    EXPECT_EQ(call.wait_for(kLongEnoughToSeeThatItWaits), std::future_status::timeout);
    return transaction.recurrence().Write({SuccessorOf(task)});
  });
  EXPECT_EQ(call.get().seq, 3) << "after the consumer's change";
  EXPECT_EQ(AllChanges(store(), user_).size(), 3u);
}

TEST_P(EventInboxContract, ATransactionSeesWritesOfTheOneWhoseLockItWaitedFor) {
  const Task task = Apply(CreateRecurring(user_, "title"));
  std::future<std::optional<HeldTask>> second;
  Commit([&](InboxTransaction& transaction) -> absl::Status {
    TODO_RETURN_IF_ERROR(transaction.recurrence().LockAndLoad({{user_, task.id}}).status());
    second = std::async(std::launch::async, [&] { return Load({user_, task.id}); });
    EXPECT_EQ(second.wait_for(kLongEnoughToSeeThatItWaits), std::future_status::timeout);
    return transaction.recurrence().Write({SuccessorOf(task)});
  });
  const std::optional<HeldTask> held = second.get();
  ASSERT_TRUE(held);
  EXPECT_TRUE(held->successor) << "otherwise the second consumer would make it once more";
}

TEST_P(EventInboxContract, LoadSeesTombstones) {
  const Task task = Apply(Create(user_, "title"));
  Apply(ChangeOf(ChangeKind::kDeleted, task));
  const HeldTask held = LoadHeld(task);
  EXPECT_TRUE(held.task.deleted);
  EXPECT_EQ(held.task.version, 2);
}

TEST_P(EventInboxContract, ExistingTellsTasksOfAnyUser) {
  const Task a = Apply(Create(user_, "a"));
  const Task b = Apply(Create(other_, "b"));
  Apply(ChangeOf(ChangeKind::kDeleted, b));
  Commit([&](InboxTransaction& transaction) {
    EXPECT_THAT(transaction.recurrence().Existing({b.id, TaskId{987654321}, a.id, a.id}).value(),
                ElementsAre(a.id, b.id));
    EXPECT_THAT(transaction.recurrence().Existing({}).value(), IsEmpty());
    return absl::OkStatus();
  });
}

TEST_P(EventInboxContract, FindOccurrencesAnswersEachPlaceOfTheUsersSeries) {
  const Task task = Apply(CreateRecurring(user_, "title"));
  const Task successor = MakeSuccessor(task);
  const domain::Uuid series = task.series->series_id;
  Commit([&](InboxTransaction& transaction) -> absl::Status {
    TODO_RETURN_IF_ERROR(transaction.recurrence().LockAndLoad({{user_, task.id}}).status());
    TODO_ASSIGN_OR_RETURN(const auto found,
                          transaction.recurrence().FindOccurrences({{user_, series, 3},
                                                                    {user_, series, 1},
                                                                    {other_, series, 2},
                                                                    {user_, series, 2},
                                                                    {user_, NewUuid(), 2}}));
    EXPECT_EQ(found.size(), 5u);
    EXPECT_FALSE(found[0] || found[2] || found[4]);
    EXPECT_TRUE(found[1] && found[1]->task == task && !found[1]->untouched);
    EXPECT_TRUE(found[3] && found[3]->task == successor && found[3]->untouched);
    EXPECT_THAT(transaction.recurrence().FindOccurrences({}).value(), IsEmpty());
    return absl::OkStatus();
  });
}

TEST_P(EventInboxContract, ATransactionSeesWhatItWrote) {
  const Task task = Apply(CreateRecurring(user_, "title"));
  Commit([&](InboxTransaction& transaction) -> absl::Status {
    TODO_RETURN_IF_ERROR(transaction.recurrence().LockAndLoad({{user_, task.id}}).status());
    TODO_RETURN_IF_ERROR(transaction.recurrence().Write({SuccessorOf(task)}));
    TODO_ASSIGN_OR_RETURN(const auto found, transaction.recurrence().FindOccurrences(
                                                {{user_, task.series->series_id, 2}}));
    EXPECT_TRUE(found.at(0) && found.at(0)->untouched);
    TODO_ASSIGN_OR_RETURN(const auto held,
                          transaction.recurrence().LockAndLoad({{user_, task.id}}));
    EXPECT_TRUE(held.at(0) && held.at(0)->successor);
    return absl::OkStatus();
  });
}

TEST_P(EventInboxContract, AForeignTaskGoesForwardOnly) {
  const domain::Uuid series = NewUuid();
  const auto advance = [&](std::int64_t version, std::string_view at) {
    bool news = false;
    Commit([&](InboxTransaction& transaction) -> absl::Status {
      TODO_RETURN_IF_ERROR(transaction.recurrence().LockAndLoad({{user_, TaskId{1}}}).status());
      TODO_ASSIGN_OR_RETURN(const std::vector<bool> all,
                            transaction.recurrence().AdvanceForeignTasks(
                                {{user_, NewUuid(), 1, At(at)}, {user_, series, version, At(at)}}));
      EXPECT_TRUE(all.at(0)) << "another task";
      news = all.at(1);
      return absl::OkStatus();
    });
    return news;
  };
  EXPECT_TRUE(advance(3, "2026-03-01T10:00:00Z"));
  EXPECT_FALSE(advance(2, "2026-03-01T11:00:00Z")) << "an older version, however late";
  EXPECT_TRUE(advance(4, "2026-03-01T09:00:00Z")) << "a newer version, whatever its time";
  EXPECT_TRUE(advance(4, "2026-03-01T09:00:00Z")) << "nothing newer is known";
  EXPECT_FALSE(advance(4, "2026-03-01T08:00:00Z")) << "the same version: by time";
  EXPECT_FALSE(advance(0, "2026-03-01T08:00:00Z")) << "no version: by time";
  EXPECT_TRUE(advance(0, "2026-03-01T12:00:00Z"));
  EXPECT_FALSE(advance(0, "2026-03-01T11:00:00Z"));
}

// Writing.

TEST_P(EventInboxContract, ASuccessorIsATaskWithItsChange) {
  const Task task = Apply(CreateRecurring(user_, "title"));
  const ConsumerChange change = SuccessorOf(task);
  Commit([&](InboxTransaction& transaction) -> absl::Status {
    TODO_RETURN_IF_ERROR(transaction.recurrence().LockAndLoad({{user_, task.id}}).status());
    return transaction.recurrence().Write({change});
  });

  const HeldTask held = LoadHeld(task);
  ASSERT_TRUE(held.successor);
  EXPECT_TRUE(held.successor->untouched);
  const Task& successor = held.successor->task;
  EXPECT_EQ(successor.fields, change.fields);
  EXPECT_EQ(successor.series, change.series);
  EXPECT_EQ(successor.version, 1);
  EXPECT_EQ(successor.seq, 2);
  EXPECT_EQ(successor.created_at, change.now);
  EXPECT_FALSE(successor.completed);
  EXPECT_EQ(store().Get(user_, successor.id).value(), successor);

  const std::vector<Change> changes = AllChanges(store(), user_);
  ASSERT_EQ(changes.size(), 2u);
  EXPECT_EQ(changes[1].event_id, change.event_id);
  EXPECT_EQ(changes[1].kind, ChangeKind::kCreated);
  EXPECT_EQ(changes[1].task_id, successor.id);
  EXPECT_EQ(changes[1].at, change.now);
  EXPECT_EQ(changes[1].traceparent, change.traceparent);
  EXPECT_EQ(changes[1].request_id, std::nullopt) << "no call made it";
  EXPECT_EQ(environment_->wakes().count(), 1);
}

TEST_P(EventInboxContract, ASuccessorIsFoundByItsText) {
  const Task task = Apply(CreateRecurring(user_, "ΟΔΥΣΣΕΥΣ"));
  Commit([&](InboxTransaction& transaction) -> absl::Status {
    TODO_RETURN_IF_ERROR(transaction.recurrence().LockAndLoad({{user_, task.id}}).status());
    return transaction.recurrence().Write({SuccessorOf(task)});
  });
  const auto found = [&](const char* text) {
    ports::TaskQuery query;
    query.text = text;
    return store().List(user_, query).value().tasks.size();
  };
  EXPECT_EQ(found("οδυσσευς"), 2u);

  ConsumerChange revival = Revival(LoadHeld(task).successor->task);
  revival.fields.title = "Αχιλλεύς";
  Commit([&](InboxTransaction& transaction) -> absl::Status {
    TODO_RETURN_IF_ERROR(transaction.recurrence().LockAndLoad({{user_, task.id}}).status());
    return transaction.recurrence().Write({revival});
  });
  EXPECT_EQ(found("ΑΧΙΛΛΕΎΣ"), 1u);
  EXPECT_EQ(found("οδυσσευς"), 1u);
}

TEST_P(EventInboxContract, ChangesAreWrittenInTheirOrder) {
  const Task a = Apply(CreateRecurring(user_, "a"));
  const Task b = Apply(CreateRecurring(user_, "b"));
  const Task c = Apply(CreateRecurring(other_, "c"));
  const Task successor = MakeSuccessor(b);
  ConsumerChange revival = Revival(successor);
  revival.fields.title = "again";
  const ConsumerChange of_a = SuccessorOf(a);
  const std::vector<ConsumerChange> changes = {Removal(successor), SuccessorOf(c), of_a, revival,
                                               Removal(successor)};
  Commit([&](InboxTransaction& transaction) -> absl::Status {
    TODO_RETURN_IF_ERROR(
        transaction.recurrence().LockAndLoad({{user_, a.id}, {other_, c.id}}).status());
    TODO_RETURN_IF_ERROR(transaction.recurrence().Write(changes));
    return transaction.recurrence().Write({});
  });
  const std::vector<Change> log = AllChanges(store(), user_);
  std::vector<EventId> events;
  for (std::size_t i = 3; i < log.size(); ++i) {
    EXPECT_EQ(log[i].seq, static_cast<std::int64_t>(i + 1));
    events.push_back(log[i].event_id);
  }
  EXPECT_THAT(events, ElementsAre(changes[0].event_id, of_a.event_id, revival.event_id,
                                  changes[4].event_id));
  EXPECT_EQ(AllChanges(store(), other_).size(), 2u);
  EXPECT_TRUE(LoadHeld(a).successor->untouched);
  EXPECT_TRUE(LoadHeld(c).successor->untouched);
  const HeldTask held = LoadHeld(b);
  ASSERT_TRUE(held.successor);
  EXPECT_TRUE(held.successor->task.deleted && held.successor->untouched);
  EXPECT_EQ(held.successor->task.version, 4);
  EXPECT_EQ(held.successor->task.fields.title, "again");
}

TEST_P(EventInboxContract, ASuccessorKeepsTheValuesOfLaterOccurrences) {
  const Task task = Apply(CreateRecurring(user_, "title"));
  ConsumerChange change = SuccessorOf(task);
  change.series.following.title = "later";
  change.series.following.tags = {"a", "b \"c\""};
  change.series.rule_since = change.series.occurrence;
  Commit([&](InboxTransaction& transaction) -> absl::Status {
    TODO_RETURN_IF_ERROR(transaction.recurrence().LockAndLoad({{user_, task.id}}).status());
    return transaction.recurrence().Write({change});
  });
  const Task made = LoadHeld(task).successor->task;
  EXPECT_EQ(made.series, change.series);
  ConsumerChange revival = Revival(made);
  revival.series.following.title.reset();
  revival.series.following.description = std::optional<std::string>();
  ++revival.series.missed;
  for (const ConsumerChange& next : {Removal(made), revival}) {
    Commit([&](InboxTransaction& transaction) -> absl::Status {
      TODO_RETURN_IF_ERROR(transaction.recurrence().LockAndLoad({{user_, task.id}}).status());
      return transaction.recurrence().Write({next});
    });
  }
  EXPECT_EQ(LoadHeld(task).successor->task.series, revival.series);
}

TEST_P(EventInboxContract, AnOccurrenceHasOneSuccessor) {
  const Task task = Apply(CreateRecurring(user_, "title"));
  MakeSuccessor(task);
  const TaskEvent event = NewEvent();
  const absl::Status status = inbox().Transact([&](InboxTransaction& transaction) -> absl::Status {
    TODO_RETURN_IF_ERROR(transaction.Claim(kConsumer, Deliveries({event})).status());
    return transaction.recurrence().Write({SuccessorOf(task)});
  });
  EXPECT_EQ(status.code(), StatusCode::kAlreadyExists) << status;
  EXPECT_THAT(Claim(kConsumer, {event}), ElementsAre(event.id)) << "nothing of it stays";
  EXPECT_EQ(AllChanges(store(), user_).size(), 2u);
}

TEST_P(EventInboxContract, AFailedWriteCannotBeCommitted) {
  const Task task = Apply(CreateRecurring(user_, "title"));
  MakeSuccessor(task);
  const TaskEvent event = NewEvent();
  const absl::Status status = inbox().Transact([&](InboxTransaction& transaction) -> absl::Status {
    TODO_RETURN_IF_ERROR(transaction.Claim(kConsumer, Deliveries({event})).status());
    EXPECT_EQ(transaction.recurrence().Write({SuccessorOf(task)}).code(),
              StatusCode::kAlreadyExists);
    return absl::OkStatus();  // looks away
  });
  EXPECT_EQ(status.code(), StatusCode::kAlreadyExists) << status;
  EXPECT_THAT(Claim(kConsumer, {event}), ElementsAre(event.id));
}

TEST_P(EventInboxContract, OnlyChangesByUsersTouchASuccessor) {
  const Task task = Apply(CreateRecurring(user_, "title"));
  const Task successor = MakeSuccessor(task);
  EXPECT_TRUE(LoadHeld(task).successor->untouched);
  Apply(Rename(successor, "mine now"));
  EXPECT_FALSE(LoadHeld(task).successor->untouched);
}

TEST_P(EventInboxContract, ListSeriesTellsWhichOccurrencesAreUntouched) {
  const Task task = Apply(CreateRecurring(user_, "title"));
  const Task successor = MakeSuccessor(task);
  const auto members = [&] { return store().ListSeries(user_, task.series->series_id).value(); };
  EXPECT_THAT(members(),
              ElementsAre(ports::SeriesMember{task, false}, ports::SeriesMember{successor, true}));
  Commit([&](InboxTransaction& transaction) -> absl::Status {
    TODO_RETURN_IF_ERROR(transaction.recurrence().LockAndLoad({{user_, task.id}}).status());
    return transaction.recurrence().Write({Removal(successor)});
  });
  EXPECT_THAT(members(), ElementsAre(ports::SeriesMember{task, false}))
      << "what the consumer took away again is not there";
  Commit([&](InboxTransaction& transaction) -> absl::Status {
    TODO_RETURN_IF_ERROR(transaction.recurrence().LockAndLoad({{user_, task.id}}).status());
    return transaction.recurrence().Write({Revival(successor)});
  });
  ASSERT_TRUE(store()
                  .ApplyToSeries({.first = Rename(task, "first"),
                                  .others = {Rename(successor, "other")},
                                  .series_id = task.series->series_id,
                                  .seen = members()})
                  .ok());
  EXPECT_FALSE(members()[1].untouched) << "a change of the series is a person's";
  EXPECT_FALSE(LoadHeld(task).successor->untouched);
}

TEST_P(EventInboxContract, AChangeOfTheSeriesThatChangesNothingTouchesNothing) {
  const Task task = Apply(CreateRecurring(user_, "title"));
  const Task successor = MakeSuccessor(task);
  const std::vector<ports::SeriesMember> seen = *store().ListSeries(user_, task.series->series_id);
  ASSERT_TRUE(store()
                  .ApplyToSeries({.first = Rename(task, "title"),
                                  .others = {Rename(successor, successor.fields.title)},
                                  .series_id = task.series->series_id,
                                  .seen = seen})
                  .ok());
  EXPECT_EQ(*store().ListSeries(user_, task.series->series_id), seen);
  EXPECT_EQ(AllChanges(store(), user_).size(), 2u) << "an update that changes nothing is none";
}

TEST_P(EventInboxContract, AChangeOfTheSeriesReachesItsTombstone) {
  const Task task = Apply(CreateRecurring(user_, "title"));
  const Task successor = MakeSuccessor(task);
  ports::Mutation skip = ChangeOf(ChangeKind::kDeleted, successor);
  skip.skips = true;
  Apply(skip);
  ports::Mutation stop = ChangeOf(ChangeKind::kUpdated, successor);
  stop.patch.recurrence_rule.emplace();
  ASSERT_TRUE(store()
                  .ApplyToSeries({.first = Rename(task, "first"),
                                  .others = {stop},
                                  .series_id = task.series->series_id,
                                  .seen = *store().ListSeries(user_, task.series->series_id)})
                  .ok());
  const HeldTask held = LoadHeld(task);
  EXPECT_TRUE(held.successor->task.deleted);
  EXPECT_EQ(held.successor->task.skipped_at, skip.now);
  EXPECT_FALSE(held.successor->task.fields.recurrence_rule);
  EXPECT_FALSE(held.successor->untouched) << "it must not be revived";
}

TEST_P(EventInboxContract, ASuccessorCanBeRemovedAndRevived) {
  const Task task = Apply(CreateRecurring(user_, "title"));
  const Task successor = MakeSuccessor(task);
  const auto write = [&](const ConsumerChange& change) {
    Commit([&](InboxTransaction& transaction) -> absl::Status {
      TODO_RETURN_IF_ERROR(transaction.recurrence().LockAndLoad({{user_, task.id}}).status());
      return transaction.recurrence().Write({change});
    });
  };
  write(Removal(successor));
  EXPECT_EQ(store().Get(user_, successor.id).status().code(), StatusCode::kNotFound);
  HeldTask held = LoadHeld(task);
  ASSERT_TRUE(held.successor);
  EXPECT_TRUE(held.successor->task.deleted);
  EXPECT_TRUE(held.successor->untouched);
  EXPECT_EQ(held.successor->task.version, 2);

  ConsumerChange revival = Revival(successor);
  revival.fields.title = "recomputed";
  ++revival.series.missed;
  write(revival);
  held = LoadHeld(task);
  ASSERT_TRUE(held.successor);
  EXPECT_TRUE(held.successor->untouched);
  EXPECT_EQ(held.successor->task.id, successor.id);
  EXPECT_FALSE(held.successor->task.deleted);
  EXPECT_FALSE(held.successor->task.completed);
  EXPECT_EQ(held.successor->task.version, 3);
  EXPECT_EQ(held.successor->task.fields, revival.fields);
  EXPECT_EQ(held.successor->task.series, revival.series);
  EXPECT_EQ(store().Get(user_, successor.id).value(), held.successor->task);

  std::vector<ChangeKind> kinds;
  for (const Change& change : AllChanges(store(), user_)) kinds.push_back(change.kind);
  EXPECT_THAT(kinds, ElementsAre(ChangeKind::kCreated, ChangeKind::kCreated, ChangeKind::kDeleted,
                                 ChangeKind::kCreated));
}

TEST_P(EventInboxContract, ADeletedSuccessorOfAnOpenTaskCountsAsUntouched) {
  for (const bool opened_last : {true, false}) {
    const Task task = Apply(CreateRecurring(user_, "title"));
    const Task successor = MakeSuccessor(task);
    Apply(ChangeOf(ChangeKind::kCompleted, task));
    if (!opened_last) Apply(ChangeOf(ChangeKind::kUncompleted, task));
    Apply(ChangeOf(ChangeKind::kDeleted, successor));
    if (opened_last) {
      EXPECT_FALSE(LoadHeld(task).successor->untouched) << "the series has ended";
      Apply(ChangeOf(ChangeKind::kUncompleted, task));
    }
    const HeldTask held = LoadHeld(task);
    EXPECT_TRUE(held.successor->task.deleted);
    EXPECT_TRUE(held.successor->untouched);
    EXPECT_EQ(held.successor->task.version, 2) << "it is no change of that task";
    EXPECT_THAT(store().ListSeries(user_, task.series->series_id).value(),
                ElementsAre(ports::SeriesMember{held.task, false}));
  }
}

TEST_P(EventInboxContract, ASuccessorDoneBeforeItWasDeletedComesBackASkippedOneDoesNot) {
  const Task task = Apply(CreateRecurring(user_, "title"));
  const Task second = MakeSuccessor(task);
  Apply(ChangeOf(ChangeKind::kCompleted, second));
  const Task third = MakeSuccessor(second);
  ports::Mutation skip = ChangeOf(ChangeKind::kDeleted, third);
  skip.skips = true;
  Apply(skip);
  Apply(ChangeOf(ChangeKind::kDeleted, second));
  const HeldTask held = LoadHeld(task);
  EXPECT_TRUE(held.successor->untouched);
  EXPECT_TRUE(held.successor->task.completed) << "its own events still mean what they meant";
  Commit([&](InboxTransaction& transaction) -> absl::Status {
    TODO_RETURN_IF_ERROR(transaction.recurrence().LockAndLoad({{user_, task.id}}).status());
    return transaction.recurrence().Write({Revival(second)});
  });
  EXPECT_FALSE(LoadHeld(second).successor->untouched);
}

TEST_P(EventInboxContract, ARevivedSuccessorIsOpenEvenIfItWasCompleted) {
  const Task task = Apply(CreateRecurring(user_, "title"));
  const Task successor = MakeSuccessor(task);
  Apply(ChangeOf(ChangeKind::kCompleted, successor));
  Commit([&](InboxTransaction& transaction) -> absl::Status {
    TODO_RETURN_IF_ERROR(transaction.recurrence().LockAndLoad({{user_, task.id}}).status());
    return transaction.recurrence().Write({Removal(successor), Revival(successor)});
  });
  const Task revived = store().Get(user_, successor.id).value();
  EXPECT_FALSE(revived.completed);
  EXPECT_EQ(revived.completed_at, std::nullopt);
}

TEST_P(EventInboxContract, ChangesOfOneWriteSeeEachOther) {
  const Task task = Apply(CreateRecurring(user_, "title"));
  const Task successor = MakeSuccessor(task);
  const Task theirs = Apply(CreateRecurring(other_, "theirs"));
  Commit([&](InboxTransaction& transaction) -> absl::Status {
    TODO_RETURN_IF_ERROR(
        transaction.recurrence().LockAndLoad({{other_, theirs.id}, {user_, task.id}}).status());
    return transaction.recurrence().Write(
        {Removal(successor), SuccessorOf(theirs), Revival(successor), Removal(successor)});
  });
  const HeldTask held = LoadHeld(task);
  ASSERT_TRUE(held.successor);
  EXPECT_TRUE(held.successor->task.deleted);
  EXPECT_TRUE(held.successor->untouched);
  EXPECT_EQ(held.successor->task.version, 4);
  EXPECT_EQ(held.successor->task.seq, 5);
  EXPECT_EQ(AllChanges(store(), user_).size(), 5u);
  EXPECT_TRUE(LoadHeld(theirs).successor);
}

TEST_P(EventInboxContract, RemovingAnUnknownTaskFails) {
  Task nothing = Apply(CreateRecurring(user_, "title"));
  nothing.id.value += 1000;
  const absl::Status status = inbox().Transact([&](InboxTransaction& transaction) {
    return transaction.recurrence().Write({Removal(nothing)});
  });
  EXPECT_EQ(status.code(), StatusCode::kNotFound) << status;
}

TEST_P(EventInboxContract, WritingNothingDoesNotWakeTheRelay) {
  Commit([](InboxTransaction& transaction) { return transaction.recurrence().Write({}); });
  EXPECT_EQ(environment_->wakes().count(), 0);
}

TEST_P(EventInboxContract, BatchesOfTheSameUsersInAnyOrderDoNotBlockEachOther) {
  // Each batch concerns the same users, new ones among them, in an order of its own, while they
  // also act themselves.
  constexpr int kUsers = 6;
  constexpr int kRounds = 6;
  std::vector<UserId> users;
  for (int i = 0; i < kUsers; ++i) users.push_back(UserId{fmt::format("user {}", i)});
  InParallel(6, [&](int thread) {
    for (int round = 0; round < kRounds; ++round) {
      if (thread >= 4) {
        const auto user = static_cast<std::size_t>((round + thread) % kUsers);
        const auto created = store().Apply(Create(users[user], "own"));
        EXPECT_TRUE(created.ok()) << created.status();
        continue;
      }
      std::vector<TaskRef> refs;
      for (const UserId& user : users) refs.push_back({user, TaskId{1}});
      std::rotate(refs.begin(), refs.begin() + (thread + round) % kUsers, refs.end());
      if (thread % 2 == 0) std::reverse(refs.begin(), refs.end());
      const absl::Status status =
          inbox().Transact([&](InboxTransaction& transaction) -> absl::Status {
            TODO_RETURN_IF_ERROR(transaction.recurrence().LockAndLoad(refs).status());
            std::vector<ConsumerChange> changes;
            for (const TaskRef& ref : refs) {
              Task first;
              first.user = ref.user;
              first.fields.title = "foreign";
              first.series = PositionOf(NewUuid(), 0);
              changes.push_back(SuccessorOf(first));
            }
            return transaction.recurrence().Write(changes);
          });
      EXPECT_TRUE(status.ok()) << status;
    }
  });
  std::size_t total = 0;
  for (const UserId& user : users) {
    std::int64_t last = 0;
    for (const Change& change : AllChanges(store(), user)) {
      EXPECT_EQ(change.seq, last + 1);
      last = change.seq;
      ++total;
    }
  }
  EXPECT_EQ(total, 4u * kRounds * kUsers + 2u * kRounds);
}

}  // namespace
}  // namespace todo::contract
