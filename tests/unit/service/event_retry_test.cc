#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <functional>
#include <map>
#include <string>
#include <vector>

#include "domain/event/dead_letter.h"
#include "fixtures.h"
#include "service/consumers/event_processor.h"
#include "support/fake_crash_log.h"
#include "support/fake_event_inbox.h"
#include "support/fake_retry_queue.h"
#include "task_event_records.h"

namespace todo::service {
namespace {

using domain::Instant;
using std::chrono::milliseconds;
using testing::Each;
using testing::ElementsAre;
using testing::IsEmpty;
using testing::SizeIs;

/// Remembers what it applied; refuses what the test names.
class Consumer final : public EventConsumer {
 public:
  explicit Consumer(std::string_view name) : name_(name) {}
  std::string_view name() const override { return name_; }
  absl::StatusOr<Effect> Prepare(const std::vector<domain::Event>&) override {
    ++prepared;
    if (const auto act = on_prepare) act();
    if (!prepare.ok()) return prepare;
    return Effect([this](ports::InboxTransaction&, const std::vector<domain::Event>& taken) {
      for (const domain::Event& event : taken) {
        if (const auto bad = failures.find(HeaderOf(event).task_id.value); bad != failures.end())
          return bad->second;
      }
      for (const domain::Event& event : taken) applied.push_back(HeaderOf(event).task_id.value);
      return absl::OkStatus();
    });
  }
  absl::Status prepare;
  std::function<void()> on_prepare;
  std::map<std::int64_t, absl::Status> failures;  // by task
  std::vector<std::int64_t> applied;
  int prepared = 0;

 private:
  const std::string name_;
};

bool can_read = true;  // false: as an older version of the service, or one with a bug

absl::StatusOr<domain::Event> Parse(std::string_view record) {
  if (!can_read) return absl::InvalidArgumentError("cannot be read");
  return ParseTaskEvent(record);
}

// Events that cannot be applied at once.
class EventRetryTest : public testing::Test {
 protected:
  EventRetryTest() { can_read = true; }

  std::optional<Instant> RunRetries(int limit = 20) {
    const auto next = processor_.RunDueRetries(limit);
    EXPECT_TRUE(next.ok()) << next.status();
    return next.value_or(std::nullopt);
  }
  std::vector<support::FakeDatabase::Retry> Waiting() {
    std::vector<support::FakeDatabase::Retry> waiting;
    for (const auto& [key, retry] : database_.Read()->retries) waiting.push_back(retry);
    return waiting;
  }
  void Replay(const domain::DeadLetter& letter);
  std::vector<domain::DeadLetter> Letters() { return database_.Read()->dead_letters; }

  support::FakeDatabase database_;
  support::FakeEventInbox inbox_{database_};
  support::FakeRetryQueue retries_{database_};
  support::FakeCrashLog crashes_{database_};
  SetClock clock_{"2026-01-02T00:00:00Z"};
  Consumer tasks_{"tasks"};
  Consumer bell_{"bell"};
  EventProcessor processor_{{inbox_, retries_, crashes_, clock_},
                            {{.topic = "task-events", .parse = &Parse, .consumers = {&tasks_}},
                             {.topic = "reminders", .parse = &Parse, .consumers = {&bell_}}}};
};

TEST_F(EventRetryTest, AFailingEventIsTriedAgainAfterOneTwoAndFourSecondsAndThenADeadLetter) {
  tasks_.failures[1] = absl::InternalError("broken");
  EXPECT_THAT(processor_.Process({TaskEventRecordOf("task-events", 1)}), Each(absl::OkStatus()));
  Instant due = clock_.Now();
  for (const int seconds : {1, 2, 4}) {
    due += std::chrono::seconds(seconds);
    clock_.SetTo(due - milliseconds(1));
    EXPECT_EQ(RunRetries(), due) << "never early";
    clock_.SetTo(due);
    EXPECT_THAT(Letters(), IsEmpty());
    RunRetries();
  }
  EXPECT_THAT(Waiting(), IsEmpty());
  ASSERT_THAT(Letters(), SizeIs(1));
  EXPECT_EQ(Letters()[0].attempts, 4);
  EXPECT_EQ(processor_.figures().at("tasks").results.at("failed"), 3u) << "the last one is dead";
  EXPECT_EQ(processor_.figures().at("tasks").results.at("dead"), 1u);
}

TEST_F(EventRetryTest, EventsOfAPausedConsumerWaitForAsLongAsItTakes) {
  bell_.prepare = absl::UnavailableError("the state store is away");
  EXPECT_THAT(processor_.Process(TaskEventRecords("reminders", 1, 3)), Each(absl::OkStatus()))
      << "nothing of the bus waits for it";
  EXPECT_EQ(bell_.prepared, 1) << "it is not asked for each";
  for (int hour = 0; hour < 48; ++hour) {
    clock_.SetTo(clock_.Now() + std::chrono::hours(1));
    RunRetries();
  }
  EXPECT_EQ(bell_.prepared, 1 + 48);
  EXPECT_THAT(Letters(), IsEmpty());
  for (const support::FakeDatabase::Retry& retry : Waiting()) EXPECT_EQ(retry.entry.attempts, 0);

  bell_.prepare = absl::OkStatus();
  clock_.SetTo(clock_.Now() + std::chrono::seconds(2));
  RunRetries();
  EXPECT_THAT(bell_.applied, testing::UnorderedElementsAre(1, 2, 3));
  EXPECT_EQ(processor_.figures().at("bell").results.at("applied"), 3u);
  EXPECT_EQ(processor_.figures().at("bell").results.at("waiting"), 3u);
  EXPECT_THAT(Waiting(), IsEmpty());
  EXPECT_THAT(processor_.Process(TaskEventRecords("reminders", 1, 3)), Each(absl::OkStatus()));
  EXPECT_THAT(bell_.applied, SizeIs(3)) << "claimed when they were put to wait";
}

TEST_F(EventRetryTest, RetriesRunAgainWhenAPausedConsumerMayTry) {
  bell_.prepare = absl::UnavailableError("the state store is away");
  EXPECT_THAT(processor_.Process({TaskEventRecordOf("reminders", 1)}), Each(absl::OkStatus()));
  const Instant again = clock_.Now() + std::chrono::seconds(2);
  clock_.SetTo(again - std::chrono::seconds(1));
  EXPECT_EQ(RunRetries(), again);
  bell_.prepare = absl::OkStatus();
  clock_.SetTo(again);
  EXPECT_EQ(RunRetries(), std::nullopt);
  EXPECT_THAT(bell_.applied, ElementsAre(1));
}

TEST_F(EventRetryTest, EventsOfAPausedConsumerAreEnqueuedAtOnce) {
  bell_.prepare = absl::UnavailableError("the state store hangs");
  EXPECT_THAT(processor_.Process({TaskEventRecordOf("reminders", 1)}), Each(absl::OkStatus()));
  EXPECT_THAT(processor_.Process(TaskEventRecords("reminders", 2, 5)), Each(absl::OkStatus()));
  EXPECT_EQ(bell_.prepared, 1);
  EXPECT_THAT(Waiting(), SizeIs(6));
  clock_.SetTo(clock_.Now() + std::chrono::seconds(2));
  bell_.prepare = absl::OkStatus();
  EXPECT_THAT(processor_.Process({TaskEventRecordOf("reminders", 7)}), Each(absl::OkStatus()));
  EXPECT_THAT(bell_.applied, ElementsAre(7));
}

TEST_F(EventRetryTest, APausedConsumerDelaysNoOtherConsumersRetries) {
  tasks_.failures[99] = absl::InternalError("broken");
  EXPECT_THAT(processor_.Process({TaskEventRecordOf("task-events", 99)}), Each(absl::OkStatus()));
  bell_.prepare = absl::UnavailableError("the state store is away");
  // More than are looked at together, due earlier.
  EXPECT_THAT(processor_.Process(TaskEventRecords("reminders", 1, 30)), Each(absl::OkStatus()));
  tasks_.failures.clear();
  clock_.SetTo(clock_.Now() + std::chrono::seconds(1));
  RunRetries();
  EXPECT_THAT(tasks_.applied, ElementsAre(99));
}

TEST_F(EventRetryTest, WhenOtherThreadsHaveAllDueRetriesTheNextLookIsALittleLater) {
  tasks_.failures[1] = absl::InternalError("broken");
  EXPECT_THAT(processor_.Process({TaskEventRecordOf("task-events", 1)}), Each(absl::OkStatus()));
  clock_.SetTo(clock_.Now() + std::chrono::seconds(1));
  tasks_.on_prepare = [this] {  // while this thread is trying the entry
    tasks_.on_prepare = nullptr;
    EXPECT_EQ(RunRetries(), clock_.Now() + milliseconds(50));
  };
  RunRetries();
  EXPECT_EQ(tasks_.prepared, 2);

  // In the hands of another replica.
  clock_.SetTo(clock_.Now() + std::chrono::seconds(2));
  tasks_.on_prepare = [this] {
    database_
        .Write([](support::FakeDatabase::Tables& tables) {
          ++tables.retries.begin()->second.entry.attempts;
          return absl::OkStatus();
        })
        .IgnoreError();
  };
  EXPECT_EQ(RunRetries(), clock_.Now() + milliseconds(50));
}

TEST_F(EventRetryTest, AnEventThatOneConsumerRetriesIsFreeForAnother) {
  // The two topics bring the same event ids.
  tasks_.failures[1] = bell_.failures[1] = absl::InternalError("broken");
  EXPECT_THAT(processor_.Process({TaskEventRecordOf("reminders", 1)}), Each(absl::OkStatus()));
  clock_.SetTo(clock_.Now() + milliseconds(1));
  EXPECT_THAT(processor_.Process({TaskEventRecordOf("task-events", 1)}), Each(absl::OkStatus()));
  tasks_.failures.clear();
  clock_.SetTo(clock_.Now() + std::chrono::seconds(1));
  bell_.on_prepare = [this] {  // due first
    bell_.on_prepare = nullptr;
    RunRetries();
    EXPECT_THAT(tasks_.applied, ElementsAre(1));
  };
  RunRetries();
  EXPECT_FALSE(bell_.on_prepare);
}

TEST_F(EventRetryTest, ASlowDatabaseMakesNoDeadLetters) {
  tasks_.failures[1] = tasks_.failures[2] = absl::DeadlineExceededError("too slow");
  EXPECT_THAT(processor_.Process(TaskEventRecords("task-events", 1, 3)), Each(absl::OkStatus()));
  EXPECT_THAT(tasks_.applied, ElementsAre(3));
  for (int minute = 0; minute < 50; ++minute) {
    clock_.SetTo(clock_.Now() + std::chrono::minutes(1));
    RunRetries();
  }
  EXPECT_THAT(Letters(), IsEmpty());
  for (const support::FakeDatabase::Retry& retry : Waiting()) EXPECT_EQ(retry.entry.attempts, 0);
  tasks_.failures.clear();
  tasks_.failures[2] = absl::InternalError("broken");  // has its own attempts from here on
  clock_.SetTo(clock_.Now() + std::chrono::minutes(1));
  RunRetries();
  EXPECT_THAT(tasks_.applied, ElementsAre(3, 1));
  ASSERT_THAT(Waiting(), SizeIs(1));
  EXPECT_EQ(Waiting()[0].entry.attempts, 1);
}

TEST_F(EventRetryTest, AnEventThatAlwaysTimesOutIsGivenUpAfterAnHour) {
  tasks_.failures[1] = absl::DeadlineExceededError("too slow");
  EXPECT_THAT(processor_.Process({TaskEventRecordOf("task-events", 1)}), Each(absl::OkStatus()));
  int tries = 0;
  while (Letters().empty() && ++tries < 1'000) {
    clock_.SetTo(RunRetries().value_or(clock_.Now() + std::chrono::seconds(1)));
  }
  EXPECT_THAT(Waiting(), IsEmpty());
  EXPECT_GT(tries, 300);
  EXPECT_LT(tries, 1'000);
}

/// A letter of a record that could not be read, back in its queue, as `replay` does it.
void EventRetryTest::Replay(const domain::DeadLetter& letter) {
  ASSERT_TRUE(database_
                  .Write([&](support::FakeDatabase::Tables& tables) {
                    domain::ReceivedEvent received;
                    received.event.id = letter.event_id;
                    received.event.user = letter.user;
                    received.event.task_id = letter.task_id;
                    received.record = letter.record;
                    ports::RetryEntry entry;
                    entry.due_at = clock_.Now();
                    support::FakeDatabase::Enqueue(tables, letter.consumer, received, entry);
                    return absl::OkStatus();
                  })
                  .ok());
}

TEST_F(EventRetryTest, ARecordThatIsReadableAtItsReplayTakesEffectUnderItsOwnId) {
  can_read = false;
  EXPECT_THAT(processor_.Process({TaskEventRecordOf("task-events", 1)}), Each(absl::OkStatus()));
  ASSERT_THAT(Letters(), SizeIs(1));
  EXPECT_FALSE(Letters()[0].has_event_id);
  Replay(Letters()[0]);
  can_read = true;
  RunRetries();
  EXPECT_THAT(tasks_.applied, ElementsAre(1));
  EXPECT_THAT(Waiting(), IsEmpty());
  domain::BusRecord copy = TaskEventRecordOf("task-events", 1);
  copy.offset = 77;
  EXPECT_THAT(processor_.Process({copy}), Each(absl::OkStatus()));
  EXPECT_THAT(tasks_.applied, SizeIs(1)) << "a copy finds it done";
}

TEST_F(EventRetryTest, ARecordThatIsReadableAtItsReplayHasOneEffect) {
  can_read = false;
  EXPECT_THAT(processor_.Process({TaskEventRecordOf("task-events", 1)}), Each(absl::OkStatus()));
  can_read = true;
  domain::BusRecord copy = TaskEventRecordOf("task-events", 1);
  copy.offset = 77;
  EXPECT_THAT(processor_.Process({copy}), Each(absl::OkStatus()));
  Replay(Letters()[0]);
  RunRetries();
  EXPECT_THAT(tasks_.applied, ElementsAre(1));
  EXPECT_THAT(Waiting(), IsEmpty());
}

TEST_F(EventRetryTest, ARecordThatIsReadableAtItsReplayAndFailsIsItsDeadLetterAgain) {
  can_read = false;
  EXPECT_THAT(processor_.Process({TaskEventRecordOf("task-events", 1)}), Each(absl::OkStatus()));
  const domain::DeadLetter first = Letters().at(0);
  Replay(first);
  can_read = true;
  tasks_.failures[1] = absl::InvalidArgumentError("never");
  RunRetries();
  EXPECT_THAT(Waiting(), IsEmpty()) << "it does not stay due";
  ASSERT_THAT(Letters(), SizeIs(2));
  EXPECT_EQ(Letters()[1].id, first.id);
  EXPECT_EQ(Letters()[1].user, first.user);
  EXPECT_FALSE(Letters()[1].has_event_id);
}

TEST_F(EventRetryTest, AnOutageOfTheDatabaseIsNoPauseOfAConsumer) {
  tasks_.failures[1] = absl::UnavailableError("no database");
  EXPECT_THAT(processor_.Process({TaskEventRecordOf("task-events", 1)}),
              Each(absl::UnavailableError("no database")));
  EXPECT_THAT(Waiting(), IsEmpty());
  EXPECT_THAT(processor_.Process({TaskEventRecordOf("reminders", 2)}), Each(absl::OkStatus()));
}

}  // namespace
}  // namespace todo::service
