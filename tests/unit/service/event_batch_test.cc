#include "service/consumers/event_processor.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <barrier>
#include <map>
#include <string>
#include <vector>

#include "domain/event/dead_letter.h"
#include "fixtures.h"
#include "service/consumers/task_event_consumer.h"
#include "support/fake_crash_log.h"
#include "support/fake_event_inbox.h"
#include "support/fake_retry_queue.h"
#include "task_event_records.h"
#include "util/worker_pool.h"

namespace todo::service {
namespace {

using testing::AllOf;
using testing::Each;
using testing::ElementsAre;
using testing::IsEmpty;
using testing::Le;
using testing::SizeIs;

/// Remembers what it applied; refuses the tasks that the test names.
class Consumer final : public TaskEventConsumer {
 public:
  std::string_view name() const override { return "consumer"; }
  absl::Status Apply(ports::InboxTransaction&,
                     const std::vector<domain::TaskEvent>& events) override {
    ++transactions;
    for (const domain::TaskEvent& event : events) {
      if (const auto bad = failures.find(event.task_id.value); bad != failures.end()) {
        return blames ? Blame(bad->second, event.id) : bad->second;
      }
    }
    for (const domain::TaskEvent& event : events) applied.push_back(event.task_id.value);
    return absl::OkStatus();
  }
  bool blames = false;  // says which event it refuses
  std::map<std::int64_t, absl::Status> failures;
  std::vector<std::int64_t> applied;
  int transactions = 0;
};

// Batches in which some events fail.
class EventBatchTest : public testing::Test {
 protected:
  static std::vector<domain::BusRecord> Batch(int count) {
    return TaskEventRecords("task-events", 1, count);
  }
  std::vector<std::int64_t> BuriedTasks() {
    std::vector<std::int64_t> tasks;
    for (const domain::DeadLetter& letter : database_.Read()->dead_letters) {
      tasks.push_back(letter.task_id.value);
    }
    return tasks;
  }

  support::FakeDatabase database_;
  support::FakeEventInbox inbox_{database_};
  support::FakeRetryQueue retries_{database_};
  support::FakeCrashLog crashes_{database_};
  SetClock clock_{"2026-01-02T00:00:00Z"};
  Consumer consumer_;
  EventProcessor processor_{
      {inbox_, retries_, crashes_, clock_},
      {{.topic = "task-events", .parse = &ParseTaskEvent, .consumers = {&consumer_}}}};
};

TEST_F(EventBatchTest, AGoodBatchIsOneTransaction) {
  EXPECT_THAT(processor_.Process(Batch(100)), Each(absl::OkStatus()));
  EXPECT_EQ(consumer_.transactions, 1);
  EXPECT_THAT(consumer_.applied, SizeIs(100));
}

TEST_F(EventBatchTest, OneBadEventInABatchStandsAloneAfterFewTransactions) {
  consumer_.failures[37] = absl::InvalidArgumentError("never");
  EXPECT_THAT(processor_.Process(Batch(100)), Each(absl::OkStatus()));
  EXPECT_THAT(consumer_.applied, SizeIs(99));
  EXPECT_TRUE(std::is_sorted(consumer_.applied.begin(), consumer_.applied.end()));
  EXPECT_THAT(consumer_.transactions, Le(15));  // 2 log2(100) + 1
  EXPECT_THAT(BuriedTasks(), ElementsAre(37));
}

TEST_F(EventBatchTest, AnEventThatIsBlamedStandsAloneAtOnce) {
  consumer_.blames = true;
  consumer_.failures[37] = absl::InvalidArgumentError("never");
  consumer_.failures[100] = absl::InvalidArgumentError("never");
  EXPECT_THAT(processor_.Process(Batch(100)), Each(absl::OkStatus()));
  EXPECT_THAT(consumer_.applied, SizeIs(98));
  EXPECT_TRUE(std::is_sorted(consumer_.applied.begin(), consumer_.applied.end()));
  // The whole, what comes before the first, it alone, the rest; and the same with the rest.
  EXPECT_EQ(consumer_.transactions, 6);
  EXPECT_THAT(BuriedTasks(), ElementsAre(37, 100));
}

TEST_F(EventBatchTest, BlameOfAnEventOutsideTheBatchIsIgnored) {
  const std::vector<domain::BusRecord> batch = Batch(10);
  consumer_.failures[3] = Blame(absl::InvalidArgumentError("never"),
                                domain::EventId{domain::Uuid::FromBytes(std::string(16, 'x'), 7)});
  EXPECT_THAT(processor_.Process(batch), Each(absl::OkStatus()));
  EXPECT_THAT(BuriedTasks(), ElementsAre(3));
}

TEST_F(EventBatchTest, EachOfSeveralBadEventsIsRetriedOrGivenUpByItself) {
  consumer_.failures = {{3, absl::InvalidArgumentError("never")},
                        {4, absl::InternalError("perhaps later")},
                        {9, absl::InvalidArgumentError("never")}};
  EXPECT_THAT(processor_.Process(Batch(10)), Each(absl::OkStatus()));
  EXPECT_THAT(consumer_.applied, ElementsAre(1, 2, 5, 6, 7, 8, 10));
  EXPECT_THAT(BuriedTasks(), ElementsAre(3, 9));
  ASSERT_THAT(database_.Read()->retries, SizeIs(1));
  EXPECT_EQ(database_.Read()->retries.begin()->second.task_id.value, 4);
}

TEST_F(EventBatchTest, AnUnreadableRecordDelaysNoOther) {
  std::vector<domain::BusRecord> batch = Batch(10);
  batch[4].bytes = "not JSON";
  EXPECT_THAT(processor_.Process(batch), Each(absl::OkStatus()));
  EXPECT_EQ(consumer_.transactions, 1);
  EXPECT_THAT(consumer_.applied, SizeIs(9));
  EXPECT_THAT(database_.Read()->dead_letters, SizeIs(1));
}

TEST_F(EventBatchTest, AnOutageCountsNoAttemptAndEndsTheBatch) {
  const absl::Status outage = absl::UnavailableError("no database");
  consumer_.failures[37] = outage;
  EXPECT_THAT(processor_.Process(Batch(100)), Each(outage));
  EXPECT_EQ(consumer_.transactions, 1) << "nothing more is tried";
  EXPECT_THAT(database_.Read()->inbox, IsEmpty());
  consumer_.failures.clear();
  EXPECT_THAT(processor_.Process(Batch(100)), Each(absl::OkStatus()));
  EXPECT_THAT(consumer_.applied, SizeIs(100));
}

TEST_F(EventBatchTest, AnOutageInTheMiddleOfTheHalvesKeepsWhatWasDone) {
  consumer_.failures[2] = absl::InvalidArgumentError("never");
  consumer_.failures[7] = absl::UnavailableError("no database");
  const std::vector<absl::Status> statuses = processor_.Process(Batch(8));
  for (std::size_t i = 0; i < statuses.size(); ++i) {
    const bool is_done = database_.Read()->inbox.size() > i;
    EXPECT_EQ(statuses[i].ok(), is_done) << i;
  }
  EXPECT_THAT(consumer_.applied, ElementsAre(1, 3, 4));
}

TEST_F(EventBatchTest, RecordsOfManyMebibytesAreSeveralBatches) {
  std::vector<domain::BusRecord> records = Batch(20);
  for (domain::BusRecord& record : records) record.bytes += std::string(900'000, ' ');
  EXPECT_THAT(processor_.Process(records), AllOf(SizeIs(20), Each(absl::OkStatus())));
  EXPECT_EQ(consumer_.transactions, 3);
  EXPECT_THAT(consumer_.applied, SizeIs(20));
}

TEST_F(EventBatchTest, AnOutageEndsAllParts) {
  std::vector<domain::BusRecord> records = Batch(20);
  for (domain::BusRecord& record : records) record.bytes += std::string(900'000, ' ');
  const absl::Status outage = absl::UnavailableError("no database");
  consumer_.failures[10] = outage;
  const std::vector<absl::Status> statuses = processor_.Process(records);
  EXPECT_EQ(std::ranges::count(statuses, absl::OkStatus()), 9) << "the first part";
  EXPECT_EQ(std::ranges::count(statuses, outage), 11);
  EXPECT_EQ(consumer_.transactions, 2) << "nothing more is tried";
}

/// Looks at a batch when another consumer looks at it too.
class MeetingConsumer final : public TaskEventConsumer {
 public:
  MeetingConsumer(std::string_view name, std::barrier<>& meeting)
      : name_(name), meeting_(meeting) {}
  std::string_view name() const override { return name_; }
  absl::StatusOr<std::vector<bool>> Concerns(const std::vector<domain::Event>& events) override {
    meeting_.arrive_and_wait();
    return std::vector<bool>(events.size(), true);
  }
  absl::Status Apply(ports::InboxTransaction&,
                     const std::vector<domain::TaskEvent>& events) override {
    applied += events.size();
    return result;
  }
  absl::Status result;
  std::size_t applied = 0;

 private:
  const std::string_view name_;
  std::barrier<>& meeting_;
};

TEST_F(EventBatchTest, TheConsumersOfABatchRunAtTheSameTime) {
  std::barrier meeting(2);
  MeetingConsumer first("first", meeting);
  MeetingConsumer second("second", meeting);
  util::WorkerPool helpers(2, 2);
  EventProcessor processor(
      {inbox_, retries_, crashes_, clock_},
      {{.topic = "task-events", .parse = &ParseTaskEvent, .consumers = {&first, &second}}}, {},
      &helpers);
  EXPECT_THAT(processor.Process(Batch(100)), Each(absl::OkStatus()));
  EXPECT_EQ(first.applied, 100);
  EXPECT_EQ(second.applied, 100);

  second.result = absl::UnavailableError("no database");
  EXPECT_THAT(processor.Process(TaskEventRecords("task-events", 101, 100)), Each(second.result))
      << "the bus delivers what one of them lacks";
  EXPECT_EQ(first.applied, 200);
}

}  // namespace
}  // namespace todo::service
