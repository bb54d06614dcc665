#include "edge/http_server.h"
#include "support/status_matchers.h"

#include <arpa/inet.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include <chrono>
#include <stdexcept>
#include <string>
#include <string_view>

namespace todo::edge {
namespace {

using support::IsOk;
using support::StatusIs;
using testing::EndsWith;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;
using testing::StartsWith;
using namespace std::chrono_literals;

/// A plain socket: what it sends is up to the test.
class Peer {
 public:
  explicit Peer(int port) : socket_(socket(AF_INET, SOCK_STREAM, 0)) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(static_cast<std::uint16_t>(port));
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    const timeval patience{.tv_sec = 30, .tv_usec = 0};
    setsockopt(socket_, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience));
    EXPECT_EQ(connect(socket_, reinterpret_cast<sockaddr*>(&address), sizeof(address)), 0);
  }
  ~Peer() { close(socket_); }
  Peer(const Peer&) = delete;
  Peer& operator=(const Peer&) = delete;

  void Send(std::string_view text) const {
    // The server may have closed already: that is for ReadAll to see.
    [[maybe_unused]] const auto sent = send(socket_, text.data(), text.size(), MSG_NOSIGNAL);
  }
  /// Until the server closes.
  std::string ReadAll() const {
    std::string all;
    char part[4096];
    for (ssize_t n = 0; (n = recv(socket_, part, sizeof(part), 0)) > 0;) {
      all.append(part, static_cast<std::size_t>(n));
    }
    return all;
  }
  /// Until `end` has come.
  std::string ReadTo(std::string_view end) const {
    std::string all;
    char c = 0;
    while (!all.ends_with(end) && recv(socket_, &c, 1, 0) == 1) all.push_back(c);
    return all;
  }

 private:
  int socket_;
};

HttpServerOptions AnyPort() { return {.port = 0, .max_connections = 4, .patience = 1s}; }

class HttpServerTest : public testing::Test {
 protected:
  void SetUp() override { ASSERT_THAT(server_.Start(), IsOk()); }

  std::string Ask(std::string_view request) {
    const Peer peer(server_.port());
    peer.Send(request);
    return peer.ReadAll();
  }

  HttpServer server_{AnyPort(),
                     {{"/page", [] { return HttpResponse{.body = "content"}; }},
                      {"/broken", []() -> HttpResponse { throw std::runtime_error("secret"); }}}};
};

TEST_F(HttpServerTest, AnswersItsPathsWhateverTheQuery) {
  const std::string answer = Ask("GET /page?a=b HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
  EXPECT_THAT(answer, StartsWith("HTTP/1.1 200 OK\r\n"));
  EXPECT_THAT(answer, HasSubstr("Content-Length: 7\r\n"));
  EXPECT_THAT(answer, EndsWith("\r\n\r\ncontent"));
}

TEST_F(HttpServerTest, KeepsTheConnectionForFurtherRequests) {
  const Peer peer(server_.port());
  for (int i = 0; i < 3; ++i) {
    peer.Send("GET /page HTTP/1.1\r\nHost: x\r\n\r\n");
    EXPECT_THAT(peer.ReadTo("\r\n\r\ncontent"), StartsWith("HTTP/1.1 200"));
  }
}

TEST_F(HttpServerTest, HeadTellsTheLengthOnly) {
  const std::string answer = Ask("HEAD /page HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
  EXPECT_THAT(answer, HasSubstr("Content-Length: 7\r\n"));
  EXPECT_THAT(answer, EndsWith("\r\n\r\n"));
}

TEST_F(HttpServerTest, RejectsUnknownPathsAndMethods) {
  EXPECT_THAT(Ask("GET /pag HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"),
              StartsWith("HTTP/1.1 404"));
  EXPECT_THAT(Ask("POST /page HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"),
              StartsWith("HTTP/1.1 405"));
}

TEST_F(HttpServerTest, AnExceptionOfAHandlerIsNotDisclosed) {
  testing::internal::CaptureStderr();
  const std::string answer = Ask("GET /broken HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
  testing::internal::GetCapturedStderr();
  EXPECT_THAT(answer, StartsWith("HTTP/1.1 500"));
  EXPECT_THAT(answer, Not(HasSubstr("secret")));
}

TEST_F(HttpServerTest, LimitsTheSizeOfARequest) {
  const std::string large(20'000, 'x');
  EXPECT_THAT(Ask("GET /page HTTP/1.1\r\nHost: " + large + "\r\n\r\n"), StartsWith("HTTP/1.1 431"));
  EXPECT_THAT(Ask("GET /page HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\n\r\nhello"),
              StartsWith("HTTP/1.1 413"));
  EXPECT_THAT(Ask("\x16\x03\x01 this is not HTTP\r\n\r\n"), StartsWith("HTTP/1.1 400"));
}

TEST_F(HttpServerTest, ClosesASlowConnection) {
  const Peer peer(server_.port());
  peer.Send("GET /page HTTP/1.1\r\nHo");
  EXPECT_THAT(peer.ReadAll(), IsEmpty());  // returns: the server has closed
}

TEST_F(HttpServerTest, ClosesConnectionsAboveTheLimitAndGoesOnAfterwards) {
  {
    std::vector<std::unique_ptr<Peer>> peers;
    for (int i = 0; i < 4; ++i) {
      peers.push_back(std::make_unique<Peer>(server_.port()));
      peers.back()->Send("GET /page HTTP/1.1\r\nHost: x\r\n\r\n");
      EXPECT_THAT(peers.back()->ReadTo("\r\n\r\ncontent"), StartsWith("HTTP/1.1 200"));
    }
    const Peer fifth(server_.port());
    fifth.Send("GET /page HTTP/1.1\r\nHost: x\r\n\r\n");
    EXPECT_THAT(fifth.ReadAll(), IsEmpty());
  }
  // Until the server has seen that the others left.
  const auto deadline = std::chrono::steady_clock::now() + 30s;
  std::string answer;
  while (answer.empty() && std::chrono::steady_clock::now() < deadline) {
    answer = Ask("GET /page HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
  }
  EXPECT_THAT(answer, StartsWith("HTTP/1.1 200"));
}

TEST_F(HttpServerTest, SaysWhyAPortCannotBeOpened) {
  HttpServerOptions options = AnyPort();
  options.port = server_.port();
  HttpServer second(options, {});
  const absl::Status status = second.Start();
  EXPECT_THAT(status, StatusIs(absl::StatusCode::kUnavailable));
  EXPECT_THAT(std::string(status.message()), HasSubstr("--http-port"));
}

}  // namespace
}  // namespace todo::edge
