#include "api/call_figures.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>
#include <memory>
#include <utility>

namespace todo::api {
namespace {

using absl::StatusCode;
using testing::ElementsAre;
using testing::IsEmpty;
using testing::Key;
using namespace std::chrono_literals;

TEST(CallFiguresTest, CountsCallsByTheirCodes) {
  CallFigures figures;
  EXPECT_THAT(figures.Read(), IsEmpty());
  figures.Note(StatusCode::kOk, 3ms);
  figures.Note(StatusCode::kOk, 30ms);
  figures.Note(StatusCode::kNotFound, 1ms);
  const auto read = figures.Read();
  ASSERT_THAT(read, ElementsAre(Key(StatusCode::kOk), Key(StatusCode::kNotFound)));
  EXPECT_EQ(read.at(StatusCode::kOk).count(), 2u);
  EXPECT_NEAR(read.at(StatusCode::kOk).sum_seconds, 0.033, 1e-9);
  EXPECT_EQ(read.at(StatusCode::kNotFound).count(), 1u);
}

TEST(CallFiguresTest, ACodeThatDoesNotExistCountsAsUnknown) {
  CallFigures figures;
  figures.Note(static_cast<StatusCode>(99), 1ms);
  EXPECT_THAT(figures.Read(), ElementsAre(Key(StatusCode::kUnknown)));
}

TEST(CallTimerTest, CountsTheFirstStopOnly) {
  const auto figures = std::make_shared<CallFigures>();
  CallTimer timer(figures);
  CallTimer moved(std::move(timer));
  moved.Stop(StatusCode::kOk);
  moved.Stop(StatusCode::kCancelled);
  EXPECT_THAT(figures->Read(), ElementsAre(Key(StatusCode::kOk)));
  EXPECT_EQ(figures->Read().at(StatusCode::kOk).count(), 1u);
}

TEST(CallTimerTest, CountsNothingWithoutFigures) { CallTimer(nullptr).Stop(StatusCode::kOk); }

}  // namespace
}  // namespace todo::api
