#include "util/bell.h"

#include <gtest/gtest.h>

#include <thread>

namespace todo::util {
namespace {

using namespace std::chrono_literals;

// A wait that misses its end is one of hours, which the test does not live to see.

TEST(BellTest, ARingEndsTheWaitOfEveryThread) {
  Bell bell;
  std::jthread waiting[2];
  for (std::jthread& thread : waiting) {
    thread = std::jthread([&bell, heard = bell.rings()](const std::stop_token& stop) {
      bell.Wait(stop, heard, 24h);
      EXPECT_EQ(bell.rings(), 1u);
      EXPECT_FALSE(stop.stop_requested());
    });
  }
  bell.Ring();
  for (std::jthread& thread : waiting) thread.join();
}

TEST(BellTest, ARingBeforeTheWaitIsNotMissed) {
  Bell bell;
  const std::uint64_t heard = bell.rings();
  bell.Ring();
  bell.Wait({}, heard, 24h);
}

TEST(BellTest, WithoutARingTheWaitEndsWithItsLimit) {
  Bell bell;
  bell.Ring();
  const auto begin = Bell::Clock::now();
  bell.Wait({}, bell.rings(), 5ms);
  EXPECT_GE(Bell::Clock::now() - begin, 5ms);
}

TEST(BellTest, ManyRingsAreOneLook) {
  Bell bell;
  const std::uint64_t heard = bell.rings();
  bell.Ring();
  const auto begin = Bell::Clock::now();
  bell.Wait({}, heard, 24h, 5ms);
  EXPECT_GE(Bell::Clock::now() - begin, 5ms);
}

TEST(BellTest, AStopRequestEndsTheWaitAtOnce) {
  Bell bell;
  std::jthread waiting([&bell](const std::stop_token& stop) { bell.Wait(stop, 0, 24h, 24h); });
  waiting.request_stop();
}

}  // namespace
}  // namespace todo::util
