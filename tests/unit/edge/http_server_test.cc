#include "edge/http_server.h"
#include "edge/router.h"
#include "support/status_matchers.h"
#include "unit/edge/fake_handler.h"
#include "unit/edge/peer.h"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <chrono>
#include <memory>
#include <stdexcept>
#include <string>
#include <string_view>
#include <thread>
#include <utility>

namespace todo::edge {
namespace {

using support::IsOk;
using support::StatusIs;
using testing::AllOf;
using testing::EndsWith;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;
using testing::StartsWith;
using namespace std::chrono_literals;

class HttpServerTest : public testing::Test {
 protected:
  void SetUp() override { ASSERT_THAT(server_.Start(), IsOk()); }

  std::string Ask(std::string_view request) const {
    const Peer peer(server_.port());
    peer.Send(request);
    return peer.ReadAll();
  }

  FakeHandler handler_;
  HttpServer server_{{.name = "web", .patience = 30s}, handler_};
};

TEST_F(HttpServerTest, AnswersFromTheHeadAlone) {
  const std::string answer = Ask("GET /page?a=b HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
  EXPECT_THAT(answer, StartsWith("HTTP/1.1 200 OK\r\n"));
  EXPECT_THAT(answer, HasSubstr("\r\ncontent-length: 15\r\n"));
  EXPECT_THAT(answer, HasSubstr("\r\nx-content-type-options: nosniff\r\n"));
  EXPECT_THAT(answer, HasSubstr("\r\ncache-control: no-store\r\n"));
  EXPECT_THAT(answer, HasSubstr("\r\ndate: "));
  EXPECT_THAT(answer, HasSubstr("\r\nconnection: close\r\n"));
  EXPECT_THAT(answer, EndsWith("\r\n\r\nGET page of a=b"));
}

TEST_F(HttpServerTest, KeepsTheConnectionForFurtherRequests) {
  const Peer peer(server_.port());
  for (int i = 0; i < 3; ++i) {
    peer.Send("GET /page HTTP/1.1\r\nHost: x\r\n\r\n");
    EXPECT_THAT(peer.ReadTo("GET page of "), StartsWith("HTTP/1.1 200"));
  }
}

TEST_F(HttpServerTest, AnswersRequestsThatComeAtOnceInTheirOrder) {
  const std::string answers = Ask(
      "GET /page?1 HTTP/1.1\r\nHost: x\r\n\r\n"
      "POST /echo HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\n\r\nhello"
      "POST /echo HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nfoo\r\n0\r\n\r\n"
      "GET /page?2 HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
  const std::size_t first = answers.find("page of 1");
  const std::size_t second = answers.find("hello", first);
  const std::size_t third = answers.find("foo", second);
  EXPECT_NE(answers.find("page of 2", third), std::string::npos) << answers;
}

TEST_F(HttpServerTest, HeadTellsTheLengthOnly) {
  const std::string answer = Ask("HEAD /page HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
  EXPECT_THAT(answer, HasSubstr("content-length: 13\r\n"));
  EXPECT_THAT(answer, EndsWith("\r\n\r\n"));
}

TEST_F(HttpServerTest, SpeaksHttp10) {
  const std::string answer = Ask("GET /page HTTP/1.0\r\n\r\n");
  EXPECT_THAT(answer, StartsWith("HTTP/1.1 200"));
  EXPECT_THAT(answer, EndsWith("\r\n\r\nGET page of "));
  const std::string stream = Ask("POST /stream HTTP/1.0\r\nContent-Length: 1\r\n\r\n3");
  EXPECT_THAT(stream, Not(HasSubstr("chunked")));
  EXPECT_THAT(stream, EndsWith("\r\n\r\npiece 0;piece 1;piece 2;"));
}

TEST_F(HttpServerTest, StreamsAnAnswerInChunks) {
  const Peer peer(server_.port());
  peer.Send("POST /stream HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\n\r\n2");
  const std::string answer = peer.ReadTo("0\r\n\r\n");
  EXPECT_THAT(answer, HasSubstr("\r\ntransfer-encoding: chunked\r\n"));
  EXPECT_THAT(answer, EndsWith("\r\n\r\n8\r\npiece 0;\r\n8\r\npiece 1;\r\n0\r\n\r\n"));
  peer.Send("GET /page HTTP/1.1\r\nHost: x\r\n\r\n");
  EXPECT_THAT(peer.ReadTo("GET page of "), StartsWith("HTTP/1.1 200"));
}

TEST_F(HttpServerTest, SendsAPieceBeforeTheNextOneExists) {
  const Peer peer(server_.port());
  peer.Send("POST /held HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\n\r\n");
  const std::unique_ptr<util::HttpExchange> exchange = handler_.AwaitHeld();
  exchange->Begin({.status = 200});
  EXPECT_TRUE(exchange->Write("one"));
  EXPECT_THAT(peer.ReadTo("one\r\n"), EndsWith("3\r\none\r\n"));
  EXPECT_TRUE(exchange->Write("two"));
  EXPECT_THAT(peer.ReadTo("two\r\n"), EndsWith("3\r\ntwo\r\n"));
  exchange->End();
  EXPECT_EQ(peer.ReadTo("0\r\n\r\n"), "0\r\n\r\n");
}

TEST_F(HttpServerTest, SaysWhenAStreamHasBeenSent) {
  const Peer peer(server_.port(), 16 * 1024);
  peer.Send("POST /held HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\n\r\n");
  const std::unique_ptr<util::HttpExchange> exchange = handler_.AwaitHeld();
  exchange->Begin({});
  std::atomic<int> drained = 0;
  const auto note = [&] { ++drained; };
  exchange->OnDrained(note);
  EXPECT_EQ(drained, 1) << "at once";
  EXPECT_TRUE(exchange->Write(std::string(FakeHandler::kLargeBytes, 'x')));
  exchange->OnDrained([] { FAIL() << "replaced"; });
  exchange->OnDrained(note);
  EXPECT_EQ(drained, 1);
  std::jthread reader([&] { peer.ReadBytes(FakeHandler::kLargeBytes); });
  EXPECT_TRUE(Eventually([&] { return drained == 2; }));
  exchange->End();
}

TEST_F(HttpServerTest, SaysThatAStreamHasBeenSentWhenTheClientHasGone) {
  const Peer peer(server_.port(), 16 * 1024);
  peer.Send("POST /held HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\n\r\n");
  const std::unique_ptr<util::HttpExchange> exchange = handler_.AwaitHeld();
  exchange->Begin({});
  exchange->Write(std::string(FakeHandler::kLargeBytes, 'x'));
  std::atomic<int> drained = 0;
  exchange->OnDrained([&] { ++drained; });
  EXPECT_EQ(drained, 0);
  peer.Reset();
  EXPECT_TRUE(Eventually([&] { return drained == 1; }));
  exchange->OnDrained([&] { ++drained; });
  EXPECT_EQ(drained, 2) << "at once";
}

TEST_F(HttpServerTest, TakesAnAnswerFromAnotherThread) {
  const Peer peer(server_.port());
  peer.Send("POST /held HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\n\r\n");
  std::thread([exchange = handler_.AwaitHeld()] {
    exchange->Respond({.status = 201, .headers = {{"x-mine", "1"}}, .body = "made"});
  }).join();
  const std::string answer = peer.ReadTo("made");
  EXPECT_THAT(answer, StartsWith("HTTP/1.1 201 Created\r\nx-mine: 1\r\n"));
}

TEST_F(HttpServerTest, TellsTheHandlerThatTheClientHasGone) {
  const Peer peer(server_.port());
  peer.Send("POST /held HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\n\r\n");
  const std::unique_ptr<util::HttpExchange> exchange = handler_.AwaitHeld();
  EXPECT_FALSE(exchange->IsCancelled());
  peer.Reset();
  EXPECT_TRUE(Eventually([&] { return exchange->IsCancelled(); }));
  exchange->Begin({});
  EXPECT_FALSE(exchange->Write("nobody reads this"));
  exchange->End();
}

TEST_F(HttpServerTest, ClosesAConnectionWhoseExchangeIsDropped) {
  const Peer peer(server_.port());
  peer.Send("POST /held HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\n\r\n");
  handler_.AwaitHeld().reset();
  EXPECT_THAT(peer.ReadAll(), IsEmpty());
}

TEST_F(HttpServerTest, AnswersAClientThatHasFinishedSending) {
  const Peer peer(server_.port());
  peer.Send("POST /echo HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\n\r\nhello");
  peer.Finish();
  EXPECT_THAT(peer.ReadAll(), EndsWith("\r\n\r\nhello"));
}

TEST_F(HttpServerTest, WorksOnForAClientThatHasFinishedSending) {
  const Peer peer(server_.port());
  peer.Send("POST /held HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\n\r\n");
  peer.Send("POST /echo HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\n\r\nhello");
  peer.Finish();
  const std::unique_ptr<util::HttpExchange> exchange = handler_.AwaitHeld();
  // The server has seen the end when it has answered a client that finished later.
  EXPECT_THAT(Ask("GET /page HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"),
              EndsWith("GET page of "));
  EXPECT_FALSE(exchange->IsCancelled());
  exchange->Respond({.body = "late"});
  EXPECT_THAT(peer.ReadAll(), AllOf(HasSubstr("\r\n\r\nlateHTTP/1.1 200"), EndsWith("hello")));
}

TEST_F(HttpServerTest, AStreamWhoseClientHasClosedEndsWhenItIsWritten) {
  auto peer = std::make_unique<Peer>(server_.port());
  peer->Send("POST /held HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\n\r\n");
  const std::unique_ptr<util::HttpExchange> exchange = handler_.AwaitHeld();
  exchange->Begin({});
  peer->ReadTo("\r\n\r\n");
  peer.reset();
  EXPECT_TRUE(Eventually([&] { return !exchange->Write("nobody reads this"); }));
  EXPECT_TRUE(exchange->IsCancelled());
  exchange->End();
}

TEST_F(HttpServerTest, EndsAConnectionThatStopsInsideARequest) {
  for (const std::string_view part :
       {"", "GET /pa", "POST /echo HTTP/1.1\r\nHost: x\r\n",
        "POST /echo HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\n\r\nh"}) {
    const Peer peer(server_.port());
    peer.Send(part);
    peer.Finish();
    EXPECT_THAT(peer.ReadAll(), IsEmpty()) << part;
  }
}

TEST_F(HttpServerTest, SkipsOneEmptyLineBeforeARequest) {
  const std::string request = "GET /page HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n";
  EXPECT_THAT(Ask(fmt::format("\r\n{}", request)), StartsWith("HTTP/1.1 200"));
  EXPECT_THAT(Ask(fmt::format("\r\n\r\n{}", request)), StartsWith("HTTP/1.1 400"));
}

TEST_F(HttpServerTest, AsksForABodyThatWaitsForTheQuestion) {
  const Peer peer(server_.port());
  peer.Send("POST /echo HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\nExpect: 100-continue\r\n\r\n");
  EXPECT_EQ(peer.ReadTo("\r\n\r\n"), "HTTP/1.1 100 Continue\r\n\r\n");
  peer.Send("hello");
  EXPECT_THAT(peer.ReadTo("hello"), StartsWith("HTTP/1.1 200"));
}

TEST_F(HttpServerTest, DropsASmallBodyThatIsNotWanted) {
  const Peer peer(server_.port());
  peer.Send("POST /page HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\n\r\nhel");
  EXPECT_THAT(peer.ReadTo("POST page of "), StartsWith("HTTP/1.1 200"));
  peer.Send("loGET /page?next HTTP/1.1\r\nHost: x\r\n\r\n");
  EXPECT_THAT(peer.ReadTo("page of next"), StartsWith("HTTP/1.1 200"));
}

TEST_F(HttpServerTest, ClosesInsteadOfReadingALargeBodyThatIsNotWanted) {
  const Peer peer(server_.port());
  peer.Send("POST /page HTTP/1.1\r\nHost: x\r\nContent-Length: 5000000\r\n\r\nhel");
  EXPECT_THAT(peer.ReadTo("POST page of "), HasSubstr("\r\nconnection: close\r\n"));
  peer.Finish();
  EXPECT_THAT(peer.ReadAll(), IsEmpty());
}

TEST_F(HttpServerTest, AnExceptionOfAHandlerIsNotDisclosed) {
  testing::internal::CaptureStderr();
  const std::string early = Ask("GET /throws HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
  const std::string late = Ask(
      "POST /throws-late HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\nConnection: close\r\n\r\n");
  testing::internal::GetCapturedStderr();
  for (const std::string& answer : {early, late}) {
    EXPECT_THAT(answer, StartsWith("HTTP/1.1 500"));
    EXPECT_THAT(answer, HasSubstr("application/problem+json"));
    EXPECT_THAT(answer, Not(HasSubstr("secret")));
  }
}

TEST_F(HttpServerTest, AFieldOfAHandlerCannotBecomeTwo) {
  const Peer peer(server_.port());
  peer.Send("POST /held HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\n\r\n");
  handler_.AwaitHeld()->Respond({.status = 200,
                                 .headers = {{"x-mine", "a\r\nset-cookie: b"}, {"bad name", "c"}},
                                 .body = "."});
  const std::string answer = peer.ReadTo("\r\n\r\n.");
  EXPECT_THAT(answer, HasSubstr("x-mine: a  set-cookie: b\r\n"));
  EXPECT_THAT(answer, Not(HasSubstr("bad name")));
}

TEST_F(HttpServerTest, StoppingWaitsForRequestsInProgress) {
  const Peer peer(server_.port());
  peer.Send("POST /held HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\n\r\n");
  std::unique_ptr<util::HttpExchange> exchange = handler_.AwaitHeld();
  const Peer idle(server_.port());
  idle.Send("GET");  // the kernel keeps clients that say nothing
  bool drained = false;
  std::thread stopper([&] { drained = server_.Stop(std::chrono::steady_clock::now() + 60s); });
  EXPECT_THAT(idle.ReadAll(), IsEmpty());  // closed at once: the stop has begun
  exchange->Respond({.status = 200, .body = "late"});
  EXPECT_THAT(peer.ReadAll(), EndsWith("\r\n\r\nlate"));
  stopper.join();
  EXPECT_TRUE(drained);
}

TEST_F(HttpServerTest, StoppingCutsRequestsOffAtTheDeadline) {
  const Peer peer(server_.port());
  peer.Send("POST /held HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\n\r\n");
  const std::unique_ptr<util::HttpExchange> exchange = handler_.AwaitHeld();
  EXPECT_FALSE(server_.Stop(std::chrono::steady_clock::now() + 10ms));
  EXPECT_TRUE(exchange->IsCancelled());
  exchange->Respond({});  // harmless
}

TEST_F(HttpServerTest, AnExchangeMayOutliveTheServer) {
  std::unique_ptr<util::HttpExchange> exchange;
  {
    HttpServer server({.name = "web"}, handler_);
    ASSERT_THAT(server.Start(), IsOk());
    const Peer peer(server.port());
    peer.Send("POST /held HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\n\r\n");
    exchange = handler_.AwaitHeld();
  }
  EXPECT_TRUE(exchange->IsCancelled());
  exchange->Begin({});
  EXPECT_FALSE(exchange->Write("x"));
  exchange->End();
}

TEST_F(HttpServerTest, SaysWhyAPortCannotBeOpened) {
  HttpServer second({.name = "web", .port = server_.port()}, handler_);
  const absl::Status status = second.Start();
  EXPECT_THAT(status, StatusIs(absl::StatusCode::kUnavailable));
  EXPECT_THAT(std::string(status.message()), HasSubstr("--web-port"));
}

TEST_F(HttpServerTest, CountsConnectionsAndRequests) {
  {
    const Peer peer(server_.port());
    peer.Send("GET /page HTTP/1.1\r\nHost: x\r\n\r\n");
    peer.ReadTo("page of ");
    EXPECT_EQ(server_.stats().open_count, 1);
    EXPECT_EQ(server_.stats().request_count, 1);
  }
  EXPECT_TRUE(Eventually([&] { return server_.stats().open_count == 0; }));
}

}  // namespace
}  // namespace todo::edge
