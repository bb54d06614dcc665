#include "service/consumers/event_processor.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdint>
#include <map>
#include <nlohmann/json.hpp>
#include <string>

#include "domain/event/dead_letter.h"
#include "domain/event/event_reader.h"
#include "fixtures.h"
#include "support/fake_crash_log.h"
#include "support/fake_database.h"
#include "support/fake_event_inbox.h"

// What the contract suites do not cover: which consumer gets which events, and in which order.

namespace todo::service {
namespace {

using testing::Each;
using testing::ElementsAre;
using testing::IsEmpty;
using testing::UnorderedElementsAre;

/// Records the events it is given, and answers as the test says.
class Listener final : public EventConsumer {
 public:
  explicit Listener(std::string_view name) : name_(name) {}
  std::string_view name() const override { return name_; }
  absl::StatusOr<Effect> Prepare(const std::vector<domain::Event>& events) override {
    if (!prepare_.ok()) return prepare_;
    prepared_ += events.size();
    return Effect([this](ports::InboxTransaction&, const std::vector<domain::Event>& taken) {
      for (const domain::Event& event : taken) heard_.push_back(HeaderOf(event).task_id.value);
      return apply_;
    });
  }

  absl::Status prepare_;
  absl::Status apply_;
  std::size_t prepared_ = 0;
  std::vector<std::int64_t> heard_;  // task ids

 private:
  const std::string name_;
};

/// Records the consumers whose events were enqueued, and the dead letters.
class RetryNotes final : public ports::RetryQueue {
 public:
  absl::StatusOr<bool> Enqueue(std::string_view consumer, const domain::ReceivedEvent& received,
                               const ports::RetrySchedule& schedule) override {
    queued_.emplace_back(consumer);
    entry_ = {.consumer = std::string(consumer),
              .event_id = received.event.id,
              .attempts = 1,
              .first_failed_at = {},
              .due_at = schedule.due_at,
              .record = received.record};
    return true;
  }
  absl::StatusOr<std::vector<ports::RetryEntry>> Due(const std::vector<std::string>&,
                                                     domain::Instant, int) override {
    return std::vector{entry_};
  }
  absl::StatusOr<std::optional<domain::Instant>> NextDue(const std::vector<std::string>&) override {
    return std::nullopt;
  }
  absl::Status Reschedule(const ports::RetryEntry&, const ports::RetrySchedule&) override {
    return absl::OkStatus();
  }
  absl::StatusOr<bool> AddDeadLetter(const domain::DeadLetter& letter, ports::TakenFrom,
                                     domain::Instant) override {
    dead_.push_back(letter.consumer + " " + domain::DeadLetterTopic(letter.record.topic));
    return true;
  }

  ports::RetryEntry entry_;
  std::vector<std::string> queued_;
  std::vector<std::string> dead_;
};

class EventProcessorTest : public testing::Test {
 protected:
  domain::BusRecord Record(std::string topic, std::int64_t task_id) {
    const std::string id = ids_.NewId().value();
    nlohmann::json event = {{"specversion", "1.0"},
                            {"id", id},
                            {"source", "here"},
                            {"data",
                             {{"id", id},
                              {"task_id", task_id},
                              {"user_id", "ada"},
                              {"event_type", "created"},
                              {"timestamp", "2026-10-24T09:00:00Z"},
                              {"title", "t"},
                              {"remind_at", "2026-10-24T09:00:00Z"}}}};
    domain::BusRecord record;
    record.topic = std::move(topic);
    record.bytes = event.dump();
    return record;
  }

  SetClock clock_{"2026-10-24T09:00:00Z"};
  CountedIds ids_;
  support::FakeDatabase database_;
  support::FakeEventInbox inbox_{database_};
  RetryNotes retries_;
  support::FakeCrashLog crashes_{database_};
  Listener first_{"first"};
  Listener second_{"second"};
  Listener bell_{"bell"};
  EventProcessor processor_{{inbox_, retries_, crashes_, clock_},
                            {{.topic = "task-events",
                              .parse = &EventStream::Parse<domain::ParseTaskEventRecord>,
                              .consumers = {&first_, &second_}},
                             {.topic = "reminders",
                              .parse = &EventStream::Parse<domain::ParseReminderEventRecord>,
                              .consumers = {&bell_}}}};
};

TEST_F(EventProcessorTest, EachConsumerGetsTheEventsOfItsTopic) {
  EXPECT_THAT(processor_.Process({Record("task-events", 1), Record("task-events", 2)}),
              ElementsAre(absl::OkStatus(), absl::OkStatus()));
  EXPECT_THAT(processor_.Process({Record("reminders", 3)}), ElementsAre(absl::OkStatus()));
  EXPECT_THAT(first_.heard_, ElementsAre(1, 2));
  EXPECT_THAT(second_.heard_, ElementsAre(1, 2));
  EXPECT_THAT(bell_.heard_, ElementsAre(3));
}

TEST_F(EventProcessorTest, AnIdThatIsUsedForAnotherEventIsNoticed) {
  const domain::BusRecord first = Record("task-events", 1);
  domain::BusRecord other = first;
  nlohmann::json event = nlohmann::json::parse(first.bytes);
  event["data"]["task_id"] = 2;
  other.bytes = event.dump();
  EXPECT_TRUE(processor_.Process({first})[0].ok());
  EXPECT_TRUE(processor_.Process({first, first})[0].ok());
  EXPECT_EQ(processor_.reused_id_count(), 0u) << "copies are no news";

  EXPECT_THAT(processor_.Process({other, Record("task-events", 3)}),
              ElementsAre(absl::OkStatus(), absl::OkStatus()));
  EXPECT_EQ(processor_.reused_id_count(), 2u) << "by each consumer";
  EXPECT_THAT(first_.heard_, ElementsAre(1, 3));

  event["data"]["task_id"] = 4;
  event["data"]["timestamp"] = "2026-10-25T09:00:00Z";
  other.bytes = event.dump();
  EXPECT_TRUE(processor_.Process({other})[0].ok());
  EXPECT_EQ(processor_.reused_id_count(), 2u) << "on another day it is another event";
  EXPECT_THAT(first_.heard_, ElementsAre(1, 3, 4));
}

TEST_F(EventProcessorTest, EventsOfOneIdAndTwoDaysInOneBatchHaveAnEffectEach) {
  const domain::BusRecord first = Record("task-events", 1);
  domain::BusRecord other = first;
  nlohmann::json event = nlohmann::json::parse(first.bytes);
  event["data"]["task_id"] = 2;
  event["data"]["timestamp"] = "2026-10-25T09:00:00Z";
  other.bytes = event.dump();
  EXPECT_THAT(processor_.Process({first, Record("task-events", 3), other, first}),
              ElementsAre(absl::OkStatus(), absl::OkStatus(), absl::OkStatus(), absl::OkStatus()));
  EXPECT_THAT(first_.heard_, UnorderedElementsAre(1, 2, 3));
  EXPECT_THAT(second_.heard_, UnorderedElementsAre(1, 2, 3));
}

TEST_F(EventProcessorTest, RecordsOfAnUnknownTopicAreRefused) {
  EXPECT_EQ(processor_.Process({Record("weather", 1)}).front().code(),
            absl::StatusCode::kFailedPrecondition);
  EXPECT_THAT(first_.heard_, IsEmpty());
}

TEST_F(EventProcessorTest, AnUnreadableRecordIsADeadLetterOfItsTopicsConsumers) {
  domain::BusRecord record;
  record.bytes = "no event";
  for (const char* topic : {"reminders", "task-events"}) {
    record.topic = topic;
    EXPECT_TRUE(processor_.Process({record}).front().ok());
  }
  EXPECT_THAT(retries_.dead_,
              ElementsAre("bell reminders-dlq", "first task-events-dlq", "second task-events-dlq"));
}

TEST_F(EventProcessorTest, ARetryGoesToItsConsumerAlone) {
  bell_.apply_ = absl::InternalError("broken");
  EXPECT_TRUE(processor_.Process({Record("reminders", 3)}).front().ok());
  EXPECT_THAT(retries_.queued_, ElementsAre("bell"));
  bell_.heard_.clear();
  bell_.apply_ = absl::OkStatus();
  // The inbox knows no such entry, so it is not its turn. The call of Prepare shows that the right
  // parser read it.
  const std::size_t before = bell_.prepared_;
  EXPECT_TRUE(processor_.RunDueRetries(10).ok());
  EXPECT_EQ(bell_.prepared_, before + 1);
  EXPECT_EQ(first_.prepared_, 0u);
  EXPECT_THAT(retries_.dead_, IsEmpty());
}

TEST_F(EventProcessorTest, CountsEventsByConsumerAndResultWithTheirLag) {
  clock_.Set("2026-10-24T09:00:02Z");
  const domain::BusRecord record = Record("task-events", 1);
  EXPECT_THAT(processor_.Process({record, Record("task-events", 2)}), Each(absl::OkStatus()));
  EXPECT_THAT(processor_.Process({record}), Each(absl::OkStatus()));
  second_.apply_ = absl::InternalError("broken");
  EXPECT_THAT(processor_.Process({Record("task-events", 3)}), Each(absl::OkStatus()));
  bell_.prepare_ = absl::UnavailableError("the state store is away");
  EXPECT_THAT(processor_.Process({Record("reminders", 4)}), Each(absl::OkStatus()));
  domain::BusRecord unreadable;
  unreadable.topic = "reminders";
  unreadable.bytes = "no event";
  EXPECT_THAT(processor_.Process({unreadable}), Each(absl::OkStatus()));

  const auto figures = processor_.figures();
  using Results = std::map<std::string, std::uint64_t>;
  EXPECT_EQ(figures.at("first").results,
            (Results{{"applied", 3}, {"repeated", 1}, {"failed", 0}, {"waiting", 0}, {"dead", 0}}));
  EXPECT_EQ(figures.at("second").results,
            (Results{{"applied", 2}, {"repeated", 1}, {"failed", 1}, {"waiting", 0}, {"dead", 0}}));
  EXPECT_EQ(figures.at("bell").results,
            (Results{{"applied", 0}, {"repeated", 0}, {"failed", 0}, {"waiting", 1}, {"dead", 1}}));
  EXPECT_EQ(figures.at("first").lag.count(), 3u);
  EXPECT_NEAR(figures.at("first").lag.sum_seconds, 3 * 2, 1e-9);
}

TEST_F(EventProcessorTest, TwoCopiesInABatchAreAppliedOnce) {
  const domain::BusRecord record = Record("task-events", 1);
  EXPECT_THAT(processor_.Process({record, record, Record("task-events", 2)}),
              Each(absl::OkStatus()));
  EXPECT_THAT(processor_.Process({record}), Each(absl::OkStatus()));
  EXPECT_THAT(first_.heard_, ElementsAre(1, 2));
}

}  // namespace
}  // namespace todo::service
