#include "app/port_watch.h"

#include <fcntl.h>
#include <gtest/gtest.h>

#include <chrono>
#include <future>
#include <stop_token>
#include <string>
#include <vector>

#include "app/listener.h"
#include "front/listening_socket.h"
#include "support/status_matchers.h"

namespace todo::app {
namespace {

using support::IsOk;
using namespace std::chrono_literals;

WatchedPort Grpc(int port) {
  return {.name = "api",
          .address = "127.0.0.1",
          .port = port,
          .greeting = std::string(Http2Greeting())};
}

ListenerOptions AnyPort() {
  return {
      .name = "api", .address = "127.0.0.1", .port = 0, .services = {}, .max_receive_bytes = 1'000};
}

TEST(PortWatchTest, AServedPortAnswers) {
  const auto listener = Listen(AnyPort());
  ASSERT_THAT(listener, IsOk());
  EXPECT_TRUE(PortAnswers(Grpc(listener->port()), 30s));
}

TEST(PortWatchTest, APortThatNobodyAcceptsOnDoesNotAnswer) {
  const auto silent = front::OpenListeningSocket("127.0.0.1", 0);
  ASSERT_THAT(silent, IsOk());
  EXPECT_FALSE(PortAnswers(Grpc(silent->port), 50ms)) << "the kernel took the connection";
}

TEST(PortWatchTest, AClosedPortDoesNotAnswer) {
  auto listening = front::OpenListeningSocket("127.0.0.1", 0);
  ASSERT_THAT(listening, IsOk());
  listening->socket.Close();
  EXPECT_FALSE(PortAnswers(Grpc(listening->port), 30s));
}

TEST(PortWatchTest, APortThatStaysSilentIsGivenUp) {
  const auto listener = Listen(AnyPort());
  const auto silent = front::OpenListeningSocket("127.0.0.1", 0);
  ASSERT_TRUE(listener.ok() && silent.ok());
  WatchedPort dead = Grpc(silent->port);
  dead.name = "app";
  PortWatch watch({.interval = 1ms, .patience = 20ms, .max_failures = 3});
  std::vector<std::string> given_up;
  testing::internal::CaptureStderr();
  watch.Run(std::stop_token(), {Grpc(listener->port()), dead},
            [&](const WatchedPort& port) { given_up.push_back(port.name); });
  testing::internal::GetCapturedStderr();
  EXPECT_EQ(given_up, std::vector<std::string>{"app"});
  EXPECT_FALSE(watch.all_answer());
}

TEST(PortWatchTest, AllAnswerWhileAllAnswer) {
  const auto listener = Listen(AnyPort());
  ASSERT_THAT(listener, IsOk());
  PortWatch watch({.interval = 1ms, .patience = 30s, .max_failures = 1});
  std::stop_source source;
  auto run = std::async(std::launch::async, [&] {
    watch.Run(source.get_token(), {Grpc(listener->port())},
              [](const WatchedPort& port) { ADD_FAILURE() << port.name; });
  });
  // The watch's own connections show that it has looked.
  while (listener->accepted_count() < 5) std::this_thread::sleep_for(1ms);
  EXPECT_TRUE(watch.all_answer());
  source.request_stop();
  run.get();
}

}  // namespace
}  // namespace todo::app
