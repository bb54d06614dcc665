#include "appcallback/app_callback.h"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <google/protobuf/descriptor.h>
#include <grpcpp/generic/generic_stub.h>
#include <grpcpp/grpcpp.h>
#include <gtest/gtest.h>

#include <atomic>
#include <future>
#include <latch>
#include <memory>
#include <set>
#include <stdexcept>
#include <string>
#include <vector>

#include "dapr/proto/runtime/v1/appcallback.grpc.pb.h"
#include "domain/event/event_reader.h"
#include "ports/failure.h"
#include "service/consumers/event_processor.h"
#include "service/consumers/task_event_consumer.h"
#include "service/reminders/reminder_service.h"
#include "support/fake_crash_log.h"
#include "support/fake_event_inbox.h"
#include "support/fake_reminder_store.h"
#include "support/fake_retry_queue.h"
#include "util/guarded.h"
#include "util/worker_pool.h"

// tests/integration/test_traps.py describes the traps of Dapr that the tests number.

namespace todo::appcallback {
namespace {

namespace runtime = ::dapr::proto::runtime::v1;
using runtime::TopicEventResponse;
using testing::ElementsAre;
using testing::IsEmpty;
using testing::SizeIs;

constexpr char kPubsub[] = "kafka-pubsub";
constexpr char kBroadcast[] = "kafka-broadcast";
constexpr char kTopic[] = "task-events";

/// These tests make no ids.
class NoIds final : public ports::IdSource {
 public:
  domain::Uuid NewId() override { return domain::Uuid(); }
};

class FixedClock final : public ports::Clock {
 public:
  domain::Instant Now() const override { return *domain::ParseInstant("2026-01-01T00:00:00Z"); }
};

/// Does what the test says with an event.
class Consumer final : public service::TaskEventConsumer {
 public:
  std::string_view name() const override { return "consumer"; }
  absl::Status Apply(ports::InboxTransaction&, const std::vector<domain::TaskEvent>&) override {
    if (throws) throw std::runtime_error("a bug");
    return *status.Lock();
  }
  // Set by the test, read by a worker.
  util::Guarded<absl::Status> status;
  std::atomic<bool> throws = false;
};

/// A handler without an inbox: it only notes the records. Answers `status` for each.
class Screens final : public ports::RecordHandler {
 public:
  std::vector<absl::Status> Process(const std::vector<domain::BusRecord>& records) override {
    if (throws) throw std::runtime_error("a bug");
    auto seen = seen_.Lock();
    for (const domain::BusRecord& record : records) seen->push_back(record.bytes);
    return std::vector(records.size(), *status.Lock());
  }
  std::vector<std::string> seen() { return *seen_.Lock(); }
  util::Guarded<absl::Status> status;
  std::atomic<bool> throws = false;

 private:
  util::Guarded<std::vector<std::string>> seen_;
};

/// An event for the topic, as a producer writes it.
std::string Event(int number) {
  return fmt::format(
      R"({{"specversion":"1.0","id":"x","source":"other","type":"t","data":{{)"
      R"("id":"00000000-0000-7000-8000-{:012}","event_type":"completed","task_id":{},)"
      R"("user_id":"ada","timestamp":"2026-01-01T00:00:00Z"}}}})",
      number, number);
}

class AppCallbackTest : public testing::Test {
 protected:
  AppCallbackTest() {
    grpc::ServerBuilder builder;
    for (grpc::Service* service : callback_.services()) builder.RegisterService(service);
    server_ = builder.BuildAndStart();
    channel_ = server_->InProcessChannel({});
  }
  ~AppCallbackTest() override { server_->Shutdown(); }

  static std::unique_ptr<grpc::ClientContext> Context(const std::string& token = "secret") {
    auto context = std::make_unique<grpc::ClientContext>();
    context->set_deadline(std::chrono::system_clock::now() + std::chrono::seconds(60));
    if (!token.empty()) context->AddMetadata("dapr-api-token", token);
    return context;
  }

  /// What the sidecar hears when it delivers one record.
  std::pair<grpc::Status, TopicEventResponse> DeliverOne(
      const std::string& bytes, const std::string& topic = kTopic,
      std::unique_ptr<grpc::ClientContext> context = Context(),
      const std::string& pubsub = kPubsub) {
    runtime::TopicEventRequest request;
    request.set_pubsub_name(pubsub);
    request.set_topic(topic);
    request.set_data(bytes);
    TopicEventResponse response;
    // What the handler does not set must not be seen as its answer.
    response.set_status(TopicEventResponse::DROP);
    const grpc::Status status =
        runtime::AppCallback::NewStub(channel_)->OnTopicEvent(context.get(), request, &response);
    return {status, response};
  }

  std::pair<grpc::Status, runtime::TopicEventBulkResponse> DeliverMany(
      const std::vector<std::string>& records, bool alpha = false,
      const std::string& pubsub = kPubsub) {
    runtime::TopicEventBulkRequest request;
    request.set_pubsub_name(pubsub);
    request.set_topic(kTopic);
    for (const std::string& bytes : records) {
      runtime::TopicEventBulkRequestEntry& entry = *request.add_entries();
      entry.set_entry_id(fmt::format("entry-{}", request.entries_size()));
      entry.set_bytes(bytes);
    }
    runtime::TopicEventBulkResponse response;
    const auto context = Context();
    const grpc::Status status =
        alpha ? runtime::AppCallbackAlpha::NewStub(channel_)->OnBulkTopicEventAlpha1(
                    context.get(), request, &response)
              : runtime::AppCallback::NewStub(channel_)->OnBulkTopicEvent(context.get(), request,
                                                                          &response);
    return {status, response};
  }

  static std::vector<std::string> Statuses(const runtime::TopicEventBulkResponse& response) {
    std::vector<std::string> statuses;
    for (const auto& entry : response.statuses()) {
      statuses.push_back(entry.entry_id() + " " +
                         TopicEventResponse::TopicEventResponseStatus_Name(entry.status()));
    }
    return statuses;
  }

  /// Calls a method by its name, with an empty message.
  grpc::StatusCode CodeOf(const google::protobuf::MethodDescriptor& method) {
    grpc::GenericStub stub(channel_);
    const auto context = Context();
    const grpc::Slice nothing;
    const grpc::ByteBuffer empty(&nothing, 1);
    grpc::ByteBuffer answer;
    std::promise<grpc::Status> done;
    stub.UnaryCall(context.get(),
                   fmt::format("/{}/{}", method.service()->full_name(), method.name()), {}, &empty,
                   &answer, [&](grpc::Status status) { done.set_value(status); });
    return done.get_future().get().error_code();
  }

  support::FakeDatabase database_;
  support::FakeEventInbox inbox_{database_};
  support::FakeRetryQueue retries_{database_};
  support::FakeCrashLog crashes_{database_};
  FixedClock clock_;
  Consumer consumer_;
  service::EventProcessor processor_{
      {inbox_, retries_, crashes_, clock_},
      {{.topic = kTopic,
        .parse = &service::EventStream::Parse<domain::ParseTaskEventRecord>,
        .consumers = {&consumer_}}}};
  Screens screens_;
  support::FakeReminderStore reminder_store_{database_};
  NoIds ids_;
  service::ReminderService reminders_{reminder_store_, clock_, ids_, {}};
  static constexpr int kWorkers = 2;
  util::WorkerPool workers_{kWorkers, 16};
  std::function<bool()> healthy_ = [] { return true; };
  AppCallback callback_{
      {.subscriptions =
           {{.pubsub = kPubsub, .topic = kTopic, .route = "/events/tasks", .handler = &processor_},
            {.pubsub = kBroadcast,
             .topic = kTopic,
             .route = "/screens",
             .handler = &screens_,
             .does_not_block = true,
             .bulk_max_await = std::chrono::milliseconds(3)}},
       .app_api_token = "secret"},
      reminders_,
      workers_,
      clock_,
      [this] { return healthy_(); }};
  std::unique_ptr<grpc::Server> server_;
  std::shared_ptr<grpc::Channel> channel_;
};

// trap_01: UNIMPLEMENTED is an acknowledgement, and what the generated base class answers.
TEST_F(AppCallbackTest, Trap01EveryMethodThatTakesWhatWeAskForIsImplemented) {
  // The sidecar never calls these: the service is not invoked by name, has no bindings and
  // schedules no jobs.
  const std::set<std::string> not_asked_for = {"OnInvoke", "OnBindingEvent"};
  int checked = 0;
  for (const char* name : {"AppCallback", "AppCallbackAlpha", "AppCallbackHealthCheck"}) {
    const auto* service = google::protobuf::DescriptorPool::generated_pool()->FindServiceByName(
        fmt::format("dapr.proto.runtime.v1.{}", name));
    ASSERT_NE(service, nullptr) << name;
    for (int i = 0; i < service->method_count(); ++i) {
      if (not_asked_for.count(service->method(i)->name()) > 0) continue;
      EXPECT_NE(CodeOf(*service->method(i)), grpc::UNIMPLEMENTED)
          << service->method(i)->full_name();
      ++checked;
    }
  }
  EXPECT_EQ(checked, 8);
}

TEST_F(AppCallbackTest, Trap01AnExceptionOfTheWorkBringsTheEventAgain) {
  consumer_.throws = true;
  EXPECT_EQ(DeliverOne(Event(1)).first.error_code(), grpc::UNAVAILABLE);
  EXPECT_EQ(DeliverMany({Event(1), Event(2)}).first.error_code(), grpc::UNAVAILABLE);
  EXPECT_EQ(DeliverMany({Event(1), Event(2)}, true).first.error_code(), grpc::UNAVAILABLE);
}

TEST_F(AppCallbackTest, Trap01AnExceptionBeforeTheWorkBringsTheEventAgain) {
  healthy_ = []() -> bool { throw std::runtime_error("a bug"); };
  EXPECT_EQ(DeliverOne(Event(1)).first.error_code(), grpc::UNAVAILABLE);
  EXPECT_EQ(DeliverMany({Event(1), Event(2)}).first.error_code(), grpc::UNAVAILABLE);
}

TEST_F(AppCallbackTest, Trap01WithoutDatabaseOrFreeWorkersTheCallIsUnavailable) {
  healthy_ = [] { return false; };
  EXPECT_EQ(DeliverOne(Event(1)).first.error_code(), grpc::UNAVAILABLE);
  healthy_ = [] { return true; };
  workers_.Shutdown(std::chrono::steady_clock::now());
  EXPECT_EQ(DeliverOne(Event(1)).first.error_code(), grpc::UNAVAILABLE);
  EXPECT_EQ(DeliverMany({Event(1)}).first.error_code(), grpc::UNAVAILABLE);
}

TEST_F(AppCallbackTest, EventsAreTakenFromTheSidecarOnly) {
  for (const char* token : {"", "wrong", "secre", "secret2"}) {
    EXPECT_EQ(DeliverOne(Event(1), kTopic, Context(token)).first.error_code(),
              grpc::UNAUTHENTICATED)
        << token;
  }
  EXPECT_THAT(database_.Read()->inbox, IsEmpty());
}

// trap_25: the sidecar adds the app token to the calls of other apps.
TEST_F(AppCallbackTest, Trap25CallsOfOtherAppsAreRefused) {
  for (const char* name : {"dapr-app-id", "dapr-callee-app-id", "dapr-caller-app-id"}) {
    auto context = Context();
    context->AddMetadata(name, "todo-service");
    EXPECT_EQ(DeliverOne(Event(1), kTopic, std::move(context)).first.error_code(),
              grpc::PERMISSION_DENIED)
        << name;
    context = Context();
    context->AddMetadata(name, "todo-service");
    runtime::ListTopicSubscriptionsResponse response;
    EXPECT_EQ(runtime::AppCallback::NewStub(channel_)
                  ->ListTopicSubscriptions(context.get(), {}, &response)
                  .error_code(),
              grpc::PERMISSION_DENIED)
        << name;
    EXPECT_EQ(response.subscriptions_size(), 0);
  }
  EXPECT_THAT(database_.Read()->inbox, IsEmpty());
}

// trap_02: an empty answer is SUCCESS for one event, and RETRY for all of a batch.
TEST_F(AppCallbackTest, Trap02EachEntryHasItsOwnStatus) {
  const auto [status, response] = DeliverMany({Event(1), "not JSON", Event(2)});
  ASSERT_TRUE(status.ok()) << status.error_message();
  EXPECT_THAT(Statuses(response),
              ElementsAre("entry-1 SUCCESS", "entry-2 SUCCESS", "entry-3 SUCCESS"));
  EXPECT_THAT(database_.Read()->inbox, SizeIs(3));
}

TEST_F(AppCallbackTest, Trap02WhatTheStoreCannotTakeNowIsRetry) {
  database_.FailWith(absl::UnavailableError("no database"));
  const auto [one_status, one] = DeliverOne(Event(1));
  ASSERT_TRUE(one_status.ok());
  EXPECT_EQ(one.status(), TopicEventResponse::RETRY);
  const auto [status, response] = DeliverMany({Event(1), "not JSON"});
  ASSERT_TRUE(status.ok());
  EXPECT_THAT(Statuses(response), ElementsAre("entry-1 RETRY", "entry-2 RETRY"));

  database_.FailWith(absl::OkStatus());
  EXPECT_EQ(DeliverOne(Event(1)).second.status(), TopicEventResponse::SUCCESS);
}

TEST_F(AppCallbackTest, Trap02ARecordWithoutSubscriptionIsRetry) {
  const auto [status, response] = DeliverOne(Event(1), "elsewhere");
  ASSERT_TRUE(status.ok());
  EXPECT_EQ(response.status(), TopicEventResponse::RETRY);
  const auto [other_status, other] = DeliverOne(Event(1), kTopic, Context(), "another-component");
  ASSERT_TRUE(other_status.ok());
  EXPECT_EQ(other.status(), TopicEventResponse::RETRY);
  EXPECT_THAT(database_.Read()->inbox, IsEmpty());
}

TEST_F(AppCallbackTest, EachComponentsRecordsGoToTheHandlerOfItsSubscription) {
  ASSERT_TRUE(DeliverMany({"one", "two"}, false, kBroadcast).first.ok());
  EXPECT_EQ(DeliverOne("three", kTopic, Context(), kBroadcast).second.status(),
            TopicEventResponse::SUCCESS);
  EXPECT_THAT(screens_.seen(), ElementsAre("one", "two", "three"));
  EXPECT_THAT(database_.Read()->inbox, IsEmpty()) << "this handler has no inbox";

  EXPECT_EQ(DeliverOne(Event(1)).second.status(), TopicEventResponse::SUCCESS);
  EXPECT_THAT(screens_.seen(), SizeIs(3));
  EXPECT_THAT(database_.Read()->inbox, SizeIs(1));
}

TEST_F(AppCallbackTest, ARecordThatItsHandlerDoesNotTakeComesAgain) {
  *screens_.status.Lock() = absl::UnavailableError("told so by the test");
  EXPECT_EQ(DeliverOne("one", kTopic, Context(), kBroadcast).second.status(),
            TopicEventResponse::RETRY);
  EXPECT_EQ(DeliverOne(Event(1)).second.status(), TopicEventResponse::SUCCESS)
      << "the other handler is not affected";
}

TEST_F(AppCallbackTest, AHandlerThatDoesNotBlockWaitsForNoWorker) {
  std::promise<void> go_on;
  const std::shared_future<void> gone_on = go_on.get_future().share();
  std::latch busy(kWorkers);
  for (int i = 0; i < kWorkers; ++i) {
    ASSERT_TRUE(workers_.TrySubmit([&busy, gone_on] {
      busy.count_down();
      gone_on.wait();
    }));
  }
  busy.wait();
  while (workers_.TrySubmit([] {})) continue;
  EXPECT_EQ(DeliverOne(Event(1)).first.error_code(), grpc::UNAVAILABLE) << "all are busy";
  EXPECT_EQ(DeliverOne("one", kTopic, Context(), kBroadcast).second.status(),
            TopicEventResponse::SUCCESS);
  EXPECT_THAT(Statuses(DeliverMany({"two"}, false, kBroadcast).second),
              ElementsAre("entry-1 SUCCESS"));
  EXPECT_THAT(screens_.seen(), ElementsAre("one", "two"));
  go_on.set_value();
}

TEST_F(AppCallbackTest, AHandlerThatDoesNotBlockTakesRecordsWithoutADatabase) {
  healthy_ = [] { return false; };
  EXPECT_EQ(DeliverOne("one", kTopic, Context(), kBroadcast).second.status(),
            TopicEventResponse::SUCCESS);
  EXPECT_EQ(DeliverOne("two", kTopic, Context("wrong"), kBroadcast).first.error_code(),
            grpc::UNAUTHENTICATED);
  EXPECT_THAT(screens_.seen(), ElementsAre("one"));
}

TEST_F(AppCallbackTest, AnExceptionOfAHandlerThatDoesNotBlockBringsTheRecordAgain) {
  screens_.throws = true;
  EXPECT_EQ(DeliverOne("one", kTopic, Context(), kBroadcast).first.error_code(), grpc::UNAVAILABLE);
  EXPECT_EQ(DeliverMany({"one"}, false, kBroadcast).first.error_code(), grpc::UNAVAILABLE);
}

// Its records come although all others are held up, so they must not hide that.
TEST_F(AppCallbackTest, RecordsForHandlersThatDoNotBlockDoNotCountAsDeliveries) {
  DeliverOne("one", kTopic, Context(), kBroadcast);
  DeliverMany({"two"}, false, kBroadcast);
  EXPECT_EQ(callback_.delivery_count(), 0U);
  DeliverOne(Event(1));
  EXPECT_EQ(callback_.delivery_count(), 1U);
}

TEST_F(AppCallbackTest, TheSidecarCollectsRecordsAsLongAsTheSubscriptionSays) {
  runtime::ListTopicSubscriptionsResponse response;
  ASSERT_TRUE(runtime::AppCallback::NewStub(channel_)
                  ->ListTopicSubscriptions(Context("").get(), {}, &response)
                  .ok());
  std::vector<int> awaits;
  for (const auto& one : response.subscriptions())
    awaits.push_back(one.bulk_subscribe().max_await_duration_ms());
  EXPECT_THAT(awaits, ElementsAre(10, 3));
}

TEST_F(AppCallbackTest, EachSubscriptionNamesItsComponentAndRoute) {
  runtime::ListTopicSubscriptionsResponse response;
  ASSERT_TRUE(runtime::AppCallback::NewStub(channel_)
                  ->ListTopicSubscriptions(Context("").get(), {}, &response)
                  .ok());
  std::vector<std::string> found;
  for (const auto& one : response.subscriptions())
    found.push_back(one.pubsub_name() + " " + one.topic() + " " + one.routes().default_());
  EXPECT_THAT(found, ElementsAre("kafka-pubsub task-events /events/tasks",
                                 "kafka-broadcast task-events /screens"));
}

// trap_04 and trap_06: a dead-letter topic of the sidecar's takes good events along with bad ones.
// trap_12 and trap_19: only raw payloads bring every record, as it is.
TEST_F(AppCallbackTest, Trap04And19SubscriptionsAreRawAndHaveNoDeadLetterTopic) {
  runtime::ListTopicSubscriptionsResponse response;
  ASSERT_TRUE(runtime::AppCallback::NewStub(channel_)
                  ->ListTopicSubscriptions(Context("").get(), {}, &response)
                  .ok());
  ASSERT_GT(response.subscriptions_size(), 0);
  for (const runtime::TopicSubscription& subscription : response.subscriptions()) {
    EXPECT_EQ(subscription.dead_letter_topic(), "") << subscription.topic();
    EXPECT_EQ(subscription.metadata().at("rawPayload"), "true") << subscription.topic();
    EXPECT_TRUE(subscription.bulk_subscribe().enabled()) << subscription.topic();
  }
}

// trap_07: no event is ever answered DROP.
TEST_F(AppCallbackTest, Trap07NothingIsDropped) {
  int number = 0;
  for (const absl::StatusCode code :
       {absl::StatusCode::kOk, absl::StatusCode::kInvalidArgument, absl::StatusCode::kInternal,
        absl::StatusCode::kNotFound, absl::StatusCode::kAlreadyExists,
        absl::StatusCode::kFailedPrecondition, absl::StatusCode::kDeadlineExceeded,
        absl::StatusCode::kUnavailable, absl::StatusCode::kUnknown, absl::StatusCode::kAborted}) {
    const absl::Status told(code, "told so by the test");
    *consumer_.status.Lock() = told;
    const bool comes_again = ports::IsTemporary(told);
    const auto expected = comes_again ? TopicEventResponse::RETRY : TopicEventResponse::SUCCESS;
    const std::string event = Event(++number);
    for (int copy = 0; copy < 2; ++copy) {  // the second time it is a duplicate
      const auto [status, response] = DeliverOne(event);
      ASSERT_TRUE(status.ok());
      EXPECT_EQ(response.status(), expected) << code;
    }
    const auto [status, many] = DeliverMany({event, Event(++number), "not JSON"});
    ASSERT_TRUE(status.ok());
    for (const auto& entry : many.statuses()) {
      EXPECT_NE(entry.status(), TopicEventResponse::DROP) << code;
    }
  }
}

// trap_15: the component escapes record keys and header values, so that any may pass.
TEST_F(AppCallbackTest, Trap15ARecordsKeyIsUnescaped) {
  struct Case {
    const char* sent;
    const char* key;
  };
  for (const Case& c : std::initializer_list<Case>{{"ada", "ada"},
                                                   {"a%40b.org", "a@b.org"},
                                                   {"a+b%2Bc", "a b+c"},
                                                   {"%D0%9a", "К"},
                                                   {"100%", "100%"},
                                                   {"%4", "%4"},
                                                   {"%zz%+1", "%zz% 1"},
                                                   {"", ""}}) {
    auto context = Context();
    context->AddMetadata("__key", c.sent);
    ASSERT_TRUE(
        DeliverOne(fmt::format("not JSON {}", c.sent), kTopic, std::move(context)).first.ok());
    EXPECT_EQ(database_.Read()->dead_letters.back().record.key, c.key);
  }
}

}  // namespace
}  // namespace todo::appcallback
