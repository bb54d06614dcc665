#include "front/open_calls.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <random>

namespace todo::front {
namespace {

TEST(OpenCallsTest, NobodyGivesWayWhileThereIsRoom) {
  OpenCalls calls(10);
  calls.Note(1, {.calls = 6, .requests = 6});
  calls.Note(2, {.calls = 4});
  EXPECT_EQ(calls.total(), 10U);
  EXPECT_EQ(calls.ToGiveWay(), 0U);
}

TEST(OpenCallsTest, TheConnectionWithMostUnfinishedRequestsGivesWay) {
  OpenCalls calls(10);
  calls.Note(1, {.calls = 6, .requests = 1});
  calls.Note(2, {.calls = 3, .requests = 3});
  calls.Note(3, {.calls = 2, .requests = 2});
  EXPECT_EQ(calls.ToGiveWay(), 2U);
  calls.Note(2, {});
  EXPECT_EQ(calls.total(), 8U);
  EXPECT_EQ(calls.ToGiveWay(), 0U);
}

TEST(OpenCallsTest, AmongEqualsMostCallsAndThenTheOldest) {
  OpenCalls calls(10);
  calls.Note(1, {.calls = 4, .requests = 1});
  calls.Note(2, {.calls = 5, .requests = 1});
  calls.Note(3, {.calls = 5, .requests = 1});
  EXPECT_EQ(calls.ToGiveWay(), 2U);
}

TEST(OpenCallsTest, CallsThatAreLeavingCountUntilTheServerHasLetGo) {
  OpenCalls calls(9);
  calls.Note(1, {.calls = 9, .requests = 9});
  EXPECT_FALSE(calls.full());
  calls.Note(1, {});
  calls.NoteLeaving(9);
  calls.Note(2, {.calls = 3});
  EXPECT_TRUE(calls.full());
  EXPECT_EQ(calls.ToGiveWay(), 0U) << "nobody's end would help";
  calls.NoteLeft(9);
  EXPECT_FALSE(calls.full());
}

TEST(OpenCallsTest, TheChoiceIsThatOfACompleteSearch) {
  OpenCalls calls(300);
  std::map<OpenCalls::Id, OpenCalls::Count> model;
  std::mt19937 random(7);
  const auto below = [&](int end) {
    return std::uniform_int_distribution<int>(0, end - 1)(random);
  };
  for (int step = 0; step < 20'000; ++step) {
    const auto id = static_cast<OpenCalls::Id>(below(50)) + 1;
    OpenCalls::Count count{.calls = below(20)};
    if (count.calls > 0) count.requests = below(count.calls + 1);
    model[id] = count;
    calls.Note(id, count);
    std::size_t total = 0;
    OpenCalls::Id first = 0;
    for (const auto& [one, of_one] : model) {
      total += static_cast<std::size_t>(of_one.calls);
      const bool goes_before =
          first == 0 || of_one.requests > model[first].requests ||
          (of_one.requests == model[first].requests && of_one.calls > model[first].calls);
      if (goes_before) first = one;
    }
    ASSERT_EQ(calls.total(), total);
    ASSERT_EQ(calls.ToGiveWay(), total > 300 ? first : 0U);
  }
}

}  // namespace
}  // namespace todo::front
