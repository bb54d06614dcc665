#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <functional>
#include <future>
#include <memory>
#include <set>
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

using testing::Each;
using testing::ElementsAre;
using testing::IsEmpty;
using testing::SizeIs;

/// Remembers what it applied, and dies of what the test names: from then on nothing that the
/// process does reaches the database.
class Consumer final : public EventConsumer {
 public:
  explicit Consumer(support::FakeDatabase& database) : database_(database) {}
  std::string_view name() const override { return "consumer"; }
  absl::StatusOr<Effect> Prepare(const std::vector<domain::Event>& events) override {
    if (on_prepare) on_prepare(HeaderOf(events.front()).task_id.value);
    return Effect([this](ports::InboxTransaction&, const std::vector<domain::Event>& taken) {
      for (const domain::Event& event : taken) {
        if (!deadly.contains(HeaderOf(event).task_id.value)) continue;
        died = true;
        database_.FailWith(absl::UnavailableError("died"));
        return absl::UnavailableError("died");
      }
      if (!fails.ok()) return fails;
      for (const domain::Event& event : taken) applied.push_back(HeaderOf(event).task_id.value);
      return absl::OkStatus();
    });
  }
  std::set<std::int64_t> deadly;  // tasks
  std::function<void(std::int64_t task)> on_prepare;
  absl::Status fails;
  bool died = false;
  std::vector<std::int64_t> applied;

 private:
  support::FakeDatabase& database_;
};

// Which event the process dies of.
class EventCrashTest : public testing::Test {
 protected:
  struct Process {
    Process(EventCrashTest& test, const std::string& instance)
        : crashes(test.database_, instance),
          processor({test.inbox_, test.retries_, crashes, test.clock_},
                    {{.topic = "task-events",
                      .parse = &ParseTaskEvent,
                      .consumers = {&test.consumer_}}}) {}
    support::FakeCrashLog crashes;
    EventProcessor processor;
  };

  static std::vector<domain::BusRecord> Batch(int count) {
    return TaskEventRecords("task-events", 1, count);
  }

  std::unique_ptr<Process> Start(const std::string& instance) {
    database_.FailWith(absl::OkStatus());
    consumer_.died = false;
    auto process = std::make_unique<Process>(*this, instance);
    EXPECT_TRUE(process->processor.Recover().ok());
    return process;
  }
  /// False: the process died of it.
  bool Deliver(Process& process, const std::vector<domain::BusRecord>& records) {
    const std::vector<absl::Status> answers = process.processor.Process(records);
    database_.FailWith(absl::OkStatus());
    if (std::exchange(consumer_.died, false)) return false;  // the bus heard nothing
    EXPECT_THAT(answers, Each(absl::OkStatus()));
    return true;
  }
  /// Delivers until the process lives, restarted after each death; answers how often it died.
  int DeliverUntilItLives(const std::string& instance, const std::vector<domain::BusRecord>& batch,
                          std::chrono::seconds until_delivery = {}) {
    for (int deaths = 0; deaths < 20; ++deaths) {
      const std::unique_ptr<Process> process = Start(instance);
      clock_.SetTo(clock_.Now() + until_delivery);
      if (Deliver(*process, batch)) return deaths;
    }
    return -1;
  }
  std::vector<std::int64_t> BuriedTasks() {
    std::vector<std::int64_t> tasks;
    for (const domain::DeadLetter& letter : database_.Read()->dead_letters)
      tasks.push_back(letter.task_id.value);
    return tasks;
  }
  void ExpectOnlyTheDeadlyOneIsDead() {
    EXPECT_THAT(BuriedTasks(), ElementsAre(37));
    EXPECT_EQ(database_.Read()->dead_letters.at(0).attempts, 3);
    EXPECT_THAT(consumer_.applied, SizeIs(99)) << "the others have their effects, once";
    EXPECT_TRUE(std::is_sorted(consumer_.applied.begin(), consumer_.applied.end()));
  }

  support::FakeDatabase database_;
  support::FakeEventInbox inbox_{database_};
  support::FakeRetryQueue retries_{database_};
  SetClock clock_{"2026-01-02T00:00:00Z"};
  Consumer consumer_{database_};
};

TEST_F(EventCrashTest, AnEventIsADeadLetterAtItsThirdCrash) {
  consumer_.deadly = {37};
  EXPECT_EQ(DeliverUntilItLives("one", Batch(100)), 3);
  ExpectOnlyTheDeadlyOneIsDead();
}

TEST_F(EventCrashTest, ASuspectIsKnownHoweverLateItIsDeliveredAgain) {
  consumer_.deadly = {37};
  EXPECT_EQ(DeliverUntilItLives("one", Batch(100), std::chrono::hours(1)), 3);
  ExpectOnlyTheDeadlyOneIsDead();
}

TEST_F(EventCrashTest, CrashesOfSeveralReplicasMakeNoOtherEventADeadLetter) {
  consumer_.deadly = {37};
  std::vector<std::unique_ptr<Process>> replicas;
  for (const char* name : {"one", "two", "three", "four"}) replicas.push_back(Start(name));
  for (const auto& replica : replicas) EXPECT_FALSE(Deliver(*replica, Batch(100)));
  for (const char* name : {"two", "three", "four"}) replicas.push_back(Start(name));
  EXPECT_EQ(DeliverUntilItLives("one", Batch(100)), 2) << "alone, and once more";
  ExpectOnlyTheDeadlyOneIsDead();
}

TEST_F(EventCrashTest, AnyReplicaTakesASuspectAlone) {
  consumer_.deadly = {37};
  const auto other = Start("other");  // since before anything happened
  EXPECT_FALSE(Deliver(*Start("one"), Batch(100)));
  Start("one");
  EXPECT_FALSE(Deliver(*other, Batch(100)));
  EXPECT_THAT(consumer_.applied, SizeIs(36)) << "those before it went through";
}

TEST_F(EventCrashTest, AnEventThatWasTakenBackIsNoSuspectOfALaterCrash) {
  const auto process = Start("one");
  consumer_.fails = absl::UnavailableError("not now");
  EXPECT_EQ(process->processor.Process(Batch(1)).front(), consumer_.fails);
  EXPECT_THAT(database_.Read()->inbox, IsEmpty());
  EXPECT_EQ(process->crashes.CountCrashes().value(), 0);
}

TEST_F(EventCrashTest, WhileASuspectIsTriedNoOtherEventIsInFlight) {
  const std::vector<domain::BusRecord> batch = Batch(3);
  consumer_.deadly = {3};
  EXPECT_FALSE(Deliver(*Start("one"), {batch[2]}));
  consumer_.deadly.clear();
  const auto process = Start("one");

  std::promise<void> innocent_is_in_hand;
  std::promise<void> go_on;
  std::promise<void> suspect_is_tried;
  consumer_.on_prepare = [&](std::int64_t task) {
    if (task == 1) {
      innocent_is_in_hand.set_value();
      go_on.get_future().wait();
    } else if (task == 3) {
      suspect_is_tried.set_value();
    }
  };
  const auto deliver = [&](int number) {
    return std::async(std::launch::async, [&process, &batch, number] {
      return process->processor.Process({batch[static_cast<std::size_t>(number - 1)]}).front();
    });
  };
  auto innocent = deliver(1);
  innocent_is_in_hand.get_future().wait();
  auto suspect = deliver(3);
  const auto tried = suspect_is_tried.get_future();
  constexpr std::chrono::milliseconds kLongEnoughToSeeThatItWaits{50};
  EXPECT_EQ(tried.wait_for(kLongEnoughToSeeThatItWaits), std::future_status::timeout);
  go_on.set_value();
  EXPECT_TRUE(innocent.get().ok());
  EXPECT_TRUE(suspect.get().ok());
  EXPECT_TRUE(deliver(2).get().ok());
  EXPECT_THAT(consumer_.applied, ElementsAre(1, 3, 2));
}

}  // namespace
}  // namespace todo::service
