#include "util/histogram.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <array>
#include <chrono>
#include <thread>
#include <vector>

namespace todo::util {
namespace {

using testing::ElementsAre;
using namespace std::chrono_literals;

constexpr std::array<double, 3> kBounds = {0.01, 0.5, 2.0};

TEST(Histogram, CountsEachTimeUnderItsBound) {
  Histogram histogram(kBounds);
  histogram.Note(10ms);
  histogram.Note(10'001us);
  histogram.Note(400ms);
  histogram.Note(60s);
  const HistogramValues values = histogram.Read();
  EXPECT_THAT(values.bounds, ElementsAre(0.01, 0.5, 2.0));
  EXPECT_THAT(values.counts, ElementsAre(1, 2, 0, 1));
  EXPECT_EQ(values.count(), 4u);
  EXPECT_NEAR(values.sum_seconds, 60.420001, 1e-9);
}

TEST(Histogram, CountsATimeBelowZeroAsZero) {
  Histogram histogram(kBounds);
  histogram.Note(-5ms);
  EXPECT_THAT(histogram.Read().counts, ElementsAre(1, 0, 0, 0));
  EXPECT_EQ(histogram.Read().sum_seconds, 0);
}

TEST(Histogram, AddsNoMoreThanADayForOneTime) {
  Histogram histogram(kBounds);
  histogram.Note(std::chrono::hours(24 * 365 * 50));
  EXPECT_THAT(histogram.Read().counts, ElementsAre(0, 0, 0, 1));
  EXPECT_EQ(histogram.Read().sum_seconds, 86'400);
}

TEST(Histogram, LosesNoTimeOfManyThreads) {
  Histogram histogram(kBounds);
  std::vector<std::jthread> threads;
  for (int thread = 0; thread < 4; ++thread) {
    threads.emplace_back([&histogram] {
      for (int i = 0; i < 10'000; ++i) histogram.Note(1ms);
    });
  }
  threads.clear();
  EXPECT_THAT(histogram.Read().counts, ElementsAre(40'000, 0, 0, 0));
  EXPECT_NEAR(histogram.Read().sum_seconds, 40, 1e-6);
}

}  // namespace
}  // namespace todo::util
