#include "api/answer_budget.h"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>
#include <functional>
#include <memory>
#include <string>
#include <thread>
#include <vector>

namespace todo::api {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;
using namespace std::chrono_literals;

class AnswerBudgetTest : public testing::Test {
 protected:
  std::shared_ptr<AnswerBudget::Held> Hold(const std::string& holder, std::size_t bytes,
                                           const std::string& name) {
    return budget_.Hold(holder, bytes, [this, name] { cancelled_.push_back(name); });
  }

  AnswerBudget::SteadyTime now_{1'000s};
  std::vector<std::string> cancelled_;
  // The tick of a test is its own call.
  AnswerBudget budget_{
      {.max_bytes = 100, .patience = 30s, .tick = 24h, .clock = [this] { return now_; }}};
};

TEST_F(AnswerBudgetTest, AnswersThatAreReadCountNoMore) {
  for (int i = 0; i < 100; ++i) Hold("ada", 90, "answer")->End();
  EXPECT_EQ(budget_.held_bytes(), 0U);
  EXPECT_THAT(cancelled_, IsEmpty());
}

TEST_F(AnswerBudgetTest, TheLargestHolderGivesWayWithItsOldestAnswers) {
  const auto m1 = Hold("mallory", 30, "m1");
  const auto m2 = Hold("mallory", 30, "m2");
  const auto a1 = Hold("ada", 35, "a1");
  EXPECT_THAT(cancelled_, IsEmpty());
  const auto a2 = Hold("ada", 10, "a2");
  EXPECT_THAT(cancelled_, ElementsAre("m1"));
  EXPECT_EQ(budget_.held_bytes(), 75U);
  for (const auto& held : {m1, m2, a1, a2}) held->End();
  EXPECT_EQ(budget_.held_bytes(), 0U);
  EXPECT_EQ(budget_.cancelled_count(), 1U);
}

TEST_F(AnswerBudgetTest, HoldersThatDoNotReadGiveWayBeforeAFreshAnswer) {
  std::vector<std::shared_ptr<AnswerBudget::Held>> held;
  for (int i = 0; i < 9; ++i) held.push_back(Hold(fmt::format("mallory {}", i), 10, "unread"));
  now_ += 2s;
  held.push_back(Hold("ada", 40, "honest"));
  EXPECT_THAT(cancelled_, ElementsAre("unread", "unread", "unread"));
  for (const auto& one : held) one->End();
}

TEST_F(AnswerBudgetTest, AnAnswerThatIsTooLargeAloneIsCancelled) {
  const auto held = Hold("ada", 101, "large");
  EXPECT_THAT(cancelled_, ElementsAre("large"));
  held->End();
}

TEST_F(AnswerBudgetTest, AStreamCountsWhatIsUnreadAndHasTimeWhileItIsRead) {
  const auto stream = Hold("ada", 0, "stream");
  now_ += 1h;
  budget_.CancelOverdue();
  EXPECT_THAT(cancelled_, IsEmpty()) << "an idle stream may wait for ever";
  stream->Add(20);
  stream->Add(30);
  EXPECT_EQ(budget_.held_bytes(), 50U);
  for (const std::size_t rest : {30U, 10U}) {
    now_ += 25s;
    budget_.CancelOverdue();
    stream->Remove(20);
    EXPECT_EQ(budget_.held_bytes(), rest);
  }
  stream->Remove(10);
  now_ += 1h;
  budget_.CancelOverdue();
  EXPECT_THAT(cancelled_, IsEmpty());

  stream->Add(10);
  now_ += 29s;
  stream->Add(10);  // gives no more time
  now_ += 2s;
  budget_.CancelOverdue();
  EXPECT_THAT(cancelled_, ElementsAre("stream"));
  EXPECT_EQ(budget_.held_bytes(), 0U);
  stream->Add(10);
  stream->Remove(10);
  EXPECT_EQ(budget_.held_bytes(), 0U) << "it is over";
  stream->End();
}

TEST_F(AnswerBudgetTest, StreamsGiveWayTogetherWhenTheyAreTooLarge) {
  const auto mallory = Hold("mallory", 0, "mallory");
  const auto ada = Hold("ada", 0, "ada");
  mallory->Add(40);
  ada->Add(30);
  mallory->Add(40);
  EXPECT_THAT(cancelled_, ElementsAre("mallory"));
  EXPECT_EQ(budget_.held_bytes(), 30U);
  for (const auto& held : {mallory, ada}) held->End();
}

TEST_F(AnswerBudgetTest, AnAnswerIsCancelledWhenItIsNotReadForLong) {
  const auto old = Hold("ada", 10, "old");
  now_ += 20s;
  const auto young = Hold("ada", 10, "young");
  now_ += 11s;
  budget_.CancelOverdue();
  budget_.CancelOverdue();
  EXPECT_THAT(cancelled_, ElementsAre("old"));
  old->End();
  young->End();
}

TEST_F(AnswerBudgetTest, AnEndedAnswerIsNotCancelled) {
  const auto held = Hold("ada", 10, "ended");
  held->End();
  held->End();
  now_ += 1h;
  budget_.CancelOverdue();
  EXPECT_THAT(cancelled_, IsEmpty());
}

TEST(AnswerBudgetThreadsTest, ACancelNeverMeetsAnAnswerThatHasEnded) {
  AnswerBudget budget({.max_bytes = 50, .patience = 1ms, .tick = 1ms});
  std::vector<std::jthread> callers;
  for (int caller = 0; caller < 4; ++caller) {
    callers.emplace_back([&budget, caller] {
      for (int i = 0; i < 2'000; ++i) {
        auto alive = std::make_unique<int>(0);
        const auto held = budget.Hold(std::to_string(caller), 20, [&alive] { ++*alive; });
        held->End();
        EXPECT_LE(*alive, 1);
        alive.reset();  // a later cancel would crash
      }
    });
  }
  callers.clear();
  EXPECT_EQ(budget.held_bytes(), 0U);
}

}  // namespace
}  // namespace todo::api
