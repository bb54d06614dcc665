#include "api/watch_methods.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "api/watch_encoding.h"
#include "fake_feed.h"
#include "fake_tickets.h"
#include "served.h"
#include "todo_definition.h"
#include "util/alarms.h"
#include "util/status.h"

namespace todo::api {
namespace {

using testing::ElementsAre;
using testing::UnorderedElementsAre;
using namespace std::chrono_literals;
using Response = v1::WatchTasksResponse;

/// TodoService with the real methods of watching.
ServiceDefinition Definition(ports::ChangeFeed& feed, const ports::WatchTickets& tickets) {
  ServiceDefinition definition = DefinitionWith(Echo);
  for (MethodDefinition& method : definition.methods) {
    if (method.name == "WatchTasks") method = WatchTasksMethod(feed);
    if (method.name == "CreateWatchTicket") method = CreateWatchTicketMethod(tickets);
  }
  return definition;
}

/// A caller of WatchTasks.
struct Watcher {
  explicit Watcher(Served& served, const v1::WatchTasksRequest& request = {},
                   const std::string& user = "alice")
      : context(CallAs(user)), reader(served.stub().WatchTasks(context.get(), request)) {}
  ~Watcher() { context->TryCancel(); }
  Watcher(const Watcher&) = delete;
  Watcher& operator=(const Watcher&) = delete;

  Response Read() {
    Response response;
    EXPECT_TRUE(reader->Read(&response));
    return response;
  }
  grpc::Status End() {
    Response response;
    while (reader->Read(&response)) {
    }
    return reader->Finish();
  }

  std::unique_ptr<grpc::ClientContext> context;
  std::unique_ptr<grpc::ClientReader<Response>> reader;
};

class WatchMethodsTest : public testing::Test {
 protected:
  FakeFeed feed_;
  FakeTickets tickets_;
  util::Alarms alarms_;
  Served served_{
      Definition(feed_, tickets_), 2, 100,
      Admission::Options{.ready = {}, .limits = nullptr, .alarms = &alarms_, .tickets = &tickets_}};
};

TEST_F(WatchMethodsTest, AWatchCarriesEveryKindOfMessage) {
  v1::WatchTasksRequest request;
  request.mutable_cursor()->set_seq(5);
  request.mutable_cursor()->set_event_id(CursorOf(5).event_id.value());
  request.set_snapshot(v1::SNAPSHOT_SCOPE_OPEN);
  Watcher watcher(served_, request);
  EXPECT_EQ(feed_.Request().user.value, "alice");
  EXPECT_EQ(feed_.Request().cursor, CursorOf(5));
  EXPECT_EQ(feed_.Request().scope, ports::SnapshotScope::kOpen);

  feed_.Send(ports::FeedResumed{CursorOf(6)});
  EXPECT_EQ(watcher.Read().resumed().head().seq(), 6);
  feed_.Send(ports::FeedResync{ports::FeedResync::Reason::kTooFarBehind});
  EXPECT_EQ(watcher.Read().resync().reason(), Response::Resync::REASON_TOO_FAR_BEHIND);
  feed_.Send(ports::FeedSnapshot{
      .tasks = {TaskOfFeed(1, "alice", "one")}, .last = true, .cursor = CursorOf(6)});
  const Response snapshot = watcher.Read();
  EXPECT_EQ(snapshot.snapshot().tasks(0).title(), "one");
  EXPECT_TRUE(snapshot.snapshot().last());
  EXPECT_EQ(snapshot.snapshot().cursor().event_id(), CursorOf(6).event_id.value());
  domain::Change change = ChangeOfFeed(7, "alice", "new")->change();
  change.request_id = domain::RequestId{CursorOf(3).event_id.uuid};
  feed_.Send(std::make_shared<const domain::LiveChange>(change));
  const v1::Change update = watcher.Read().update();
  EXPECT_EQ(update.seq(), 7);
  EXPECT_EQ(update.event_id(), CursorOf(7).event_id.value());
  EXPECT_EQ(update.event_type(), "created");
  EXPECT_EQ(update.task().title(), "new");
  EXPECT_EQ(update.request_id(), CursorOf(3).event_id.value());

  // A deleted task has its last state in the change log, and none on the bus.
  change.kind = domain::ChangeKind::kDeleted;
  for (const std::string& task : {change.task_json, std::string()}) {
    change.task_json = task;
    feed_.Send(std::make_shared<const domain::LiveChange>(change));
    const v1::Change deleted = watcher.Read().update();
    EXPECT_EQ(deleted.event_type(), "deleted");
    EXPECT_FALSE(deleted.has_task());
  }
  feed_.Send(ports::FeedNotification{CursorOf(9).event_id.uuid, domain::TaskId{7}, change.at});
  const Response notified = watcher.Read();
  EXPECT_EQ(notified.notification().notification_id(), CursorOf(9).event_id.value());
  EXPECT_EQ(notified.notification().task_id(), 7);
  EXPECT_GT(notified.notification().timestamp().seconds(), 0);
  feed_.Send(ports::FeedHead{});
  const Response ping = watcher.Read();
  EXPECT_TRUE(ping.ping().has_head()) << "of a user without changes";
  EXPECT_EQ(ping.ping().head().event_id(), "");
  feed_.Send(ports::FeedAlive{});
  const Response alive = watcher.Read();
  EXPECT_TRUE(alive.has_ping());
  EXPECT_FALSE(alive.ping().has_head());
}

TEST_F(WatchMethodsTest, WithoutACursorTheWatcherKnowsNothing) {
  const Watcher watcher(served_);
  EXPECT_EQ(feed_.Request().cursor, std::nullopt);
  EXPECT_EQ(feed_.Request().scope, ports::SnapshotScope::kAll);
  v1::WatchTasksRequest start;
  start.mutable_cursor();
  const Watcher from_the_start(served_, start);
  EXPECT_EQ(feed_.Request(1).cursor, domain::ChangeCursor());
}

TEST_F(WatchMethodsTest, WrongCursorsAreRefusedByTheirFields) {
  const auto fields_of = [this](std::int64_t seq, const std::string& event_id) {
    v1::WatchTasksRequest request;
    request.mutable_cursor()->set_seq(seq);
    request.mutable_cursor()->set_event_id(event_id);
    return FieldsOf(Watcher(served_, request).End());
  };
  EXPECT_THAT(fields_of(5, ""), ElementsAre("cursor.event_id"));
  EXPECT_THAT(fields_of(0, CursorOf(1).event_id.value()), ElementsAre("cursor.event_id"));
  EXPECT_THAT(fields_of(-1, "x"), UnorderedElementsAre("cursor.seq", "cursor.event_id"));
  v1::WatchTasksRequest request;
  request.set_snapshot(static_cast<v1::SnapshotScope>(77));
  EXPECT_THAT(FieldsOf(Watcher(served_, request).End()), ElementsAre("snapshot"));
  EXPECT_EQ(feed_.request_count(), 0u);
}

TEST_F(WatchMethodsTest, AWatchEndsWithItsCaller) {
  auto watcher = std::make_unique<Watcher>(served_);
  feed_.Request();
  EXPECT_TRUE(feed_.is_open());
  watcher.reset();
  feed_.WaitUntilOver();
}

TEST_F(WatchMethodsTest, TheEndOfTheFeedIsTheEndOfTheStream) {
  Watcher watcher(served_);
  feed_.Request();
  feed_.Send(ports::FeedHead{CursorOf(1)});
  feed_.End({.status = util::WithReason(absl::UnavailableError("stops"), "SERVER_STOPPING"),
             .retry_after = 2'500ms});
  EXPECT_EQ(watcher.Read().ping().head().seq(), 1);
  const grpc::Status status = watcher.End();
  EXPECT_EQ(ReasonOf(status), "SERVER_STOPPING");
  google::rpc::Status rich;
  rich.ParseFromString(status.error_details());
  google::rpc::RetryInfo retry;
  for (const auto& detail : rich.details()) detail.UnpackTo(&retry);
  EXPECT_EQ(retry.retry_delay().seconds(), 2);
}

TEST_F(WatchMethodsTest, ARefusalOfTheFeedIsTheAnswer) {
  feed_.Fail(util::WithReason(absl::ResourceExhaustedError("too many"), "TOO_MANY_WATCHES"));
  EXPECT_EQ(ReasonOf(Watcher(served_).End()), "TOO_MANY_WATCHES");
}

TEST_F(WatchMethodsTest, AChangeThatCannotBeReadEndsTheStream) {
  Watcher watcher(served_);
  feed_.Request();
  domain::Change change = ChangeOfFeed(7, "alice")->change();
  change.task_json = "secret";
  testing::internal::CaptureStderr();
  EXPECT_FALSE(feed_.Send(std::make_shared<const domain::LiveChange>(change)));
  EXPECT_EQ(watcher.End().error_message(), "internal error");
  EXPECT_THAT(testing::internal::GetCapturedStderr(), testing::HasSubstr("call_failed"));
  EXPECT_FALSE(feed_.is_open());
}

TEST_F(WatchMethodsTest, ASilentWatchEndsWhenTheTokenExpires) {
  served_.authenticator().expiry =
      std::chrono::floor<std::chrono::microseconds>(std::chrono::system_clock::now() + 300ms);
  Watcher watcher(served_);
  const grpc::Status status = watcher.End();
  EXPECT_EQ(status.error_code(), grpc::UNAUTHENTICATED);
  EXPECT_EQ(ReasonOf(status), "TOKEN_EXPIRED");
  feed_.WaitUntilOver();
}

TEST_F(WatchMethodsTest, ATicketIsMadeForTheCaller) {
  const domain::Instant expiry = *domain::ParseInstant("2036-10-24T12:00:00Z");
  served_.authenticator().expiry = expiry;
  v1::CreateWatchTicketResponse response;
  ASSERT_TRUE(served_.stub().CreateWatchTicket(CallAs("ada").get(), {}, &response).ok());
  EXPECT_EQ(response.ticket(), "ticket of ada");
  EXPECT_EQ(response.expire_time().seconds(),
            std::chrono::floor<std::chrono::seconds>(expiry).time_since_epoch().count());
  EXPECT_EQ(ReasonOf(served_.stub().CreateWatchTicket(CallAs("").get(), {}, &response)),
            "IDENTITY_MISSING");
}

}  // namespace
}  // namespace todo::api
