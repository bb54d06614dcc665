#include "client/dapr_publisher.h"

#include <gtest/gtest.h>

#include <chrono>
#include <condition_variable>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "support/fake_sidecar.h"
#include "support/kept_spans.h"
#include "support/status_matchers.h"
#include "util/guarded.h"

namespace todo::client {
namespace {

using support::StatusIs;

using dapr::proto::runtime::v1::BulkPublishResponse;
using std::chrono::milliseconds;
using std::chrono::seconds;
using support::FakeSidecar;

/// Collects what `done` was called with.
class Results {
 public:
  std::function<void(absl::Status)> Done() {
    return [this](absl::Status status) {
      auto statuses = statuses_.Lock();
      statuses->push_back(std::move(status));
      changed_.notify_all();  // with the lock held: then this may be gone
    };
  }
  std::vector<absl::Status> Wait(std::size_t count) {
    auto statuses = statuses_.Lock();
    changed_.wait_for(statuses.lock(), seconds(20), [&] { return statuses->size() >= count; });
    return *statuses;
  }

 private:
  util::Guarded<std::vector<absl::Status>> statuses_;
  std::condition_variable changed_;
};

class DaprPublisherTest : public testing::Test {
 protected:
  absl::Status Publish(std::vector<ports::OutgoingEvent> events) {
    Results results;
    publisher_->Publish("task-events", std::move(events), results.Done());
    const std::vector<absl::Status> statuses = results.Wait(1);
    return statuses.size() == 1 ? statuses[0]
                                : absl::InternalError("test: done was not called once");
  }

  std::vector<std::string> Methods() {
    std::vector<std::string> methods;
    for (const FakeSidecar::Call& call : sidecar_.calls()) methods.push_back(call.method);
    return methods;
  }

  void Make(DaprPublisher::Options options) {
    publisher_ = std::make_unique<DaprPublisher>(client_, options);
  }

  static std::vector<ports::OutgoingEvent> TwoEvents() {
    return {{.key = "ann", .entry_id = "e1", .payload = R"({"a":1})"},
            {.key = "bob", .entry_id = "e2", .payload = R"({"b":9007199254740993})"}};
  }

  FakeSidecar sidecar_;
  DaprClient client_{{.endpoint = sidecar_.endpoint(), .api_token = "secret"}};
  std::unique_ptr<DaprPublisher> publisher_ =
      std::make_unique<DaprPublisher>(client_, DaprPublisher::Options{.pubsub_name = "bus"});
};

TEST_F(DaprPublisherTest, PublishesRawInOneCallWithKeysOnTheEntriesOnly) {
  EXPECT_EQ(Publish(TwoEvents()), absl::OkStatus());
  const auto calls = sidecar_.calls();
  ASSERT_EQ(calls.size(), 1u);
  EXPECT_EQ(calls[0].method, "BulkPublishEvent");
  EXPECT_EQ(calls[0].metadata.at("dapr-api-token"), "secret");
  EXPECT_GT(calls[0].time_left, seconds(0));  // on the wire it is rounded up
  EXPECT_LE(calls[0].time_left, seconds(11));
  const auto& request = calls[0].bulk;
  EXPECT_EQ(request.pubsub_name(), "bus");
  EXPECT_EQ(request.topic(), "task-events");
  EXPECT_EQ(request.metadata().size(), 1u);
  EXPECT_EQ(request.metadata().at("rawPayload"), "true");
  ASSERT_EQ(request.entries_size(), 2);
  EXPECT_EQ(request.entries(0).entry_id(), "e1");
  EXPECT_EQ(request.entries(0).event(), R"({"a":1})");
  EXPECT_EQ(request.entries(0).content_type(), "application/cloudevents+json");
  EXPECT_EQ(request.entries(0).metadata().at("partitionKey"), "ann");
  EXPECT_EQ(request.entries(1).entry_id(), "e2");
  EXPECT_EQ(request.entries(1).event(), R"({"b":9007199254740993})");
  EXPECT_EQ(request.entries(1).metadata().at("partitionKey"), "bob");
}

TEST_F(DaprPublisherTest, OneFailedEntryFailsTheWholeBatch) {
  sidecar_.SetBulkAnswer([](BulkPublishResponse& response) {
    auto& failed = *response.add_failedentries();
    failed.set_entry_id("e2");
    failed.set_error("too large");
    return grpc::Status::OK;
  });
  EXPECT_EQ(
      Publish(TwoEvents()),
      absl::InternalError("dapr: publish to task-events: 1 entries failed, first e2: too large"));
}

TEST_F(DaprPublisherTest, EveryPieceIsAPartOfTheTraceOfThePublish) {
  Make({.pubsub_name = "bus", .max_call_bytes = 1});
  {
    const util::WithTrace trace(support::kCause);
    EXPECT_EQ(Publish(TwoEvents()), absl::OkStatus());
  }
  const auto calls = sidecar_.calls();
  ASSERT_EQ(calls.size(), 2u);
  for (const auto& call : calls)
    EXPECT_EQ(call.metadata.at("traceparent"), util::FormatTraceparent(support::kCause));
}

TEST_F(DaprPublisherTest, KeepsTheCodeOfARefusal) {
  sidecar_.SetAnswer({grpc::StatusCode::PERMISSION_DENIED, "no"});
  EXPECT_EQ(Publish(TwoEvents()), absl::PermissionDeniedError("dapr: publish to task-events: no"));
}

TEST_F(DaprPublisherTest, UsesTheNameThatTheSidecarKnowsAndRemembersIt) {
  sidecar_.SetUnimplemented({"BulkPublishEvent"});
  EXPECT_EQ(Publish(TwoEvents()), absl::OkStatus());
  EXPECT_EQ(Publish(TwoEvents()), absl::OkStatus());
  EXPECT_EQ(Methods(), (std::vector<std::string>{"BulkPublishEvent", "BulkPublishEventAlpha1",
                                                 "BulkPublishEventAlpha1"}));
  EXPECT_EQ(sidecar_.calls()[2].bulk.SerializeAsString(),
            sidecar_.calls()[0].bulk.SerializeAsString());
}

TEST_F(DaprPublisherTest, FollowsASidecarThatLostTheEarlierName) {
  sidecar_.SetUnimplemented({"BulkPublishEvent"});
  EXPECT_EQ(Publish(TwoEvents()), absl::OkStatus());
  sidecar_.SetUnimplemented({"BulkPublishEventAlpha1"});
  EXPECT_EQ(Publish(TwoEvents()), absl::OkStatus());
  EXPECT_EQ(Publish(TwoEvents()), absl::OkStatus());
  EXPECT_EQ(Methods(), (std::vector<std::string>{"BulkPublishEvent", "BulkPublishEventAlpha1",
                                                 "BulkPublishEventAlpha1", "BulkPublishEvent",
                                                 "BulkPublishEvent"}));
}

TEST_F(DaprPublisherTest, IsUnimplementedWhenTheSidecarKnowsNeitherName) {
  sidecar_.SetUnimplemented({"BulkPublishEvent", "BulkPublishEventAlpha1"});
  EXPECT_THAT(Publish(TwoEvents()), StatusIs(absl::StatusCode::kUnimplemented));
  EXPECT_EQ(Methods().size(), 2u);
}

TEST_F(DaprPublisherTest, IsUnavailableWithoutSidecar) {
  sidecar_.Stop();
  EXPECT_THAT(Publish(TwoEvents()), StatusIs(absl::StatusCode::kUnavailable));
}

TEST_F(DaprPublisherTest, GivesUpAtTheDeadline) {
  sidecar_.Hold();
  Make({.timeout = milliseconds(50)});
  EXPECT_THAT(Publish(TwoEvents()), StatusIs(absl::StatusCode::kDeadlineExceeded));
}

TEST_F(DaprPublisherTest, NothingToPublishIsDoneAtOnce) {
  EXPECT_EQ(Publish({}), absl::OkStatus());
  EXPECT_EQ(Methods().size(), 0u);
}

// trap_21: the pieces of one publish follow each other, they are never under way together.
TEST_F(DaprPublisherTest, DividesEventsTooLargeForOneCallAndKeepsTheOrder) {
  Make({.max_call_bytes = 100});
  sidecar_.Hold();
  std::vector<ports::OutgoingEvent> events;
  for (std::size_t size : {40u, 40u, 40u, 400u, 10u}) {
    events.push_back({.key = "ann",
                      .entry_id = std::to_string(events.size()),
                      .payload = std::string(size, 'x')});
  }
  Results results;
  publisher_->Publish("task-events", std::move(events), results.Done());
  std::vector<std::string> pieces;
  for (std::size_t i = 0; i < 4; ++i) {
    ASSERT_TRUE(sidecar_.WaitForCalls(i + 1));
    ASSERT_EQ(sidecar_.calls().size(), i + 1) << "sent before the piece before it was answered";
    std::string piece;
    const auto request = sidecar_.calls()[i].bulk;
    for (const auto& entry : request.entries()) piece += entry.entry_id();
    pieces.push_back(piece);
    sidecar_.AnswerNext();
  }
  EXPECT_EQ(results.Wait(1), std::vector<absl::Status>{absl::OkStatus()});
  EXPECT_EQ(pieces, (std::vector<std::string>{"01", "2", "3", "4"}));
}

TEST_F(DaprPublisherTest, NeverNamesAnEntryTwiceInOneCall) {
  auto events = TwoEvents();
  events.push_back(events[0]);
  EXPECT_EQ(Publish(std::move(events)), absl::OkStatus());
  ASSERT_EQ(sidecar_.calls().size(), 2u);
  EXPECT_EQ(sidecar_.calls()[0].bulk.entries_size(), 2);
  EXPECT_EQ(sidecar_.calls()[1].bulk.entries(0).entry_id(), "e1");
}

TEST_F(DaprPublisherTest, AFailedPieceIsTheLast) {
  Make({.max_call_bytes = 1});
  sidecar_.SetAnswer({grpc::StatusCode::INTERNAL, "broker away"});
  EXPECT_THAT(Publish(TwoEvents()), StatusIs(absl::StatusCode::kInternal));
  EXPECT_EQ(Methods().size(), 1u);
}

TEST_F(DaprPublisherTest, WithoutBulkEachEventGoesAloneAfterTheOneBefore) {
  Make({.pubsub_name = "bus", .bulk = false});
  sidecar_.Hold();
  Results results;
  publisher_->Publish("task-events", TwoEvents(), results.Done());
  ASSERT_TRUE(sidecar_.WaitForCalls(1));
  ASSERT_EQ(sidecar_.calls().size(), 1u);
  sidecar_.AnswerNext();
  ASSERT_TRUE(sidecar_.WaitForCalls(2));
  sidecar_.AnswerNext();
  EXPECT_EQ(results.Wait(1), std::vector<absl::Status>{absl::OkStatus()});

  const auto calls = sidecar_.calls();
  EXPECT_EQ(calls[0].method, "PublishEvent");
  EXPECT_EQ(calls[0].metadata.at("dapr-api-token"), "secret");
  EXPECT_LE(calls[0].time_left, seconds(11));
  EXPECT_EQ(calls[0].single.pubsub_name(), "bus");
  EXPECT_EQ(calls[0].single.topic(), "task-events");
  EXPECT_EQ(calls[0].single.data(), R"({"a":1})");
  EXPECT_EQ(calls[0].single.data_content_type(), "application/cloudevents+json");
  EXPECT_EQ(calls[0].single.metadata().at("rawPayload"), "true");
  EXPECT_EQ(calls[0].single.metadata().at("partitionKey"), "ann");
  EXPECT_EQ(calls[1].single.metadata().at("partitionKey"), "bob");
}

TEST_F(DaprPublisherTest, WithoutBulkTheFirstFailureIsTheEnd) {
  Make({.bulk = false});
  sidecar_.SetAnswer({grpc::StatusCode::INTERNAL, "broker away"});
  EXPECT_EQ(Publish(TwoEvents()), absl::InternalError("dapr: publish to task-events: broker away"));
  EXPECT_EQ(Methods().size(), 1u);
}

TEST_F(DaprPublisherTest, DestructionCancelsCallsInFlightAndCallsEachDoneOnce) {
  sidecar_.Hold();
  Results results;
  for (int i = 0; i < 3; ++i) publisher_->Publish("task-events", TwoEvents(), results.Done());
  ASSERT_TRUE(sidecar_.WaitForCalls(3));
  publisher_.reset();
  const auto statuses = results.Wait(3);
  ASSERT_EQ(statuses.size(), 3u);
  for (const absl::Status& status : statuses)
    EXPECT_THAT(status, StatusIs(absl::StatusCode::kCancelled));
}

TEST_F(DaprPublisherTest, DestructionSendsNoFurtherPiece) {
  Make({.bulk = false});
  sidecar_.Hold();
  Results results;
  publisher_->Publish("task-events", TwoEvents(), results.Done());
  ASSERT_TRUE(sidecar_.WaitForCalls(1));
  publisher_.reset();
  ASSERT_EQ(results.Wait(1).size(), 1u);
  EXPECT_THAT(results.Wait(1)[0], StatusIs(absl::StatusCode::kCancelled));
  EXPECT_EQ(Methods().size(), 1u);
}

TEST_F(DaprPublisherTest, APublishFromDoneIsCancelledAtDestruction) {
  sidecar_.Hold();
  Results results;
  publisher_->Publish("task-events", TwoEvents(),
                      [&, publisher = publisher_.get()](const absl::Status&) {
                        publisher->Publish("task-events", TwoEvents(), results.Done());
                      });
  ASSERT_TRUE(sidecar_.WaitForCalls(1));
  publisher_.reset();
  ASSERT_EQ(results.Wait(1).size(), 1u);
  EXPECT_THAT(results.Wait(1)[0], StatusIs(absl::StatusCode::kCancelled));
}

}  // namespace
}  // namespace todo::client
