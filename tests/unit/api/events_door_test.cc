#include "api/events_door.h"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>
#include <functional>
#include <memory>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "connect/fake_exchange.h"
#include "fake_feed.h"
#include "fake_tickets.h"
#include "named_caller.h"
#include "util/status.h"

namespace todo::api {
namespace {

using connect::HeaderOf;
using connect::Received;
using nlohmann::json;
using testing::EndsWith;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;
using testing::StartsWith;
using namespace std::chrono_literals;

class EventsDoorTest : public testing::Test {
 protected:
  void Serve(UserLimitOptions limits = {}, std::function<absl::Status()> ready = {}) {
    limits_.emplace(limits);
    admission_.emplace(authenticator_, pool_,
                       Admission::Options{.ready = std::move(ready),
                                          .limits = &*limits_,
                                          .alarms = nullptr,
                                          .tickets = &tickets_});
    door_.emplace(*admission_, feed_, std::vector<std::string>{"https://app.example"});
  }
  /// The caller is ada, unless `user` says otherwise.
  std::shared_ptr<Received> Get(std::string query = "", util::HttpHeaders headers = {},
                                const std::string& user = "ada", std::string method = "GET") {
    if (!door_) Serve();
    if (!user.empty()) headers.emplace_back("x-user-id", user);
    return connect::Serve(*door_,
                          {.method = std::move(method),
                           .path = "/events",
                           .query = std::move(query),
                           .headers = std::move(headers),
                           .peer = "127.0.0.1",
                           .encrypted = false,
                           .content_length = std::nullopt},
                          "");
  }
  /// What `message` looks like as the first event of an answer, without the retry before it.
  std::string EventOf(const ports::FeedMessage& message, const std::string& query = "") {
    const auto number = static_cast<int>(feed_.request_count());
    const auto received = Get(query);
    EXPECT_TRUE(feed_.Send(message, number));
    std::string body = received->Get().body;
    EXPECT_THAT(body, StartsWith("retry: 2000\n\n"));
    received->Leave();
    return body.substr(13);
  }

  NamedCaller authenticator_;
  FakeTickets tickets_;
  FakeFeed feed_;
  util::WorkerPool pool_{1, 1};
  std::optional<UserLimits> limits_;
  std::optional<Admission> admission_;
  std::optional<EventsDoor> door_;
};

TEST_F(EventsDoorTest, AnAnswerIsAStreamOfEvents) {
  authenticator_.expiry = domain::ParseInstant("2026-10-24T12:00:00Z").value();
  const auto received = Get();
  const ports::WatchRequest request = feed_.Request();
  EXPECT_EQ(request.user.value, "ada");
  EXPECT_EQ(request.cursor, std::nullopt);
  EXPECT_EQ(request.scope, ports::SnapshotScope::kAll);
  EXPECT_EQ(request.expiry, authenticator_.expiry);

  EXPECT_TRUE(feed_.Send(ChangeOfFeed(7, "ada")));
  const util::HttpResponseHead head = received->Get().head;
  const util::HttpResponse response{.status = head.status, .headers = head.headers, .body = {}};
  EXPECT_EQ(response.status, 200);
  EXPECT_EQ(HeaderOf(response, "content-type"), "text/event-stream");
  EXPECT_EQ(HeaderOf(response, "cache-control"), "no-store");
  EXPECT_EQ(HeaderOf(response, "x-accel-buffering"), "no");
  EXPECT_TRUE(feed_.Send(ports::FeedHead{CursorOf(7)}));
  const std::string id = CursorOf(7).event_id.value();
  EXPECT_EQ(
      received->Get().body,
      fmt::format("retry: 2000\n\n"
                  "event: update\nid: 7.{0}\ndata: {1}\n\n"
                  "event: ping\ndata: {{\"type\":\"ping\",\"seq\":7,\"event_id\":\"{0}\"}}\n\n",
                  id, *ChangeOfFeed(7, "ada")->json()));
  received->Leave();
  EXPECT_FALSE(feed_.is_open());
}

TEST_F(EventsDoorTest, AnIdSaysThatEverythingBeforeItHasBeenSent) {
  ports::FeedSnapshot part{
      .tasks = {TaskOfFeed(1, "ada", "one")}, .last = false, .cursor = CursorOf(5)};
  EXPECT_THAT(EventOf(part), StartsWith("event: snapshot\ndata: {"));
  part.last = true;
  const std::string id_of_5 = fmt::format("id: 5.{}\n", CursorOf(5).event_id.value());
  EXPECT_THAT(EventOf(part), StartsWith("event: snapshot\n" + id_of_5 + "data: {"));
  part.cursor = {};
  EXPECT_THAT(EventOf(part), StartsWith("event: snapshot\nid: 0\ndata: {"));
  EXPECT_THAT(EventOf(ports::FeedResync{}), StartsWith("event: resync\ndata: {"));
  EXPECT_THAT(EventOf(ports::FeedHead{CursorOf(5)}), Not(HasSubstr("id: ")));
  EXPECT_EQ(EventOf(ports::FeedAlive{}), "event: ping\ndata: {\"type\":\"ping\"}\n\n");

  // The changes behind the client's cursor follow, so the id must not run ahead of them.
  const std::string query = fmt::format("cursor=5.{}", CursorOf(5).event_id.value());
  EXPECT_THAT(EventOf(ports::FeedResumed{CursorOf(6)}, query), Not(HasSubstr("id: ")));
  EXPECT_THAT(EventOf(ports::FeedResumed{CursorOf(5)}, query),
              StartsWith("event: resumed\n" + id_of_5));
}

TEST_F(EventsDoorTest, TheCursorComesFromTheBrowserElseFromTheQuery) {
  const std::string five = fmt::format("5.{}", CursorOf(5).event_id.value());
  const std::string six = fmt::format("6.{}", CursorOf(6).event_id.value());
  const auto of_query = Get("snapshot=none&cursor=" + five);
  EXPECT_EQ(feed_.Request(0).cursor, CursorOf(5));
  EXPECT_EQ(feed_.Request(0).scope, ports::SnapshotScope::kNone);
  const auto of_header = Get("cursor=" + five + "&snapshot=open", {{"last-event-id", six}});
  EXPECT_EQ(feed_.Request(1).cursor, CursorOf(6));
  EXPECT_EQ(feed_.Request(1).scope, ports::SnapshotScope::kOpen);
  const auto of_start = Get("snapshot=all", {{"last-event-id", "0"}});
  EXPECT_EQ(feed_.Request(2).cursor, domain::ChangeCursor());
  for (const auto& received : {of_query, of_header, of_start}) received->Leave();
}

TEST_F(EventsDoorTest, RequestsThatMakeNoSenseAreRefused) {
  for (const char* query :
       {"cursor=5", "cursor=", "cursor=0.x", "cursor=-1.00000000-0000-7000-8000-000000000001",
        "cursor=x.00000000-0000-7000-8000-000000000001",
        "cursor=0.00000000-0000-7000-8000-000000000001",
        "cursor=99999999999999999999.00000000-0000-7000-8000-000000000001", "snapshot=some",
        "ticket=", "cursor=0&cursor=0", "cursor=%zz"}) {
    const util::HttpResponse response = Get(query)->Wait();
    EXPECT_EQ(response.status, 400) << query;
    EXPECT_EQ(HeaderOf(response, "content-type"), "application/problem+json");
  }
  EXPECT_EQ(Get("", {{"last-event-id", "5"}})->Wait().status, 400);
  for (const char* method : {"HEAD", "POST", "PUT"}) {
    const util::HttpResponse response = Get("", {}, "ada", method)->Wait();
    EXPECT_EQ(response.status, 405);
    EXPECT_EQ(HeaderOf(response, "allow"), "GET");
  }
  EXPECT_EQ(feed_.request_count(), 0u);
}

TEST_F(EventsDoorTest, ATicketStandsForItsUser) {
  const auto received = Get("ticket=ticket+of%20cleo", {}, "");
  EXPECT_EQ(feed_.Request().user.value, "cleo");
  EXPECT_EQ(feed_.Request().expiry, FakeTickets::kExpiry);
  received->Leave();
  for (const char* query : {"ticket=old", "ticket=x", ""}) {
    const util::HttpResponse response = Get(query, {}, "")->Wait();
    EXPECT_EQ(response.status, 401) << query;
    EXPECT_EQ(HeaderOf(response, "content-type"), "application/problem+json");
    EXPECT_EQ(HeaderOf(response, "www-authenticate"), "Bearer");
  }
}

TEST_F(EventsDoorTest, APageOfAnotherOriginIsRefused) {
  for (const char* origin : {"https://evil.example", "null", "http://todo.example:81"}) {
    const Received::State answer = Get("", {{"host", "todo.example"}, {"origin", origin}})->Get();
    EXPECT_TRUE(answer.complete) << origin;
    EXPECT_EQ(answer.head.status, 403) << origin;
    EXPECT_THAT(answer.body, HasSubstr("this origin is not among --web-allowed-origins"));
  }
  EXPECT_EQ(feed_.request_count(), 0u);
  for (const char* origin : {"https://app.example", "http://todo.example", "https://todo.example"})
    Get("", {{"host", "todo.example"}, {"origin", origin}})->Leave();
  EXPECT_EQ(feed_.request_count(), 3u);
}

TEST_F(EventsDoorTest, ATicketAndAnotherProofAreRefused) {
  for (const util::HttpHeaders& headers : {util::HttpHeaders{{"x-user-id", "eve"}},
                                           util::HttpHeaders{{"authorization", "Bearer of eve"}}}) {
    const Received::State answer = Get("ticket=ticket+of+ada", headers, "")->Get();
    EXPECT_EQ(answer.head.status, 400);
    EXPECT_THAT(answer.body, HasSubstr("not both"));
  }
  EXPECT_EQ(feed_.request_count(), 0u);
}

TEST_F(EventsDoorTest, AUserHasOnlySoManyStreams) {
  Serve({.streams_at_a_time = 1});
  const auto first = Get();
  const util::HttpResponse refused = Get()->Wait();
  EXPECT_EQ(refused.status, 429);
  EXPECT_EQ(HeaderOf(refused, "retry-after"), "1");
  EXPECT_EQ(feed_.request_count(), 1u);
  first->Leave();
  const auto second = Get();
  EXPECT_FALSE(second->Get().complete);
  feed_.End({.status = absl::UnavailableError("stop"), .retry_after = {}}, 1);
  const auto third = Get();
  EXPECT_FALSE(third->Get().complete);
  third->Leave();
}

TEST_F(EventsDoorTest, RefusalsBeforeTheFirstEventAreErrorsOfHttp) {
  Serve({}, [] { return util::WithReason(absl::UnavailableError("not yet"), "SERVER_NOT_READY"); });
  const util::HttpResponse not_ready = Get()->Wait();
  EXPECT_EQ(not_ready.status, 503);
  EXPECT_EQ(HeaderOf(not_ready, "retry-after"), "1");
  EXPECT_THAT(not_ready.body, HasSubstr("not yet"));

  Serve();
  feed_.Fail(util::WithReason(absl::ResourceExhaustedError("too many"), "TOO_MANY_WATCHES"));
  EXPECT_EQ(Get()->Wait().status, 429);
  feed_.Fail(absl::OkStatus());
  const auto stopped = Get();
  feed_.End({.status = util::WithReason(absl::UnavailableError("stops"), "SERVER_STOPPING"),
             .retry_after = 2'100ms});
  EXPECT_EQ(stopped->Wait().status, 503);
  EXPECT_EQ(HeaderOf(stopped->Wait(), "retry-after"), "3");
}

TEST_F(EventsDoorTest, AnEndIsToldWithTheTimeToComeBack) {
  const auto received = Get();
  EXPECT_TRUE(feed_.Send(ports::FeedHead{CursorOf(5)}));
  feed_.End({.status = util::WithReason(absl::UnavailableError("stops"), "SERVER_STOPPING"),
             .retry_after = 2'500ms});
  EXPECT_TRUE(received->Get().complete);
  EXPECT_THAT(
      received->Get().body,
      EndsWith("event: error\ndata: {\"type\":\"error\",\"code\":\"SERVER_STOPPING\",\"message\":"
               "\"stops\",\"retry_after_ms\":2500}\n\nretry: 2500\n\n"));

  const auto expired = Get();
  EXPECT_TRUE(feed_.Send(ports::FeedHead{CursorOf(5)}, 1));
  feed_.End({.status = util::WithReason(absl::UnauthenticatedError("late"), "TOKEN_EXPIRED"),
             .retry_after = {}},
            1);
  EXPECT_THAT(expired->Get().body,
              EndsWith("\"code\":\"TOKEN_EXPIRED\",\"message\":\"late\"}\n\n"));
}

TEST_F(EventsDoorTest, AClientThatHasGoneGetsNothing) {
  const auto received = Get();
  EXPECT_TRUE(feed_.Send(ports::FeedHead{CursorOf(5)}));
  received->Update([](auto& state) { state.gone = true; });  // the server has not noticed
  EXPECT_FALSE(feed_.Send(ports::FeedHead{CursorOf(5)}));
  EXPECT_FALSE(feed_.is_open());
}

TEST_F(EventsDoorTest, TheFeedHearsWhenTheClientHasReadAll) {
  const auto received = Get();
  received->StopReading();
  EXPECT_TRUE(feed_.Send(ports::FeedHead{CursorOf(5)}));
  int drained = 0;
  feed_.OnDrained([&] { ++drained; });
  EXPECT_EQ(drained, 0);
  received->ReadOn();
  EXPECT_EQ(drained, 1);
  received->Leave();
}

}  // namespace
}  // namespace todo::api
