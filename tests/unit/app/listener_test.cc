#include "app/listener.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>
#include <string>

#include "fmt/format.h"
#include "google/protobuf/descriptor.h"
#include "support/status_matchers.h"

namespace todo::app {
namespace {

using support::IsOk;
using support::StatusIs;
using testing::HasSubstr;
using testing::StartsWith;

ListenerOptions AnyPort() {
  return {
      .name = "api", .address = "127.0.0.1", .port = 0, .services = {}, .max_receive_bytes = 1'000};
}

TEST(ListenerTest, PortZeroGivesAFreePort) {
  const auto first = Listen(AnyPort());
  const auto second = Listen(AnyPort());
  ASSERT_TRUE(first.ok() && second.ok());
  EXPECT_GT(first->port(), 0);
  EXPECT_NE(first->port(), second->port());
}

TEST(ListenerTest, APortInUseIsNotSharedButNamed) {
  const auto first = Listen(AnyPort());
  ASSERT_THAT(first, IsOk());
  ListenerOptions options = AnyPort();
  options.port = first->port();
  const auto second = Listen(options);
  ASSERT_THAT(second, StatusIs(absl::StatusCode::kUnavailable));
  EXPECT_THAT(std::string(second.status().message()),
              StartsWith(fmt::format(
                  "cannot listen on 127.0.0.1:{} for the api port: Address already in use",
                  first->port())));
}

TEST(ListenerTest, AnAddressOfAnotherMachineIsNamed) {
  ListenerOptions options = AnyPort();
  options.address = "192.0.2.1";  // reserved for documentation
  const auto listener = Listen(options);
  ASSERT_THAT(listener, StatusIs(absl::StatusCode::kUnavailable));
  EXPECT_THAT(std::string(listener.status().message()), HasSubstr("192.0.2.1:0"));
}

TEST(ListenerTest, ThePortIsFreeAgainAfterwards) {
  auto first = Listen(AnyPort());
  ASSERT_THAT(first, IsOk());
  ListenerOptions options = AnyPort();
  options.port = first->port();
  first->Shutdown(std::chrono::system_clock::now());
  *first = {};
  EXPECT_THAT(Listen(options), IsOk());
}

TEST(ListenerTest, ReflectionCanDescribeTheHealthService) {
  const auto listener = Listen(AnyPort());
  ASSERT_THAT(listener, IsOk());
  EXPECT_NE(google::protobuf::DescriptorPool::generated_pool()->FindServiceByName(
                "grpc.health.v1.Health"),
            nullptr);
}

}  // namespace
}  // namespace todo::app
