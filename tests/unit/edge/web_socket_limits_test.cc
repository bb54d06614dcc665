// WebSocket clients that break the rules, or try to use up what the server has.

#include "edge/http_server.h"
#include "edge/router.h"
#include "support/status_matchers.h"
#include "unit/edge/fake_handler.h"
#include "unit/edge/fake_web_socket_door.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>
#include <memory>
#include <string>
#include <utility>
#include <vector>

namespace todo::edge {
namespace {

using support::IsOk;
using testing::StartsWith;
using namespace std::chrono_literals;

/// Of options whose time does not matter: long, for slow machines.
constexpr auto kLong = 300s;
/// Of options whose time the test waits for.
constexpr auto kShort = 50ms;
constexpr std::size_t kLarge = 8'000'000;  // more than sockets hold

class WebSocketLimitsTest : public testing::Test {
 protected:
  std::unique_ptr<HttpServer> Start(HttpServerOptions options = {}) {
    auto server = std::make_unique<HttpServer>(std::move(options), door_);
    EXPECT_THAT(server->Start(), IsOk());
    return server;
  }

  static std::shared_ptr<const std::string> Shared(std::string text) {
    return std::make_shared<const std::string>(std::move(text));
  }

  bool EventuallyClosed(int count = 1) {
    return Eventually([&] { return door_.closed_count == count; });
  }

  FakeWebSocketDoor door_;
};

TEST_F(WebSocketLimitsTest, ClosesASocketThatIsNotAdmittedInTime) {
  door_.acceptance.patience = kShort;
  door_.acceptance.late_code = 4408;
  door_.acceptance.late_reason = "no hello";
  const auto server = Start();
  const WebSocketPeer admitted(server->port());
  door_.admit = false;
  const WebSocketPeer silent(server->port());
  EXPECT_EQ(silent.Read(), "close 4408: no hello");
  const WebSocketPeer talkative(server->port());
  for (int i = 0; talkative.Send(Text("words")) && i < 10; ++i) {
  }
  EXPECT_EQ(talkative.ReadAfterTexts(), "close 4408: no hello");
  admitted.Send(Text("still here"));
  EXPECT_EQ(admitted.Read(), "text: > still here");
}

TEST_F(WebSocketLimitsTest, ClosesWithACodeForEachFault) {
  const auto server = Start();
  const std::vector<std::pair<std::string, std::string>> cases = {
      {ToBytes({.payload = "x", .masked = false}), "close 1002: "},
      {ToBytes({.opcode = Opcode::kBinary, .payload = "x"}), "close 1003: "},
      {Text("\xff"), "close 1007: "},
      {Text(std::string(65'537, 'x')), "close 1009: "}};
  for (const auto& [bytes, close] : cases) {
    const WebSocketPeer peer(server->port());
    peer.Send(bytes + Text("not heard"));
    EXPECT_THAT(peer.Read(), StartsWith(close));
    EXPECT_EQ(peer.Read(), "cut off");
  }
  EXPECT_TRUE(EventuallyClosed(4));
  EXPECT_EQ(door_.message_count, 0);
}

TEST_F(WebSocketLimitsTest, AnswersWhatCameBeforeAFault) {
  const auto server = Start();
  const WebSocketPeer peer(server->port());
  peer.Send(Text("one") + ToBytes({.payload = "two", .masked = false}));
  EXPECT_EQ(peer.Read(), "text: > one");
  EXPECT_THAT(peer.Read(), StartsWith("close 1002: "));
}

TEST_F(WebSocketLimitsTest, EndsEndlessFragments) {
  const auto server = Start();
  for (const std::string_view payload : {"x", ""}) {
    const WebSocketPeer peer(server->port());
    peer.Send(ToBytes({.payload = "x", .last = false}));
    std::string fragments;
    for (int i = 0; i < 1'000; ++i)
      fragments += ToBytes({.opcode = Opcode::kContinuation, .payload = payload, .last = false});
    int sent = 0;
    while (peer.Send(fragments)) ASSERT_LT(++sent, 100'000);
  }
  EXPECT_TRUE(EventuallyClosed(2));
  const WebSocketPeer peer(server->port());
  std::string bytes = ToBytes({.payload = "x", .last = false});
  for (int i = 0; i < 1'024; ++i)
    bytes += ToBytes({.opcode = Opcode::kContinuation, .last = false});
  peer.Send(bytes);
  EXPECT_THAT(peer.Read(), StartsWith("close 1008: "));
}

TEST_F(WebSocketLimitsTest, EndsAFloodOfPings) {
  const auto server =
      Start({.web_sockets = {.control_frames_per_second = 1, .control_frame_burst = 3}});
  const WebSocketPeer peer(server->port());
  peer.Send(Ping("1") + Ping("2") + ToBytes({.opcode = Opcode::kPong}) + Ping("3"));
  EXPECT_EQ(peer.Read(), "pong: 1");
  EXPECT_EQ(peer.Read(), "pong: 2");
  EXPECT_EQ(peer.Read(), "close 1008: too many pings");
}

TEST_F(WebSocketLimitsTest, HoldsFewPongsForAClientThatDoesNotRead) {
  const auto server =
      Start({.web_sockets = {.control_frames_per_second = 1e9, .control_frame_burst = 1e9}});
  const WebSocketPeer peer(server->port());
  std::string pings;
  for (int i = 0; i < 1'000; ++i) pings += Ping(std::string(125, 'x'));
  peer.Send(pings + Ping("the last"));
  int count = 0;
  while (peer.Read() != "pong: the last") ++count;
  EXPECT_LT(count, 1'000) << "some pings were answered together";
}

TEST_F(WebSocketLimitsTest, EndsAMessageThatDoesNotComeToItsEnd) {
  const auto server = Start({.patience = kShort});
  const WebSocketPeer peer(server->port());
  peer.Send(std::string_view(Text("half a message")).substr(0, 9));
  EXPECT_EQ(peer.Read(), "close 1008: the message came too slowly");
  const WebSocketPeer other(server->port());
  other.Send("\x81");
  EXPECT_EQ(other.Read(), "close 1008: the message came too slowly");
}

TEST_F(WebSocketLimitsTest, LimitsTheMemoryOfIncompleteMessages) {
  const auto server = Start({.patience = kLong, .max_request_bytes_held = 50'000});
  const std::string begin = ToBytes({.payload = std::string(30'000, 'x'), .last = false});
  const WebSocketPeer one(server->port());
  one.Send(begin + Ping(""));
  EXPECT_EQ(one.Read(), "pong: ");
  const WebSocketPeer other(server->port());
  other.Send(begin);
  EXPECT_EQ(other.Read(), "close 1013: the server holds too many messages");
  one.Send(ToBytes({.opcode = Opcode::kContinuation}));
  EXPECT_EQ(one.Read().size(), 30'008U);
  const WebSocketPeer third(server->port());
  third.Send(begin + Ping(""));
  EXPECT_EQ(third.Read(), "pong: ") << "the memory is free again";
}

TEST_F(WebSocketLimitsTest, ClosesASlowReaderWhoseQueueIsFull) {
  door_.acceptance.max_unsent_bytes = 300'000;
  const auto server = Start({.patience = kLong, .web_sockets = {.close_patience = kLong}});
  const WebSocketPeer peer(server->port(), 16 * 1024);
  const auto socket = door_.Await();
  const auto text = Shared(std::string(100'000, 'x'));  // goes out in several parts
  int sent = 0;
  while (socket->Send(text)) {
    ASSERT_LE(socket->unsent_bytes(), 400'000U);
    ASSERT_LT(++sent, 10'000);
  }
  // The queue is dropped, because reading it would take the client too long; the message that has
  // begun comes to its end.
  EXPECT_EQ(peer.ReadAfterTexts(), "close 1013: the client reads too slowly");
  peer.Send(CloseFrame(1013));
  EXPECT_TRUE(EventuallyClosed());
}

TEST_F(WebSocketLimitsTest, CutsOffAClientThatDoesNotRead) {
  const auto server = Start({.patience = kShort, .min_bytes_per_second = 10'000'000});
  const WebSocketPeer peer(server->port(), 16 * 1024);
  door_.Await()->Send(Shared(std::string(kLarge, 'x')));
  EXPECT_TRUE(EventuallyClosed());
  EXPECT_TRUE(Eventually([&] { return server->stats().open_count == 0; }));
}

TEST_F(WebSocketLimitsTest, ASlowReaderLeavesWhenAllAnswersTakeTooMuchMemory) {
  const auto server = Start({.patience = kLong, .max_response_bytes_held = 10'000'000});
  const WebSocketPeer slow(server->port(), 16 * 1024);
  const WebSocketPeer other(server->port());
  door_.Await(0)->Send(Shared(std::string(kLarge, 'x')));
  EXPECT_EQ(door_.closed_count, 0);
  door_.Await(1)->Send(Shared(std::string(kLarge / 2, 'x')));
  EXPECT_EQ(other.Read().size(), kLarge / 2 + 6);
  EXPECT_TRUE(EventuallyClosed());
}

TEST_F(WebSocketLimitsTest, AsksSilentClientsForASignOfLife) {
  const auto server = Start({.web_sockets = {.ping_after = kShort, .pong_patience = kLong}});
  const WebSocketPeer peer(server->port());
  for (int i = 0; i < 3; ++i) {
    EXPECT_EQ(peer.Read(), "ping: ");
    peer.Send(ToBytes({.opcode = Opcode::kPong}));
  }
  peer.Send(Text("alive"));
  std::string frame;
  while ((frame = peer.Read()) == "ping: ") {
  }
  EXPECT_EQ(frame, "text: > alive");
}

TEST_F(WebSocketLimitsTest, EndsAClientThatGivesNoSignOfLife) {
  const auto server = Start({.web_sockets = {.ping_after = kShort, .pong_patience = kShort}});
  const WebSocketPeer peer(server->port());
  EXPECT_EQ(peer.Read(), "ping: ");
  EXPECT_EQ(peer.Read(), "cut off");
  EXPECT_TRUE(EventuallyClosed());
}

TEST_F(WebSocketLimitsTest, EndsAClientThatNeverAnswersAClose) {
  const auto server = Start({.web_sockets = {.close_patience = kShort}});
  const WebSocketPeer peer(server->port());
  door_.Await()->Close(4001, "");
  EXPECT_EQ(peer.Read(), "close 4001: ");
  EXPECT_EQ(peer.Read(), "cut off");
  EXPECT_TRUE(EventuallyClosed());
  EXPECT_TRUE(Eventually([&] { return server->stats().open_count == 0; }));
}

TEST_F(WebSocketLimitsTest, EndsAClientThatSendsOnAfterTheClose) {
  const auto server = Start({.patience = kShort});
  const WebSocketPeer peer(server->port());
  peer.Send(CloseFrame(1000));
  const std::string message = Text(std::string(10'000, 'x'));
  int sent = 0;
  while (peer.Send(message)) ASSERT_LT(++sent, 1'000'000);
  EXPECT_TRUE(Eventually([&] { return server->stats().open_count == 0; }));
}

TEST_F(WebSocketLimitsTest, ASocketThatIsNotAdmittedMakesRoom) {
  door_.admit = false;
  const auto server = Start({.max_connections = 2});
  const WebSocketPeer admitted(server->port());
  admitted.Send(Text("admit") + Text("in"));
  EXPECT_EQ(admitted.Read(), "text: > in");
  const WebSocketPeer silent(server->port());
  const WebSocketPeer next(server->port());
  EXPECT_EQ(silent.Read(), "close 1013: the server needs the place");
  next.Send(Text("admit") + Text("in"));
  EXPECT_EQ(next.Read(), "text: > in");
  const Peer refused(server->port());
  refused.Send(kHandshake);
  EXPECT_EQ(refused.ReadAll(), "") << "admitted sockets stay";
  admitted.Send(Text("still here"));
  EXPECT_EQ(admitted.Read(), "text: > still here");
}

TEST_F(WebSocketLimitsTest, RefusesAHandshakeAheadOfAnAnswer) {
  FakeHandler handler;
  Router router;
  router.AddPath("/ws", door_);
  router.AddPrefix("/", handler);
  HttpServer server({}, router);
  ASSERT_THAT(server.Start(), IsOk());
  const Peer peer(server.port());
  peer.Send("GET /held HTTP/1.1\r\nHost: x\r\n\r\n");
  const auto exchange = handler.AwaitHeld();
  peer.Send(kHandshake);
  const Peer other(server.port());  // when it is answered, the server has read the handshake
  other.Send("GET /page HTTP/1.1\r\nHost: x\r\n\r\n");
  other.ReadTo("\r\n\r\n");
  exchange->Respond({.body = "first"});
  EXPECT_THAT(peer.ReadTo("first"), StartsWith("HTTP/1.1 200 "));
  EXPECT_THAT(peer.ReadAll(), StartsWith("HTTP/1.1 400 "));
}

}  // namespace
}  // namespace todo::edge
