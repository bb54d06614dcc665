#include "live/counters.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>

namespace todo::live {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;
using testing::ElementsAre;

TEST(Counters, CountsEachLagUnderItsBound) {
  Counters counters;
  counters.NoteLag(milliseconds(-5));  // the other clock is ahead
  counters.NoteLag(milliseconds(10));
  counters.NoteLag(seconds(60));
  const util::HistogramValues lag = counters.Read().lag;
  EXPECT_THAT(lag.counts, ElementsAre(2, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1));
  EXPECT_NEAR(lag.sum_seconds, 60.01, 1e-9);
}

TEST(Counters, CountsWhatWasSent) {
  Counters counters;
  counters.NoteSent(ports::FeedResync{ports::FeedResync::Reason::kTooFarBehind});
  counters.NoteSent(ports::FeedResync{ports::FeedResync::Reason::kUnknownCursor});
  counters.NoteSent(ports::FeedResync{ports::FeedResync::Reason::kUnknownCursor});
  counters.NoteSent(std::make_shared<const domain::LiveChange>(domain::Change{}));
  counters.NoteSent(ports::FeedHead{});
  const FeedStats stats = counters.Read();
  EXPECT_EQ(stats.resyncs_too_far_behind, 1u);
  EXPECT_EQ(stats.resyncs_unknown_cursor, 2u);
  EXPECT_EQ(stats.deliveries, 1u);
}

}  // namespace
}  // namespace todo::live
