#include "util/sleep.h"

#include <gtest/gtest.h>

#include <thread>

namespace todo::util {
namespace {

using namespace std::chrono_literals;

TEST(SleepFor, EndsAfterItsDuration) {
  const auto begin = std::chrono::steady_clock::now();
  EXPECT_TRUE(SleepFor(std::stop_token(), 5ms));
  EXPECT_GE(std::chrono::steady_clock::now() - begin, 5ms);
}

TEST(SleepFor, ARequestedStopEndsIt) {
  std::jthread sleeper([](const std::stop_token& stop) { EXPECT_FALSE(SleepFor(stop, 24h)); });
  sleeper.request_stop();
}

}  // namespace
}  // namespace todo::util
