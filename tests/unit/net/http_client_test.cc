#include "net/http_client.h"

#include <arpa/inet.h>
#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <string>
#include <thread>
#include <vector>

#include "support/status_matchers.h"
#include "util/guarded.h"

namespace todo::net {
namespace {

using support::IsOk;
using support::StatusIs;
using testing::EndsWith;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::SizeIs;
using testing::StartsWith;
using namespace std::chrono_literals;

/// Answers each connection to a port of loopback with the same bytes, and remembers the requests.
class OneAnswerServer {
 public:
  /// `end`: the connection is closed behind the answer. Otherwise it stays open for a while.
  explicit OneAnswerServer(std::string answer, bool end = true)
      : answer_(std::move(answer)), end_(end), listener_(socket(AF_INET, SOCK_STREAM, 0)) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof(address);
    EXPECT_EQ(bind(listener_, reinterpret_cast<sockaddr*>(&address), size), 0);
    EXPECT_EQ(listen(listener_, 8), 0);
    EXPECT_EQ(getsockname(listener_, reinterpret_cast<sockaddr*>(&address), &size), 0);
    port_ = ntohs(address.sin_port);
    thread_ = std::thread([this] { Run(); });
  }
  ~OneAnswerServer() {
    shutdown(listener_, SHUT_RDWR);
    thread_.join();
    close(listener_);
  }
  OneAnswerServer(const OneAnswerServer&) = delete;
  OneAnswerServer& operator=(const OneAnswerServer&) = delete;

  Target target(const std::string& path = "/") const {
    return ParseTarget(fmt::format("http://127.0.0.1:{}{}", port_, path)).value();
  }
  std::vector<std::string> requests() { return *requests_.Lock(); }

 private:
  void Run() {
    std::vector<int> open;
    for (;;) {
      const int connection = accept(listener_, nullptr, nullptr);
      if (connection < 0) break;
      char buffer[4096];
      const ssize_t size = recv(connection, buffer, sizeof(buffer), 0);
      if (size > 0) requests_.Lock()->emplace_back(buffer, static_cast<std::size_t>(size));
      send(connection, answer_.data(), answer_.size(), MSG_NOSIGNAL);
      if (end_) {
        close(connection);
      } else {
        open.push_back(connection);
      }
    }
    for (const int connection : open) close(connection);
  }

  const std::string answer_;
  const bool end_;
  const int listener_;
  int port_ = 0;
  util::Guarded<std::vector<std::string>> requests_;
  std::thread thread_;
};

HttpClient Unguarded() { return HttpClient(HttpClient::Options()); }

TEST(HttpClient, GetsAResponse) {
  OneAnswerServer server("HTTP/1.1 200 OK\r\ncontent-length: 8\r\n\r\n{\"k\":[]}");
  HttpRequest request;
  request.headers = {"accept: application/json"};
  const auto response = Unguarded().Send(server.target("/keys?x=1"), request);
  ASSERT_THAT(response, IsOk());
  EXPECT_EQ(response->status, 200);
  EXPECT_EQ(response->body, "{\"k\":[]}");
  EXPECT_TRUE(response->complete);
  EXPECT_EQ(response->retry_after, std::nullopt);
  ASSERT_THAT(server.requests(), SizeIs(1));
  EXPECT_THAT(server.requests()[0], StartsWith("GET /keys?x=1 HTTP/1.1\r\n"));
  EXPECT_THAT(server.requests()[0], HasSubstr("\r\naccept: application/json\r\n"));
}

TEST(HttpClient, PostsABody) {
  OneAnswerServer server("HTTP/1.1 503 Busy\r\nretry-after: 7\r\ncontent-length: 0\r\n\r\n");
  HttpRequest request;
  request.method = HttpRequest::Method::kPost;
  request.headers = {"content-type: text/plain"};
  request.body = "hello";
  const auto response = Unguarded().Send(server.target(), request);
  ASSERT_THAT(response, IsOk());
  EXPECT_EQ(response->status, 503);
  EXPECT_EQ(response->retry_after, 7s);
  ASSERT_THAT(server.requests(), SizeIs(1));
  EXPECT_THAT(server.requests()[0], StartsWith("POST / HTTP/1.1\r\n"));
  EXPECT_THAT(server.requests()[0], HasSubstr("\r\ncontent-type: text/plain\r\n"));
  EXPECT_THAT(server.requests()[0], EndsWith("\r\n\r\nhello"));
}

TEST(HttpClient, ABodyUpToTheLimitIsCompleteAndALongerOneIsCut) {
  OneAnswerServer server("HTTP/1.1 200 OK\r\ncontent-length: 10\r\n\r\n0123456789");
  HttpRequest request;
  request.max_response_bytes = 10;
  auto response = Unguarded().Send(server.target(), request);
  ASSERT_THAT(response, IsOk());
  EXPECT_EQ(response->body, "0123456789");
  EXPECT_TRUE(response->complete);
  request.max_response_bytes = 9;
  response = Unguarded().Send(server.target(), request);
  ASSERT_THAT(response, IsOk());
  EXPECT_EQ(response->status, 200);
  EXPECT_EQ(response->body, "012345678");
  EXPECT_FALSE(response->complete);
}

TEST(HttpClient, ABodyThatBreaksOffIsNotComplete) {
  OneAnswerServer server("HTTP/1.1 200 OK\r\ncontent-length: 10\r\n\r\n0123");
  const auto response = Unguarded().Send(server.target(), {});
  ASSERT_THAT(response, IsOk());
  EXPECT_EQ(response->status, 200);
  EXPECT_EQ(response->body, "0123");
  EXPECT_FALSE(response->complete);
}

TEST(HttpClient, ARedirectIsAResponse) {
  OneAnswerServer server("HTTP/1.1 302 Found\r\nlocation: /x\r\ncontent-length: 0\r\n\r\n");
  const auto response = Unguarded().Send(server.target(), {});
  ASSERT_THAT(response, IsOk());
  EXPECT_EQ(response->status, 302);
  EXPECT_THAT(server.requests(), SizeIs(1));
}

TEST(HttpClient, SaysWhyThereIsNoResponse) {
  HttpRequest request;
  request.timeout = 50ms;
  OneAnswerServer silent("", /*end=*/false);
  EXPECT_THAT(Unguarded().Send(silent.target(), request),
              StatusIs(absl::StatusCode::kDeadlineExceeded));
  OneAnswerServer no_http("SSH-2.0-server\r\n");
  EXPECT_THAT(Unguarded().Send(no_http.target(), {}), StatusIs(absl::StatusCode::kUnavailable));
  OneAnswerServer closes("");
  EXPECT_THAT(Unguarded().Send(closes.target(), {}), StatusIs(absl::StatusCode::kUnavailable));
}

TEST(HttpClient, AGuardIsAskedBeforeAnythingIsSent) {
  OneAnswerServer server("HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n");
  const HttpClient guarded({.guard = TargetGuard::Create({}).value(), .ca_file = {}});
  EXPECT_THAT(guarded.Send(server.target(), {}), StatusIs(absl::StatusCode::kPermissionDenied));
  EXPECT_THAT(server.requests(), IsEmpty());
  const HttpClient listed({.guard = TargetGuard::Create({"127.0.0.1"}).value(), .ca_file = {}});
  EXPECT_THAT(listed.Send(server.target(), {}), IsOk());
}

TEST(HttpClient, UrlsAreCheckedByTheGuardIfThereIsOne) {
  const std::string private_url = "https://127.0.0.1/";
  EXPECT_THAT(Unguarded().Check(private_url), IsOk());
  const HttpClient guarded({.guard = TargetGuard::Create({}).value(), .ca_file = {}});
  EXPECT_THAT(guarded.Check(private_url), StatusIs(absl::StatusCode::kPermissionDenied));
  EXPECT_THAT(Unguarded().Check("ftp://x/"), StatusIs(absl::StatusCode::kPermissionDenied));
}

}  // namespace
}  // namespace todo::net
