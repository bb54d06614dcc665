#include "api/socket_door.h"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>
#include <memory>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "fake_feed.h"
#include "fake_tickets.h"
#include "fake_web_socket.h"
#include "util/status.h"

namespace todo::api {
namespace {

using nlohmann::json;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;
using namespace std::chrono_literals;

constexpr char kHello[] = R"({"type":"hello","token":"of ada"})";

domain::Instant At(std::string_view text) { return *domain::ParseInstant(text); }

/// Believes the token "of <user>", until noon, and knows the states that other tokens stand for.
class TokenReader final : public ports::Authenticator {
 public:
  absl::StatusOr<ports::Identity> Authenticate(const ports::Credentials& credentials) override {
    if (credentials.authorization.size() + credentials.user_ids.size() != 1)
      return util::WithReason(absl::UnauthenticatedError("one proof, please"), "TOKEN_MISSING");
    if (!credentials.user_ids.empty())
      return ports::Identity{.user = {credentials.user_ids.front()}, .roles = {}};
    const std::string& header = credentials.authorization.front();
    if (header == "Bearer old")
      return util::WithReason(absl::UnauthenticatedError("expired"), "TOKEN_EXPIRED");
    if (header == "Bearer early")
      return util::WithReason(absl::UnavailableError("no keys yet"), "KEYS_UNAVAILABLE");
    if (!header.starts_with("Bearer of "))
      return util::WithReason(absl::UnauthenticatedError("no token"), "TOKEN_MALFORMED");
    return ports::Identity{
        .user = {header.substr(10)}, .roles = {}, .expiry = At("2026-10-24T12:00:00Z")};
  }
};

class SocketDoorTest : public testing::Test {
 protected:
  void Serve(UserLimitOptions limits = {}, std::function<absl::Status()> ready = {}) {
    limits_.emplace(limits, [this] { return now_; });
    admission_.emplace(reader_, pool_,
                       Admission::Options{.ready = std::move(ready),
                                          .limits = &*limits_,
                                          .alarms = nullptr,
                                          .tickets = &tickets_});
    door_.emplace(*admission_, feed_,
                  SocketDoor::Options{.allowed_origins = {"https://app.example"},
                                      .clock = [this] { return now_; }});
  }
  SocketClient Connect(util::HttpHeaders headers = {}) {
    if (!door_) Serve();
    headers.emplace_back("sec-websocket-protocol", "chat, todo.v1");
    return {*door_, std::move(headers)};
  }
  /// A client that has said hello.
  SocketClient Watching(const std::string& hello = kHello) {
    SocketClient client = Connect();
    client.Say(hello);
    EXPECT_EQ(client.socket->code(), 0) << client.socket->last();
    return client;
  }
  /// The error and the close code that a hello leads to.
  std::pair<int, json> Refusal(const std::string& hello) {
    SocketClient client = Connect();
    client.Say(hello);
    EXPECT_FALSE(client.socket->texts().empty());
    const json error = json::parse(client.socket->last());
    EXPECT_EQ(error["type"], "error");
    EXPECT_EQ(error["code"], client.socket->reason());
    const std::pair result(client.socket->code(), error);
    client.Leave();
    return result;
  }
  std::pair<int, std::string> CodeAndReason(const std::string& hello) {
    const auto [code, error] = Refusal(hello);
    return {code, error["code"]};
  }

  TokenReader reader_;
  FakeTickets tickets_;
  FakeFeed feed_;
  util::WorkerPool pool_{1, 1};
  std::chrono::steady_clock::time_point now_{1h};
  std::optional<UserLimits> limits_;
  std::optional<Admission> admission_;
  std::optional<SocketDoor> door_;
};

using Pair = std::pair<int, std::string>;

TEST_F(SocketDoorTest, ASocketGetsTheMessagesOfItsUser) {
  SocketClient client = Watching();
  EXPECT_EQ(client.acceptance.subprotocol, "todo.v1");
  EXPECT_EQ(client.acceptance.patience, 5s);
  EXPECT_EQ(client.acceptance.late_code, 4408);
  EXPECT_TRUE(client.socket->admitted());
  const ports::WatchRequest request = feed_.Request();
  EXPECT_EQ(request.user.value, "ada");
  EXPECT_EQ(request.cursor, std::nullopt);
  EXPECT_EQ(request.scope, ports::SnapshotScope::kAll);
  EXPECT_EQ(request.expiry, At("2026-10-24T12:00:00Z"));

  const auto change = ChangeOfFeed(7, "ada");
  EXPECT_TRUE(feed_.Send(ports::FeedHead{CursorOf(6)}));
  EXPECT_TRUE(feed_.Send(ports::FeedAlive{}));
  EXPECT_TRUE(feed_.Send(change));
  EXPECT_THAT(client.socket->texts(),
              ElementsAre(fmt::format(R"({{"type":"ping","seq":6,"event_id":"{}"}})",
                                      CursorOf(6).event_id.value()),
                          R"({"type":"ping"})", *change->json()));
  EXPECT_EQ(client.socket->shared_texts().back(), change->json()) << "shared, not copied";

  client.Leave();
  EXPECT_FALSE(feed_.is_open());
  EXPECT_FALSE(feed_.Send(change));
}

TEST_F(SocketDoorTest, HelloSaysWhatTheClientKnows) {
  const domain::ChangeCursor cursor = CursorOf(41);
  const SocketClient client = Watching(fmt::format(
      R"({{"type":"hello","token":"of ada","seq":41,"event_id":"{}","snapshot":"open"}})",
      cursor.event_id.value()));
  EXPECT_EQ(feed_.Request().cursor, cursor);
  EXPECT_EQ(feed_.Request().scope, ports::SnapshotScope::kOpen);
  const SocketClient other =
      Watching(R"({"type":"hello","token":"of ada","seq":0,"event_id":null,"snapshot":"none"})");
  EXPECT_EQ(feed_.Request(1).cursor, domain::ChangeCursor());
  EXPECT_EQ(feed_.Request(1).scope, ports::SnapshotScope::kNone);
}

TEST_F(SocketDoorTest, TheProofOfIdentityMayBeInTheHandshake) {
  SocketClient client = Connect({{"authorization", "Bearer of bob"}});
  client.Say(R"({"type":"hello"})");
  EXPECT_EQ(feed_.Request(0).user.value, "bob");
  SocketClient named = Connect({{"x-user-id", "eve"}});
  named.Say(R"({"type":"hello"})");
  EXPECT_EQ(feed_.Request(1).user.value, "eve");
  const SocketClient told = Watching(R"({"type":"hello","user_id":"dan"})");
  EXPECT_EQ(feed_.Request(2).user.value, "dan");
  const SocketClient ticket = Watching(R"({"type":"hello","ticket":"ticket of cleo"})");
  EXPECT_EQ(feed_.Request(3).user.value, "cleo");
  EXPECT_EQ(feed_.Request(3).expiry, FakeTickets::kExpiry);
}

TEST_F(SocketDoorTest, TwoProofsAreNone) {
  SocketClient client = Connect({{"authorization", "Bearer of bob"}});
  client.Say(kHello);
  EXPECT_EQ(client.socket->code(), 4500);
  EXPECT_EQ(CodeAndReason(R"({"type":"hello","token":"of ada","user_id":"bob"})"),
            Pair(4500, "TOKEN_MISSING"));
  EXPECT_EQ(CodeAndReason(R"({"type":"hello","token":"of ada","ticket":"ticket of ada"})"),
            Pair(4501, "MALFORMED_MESSAGE"));
}

TEST_F(SocketDoorTest, ATicketAndAnotherProofAreRefused) {
  for (const util::HttpHeaders& headers : {util::HttpHeaders{{"authorization", "Bearer of bob"}},
                                           util::HttpHeaders{{"x-user-id", "ada"}}}) {
    SocketClient client = Connect(headers);
    client.Say(R"({"type":"hello","ticket":"ticket of ada"})");
    EXPECT_EQ(client.socket->code(), 4501);
    EXPECT_THAT(client.socket->last(), HasSubstr("not both"));
  }
  EXPECT_EQ(feed_.request_count(), 0u);
}

TEST_F(SocketDoorTest, TheCloseCodeSaysWhetherToComeBack) {
  EXPECT_EQ(CodeAndReason(R"({"type":"hello"})"), Pair(4500, "TOKEN_MISSING"));
  EXPECT_EQ(CodeAndReason(R"({"type":"hello","token":"nonsense"})"), Pair(4500, "TOKEN_MALFORMED"));
  EXPECT_EQ(CodeAndReason(R"({"type":"hello","token":"old"})"), Pair(4401, "TOKEN_EXPIRED"));
  EXPECT_EQ(CodeAndReason(R"({"type":"hello","token":"early"})"), Pair(1013, "KEYS_UNAVAILABLE"));
  EXPECT_EQ(CodeAndReason(R"({"type":"hello","ticket":"old"})"), Pair(4401, "TICKET_EXPIRED"));
  EXPECT_EQ(CodeAndReason(R"({"type":"hello","ticket":"x"})"), Pair(4500, "TICKET_INVALID"));
  EXPECT_EQ(CodeAndReason("hello"), Pair(4501, "MALFORMED_MESSAGE"));
  EXPECT_EQ(CodeAndReason(R"({"type":"token","token":"of ada"})"), Pair(4501, "HELLO_MISSING"));
  feed_.Fail(util::WithReason(absl::ResourceExhaustedError("too many"), "TOO_MANY_WATCHES"));
  EXPECT_EQ(CodeAndReason(kHello), Pair(1013, "TOO_MANY_WATCHES"));
  feed_.Fail(util::WithReason(absl::UnavailableError("stopping"), "SERVER_STOPPING"));
  EXPECT_EQ(CodeAndReason(kHello), Pair(1012, "SERVER_STOPPING"));
  testing::internal::CaptureStderr();
  feed_.Fail(absl::InternalError("secret"));
  const auto [code, error] = Refusal(kHello);
  testing::internal::GetCapturedStderr();
  EXPECT_EQ(code, 1011);
  EXPECT_EQ(error["message"], "internal error");
}

TEST_F(SocketDoorTest, AServerThatIsNotReadySendsClientsAwayForAWhile) {
  Serve({}, [] { return util::WithReason(absl::UnavailableError("not yet"), "SERVER_NOT_READY"); });
  const auto [code, error] = Refusal(kHello);
  EXPECT_EQ(code, 1013);
  EXPECT_EQ(error["code"], "SERVER_NOT_READY");
  EXPECT_EQ(error["retry_after_ms"], 1'000);
  EXPECT_EQ(feed_.request_count(), 0u);
}

TEST_F(SocketDoorTest, AUserHasOnlySoManySockets) {
  Serve({.streams_at_a_time = 2});
  SocketClient first = Watching();
  SocketClient second = Watching();
  const auto [code, error] = Refusal(kHello);
  EXPECT_EQ(code, 4429);
  EXPECT_EQ(error["code"], "USER_BUSY");
  EXPECT_EQ(error["retry_after_ms"], 1'000);
  const SocketClient of_another = Watching(R"({"type":"hello","token":"of bob"})");
  first.Leave();
  const SocketClient next = Watching();
  feed_.End({.status = util::WithReason(absl::UnavailableError("stop"), "SERVER_STOPPING"),
             .retry_after = {}},
            1);
  EXPECT_EQ(CodeAndReason(kHello).first, 4429) << "until the connection has ended";
  second.Leave();
  const SocketClient last = Watching();
}

TEST_F(SocketDoorTest, AUserWhoConnectsInALoopIsRefusedRightAfterHello) {
  Serve({.streams_per_second = 5, .stream_burst = 20});
  int accepted = 0;
  for (int i = 0; i < 1'000; ++i) {
    SocketClient client = Connect();
    client.Say(kHello);
    accepted += client.socket->code() == 0 ? 1 : 0;
    if (client.socket->code() != 0) {
      EXPECT_EQ(client.socket->code(), 4429);
      EXPECT_THAT(client.socket->last(), HasSubstr("USER_RATE_LIMITED"));
      EXPECT_FALSE(client.socket->admitted());
    }
    client.Leave();
    now_ += 1ms;
  }
  EXPECT_GE(accepted, 20);
  EXPECT_LE(accepted, 25);
}

TEST_F(SocketDoorTest, AnEndOfTheFeedIsToldAndClosesTheSocket) {
  SocketClient stopping = Watching();
  feed_.End({.status = util::WithReason(absl::UnavailableError("stops"), "SERVER_STOPPING"),
             .retry_after = 2'500ms});
  const json told = json::parse(stopping.socket->last());
  EXPECT_EQ(told["type"], "error");
  EXPECT_EQ(told["code"], "SERVER_STOPPING");
  EXPECT_EQ(told["retry_after_ms"], 2'500);
  EXPECT_EQ(stopping.socket->code(), 1012);

  SocketClient expired = Watching();
  feed_.End({.status = util::WithReason(absl::UnauthenticatedError("late"), "TOKEN_EXPIRED"),
             .retry_after = {}},
            1);
  EXPECT_EQ(expired.socket->code(), 4401);
  EXPECT_THAT(expired.socket->last(), Not(HasSubstr("retry_after_ms")));
  expired.Say(R"({"type":"token","token":"of ada"})");  // nothing happens any more
  EXPECT_EQ(expired.socket->code(), 4401);

  SocketClient slow = Watching();
  slow.socket->Fill();
  EXPECT_FALSE(feed_.Send(ChangeOfFeed(1, "ada"), 2));
  EXPECT_FALSE(feed_.is_open(2));
}

TEST_F(SocketDoorTest, ANewTokenTakesThePlaceOfTheFormerOne) {
  SocketClient client = Watching();
  client.Say(R"({"type":"token","token":"of ada"})");
  EXPECT_THAT(client.socket->texts(),
              ElementsAre(R"({"type":"token_accepted","expires_at":"2026-10-24T12:00:00Z"})"));
  EXPECT_EQ(feed_.expiry(), At("2026-10-24T12:00:00Z"));

  // Keys that cannot be read at the moment do not end what the former token has begun.
  client.Say(R"({"type":"token","token":"early"})");
  EXPECT_THAT(client.socket->last(), HasSubstr("KEYS_UNAVAILABLE"));
  EXPECT_THAT(client.socket->last(), HasSubstr("retry_after_ms"));
  EXPECT_EQ(client.socket->code(), 0);
  EXPECT_TRUE(feed_.is_open());
}

TEST_F(SocketDoorTest, ATokenThatDoesNotCountEndsTheWatch) {
  const auto code_after = [this](const std::string& token) {
    SocketClient client = Watching();
    const auto number = static_cast<int>(feed_.request_count()) - 1;
    client.Say(fmt::format(R"({{"type":"token","token":"{}"}})", token));
    EXPECT_FALSE(feed_.is_open(number));
    return Pair(client.socket->code(), client.socket->reason());
  };
  EXPECT_EQ(code_after("of bob"), Pair(4500, "TOKEN_OTHER_USER"));
  EXPECT_EQ(code_after("nonsense"), Pair(4500, "TOKEN_MALFORMED"));
  EXPECT_EQ(code_after("old"), Pair(4401, "TOKEN_EXPIRED"));
}

TEST_F(SocketDoorTest, ASecondHelloIsAMistake) {
  SocketClient client = Watching();
  client.Say(kHello);
  EXPECT_EQ(client.socket->code(), 4501);
  EXPECT_EQ(client.socket->reason(), "HELLO_REPEATED");
  EXPECT_FALSE(feed_.is_open());
}

TEST_F(SocketDoorTest, MessagesAfterHelloHaveARate) {
  SocketClient client = Watching();
  const auto renew = [&] { client.Say(R"({"type":"token","token":"of ada"})"); };
  for (int i = 0; i < 10; ++i) renew();
  EXPECT_EQ(client.socket->code(), 0);
  now_ += 6s;
  renew();
  EXPECT_EQ(client.socket->code(), 0);
  renew();
  EXPECT_EQ(client.socket->code(), 4501);
  EXPECT_EQ(client.socket->reason(), "TOO_MANY_MESSAGES");
}

TEST_F(SocketDoorTest, AnOriginMustBeAllowedOrTheServersOwn) {
  const auto code_for = [this](const util::HttpHeaders& headers) {
    return Connect(headers).socket->code();
  };
  EXPECT_EQ(code_for({}), 0) << "no browser";
  EXPECT_EQ(code_for({{"origin", "https://app.example"}}), 0);
  EXPECT_EQ(code_for({{"origin", "http://todo.example:8080"}}), 0);
  EXPECT_EQ(code_for({{"origin", "https://todo.example:8080"}}), 0) << "behind a proxy with TLS";
  for (const char* origin : {"https://evil.example", "null", "", "http://todo.example",
                             "http://todo.example:8080.evil.example", "https://app.example:444",
                             "https://app.example.evil", "file://todo.example:8080"}) {
    SocketClient client = Connect({{"origin", origin}});
    EXPECT_EQ(client.socket->code(), 4503) << origin;
    EXPECT_EQ(client.socket->reason(), "WRONG_ORIGIN");
    EXPECT_EQ(client.acceptance.subprotocol, "todo.v1") << "else the browser reports no code";
    client.Say(kHello);
    EXPECT_EQ(feed_.request_count(), 0u);
  }
  EXPECT_EQ(code_for({{"origin", "https://app.example"}, {"origin", "https://evil.example"}}),
            4503);
}

TEST_F(SocketDoorTest, TheServersOwnOriginHasTheDefaultPortAndTheSchemeOfTheServer) {
  Serve();
  const auto code_for = [this](const char* host, const char* origin, bool encrypted = false) {
    util::HttpDecision decision = door_->Decide(
        {.method = "GET",
         .path = "/ws",
         .query = "",
         .headers = {{"host", host}, {"origin", origin}, {"sec-websocket-protocol", "todo.v1"}},
         .peer = "",
         .encrypted = encrypted,
         .content_length = std::nullopt});
    const auto socket = std::make_shared<FakeWebSocket>();
    const auto listener = std::get<util::WebSocketAcceptance>(decision).open(socket);
    return socket->code();
  };
  EXPECT_EQ(code_for("todo.example", "https://todo.example"), 0);
  EXPECT_EQ(code_for("todo.example:443", "https://todo.example"), 0);
  EXPECT_EQ(code_for("todo.example:80", "http://todo.example"), 0);
  EXPECT_EQ(code_for("todo.example:443", "http://todo.example"), 4503);
  EXPECT_EQ(code_for("[::1]:8080", "http://[::1]:8080"), 0);
  // Where TLS ends here, a page that came without it may be anybody's.
  EXPECT_EQ(code_for("todo.example", "https://todo.example", true), 0);
  EXPECT_EQ(code_for("todo.example", "http://todo.example", true), 4503);
  EXPECT_EQ(code_for("todo.example:8443", "http://todo.example:8443", true), 4503);
}

TEST_F(SocketDoorTest, TheHandshakeMustOfferTheSubprotocol) {
  Serve();
  for (const util::HttpHeaders& headers :
       {util::HttpHeaders{}, util::HttpHeaders{{"sec-websocket-protocol", "chat, todo.v10"}}}) {
    SocketClient client(*door_, headers);
    EXPECT_EQ(client.socket->code(), 4501);
    EXPECT_EQ(client.socket->reason(), "PROTOCOL_MISSING");
    EXPECT_EQ(client.acceptance.subprotocol, "");
  }
}

TEST_F(SocketDoorTest, OnlyGetOpensASocket) {
  Serve();
  const util::HttpDecision decision = door_->Decide({.method = "POST",
                                                     .path = "/ws",
                                                     .query = "",
                                                     .headers = {},
                                                     .peer = "",
                                                     .encrypted = false,
                                                     .content_length = std::nullopt});
  EXPECT_EQ(std::get<util::HttpResponse>(decision).status, 405);
}

TEST_F(SocketDoorTest, TheFeedHearsWhenTheSocketHasSentAll) {
  SocketClient client = Watching();
  int drained = 0;
  feed_.OnDrained([&] { ++drained; });
  EXPECT_EQ(drained, 0);
  client.socket->Drain();
  EXPECT_EQ(drained, 1);
}

}  // namespace
}  // namespace todo::api
