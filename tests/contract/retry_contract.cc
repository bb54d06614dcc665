#include "contract/retry_contract.h"

#include <gmock/gmock.h>

#include "domain/event/dead_letter.h"
#include "util/status.h"

namespace todo::contract {

GTEST_ALLOW_UNINSTANTIATED_PARAMETERIZED_TEST(RetryContract);

using domain::ReceivedEvent;
using ports::InboxTransaction;
using ports::RetryEntry;
using ports::TakenFrom;
using testing::IsEmpty;
using testing::Pair;
using testing::SizeIs;
using testing::UnorderedElementsAre;

namespace {

constexpr char kConsumer[] = "recurring";

ReceivedEvent NewReceivedEvent(std::int64_t task_id = 1,
                               std::string_view at = "2026-03-01T09:00:00Z") {
  ReceivedEvent received;
  received.event.id = NewEventId();
  received.event.user = {"ann"};
  received.event.task_id = {task_id};
  received.event.at = At(at);
  received.record.topic = "task-events";
  received.record.bytes = std::string("\0\xff{", 3);
  return received;
}

ports::RetrySchedule FailedAt(std::string_view failed_at, std::string_view due_at) {
  return {.failed_at = At(failed_at), .due_at = At(due_at), .reason = "failed"};
}

}  // namespace

bool RetryContract::Enqueue(const ReceivedEvent& received, const ports::RetrySchedule& schedule) {
  const absl::StatusOr<bool> queued = retries().Enqueue(kConsumer, received, schedule);
  EXPECT_TRUE(queued.ok()) << queued.status();
  return queued.ok() && *queued;
}

std::vector<RetryEntry> RetryContract::Due(std::string_view now) {
  auto due = retries().Due({kConsumer}, At(now), 10);
  EXPECT_TRUE(due.ok()) << due.status();
  return due.ok() ? *std::move(due) : std::vector<RetryEntry>();
}

std::size_t RetryContract::Claim(const std::vector<ReceivedEvent>& received_events) {
  std::size_t count = 0;
  const absl::Status status = inbox().Transact([&](InboxTransaction& transaction) -> absl::Status {
    TODO_ASSIGN_OR_RETURN(const auto claimed, transaction.Claim(kConsumer, received_events));
    count = claimed.fresh.size();
    return absl::OkStatus();
  });
  EXPECT_TRUE(status.ok()) << status;
  return count;
}

std::map<domain::EventId, int> RetryContract::Begin(
    const std::string& instance, int slot, const std::vector<ReceivedEvent>& received_events) {
  std::vector<domain::EventHeader> events;
  for (const ReceivedEvent& received : received_events) events.push_back(received.event);
  auto suspects = environment_->NewCrashLog(instance)->Begin(slot, kConsumer, events);
  EXPECT_TRUE(suspects.ok()) << suspects.status();
  return suspects.value_or(std::map<domain::EventId, int>());
}

int RetryContract::Restart(const std::string& instance) {
  const absl::StatusOr<int> count = environment_->NewCrashLog(instance)->CountCrashes();
  EXPECT_TRUE(count.ok()) << count.status();
  return count.value_or(-1);
}

TEST_P(RetryContract, AFailedEventIsDueAsScheduled) {
  const ReceivedEvent received = NewReceivedEvent();
  EXPECT_TRUE(Enqueue(received, FailedAt("2026-03-01T10:00:00Z", "2026-03-01T10:00:01Z")));
  EXPECT_THAT(Due("2026-03-01T10:00:00.999Z"), IsEmpty());
  const auto due = Due("2026-03-01T10:00:01Z");
  ASSERT_THAT(due, SizeIs(1));
  EXPECT_EQ(due[0].consumer, kConsumer);
  EXPECT_EQ(due[0].event_id, received.event.id);
  EXPECT_EQ(due[0].attempts, 1);
  EXPECT_EQ(due[0].first_failed_at, At("2026-03-01T10:00:00Z"));
  EXPECT_EQ(due[0].due_at, At("2026-03-01T10:00:01Z"));
  EXPECT_EQ(due[0].record.bytes, received.record.bytes);
  EXPECT_EQ(retries().NextDue({kConsumer}).value(), At("2026-03-01T10:00:01Z"));
  EXPECT_THAT(retries().Due({"other"}, At("2026-03-02T00:00:00Z"), 10).value(), IsEmpty());
  EXPECT_EQ(retries().NextDue({}).value(), std::nullopt);
}

TEST_P(RetryContract, AnEventThatOnlyWaitsHasNoAttempt) {
  EXPECT_TRUE(
      Enqueue(NewReceivedEvent(),
              {.failed_at = std::nullopt, .due_at = At("2026-03-01T10:00:00Z"), .reason = "away"}));
  const auto due = Due("2026-03-01T10:00:00Z");
  ASSERT_THAT(due, SizeIs(1));
  EXPECT_EQ(due[0].attempts, 0);
  EXPECT_EQ(due[0].first_failed_at, std::nullopt);
}

TEST_P(RetryContract, EnqueueingClaimsTheEvent) {
  const ReceivedEvent received = NewReceivedEvent();
  EXPECT_TRUE(Enqueue(received, FailedAt("2026-03-01T10:00:00Z", "2026-03-01T10:00:01Z")));
  EXPECT_FALSE(Enqueue(received, FailedAt("2026-03-01T10:00:02Z", "2026-03-01T10:00:03Z")));
  EXPECT_EQ(Claim({received}), 0u);
  EXPECT_EQ(Due("2026-03-01T10:00:01Z").at(0).attempts, 1);
}

TEST_P(RetryContract, ACopyWithAnotherTimestampIsTakenWhileTheFirstWaits) {
  const ReceivedEvent first = NewReceivedEvent(1, "2026-03-01T23:59:59Z");
  EXPECT_TRUE(Enqueue(first, FailedAt("2026-03-02T10:00:00Z", "2026-03-02T10:00:01Z")));
  ReceivedEvent copy = first;
  copy.event.at = At("2026-03-02T00:00:00Z");
  ReceivedEvent of_another_task = copy;
  of_another_task.event.task_id = {2};
  for (const ReceivedEvent& received : {copy, of_another_task}) {
    EXPECT_EQ(Claim({received}), 0u);
    EXPECT_FALSE(Enqueue(received, FailedAt("2026-03-02T10:00:00Z", "2026-03-02T10:00:01Z")));
    const domain::Instant now = At("2026-03-02T10:00:00Z");
    EXPECT_FALSE(retries()
                     .AddDeadLetter(DeadLetterOf(kConsumer, received, 1, now, now, "never"),
                                    TakenFrom::kBus, now)
                     .value());
  }
  EXPECT_THAT(Due("2026-03-02T10:00:01Z"), SizeIs(1));
}

TEST_P(RetryContract, EachFailureCountsOnce) {
  EXPECT_TRUE(
      Enqueue(NewReceivedEvent(), FailedAt("2026-03-01T10:00:00Z", "2026-03-01T10:00:01Z")));
  const RetryEntry entry = Due("2026-03-01T10:00:01Z").at(0);
  for (int repeat = 0; repeat < 2; ++repeat) {  // two who tried it at once
    EXPECT_TRUE(
        retries().Reschedule(entry, FailedAt("2026-03-01T10:00:01Z", "2026-03-01T10:00:03Z")).ok());
  }
  EXPECT_THAT(Due("2026-03-01T10:00:02Z"), IsEmpty());
  EXPECT_EQ(Due("2026-03-01T10:00:03Z").at(0).attempts, 2);
}

TEST_P(RetryContract, AFailureThatDoesNotCountIsRecorded) {
  ports::RetrySchedule schedule = FailedAt("2026-03-01T10:00:00Z", "2026-03-01T10:00:01Z");
  schedule.counts = false;
  EXPECT_TRUE(Enqueue(NewReceivedEvent(), schedule));
  RetryEntry entry = Due("2026-03-01T10:00:01Z").at(0);
  EXPECT_EQ(entry.attempts, 0);
  EXPECT_EQ(entry.first_failed_at, At("2026-03-01T10:00:00Z"));
  schedule = FailedAt("2026-03-01T10:00:01Z", "2026-03-01T10:00:09Z");
  schedule.counts = false;
  EXPECT_TRUE(retries().Reschedule(entry, schedule).ok());
  EXPECT_THAT(Due("2026-03-01T10:00:08Z"), IsEmpty());
  entry = Due("2026-03-01T10:00:09Z").at(0);
  EXPECT_EQ(entry.attempts, 0);
  EXPECT_EQ(entry.first_failed_at, At("2026-03-01T10:00:00Z"));
}

TEST_P(RetryContract, ADeadLetterFromTheQueueLeavesItsQueue) {
  ReceivedEvent received = NewReceivedEvent();
  received.event.user = {};  // it could not be read
  received.event.task_id = {};
  ReceivedEvent behind = received;
  behind.event.id = NewEventId();
  EXPECT_TRUE(Enqueue(received, FailedAt("2026-03-01T10:00:00Z", "2026-03-01T10:00:01Z")));
  EXPECT_TRUE(Enqueue(behind, FailedAt("2026-03-01T10:00:00Z", "2026-03-01T10:00:01Z")));
  received.event.user = {"ann"};  // and now it can
  received.event.task_id = {7};
  const domain::Instant now = At("2026-03-01T10:00:02Z");
  const domain::DeadLetter letter = DeadLetterOf(kConsumer, received, 2, now, now, "never");
  EXPECT_TRUE(retries().AddDeadLetter(letter, TakenFrom::kRetryQueue, now).value());
  EXPECT_FALSE(retries().AddDeadLetter(letter, TakenFrom::kRetryQueue, now).value());
  const auto due = Due("2026-03-01T10:00:02Z");
  ASSERT_THAT(due, SizeIs(1));
  EXPECT_EQ(due[0].event_id, behind.event.id);
}

// --- Crashes

TEST_P(RetryContract, EventsInFlightInACrashAreSuspectsForEveryInstance) {
  const ReceivedEvent a = NewReceivedEvent();
  const ReceivedEvent b = NewReceivedEvent();
  const ReceivedEvent c = NewReceivedEvent();
  EXPECT_THAT(Begin("one", 0, {a, b}), IsEmpty());
  EXPECT_THAT(Begin("two", 0, {c}), IsEmpty());
  EXPECT_EQ(Restart("one"), 2);
  EXPECT_THAT(Begin("two", 0, {a, b, c}),
              UnorderedElementsAre(Pair(a.event.id, 1), Pair(b.event.id, 1)));
  const auto of_others = environment_->NewCrashLog("two")->Begin(0, "another", {a.event});
  EXPECT_THAT(of_others.value(), IsEmpty()) << "another consumer's crash is another's";
}

TEST_P(RetryContract, EveryCrashCountsForAnEventThatWasAloneInFlight) {
  const ReceivedEvent event = NewReceivedEvent();
  for (int crashes = 0; crashes < 4; ++crashes) {
    const auto suspects = Begin(crashes % 2 == 0 ? "one" : "two", 0, {event});
    EXPECT_EQ(suspects.contains(event.event.id) ? suspects.at(event.event.id) : 0, crashes);
    EXPECT_EQ(Restart(crashes % 2 == 0 ? "one" : "two"), 1);
  }
}

TEST_P(RetryContract, CrashesOfEventsThatWereNotAloneCountOnce) {
  const ReceivedEvent a = NewReceivedEvent();
  const ReceivedEvent b = NewReceivedEvent();
  for (const char* instance : {"one", "two", "three", "one"}) {
    Begin(instance, 0, {a, b});
    EXPECT_EQ(Restart(instance), 2);
  }
  // In two slots they are in company too.
  Begin("one", 0, {a});
  Begin("one", 1, {b});
  EXPECT_EQ(Restart("one"), 2);
  EXPECT_THAT(Begin("one", 0, {a, b}),
              UnorderedElementsAre(Pair(a.event.id, 1), Pair(b.event.id, 1)));
  Begin("one", 0, {a});
  Begin("one", 1, {a});  // in two slots, and still alone
  EXPECT_EQ(Restart("one"), 1);
  EXPECT_THAT(Begin("one", 0, {a}), UnorderedElementsAre(Pair(a.event.id, 2)));
}

TEST_P(RetryContract, AnyProcessCountsTheCrashOfADeadOne) {
  const ReceivedEvent lethal = NewReceivedEvent();
  const ReceivedEvent other = NewReceivedEvent();
  Begin("living", 0, {other});
  Begin("pod-x1", 0, {lethal});
  environment_->Disconnect("pod-x1");
  EXPECT_EQ(Restart("pod-x2"), 1) << "the event of pod-x1, and none of the living process";
  EXPECT_EQ(Restart("pod-x3"), 0) << "a crash counts once";
  Begin("pod-x4", 0, {lethal});
  EXPECT_EQ(Restart("pod-x5"), 0) << "pod-x4 lives";
  environment_->Disconnect("pod-x4");
  EXPECT_EQ(Restart("pod-x5"), 1);
  EXPECT_THAT(Begin("pod-x6", 0, {lethal, other}), UnorderedElementsAre(Pair(lethal.event.id, 2)));
}

TEST_P(RetryContract, EachDeadProcessCountsByItself) {
  const ReceivedEvent lethal = NewReceivedEvent();
  const ReceivedEvent a = NewReceivedEvent();
  const ReceivedEvent b = NewReceivedEvent();
  for (int time = 0; time < 2; ++time) {
    Begin("one", 0, {lethal});
    Begin("two", 0, {a, b});
    environment_->Disconnect("one");
    environment_->Disconnect("two");
    EXPECT_EQ(Restart("three"), 3);
  }
  EXPECT_THAT(
      Begin("three", 0, {lethal, a, b}),
      UnorderedElementsAre(Pair(lethal.event.id, 2), Pair(a.event.id, 1), Pair(b.event.id, 1)));
}

TEST_P(RetryContract, AnEventThatIsDoneOrReplacedIsNotInFlight) {
  const ReceivedEvent done = NewReceivedEvent();
  const ReceivedEvent dead = NewReceivedEvent();
  const ReceivedEvent laid_down = NewReceivedEvent();
  Begin("one", 0, {done, dead});
  Begin("one", 1, {laid_down});
  Begin("one", 1, {});
  EXPECT_EQ(Claim({done}), 1u);
  EXPECT_TRUE(
      retries()
          .AddDeadLetter(DeadLetterOf(kConsumer, dead, 1, At("2026-03-01T10:00:00Z"), {}, "never"),
                         TakenFrom::kBus, At("2026-03-01T10:00:00Z"))
          .value());
  EXPECT_EQ(Restart("one"), 0);
  EXPECT_THAT(Begin("one", 0, {done, dead, laid_down}), IsEmpty());
}

TEST_P(RetryContract, TellsAnEventThatWaitsOrIsDeadFromOthersOfItsId) {
  ReceivedEvent waiting = NewReceivedEvent(1);
  ReceivedEvent dead = NewReceivedEvent(2);
  waiting.event.identity = dead.event.identity = 1;
  EXPECT_TRUE(Enqueue(waiting, FailedAt("2026-03-01T10:00:00Z", "2026-03-01T10:00:01Z")));
  EXPECT_TRUE(
      retries()
          .AddDeadLetter(DeadLetterOf(kConsumer, dead, 1, At("2026-03-01T10:00:00Z"), {}, "never"),
                         TakenFrom::kBus, At("2026-03-01T10:00:00Z"))
          .value());
  ports::Claimed copies;
  ports::Claimed others;
  const absl::Status status = inbox().Transact([&](InboxTransaction& transaction) -> absl::Status {
    TODO_ASSIGN_OR_RETURN(copies, transaction.Claim(kConsumer, {waiting, dead}));
    waiting.event.identity = dead.event.identity = 2;
    TODO_ASSIGN_OR_RETURN(others, transaction.Claim(kConsumer, {waiting, dead}));
    return absl::OkStatus();
  });
  EXPECT_TRUE(status.ok()) << status;
  EXPECT_THAT(copies.fresh, IsEmpty());
  EXPECT_THAT(copies.reused, IsEmpty());
  EXPECT_THAT(others.fresh, IsEmpty());
  EXPECT_THAT(others.reused, UnorderedElementsAre(waiting.event.id, dead.event.id));
}

TEST_P(RetryContract, ARetryIsInFlight) {
  const ReceivedEvent waiting = NewReceivedEvent();
  EXPECT_TRUE(Enqueue(waiting, FailedAt("2026-03-01T10:00:00Z", "2026-03-01T10:00:01Z")));
  Begin("one", 0, {waiting});
  EXPECT_EQ(Restart("one"), 1);
}

TEST_P(RetryContract, ACleanStopLeavesNoSuspects) {
  Begin("one", 0, {NewReceivedEvent()});
  EXPECT_TRUE(environment_->NewCrashLog("one")->Clear().ok());
  EXPECT_EQ(Restart("one"), 0);
}

TEST_P(RetryContract, ADeadLetterIsNoSuspect) {
  const ReceivedEvent event = NewReceivedEvent();
  Begin("one", 0, {event});
  EXPECT_EQ(Restart("one"), 1);
  EXPECT_TRUE(
      retries()
          .AddDeadLetter(DeadLetterOf(kConsumer, event, 3, At("2026-03-01T10:00:00Z"), {}, "kills"),
                         TakenFrom::kBus, At("2026-03-01T10:00:00Z"))
          .value());
  EXPECT_THAT(Begin("one", 0, {event}), IsEmpty());
}

}  // namespace todo::contract
