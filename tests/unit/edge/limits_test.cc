// Clients that try to use up what the server has.

#include "edge/http_server.h"
#include "support/status_matchers.h"
#include "unit/edge/fake_handler.h"
#include "unit/edge/peer.h"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <poll.h>
#include <sys/resource.h>
#include <unistd.h>

#include <chrono>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace todo::edge {
namespace {

using support::IsOk;
using testing::AllOf;
using testing::EndsWith;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::StartsWith;
using namespace std::chrono_literals;

constexpr std::string_view kRequest = "GET /page HTTP/1.1\r\nHost: x\r\n\r\n";
/// Of options whose time does not matter: long, for slow machines.
constexpr auto kLong = 300s;

class LimitsTest : public testing::Test {
 protected:
  std::unique_ptr<HttpServer> Start(HttpServerOptions options) {
    options.name = "web";
    auto server = std::make_unique<HttpServer>(std::move(options), handler_);
    EXPECT_THAT(server->Start(), IsOk());
    return server;
  }

  static std::string Ask(const HttpServer& server, std::string_view request) {
    const Peer peer(server.port());
    peer.Send(request);
    return peer.ReadAll();
  }

  FakeHandler handler_;
};

testing::Matcher<std::string> IsProblem(int status) {
  return AllOf(StartsWith(fmt::format("HTTP/1.1 {} ", status)),
               HasSubstr("\r\ncontent-type: application/problem+json\r\n"),
               HasSubstr("\r\nconnection: close\r\n"),
               HasSubstr(fmt::format("\"status\":{}", status)));
}

TEST_F(LimitsTest, LimitsTheHead) {
  const auto server = Start({});
  const std::string large(20'000, 'x');
  EXPECT_THAT(Ask(*server, fmt::format("GET / HTTP/1.1\r\nHost: x\r\nA: {}\r\n\r\n", large)),
              IsProblem(431));
  EXPECT_THAT(Ask(*server, fmt::format("GET /{}", large)), IsProblem(414));
  std::string many = "GET / HTTP/1.1\r\nHost: x\r\n";
  for (int i = 0; i < 200; ++i) many += "a: b\r\n";
  EXPECT_THAT(Ask(*server, many + "\r\n"), IsProblem(431));
  EXPECT_THAT(Ask(*server, "\x16\x03\x01 this is not HTTP"), IsProblem(400));
}

TEST_F(LimitsTest, EndsAnEndlessHead) {
  const auto server = Start({.patience = kLong});
  const Peer peer(server->port());
  peer.Send("GET / HTTP/1.1\r\nHost: x\r\n");
  const std::string field = fmt::format("a: {}\r\n", std::string(1'000, 'b'));
  int sent = 0;
  while (peer.Send(field)) ASSERT_LT(++sent, 100'000);
}

TEST_F(LimitsTest, LimitsTheBody) {
  const auto server = Start({});
  const std::size_t too_many = FakeHandler::kMaxBodyBytes + 1;
  EXPECT_THAT(
      Ask(*server,
          fmt::format("POST /echo HTTP/1.1\r\nHost: x\r\nContent-Length: {}\r\n\r\n", too_many)),
      IsProblem(413));
  EXPECT_THAT(
      Ask(*server,
          fmt::format(
              "POST /echo HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n{:x}\r\n",
              too_many)),
      IsProblem(413));
  EXPECT_THAT(Ask(*server, "POST /echo HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\nx"),
              IsProblem(400));
}

TEST_F(LimitsTest, ADoorMayAnswerALongBodyItself) {
  const auto server = Start({});
  EXPECT_THAT(
      Ask(*server, "POST /short HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n9\r\n"),
      AllOf(StartsWith("HTTP/1.1 200 "), HasSubstr("\r\nconnection: close\r\n"),
            EndsWith("\r\n\r\nlonger than a short one")));
}

TEST_F(LimitsTest, EndsAnEndlessTrailer) {
  const auto server = Start({.patience = kLong});
  for (const std::string_view path : {"/echo", "/page"}) {
    const Peer peer(server->port());
    peer.Send(fmt::format("POST {} HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n",
                          path));
    const std::string field = fmt::format("a: {}\r\n", std::string(1'000, 'b'));
    int sent = 0;
    while (peer.Send(field)) ASSERT_LT(++sent, 100'000);
  }
}

TEST_F(LimitsTest, AnswersASlowHeadAndASlowBodyWithATimeout) {
  const auto server = Start({.patience = 200ms});
  EXPECT_THAT(Ask(*server, "GET /page HTTP/1.1\r\nHo"), IsProblem(408));
  EXPECT_THAT(Ask(*server, "POST /echo HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\n\r\nhel"),
              IsProblem(408));
  EXPECT_THAT(
      Ask(*server, "POST /echo HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nh"),
      IsProblem(408));
}

TEST_F(LimitsTest, ClosesAnIdleConnection) {
  const auto server = Start({.patience = 200ms, .idle_patience = 200ms});
  EXPECT_THAT(Ask(*server, ""), IsEmpty());
  EXPECT_THAT(Ask(*server, kRequest), EndsWith("\r\n\r\nGET page of "));
}

TEST_F(LimitsTest, BytesThatTrickleInDoNotExtendTheTime) {
  const auto server = Start({.patience = 500ms});
  const Peer peer(server->port());
  peer.Send("POST /echo HTTP/1.1\r\nHost: x\r\nContent-Length: 1000000\r\n\r\n");
  // A byte at a time, until the server has had enough.
  for (bool open = true; open;) {
    pollfd readable{.fd = peer.socket(), .events = POLLIN, .revents = 0};
    open = poll(&readable, 1, 20) == 0 && peer.Send("x");
  }
  EXPECT_THAT(peer.ReadAll(), IsProblem(408));
}

TEST_F(LimitsTest, ClosesWhenTheClientDoesNotRead) {
  const auto server = Start({.patience = 300ms, .min_bytes_per_second = 1'000'000});
  const Peer peer(server->port(), 4 * 1024);
  peer.Send("POST /large HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\n\r\n");
  EXPECT_TRUE(Eventually([&] { return server->stats().request_count == 1; }));
  EXPECT_TRUE(Eventually([&] { return server->stats().open_count == 0; }));
  // What the kernel held still comes: it is memory too, and outside of every other bound.
  EXPECT_LT(peer.ReadAll().size(), 1'000'000U);
}

TEST_F(LimitsTest, EndsAStreamThatTheClientDoesNotRead) {
  const auto server = Start({.patience = kLong, .max_unsent_bytes = 100'000});
  const Peer peer(server->port(), 4 * 1024);
  peer.Send("POST /held HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\n\r\n");
  const std::unique_ptr<util::HttpExchange> exchange = handler_.AwaitHeld();
  bool told = false;
  exchange->OnCancel([&] { told = true; });
  exchange->Begin({});
  std::size_t written = 0;
  while (exchange->Write(std::string(10'000, 'x'))) {
    written += 10'000;
    ASSERT_LT(written, 1'000'000'000U);
  }
  EXPECT_TRUE(exchange->IsCancelled());
  EXPECT_TRUE(Eventually([&] { return server->stats().open_count == 0; }));
  exchange->End();
  EXPECT_TRUE(told);
}

TEST_F(LimitsTest, EndsAStreamWhoseClientHasVanished) {
  const auto server = Start({.patience = kLong, .acknowledge_patience = 1s});
  const Peer peer(server->port());
  peer.Send("POST /held HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\n\r\n");
  const std::unique_ptr<util::HttpExchange> exchange = handler_.AwaitHeld();
  exchange->Begin({});
  peer.ReadTo("\r\n\r\n");
  peer.Vanish();
  exchange->Write("a ping");  // the buffer of the socket takes it
  EXPECT_TRUE(Eventually([&] { return exchange->IsCancelled(); }));
  EXPECT_TRUE(Eventually([&] { return server->stats().open_count == 0; }));
}

TEST_F(LimitsTest, APieceMayBeLargerThanTheBound) {
  const auto server = Start({.max_unsent_bytes = 1'000});
  const Peer peer(server->port());
  peer.Send("POST /held HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\n\r\n");
  const std::unique_ptr<util::HttpExchange> exchange = handler_.AwaitHeld();
  exchange->Begin({});
  EXPECT_TRUE(exchange->Write(std::string(100'000, 'x')));
  exchange->End();
  EXPECT_THAT(peer.ReadTo("0\r\n\r\n"), EndsWith("xxx\r\n0\r\n\r\n"));
}

TEST_F(LimitsTest, HalfOpenConnectionsMakeRoom) {
  const auto server = Start({.max_connections = 8, .patience = kLong});
  std::vector<std::unique_ptr<Peer>> half_open;
  for (int i = 0; i < 100; ++i) {
    half_open.push_back(std::make_unique<Peer>(server->port()));
    half_open.back()->Send("GET /page HTTP/1.1\r\n");
    const Peer honest(server->port());
    honest.Send(kRequest);
    ASSERT_THAT(honest.ReadTo("page of "), StartsWith("HTTP/1.1 200")) << i;
  }
  EXPECT_LE(server->stats().open_count, 8);
}

TEST_F(LimitsTest, BodiesThatTrickleInMakeRoom) {
  const auto server = Start({.max_connections = 8, .patience = kLong});
  std::vector<std::unique_ptr<Peer>> slow;
  for (int i = 0; i < 100; ++i) {
    slow.push_back(std::make_unique<Peer>(server->port()));
    slow.back()->Send("POST /echo HTTP/1.1\r\nHost: x\r\nContent-Length: 1000\r\n");
    slow.back()->Send("Expect: 100-continue\r\n\r\n");
    ASSERT_THAT(slow.back()->ReadTo("\r\n\r\n"), StartsWith("HTTP/1.1 100")) << i;
    for (const auto& peer : slow) peer->Send("x");
  }
  EXPECT_LE(server->stats().open_count, 8);
}

TEST_F(LimitsTest, RefusesWhenAllPlacesAreBusyAndGoesOnAfterwards) {
  const auto server = Start({.max_connections = 2, .patience = kLong});
  {
    std::vector<std::unique_ptr<Peer>> peers;
    std::vector<std::unique_ptr<util::HttpExchange>> exchanges;
    for (int i = 0; i < 2; ++i) {
      peers.push_back(std::make_unique<Peer>(server->port()));
      peers.back()->Send("POST /held HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\n\r\n");
      exchanges.push_back(handler_.AwaitHeld());
    }
    EXPECT_THAT(Ask(*server, kRequest), IsEmpty());
    EXPECT_EQ(server->stats().refused_count, 1);
    for (const auto& exchange : exchanges) EXPECT_FALSE(exchange->IsCancelled());
  }
  const Peer peer(server->port());
  peer.Send(kRequest);
  EXPECT_THAT(peer.ReadTo("page of "), StartsWith("HTTP/1.1 200"));
}

TEST_F(LimitsTest, LimitsTheRequestsOfAHolder) {
  const auto server = Start({.max_requests_per_holder = 2, .patience = kLong});
  const auto head = [](std::string_view holder, int length) {
    return fmt::format(
        "POST /held?{} HTTP/1.1\r\nHost: x\r\nContent-Length: {}\r\nExpect: 100-continue\r\n\r\n",
        holder, length);
  };
  for (const std::string_view holder : {"ada", "polite"}) {
    const Peer handled(server->port());
    handled.Send(head(holder, 0));
    const std::unique_ptr<util::HttpExchange> exchange = handler_.AwaitHeld();
    auto slow = std::make_unique<Peer>(server->port());
    slow->Send(head(holder, 5));
    slow->ReadTo("\r\n\r\n");
    EXPECT_THAT(Ask(*server, head(holder, 0)),
                holder == "ada" ? IsProblem(429) : EndsWith("\r\n\r\nlater"));
    for (const std::string_view other : {"bob", ""}) {
      const Peer peer(server->port());
      peer.Send(head(other, 0));
      handler_.AwaitHeld()->Respond({.body = "."});
      peer.ReadTo("\r\n\r\n.");
    }
    slow->Reset();  // gives its part back, as an answered one does
    EXPECT_TRUE(Eventually([&] { return server->stats().open_count == 1; }));
    for (int i = 0; i < 5; ++i) {
      const Peer peer(server->port());
      peer.Send(head(holder, 0));
      handler_.AwaitHeld()->Respond({.body = "."});
      EXPECT_THAT(peer.ReadTo("\r\n\r\n."), StartsWith("HTTP/1.1 200"));
    }
    exchange->Respond({});
  }
}

TEST_F(LimitsTest, RefusesBodiesAboveItsMemory) {
  const auto server = Start({.patience = kLong, .max_request_bytes_held = 100'000});
  const Peer first(server->port());
  first.Send("POST /held HTTP/1.1\r\nHost: x\r\nContent-Length: 60000\r\n\r\n");
  first.Send(std::string(60'000, 'x'));
  std::unique_ptr<util::HttpExchange> exchange = handler_.AwaitHeld();
  const std::string second = fmt::format(
      "POST /echo HTTP/1.1\r\nHost: x\r\nContent-Length: 60000\r\nConnection: close\r\n\r\n{}",
      std::string(60'000, 'y'));
  EXPECT_THAT(Ask(*server, second), IsProblem(503));
  exchange->Respond({});
  first.ReadTo("\r\n\r\n");
  EXPECT_THAT(Ask(*server, second), StartsWith("HTTP/1.1 200 "));
}

TEST_F(LimitsTest, UnreadAnswersAboveItsMemoryCostTheirConnections) {
  const auto server = Start({.patience = kLong, .max_response_bytes_held = 20'000'000});
  std::vector<std::unique_ptr<Peer>> peers;
  for (int i = 0; i < 20; ++i) {
    peers.push_back(std::make_unique<Peer>(server->port(), 4 * 1024));
    peers.back()->Send("POST /large HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\n\r\n");
  }
  EXPECT_TRUE(Eventually([&] { return server->stats().request_count == 20; }));
  EXPECT_TRUE(Eventually([&] { return server->stats().open_count <= 5; }))
      << server->stats().open_count;
  EXPECT_THAT(Ask(*server, "GET /page HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"),
              StartsWith("HTTP/1.1 200"));
}

TEST_F(LimitsTest, LivesThroughAWantOfDescriptors) {
  const auto server = Start({.patience = kLong});
  const Peer early(server->port());
  early.Send(kRequest);
  early.ReadTo("page of ");
  rlimit before{};
  getrlimit(RLIMIT_NOFILE, &before);
  // As many descriptors as are open now, and one for the client.
  testing::internal::CaptureStderr();
  const int next = dup(0);
  close(next);
  const rlimit tight{.rlim_cur = static_cast<rlim_t>(next) + 1, .rlim_max = before.rlim_max};
  ASSERT_EQ(setrlimit(RLIMIT_NOFILE, &tight), 0);
  const Peer peer(server->port());  // takes the last one
  peer.Send("GET /page HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
  // The idle connection gives up its descriptor for the new one.
  const std::string answer = peer.ReadAll();
  ASSERT_EQ(setrlimit(RLIMIT_NOFILE, &before), 0);
  const std::string log = testing::internal::GetCapturedStderr();
  EXPECT_THAT(answer, StartsWith("HTTP/1.1 200"));
  EXPECT_THAT(log, HasSubstr("http_accept_failed"));
}

}  // namespace
}  // namespace todo::edge
