#include "front/front.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/un.h>

#include <array>
#include <chrono>
#include <future>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "support/status_matchers.h"
#include "unit/front/frames.h"
#include "util/guarded.h"

namespace todo::front {
namespace {

using support::IsOk;
using support::StatusIs;
using testing::HasSubstr;
using namespace std::chrono_literals;

constexpr int kPatienceMs = 30'000;  // only a test that fails takes so long

/// A blocking socket of a test.
class Socket {
 public:
  explicit Socket(Descriptor descriptor) : descriptor_(std::move(descriptor)) {}
  static Socket To(int port) {
    Descriptor descriptor(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(static_cast<std::uint16_t>(port));
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    EXPECT_EQ(connect(descriptor.get(), reinterpret_cast<sockaddr*>(&address), sizeof(address)), 0);
    return Socket(std::move(descriptor));
  }

  /// False: the other side is gone.
  bool Send(std::string_view bytes) {
    while (!bytes.empty()) {
      const ssize_t count = send(descriptor_.get(), bytes.data(), bytes.size(), MSG_NOSIGNAL);
      if (count <= 0) return false;
      bytes.remove_prefix(static_cast<std::size_t>(count));
    }
    return true;
  }
  /// Up to `count` bytes; fewer when the other side ends or says nothing for long.
  std::string Receive(std::size_t count) {
    std::string bytes(count, '\0');
    std::size_t filled = 0;
    while (filled < count && Readable()) {
      const ssize_t more = recv(descriptor_.get(), bytes.data() + filled, count - filled, 0);
      if (more <= 0) break;
      filled += static_cast<std::size_t>(more);
    }
    bytes.resize(filled);
    return bytes;
  }
  /// Whether the other side ends, before long.
  bool Ends() {
    char byte = 0;
    return Readable() && recv(descriptor_.get(), &byte, 1, 0) <= 0;
  }
  void Close() { descriptor_.Close(); }
  int fd() const { return descriptor_.get(); }

 private:
  bool Readable() const {
    pollfd event{.fd = descriptor_.get(), .events = POLLIN, .revents = 0};
    return poll(&event, 1, kPatienceMs) == 1;
  }

  Descriptor descriptor_;
};

FrontOptions AnyPort() {
  FrontOptions options;
  options.name = "test";
  options.address = "127.0.0.1";
  return options;
}

/// A front before a server that only collects its connections.
class FrontTest : public testing::Test {
 protected:
  void StartFront(FrontOptions options = AnyPort()) {
    front_ = std::make_unique<Front>(std::move(options));
    ASSERT_THAT(front_->Open(), IsOk());
    front_->Start([this](int fd) { handed_over_.Lock()->push_back(fd); });
  }
  void TearDown() override {
    front_.reset();
    for (const int fd : *handed_over_.Lock()) Descriptor{fd}.Close();
  }

  /// The server's end of the next connection.
  Socket Server() {
    for (const auto until = std::chrono::steady_clock::now() + 30s;
         std::chrono::steady_clock::now() < until; std::this_thread::yield()) {
      auto fds = handed_over_.Lock();
      if (fds->empty()) continue;
      const int fd = fds->front();
      fds->erase(fds->begin());
      fcntl(fd, F_SETFL, fcntl(fd, F_GETFL) & ~O_NONBLOCK);
      return Socket(Descriptor(fd));
    }
    ADD_FAILURE() << "no connection reached the server";
    return Socket(Descriptor());
  }
  void WaitForConnections(int count) {
    const auto until = std::chrono::steady_clock::now() + 30s;
    while (front_->connection_count() != count && std::chrono::steady_clock::now() < until)
      std::this_thread::sleep_for(1ms);
    EXPECT_EQ(front_->connection_count(), count);
  }

  util::Guarded<std::vector<int>> handed_over_;
  std::unique_ptr<Front> front_;
};

TEST_F(FrontTest, BytesGoBothWays) {
  StartFront();
  Socket client = Socket::To(front_->port());
  client.Send(Opening());
  Socket server = Server();
  EXPECT_EQ(server.Receive(Opening().size()), Opening());
  server.Send("an answer");
  EXPECT_EQ(client.Receive(9), "an answer");
  client.Close();
  EXPECT_TRUE(server.Ends());
}

TEST_F(FrontTest, TheServerKnowsThePeer) {
  StartFront();
  Socket client = Socket::To(front_->port());
  client.Send(Opening());
  Socket server = Server();
  sockaddr_un name{};
  socklen_t length = sizeof(name);
  ASSERT_EQ(getpeername(server.fd(), reinterpret_cast<sockaddr*>(&name), &length), 0);
  EXPECT_THAT(std::string(name.sun_path + 1), HasSubstr("/127.0.0.1:"));
}

TEST_F(FrontTest, LargeAmountsArriveWholeThroughSlowReaders) {
  StartFront();
  Socket client = Socket::To(front_->port());
  client.Send(Opening());
  Socket server = Server();
  server.Receive(Opening().size());
  std::string up;
  for (std::uint32_t stream = 1; up.size() < 20'000'000; stream += 2) {
    up += Frame(kHeaders, kEndHeaders, stream, 60) + Frame(kData, 0, stream, 1'000'000) +
          Frame(kData, kEndStream, stream, 3);
  }
  std::string down(20'000'000, 'd');
  // Nobody reads until both sides have more to send than all buffers hold.
  auto sent_up = std::async(std::launch::async, [&] { return client.Send(up); });
  auto sent_down = std::async(std::launch::async, [&] { return server.Send(down); });
  auto got_up = std::async(std::launch::async, [&] { return server.Receive(up.size()); });
  EXPECT_EQ(client.Receive(down.size()), down);
  EXPECT_EQ(got_up.get(), up);
  EXPECT_TRUE(sent_up.get());
  EXPECT_TRUE(sent_down.get());
}

TEST_F(FrontTest, TheLastWordsOfTheServerArrive) {
  StartFront();
  Socket client = Socket::To(front_->port());
  client.Send(Opening());
  Socket server = Server();
  const std::string words(150'000, 'w');
  server.Send(words);
  front_->StopAccepting();
  server.Close();
  front_->Stop();
  EXPECT_EQ(client.Receive(words.size() + 1), words);
}

TEST_F(FrontTest, AnEndedServerDoesNotCutOffASlowReader) {
  StartFront();
  Socket client = Socket::To(front_->port());
  client.Send(Opening());
  const std::string words(30'000'000, 'w');
  auto served = std::async(std::launch::async, [&, server = Server()]() mutable {
    server.Send(words);
    server.Close();
  });
  EXPECT_EQ(client.Receive(1), "w");
  client.Send(Frame(kPing, 0, 0, 8));
  EXPECT_EQ(client.Receive(words.size()), words.substr(1));
  served.get();
}

TEST_F(FrontTest, OtherProtocolsAreCutOffAndDoNotReachTheServer) {
  StartFront();
  Socket client = Socket::To(front_->port());
  client.Send("GET / HTTP/1.1\r\n\r\n");
  EXPECT_TRUE(client.Ends());
  EXPECT_TRUE(handed_over_.Lock()->empty());
}

TEST_F(FrontTest, WithoutFramesAnyBytesPass) {
  FrontOptions options = AnyPort();
  options.frames = std::nullopt;
  StartFront(std::move(options));
  Socket client = Socket::To(front_->port());
  client.Send("\x16\x03\x01");
  EXPECT_EQ(Server().Receive(3), "\x16\x03\x01");
}

TEST_F(FrontTest, ASilentClientIsCutOff) {
  FrontOptions options = AnyPort();
  options.times.opening = 10ms;
  StartFront(std::move(options));
  Socket client = Socket::To(front_->port());
  client.Send("PRI * HTTP");
  EXPECT_TRUE(client.Ends());
}

TEST_F(FrontTest, AFloodIsSlowedDownAndThenCutOff) {
  FrontOptions options = AnyPort();
  options.times.slowed = 300ms;
  StartFront(std::move(options));
  Socket client = Socket::To(front_->port());
  client.Send(Opening());
  Socket server = Server();
  std::string pings;
  for (int i = 0; i < 1'000; ++i) pings += Frame(kPing, 0, 0, 8);
  auto flood = std::async(std::launch::async, [&] {
    while (client.Send(pings)) continue;
  });
  // After the burst, no more than 200 a second.
  const std::size_t received = server.Receive(100'000'000).size() / Frame(kPing, 0, 0, 8).size();
  EXPECT_LT(received, 1'000U + 200 * 20);
  flood.get();
}

TEST_F(FrontTest, WhenAllPlacesAreTakenTheSilentGiveWay) {
  FrontOptions options = AnyPort();
  options.max_waiting = 8;
  options.max_served = 8;
  StartFront(std::move(options));
  std::vector<Socket> silent;
  for (int i = 0; i < 50; ++i) silent.push_back(Socket::To(front_->port()));
  Socket client = Socket::To(front_->port());
  client.Send(Opening());
  EXPECT_EQ(Server().Receive(Opening().size()), Opening());
  EXPECT_LE(front_->connection_count(), 9);
}

TEST_F(FrontTest, WhenAllPlacesAreTakenIdleClientsGiveWay) {
  FrontOptions options = AnyPort();
  options.max_served = 4;
  options.max_served_per_peer = 4;
  StartFront(std::move(options));
  Socket caller = Socket::To(front_->port());
  caller.Send(Opening() + Call(1));
  Socket server = Server();
  EXPECT_EQ(server.Receive(10), Opening().substr(0, 10));
  std::vector<Socket> idle;
  std::vector<Socket> servers;
  for (int i = 0; i < 10; ++i) {
    idle.push_back(Socket::To(front_->port()));
    idle.back().Send(Opening());
    servers.push_back(Server());
  }
  EXPECT_TRUE(idle.front().Ends());
  WaitForConnections(4);
  server.Send("an answer");
  EXPECT_EQ(caller.Receive(9), "an answer");
}

TEST_F(FrontTest, WhenThereAreTooManyCallsTheConnectionWithMostUnfinishedRequestsEnds) {
  FrontOptions options = AnyPort();
  options.max_open_calls = 20;
  StartFront(std::move(options));
  const auto opened = [this](std::uint32_t calls, bool finished) {
    std::string words = Opening();
    for (std::uint32_t i = 0; i < calls; ++i)
      words += finished ? Call(2 * i + 1) : Frame(kHeaders, kEndHeaders, 2 * i + 1, 60);
    Socket client = Socket::To(front_->port());
    client.Send(words);
    Socket server = Server();
    EXPECT_EQ(server.Receive(words.size()), words);
    return std::pair(std::move(client), std::move(server));
  };
  auto [honest, honest_server] = opened(10, true);
  auto [few, few_server] = opened(3, false);
  auto [many, many_server] = opened(5, false);
  auto [more, more_server] = opened(2, false);
  WaitForConnections(4);
  honest.Send(Call(21));  // one above the limit
  EXPECT_TRUE(many.Ends());
  WaitForConnections(3);
  // A call that the server ends makes room.
  honest_server.Send(Frame(kHeaders, kEndHeaders | kEndStream, 1, 30));
  EXPECT_EQ(honest.Receive(39).size(), 39U);
  for (std::uint32_t stream = 7; stream < 15; stream += 2)
    few.Send(Frame(kHeaders, kEndHeaders, stream, 60));
  EXPECT_EQ(few_server.Receive(4 * 69).size(), 4 * 69U);
  WaitForConnections(3);
  more.Send(Frame(kHeaders, kEndHeaders, 5, 60) + Frame(kHeaders, kEndHeaders, 7, 60));
  EXPECT_TRUE(few.Ends());
}

TEST_F(FrontTest, CallsOfAnEndedConnectionCountUntilTheServerHasClosedIt) {
  FrontOptions options = AnyPort();
  options.max_open_calls = 9;
  StartFront(std::move(options));
  std::string words = Opening();
  for (std::uint32_t stream = 1; stream < 25; stream += 2)
    words += Frame(kHeaders, kEndHeaders, stream, 60);
  Socket first = Socket::To(front_->port());
  first.Send(words);
  Socket first_server = Server();
  EXPECT_TRUE(first.Ends()) << "twelve calls are too many";
  Socket second = Socket::To(front_->port());
  second.Send(words.substr(0, Opening().size() + 5 * 69));
  Socket second_server = Server();
  const std::size_t few = Opening().size() + 4 * 69 + 8;  // and the fifth but for its last byte
  EXPECT_EQ(second_server.Receive(few).size(), few);
  pollfd more{.fd = second_server.fd(), .events = POLLIN, .revents = 0};
  EXPECT_EQ(poll(&more, 1, 100), 0) << "the fifth call waits";
  first_server.Close();
  EXPECT_EQ(second_server.Receive(5 * 69 - few + Opening().size()).size(), 61U);
}

TEST_F(FrontTest, ThePortOutlivesALackOfDescriptors) {
  StartFront();
  std::vector<Socket> clients;
  std::vector<Descriptor> taken;
  rlimit before{};
  getrlimit(RLIMIT_NOFILE, &before);
  clients.push_back(Socket::To(front_->port()));
  clients.push_back(Socket(Descriptor(socket(AF_INET, SOCK_STREAM, 0))));
  WaitForConnections(1);
  rlimit low = before;
  low.rlim_cur = 64;
  setrlimit(RLIMIT_NOFILE, &low);
  for (;;) {
    Descriptor more(open("/dev/null", O_RDONLY | O_CLOEXEC));
    if (!more) break;
    taken.push_back(std::move(more));
  }
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(static_cast<std::uint16_t>(front_->port()));
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  connect(clients.back().fd(), reinterpret_cast<sockaddr*>(&address), sizeof(address));
  EXPECT_TRUE(clients.front().Ends()) << "the silent connection gives way";
  setrlimit(RLIMIT_NOFILE, &before);
  taken.clear();
  Socket client = Socket::To(front_->port());
  client.Send(Opening());
  EXPECT_EQ(Server().Receive(Opening().size()), Opening());
}

TEST_F(FrontTest, WithoutDescriptorsASilentConnectionGivesWayToAClientThatSpeaks) {
  StartFront();
  Socket silent = Socket::To(front_->port());
  WaitForConnections(1);
  Socket client = Socket::To(front_->port());
  WaitForConnections(2);
  rlimit before{};
  getrlimit(RLIMIT_NOFILE, &before);
  rlimit low = before;
  low.rlim_cur = 64;
  setrlimit(RLIMIT_NOFILE, &low);
  std::vector<Descriptor> taken;
  for (;;) {
    Descriptor more(open("/dev/null", O_RDONLY | O_CLOEXEC));
    if (!more) break;
    taken.push_back(std::move(more));
  }
  client.Send(Opening());
  EXPECT_EQ(Server().Receive(Opening().size()), Opening());
  EXPECT_TRUE(silent.Ends());
  setrlimit(RLIMIT_NOFILE, &before);
}

TEST_F(FrontTest, AfterStopAcceptingOldConnectionsLiveAndNewOnesFail) {
  StartFront();
  Socket client = Socket::To(front_->port());
  client.Send(Opening());
  Socket server = Server();
  Socket silent = Socket::To(front_->port());
  WaitForConnections(2);
  front_->StopAccepting();
  EXPECT_TRUE(silent.Ends());
  server.Send("still here");
  EXPECT_EQ(client.Receive(10), "still here");
  Front another([&] {
    FrontOptions options = AnyPort();
    options.port = front_->port();
    return options;
  }());
  EXPECT_THAT(another.Open(), IsOk()) << "the port is free";
}

TEST_F(FrontTest, APortInUseIsNamedByItsCause) {
  StartFront();
  FrontOptions options = AnyPort();
  options.port = front_->port();
  Front another(std::move(options));
  EXPECT_THAT(another.Open(), StatusIs(absl::StatusCode::kUnavailable));
}

}  // namespace
}  // namespace todo::front
