// WebSockets of a real server, with clients that keep to the rules.

#include "edge/http_server.h"
#include "support/status_matchers.h"
#include "unit/edge/fake_handler.h"
#include "unit/edge/fake_web_socket_door.h"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <chrono>
#include <map>
#include <memory>
#include <string>
#include <thread>
#include <vector>

namespace todo::edge {
namespace {

using support::IsOk;
using testing::AllOf;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::StartsWith;
using namespace std::chrono_literals;

class WebSocketTest : public testing::Test {
 protected:
  std::unique_ptr<HttpServer> Start(HttpServerOptions options = {}) {
    auto server = std::make_unique<HttpServer>(std::move(options), door_);
    EXPECT_THAT(server->Start(), IsOk());
    return server;
  }

  static std::shared_ptr<const std::string> Shared(std::string text) {
    return std::make_shared<const std::string>(std::move(text));
  }

  FakeWebSocketDoor door_;
};

TEST_F(WebSocketTest, OpensWithTheSubprotocolAndWithoutExtensions) {
  door_.acceptance.subprotocol = "todo.v1";
  const auto server = Start();
  const Peer peer(server->port());
  peer.Send(
      "GET /ws HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
      "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"
      "Sec-WebSocket-Protocol: todo.v1\r\nSec-WebSocket-Extensions: permessage-deflate\r\n\r\n");
  EXPECT_THAT(peer.ReadTo("\r\n\r\n"),
              AllOf(StartsWith("HTTP/1.1 101 Switching Protocols\r\n"),
                    HasSubstr("\r\nsec-websocket-accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n"),
                    HasSubstr("\r\nsec-websocket-protocol: todo.v1\r\n"),
                    HasSubstr("\r\nconnection: upgrade\r\n"), testing::Not(HasSubstr("extens"))));
}

TEST_F(WebSocketTest, RefusesRequestsThatAreNoHandshake) {
  const auto server = Start();
  const Peer peer(server->port());
  peer.Send("GET /ws HTTP/1.1\r\nHost: x\r\n\r\n");
  EXPECT_THAT(peer.ReadTo("}\n"), AllOf(StartsWith("HTTP/1.1 400 "), HasSubstr("problem+json")));
  peer.Send("GET /page HTTP/1.1\r\nHost: x\r\n\r\n");
  EXPECT_THAT(peer.ReadTo("a page"), StartsWith("HTTP/1.1 200 ")) << "the connection goes on";
  peer.Send(kHandshake);
  EXPECT_THAT(peer.ReadTo("\r\n\r\n"), StartsWith("HTTP/1.1 101 "));
}

TEST_F(WebSocketTest, CarriesMessagesInOrder) {
  const auto server = Start();
  const Peer peer(server->port());
  // All at once: the messages come behind the head of the handshake.
  peer.Send(std::string(kHandshake) + Text("one") + Text("two") + Ping("three"));
  peer.ReadTo("\r\n\r\n");
  EXPECT_EQ(peer.ReadBytes(7), "\x8a\x05three") << "control frames go first";
  EXPECT_EQ(peer.ReadBytes(14), "\x81\x05> one\x81\x05> two");
}

TEST_F(WebSocketTest, CarriesMessagesOfEverySize) {
  door_.acceptance.max_message_bytes = 400'000;
  const auto server = Start();
  const WebSocketPeer peer(server->port());
  for (const std::size_t size : {0UL, 123UL, 124UL, 65'533UL, 65'534UL, 70'000UL, 300'000UL}) {
    const std::string text(size, 'x');
    peer.Send(Text(text));
    EXPECT_TRUE(peer.Read() == "text: > " + text) << size;
  }
}

TEST_F(WebSocketTest, CarriesBinaryMessagesWhenAsked) {
  door_.acceptance.binary = true;
  const auto server = Start();
  const WebSocketPeer peer(server->port());
  peer.Send(ToBytes({.opcode = Opcode::kBinary, .payload = "\xff"}));
  EXPECT_EQ(peer.Read(), "binary: \xff");
}

TEST_F(WebSocketTest, TakesMessagesFromManyThreads) {
  door_.acceptance.max_unsent_bytes = 100'000'000;
  const auto server = Start();
  const WebSocketPeer peer(server->port());
  const auto socket = door_.Await();
  constexpr int kThreads = 4;
  constexpr int kMessages = 2'000;
  std::vector<std::jthread> threads;
  for (int thread = 0; thread < kThreads; ++thread) {
    threads.emplace_back([&, thread] {
      for (int i = 0; i < kMessages; ++i)
        EXPECT_TRUE(socket->Send(Shared(fmt::format("{} {}", thread, i))));
    });
  }
  std::map<std::string, int> next;
  for (int i = 0; i < kThreads * kMessages; ++i) {
    const std::string text = peer.Read();
    ASSERT_THAT(text, StartsWith("text: "));
    const std::string thread = text.substr(6, 1);
    ASSERT_EQ(text.substr(8), std::to_string(next[thread]++));
  }
}

TEST_F(WebSocketTest, SharesATextAmongSockets) {
  const auto server = Start();
  const WebSocketPeer one(server->port());
  const WebSocketPeer other(server->port());
  const auto text = Shared("for all");
  door_.Await(0)->Send(text);
  door_.Await(1)->Send(text);
  EXPECT_EQ(one.Read(), "text: for all");
  EXPECT_EQ(other.Read(), "text: for all");
  EXPECT_TRUE(Eventually([&] { return text.use_count() == 1; }));
}

TEST_F(WebSocketTest, AnswersTheCloseOfAClient) {
  const auto server = Start();
  const WebSocketPeer peer(server->port());
  peer.Send(CloseFrame(4321, "enough") + Text("not heard"));
  EXPECT_EQ(peer.Read(), "close 4321: ");
  EXPECT_TRUE(Eventually([&] { return door_.closed_count == 1; }));
  EXPECT_FALSE(door_.Await()->Send(Shared("too late")));
  EXPECT_EQ(peer.Read(), "cut off");
  EXPECT_EQ(door_.message_count, 0);
}

TEST_F(WebSocketTest, ClosesAfterWhatIsQueued) {
  const auto server = Start();
  const WebSocketPeer peer(server->port());
  const auto socket = door_.Await();
  EXPECT_TRUE(socket->Send(Shared("the last words")));
  socket->Close(4001, "the reason");
  socket->Close(4002, "has no effect");
  EXPECT_FALSE(socket->Send(Shared("too late")));
  EXPECT_EQ(peer.Read(), "text: the last words");
  EXPECT_EQ(peer.Read(), "close 4001: the reason");
  EXPECT_EQ(door_.closed_count, 0) << "the client has not answered";
  peer.Send(CloseFrame(4001));
  EXPECT_TRUE(Eventually([&] { return door_.closed_count == 1; }));
  EXPECT_EQ(peer.Read(), "cut off");
}

TEST_F(WebSocketTest, DropsMessagesAfterTheDoorHasClosed) {
  const auto server = Start();
  const WebSocketPeer peer(server->port());
  peer.Send(Text("one") + Text("bye") + Text("two") + Text("three"));
  EXPECT_EQ(peer.Read(), "text: > one");
  EXPECT_EQ(peer.Read(), "close 4000: as you wish");
  peer.Send(Text("four") + CloseFrame(4000));
  EXPECT_EQ(peer.Read(), "cut off");
  EXPECT_EQ(door_.message_count, 2);
}

TEST_F(WebSocketTest, TellsTheDoorWhenTheClientIsGone) {
  const auto server = Start();
  {
    const WebSocketPeer peer(server->port());
    door_.Await();
  }
  EXPECT_TRUE(Eventually([&] { return door_.closed_count == 1; }));
  const WebSocketPeer peer(server->port());
  peer.peer().Reset();
  EXPECT_TRUE(Eventually([&] { return door_.closed_count == 2; }));
  EXPECT_TRUE(Eventually([&] { return server->stats().open_count == 0; }));
}

TEST_F(WebSocketTest, ADoorThatThrowsClosesTheSocket) {
  const auto server = Start();
  const WebSocketPeer peer(server->port());
  peer.Send(Text("throw"));
  EXPECT_EQ(peer.Read(), "close 1011: internal error");
  EXPECT_TRUE(Eventually([&] { return door_.closed_count == 1; }));
}

TEST_F(WebSocketTest, SaysWhenAllIsSent) {
  constexpr std::size_t kLarge = 8'000'000;  // more than sockets hold
  const auto server = Start();
  const WebSocketPeer peer(server->port(), 16 * 1024);
  const auto socket = door_.Await();
  std::atomic<int> drained = 0;
  const auto note = [&] { ++drained; };
  socket->OnDrained(note);
  EXPECT_EQ(drained, 1) << "at once";
  socket->Send(Shared(std::string(kLarge, 'x')));
  socket->OnDrained([] { FAIL() << "replaced"; });
  socket->OnDrained(note);
  EXPECT_GT(socket->unsent_bytes(), 0U);
  EXPECT_EQ(drained, 1);
  EXPECT_EQ(peer.Read().size(), kLarge + 6);
  EXPECT_TRUE(Eventually([&] { return drained == 2; }));
  EXPECT_EQ(socket->unsent_bytes(), 0U);
}

TEST_F(WebSocketTest, SaysThatAllIsSentWhenTheClientIsGone) {
  const auto server = Start();
  std::atomic<int> drained = 0;
  {
    const WebSocketPeer peer(server->port(), 16 * 1024);
    const auto socket = door_.Await();
    socket->Send(Shared(std::string(8'000'000, 'x')));
    socket->OnDrained([&] { ++drained; });
  }
  EXPECT_TRUE(Eventually([&] { return drained == 1; }));
  EXPECT_EQ(door_.Await()->unsent_bytes(), 0U);
}

TEST_F(WebSocketTest, ASocketMayOutliveTheServer) {
  auto server = Start();
  const WebSocketPeer peer(server->port());
  const auto socket = door_.Await();
  server.reset();
  EXPECT_EQ(door_.closed_count, 1);
  EXPECT_FALSE(socket->Send(Shared("into the void")));
  socket->Admit();
  socket->Close(1000, "");
  bool drained = false;
  socket->OnDrained([&] { drained = true; });
  EXPECT_TRUE(drained);
}

TEST_F(WebSocketTest, AStopLetsTheDoorCloseItsSockets) {
  const auto server = Start();
  const WebSocketPeer peer(server->port());
  const auto socket = door_.Await();
  std::jthread closing([&] {
    // The listening port is closed first.
    while (Peer::CanConnect(server->port())) std::this_thread::yield();
    EXPECT_TRUE(socket->Send(Shared("come back in a second")));
    socket->Close(1012, "the server stops");
  });
  std::jthread client([&] {
    EXPECT_EQ(peer.Read(), "text: come back in a second");
    EXPECT_EQ(peer.Read(), "close 1012: the server stops");
    peer.Send(CloseFrame(1012));
  });
  EXPECT_TRUE(server->Stop(std::chrono::steady_clock::now() + 60s));
}

TEST_F(WebSocketTest, AStopClosesTheRestAtItsDeadline) {
  const auto server = Start();
  const WebSocketPeer peer(server->port());
  door_.Await();
  EXPECT_FALSE(server->Stop(std::chrono::steady_clock::now() + 50ms)) << "something was cut off";
  EXPECT_EQ(door_.closed_count, 1);
  EXPECT_EQ(peer.Read(), "close 1001: the server stops");
  EXPECT_EQ(peer.Read(), "cut off");
}

}  // namespace
}  // namespace todo::edge
