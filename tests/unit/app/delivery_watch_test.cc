#include "app/delivery_watch.h"

#include <gtest/gtest.h>

namespace todo::app {
namespace {

using namespace std::chrono_literals;

class DeliveryWatchTest : public testing::Test {
 protected:
  bool After(std::chrono::milliseconds time, std::uint64_t deliveries, std::int64_t missing,
             std::int64_t lost = 0) {
    now_ += time;
    return watch_.Look({.deliveries = deliveries, .missing = missing, .lost = lost}, now_);
  }
  DeliveryWatch watch_{30s};
  DeliveryWatch::Clock::time_point now_{1h};
};

TEST_F(DeliveryWatchTest, SilenceIsTroubleOnlyWhileEventsAreMissing) {
  EXPECT_FALSE(After(0s, 5, 0));
  EXPECT_FALSE(After(1h, 5, 0)) << "nobody writes";
  EXPECT_FALSE(After(5s, 5, 3)) << "it may be about to come";
  EXPECT_FALSE(After(24s, 5, 3));
  EXPECT_TRUE(After(1s, 5, 3));
  EXPECT_TRUE(After(1h, 5, 4));
  EXPECT_FALSE(After(1s, 6, 4)) << "one came";
}

TEST_F(DeliveryWatchTest, MissingEventsAreABacklogWhileDeliveriesCome) {
  for (std::uint64_t n = 0; n < 100; ++n) EXPECT_FALSE(After(10s, n, 1'000));
  EXPECT_FALSE(After(29s, 99, 1'000));
  EXPECT_TRUE(After(1s, 99, 1'000));
  EXPECT_FALSE(After(1s, 99, 0)) << "somebody else took them";
}

TEST_F(DeliveryWatchTest, EventsGivenUpAsLostAreStillMissing) {
  EXPECT_FALSE(After(0s, 5, 0, 2)) << "lost long ago";
  EXPECT_FALSE(After(1h, 5, 0, 2));
  EXPECT_FALSE(After(1s, 5, 3, 2));
  EXPECT_TRUE(After(30s, 5, 3, 2));
  EXPECT_TRUE(After(1h, 5, 0, 5)) << "given up, and still none comes";
  EXPECT_FALSE(After(1s, 5, 0, 2)) << "they were taken after all";
}

TEST_F(DeliveryWatchTest, AFreshReplicaIsGivenItsTime) {
  EXPECT_FALSE(After(0s, 0, 7));
  EXPECT_FALSE(After(29s, 0, 7));
  EXPECT_TRUE(After(1s, 0, 7));
}

}  // namespace
}  // namespace todo::app
