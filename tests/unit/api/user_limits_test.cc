#include "api/user_limits.h"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <chrono>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "support/status_matchers.h"

namespace todo::api {
namespace {

using support::HasReason;
using support::IsOk;
using support::StatusIs;
using testing::AllOf;
using testing::Pair;
using testing::UnorderedElementsAre;
using namespace std::chrono_literals;

class UserLimitsTest : public testing::Test {
 protected:
  void Limit(UserLimitOptions options) {
    limits_.emplace(options, [this] { return now_; });
  }
  /// A call that is answered at once.
  absl::Status Call(const std::string& user) { return limits_->Begin({user}).status(); }
  int CallsUntilRefused(const std::string& user) {
    for (int count = 0;; ++count) {
      if (!Call(user).ok()) return count;
    }
  }

  UserLimits::SteadyTime now_{1h};
  std::optional<UserLimits> limits_;
};

TEST_F(UserLimitsTest, AllowsABurstAndThenTheRate) {
  Limit({.calls_per_second = 10, .call_burst = 30});
  EXPECT_EQ(CallsUntilRefused("ann"), 30);
  EXPECT_THAT(Call("ann"), AllOf(StatusIs(absl::StatusCode::kResourceExhausted),
                                 HasReason("USER_RATE_LIMITED")));
  now_ += 99ms;
  EXPECT_EQ(CallsUntilRefused("ann"), 0);
  now_ += 1ms;
  EXPECT_EQ(CallsUntilRefused("ann"), 1);
  now_ += 1s;
  EXPECT_EQ(CallsUntilRefused("ann"), 10);
  now_ += 1h;
  EXPECT_THAT(limits_->refused(),
              UnorderedElementsAre(Pair("USER_RATE_LIMITED", 5), Pair("USER_BUSY", 0)));
  EXPECT_EQ(CallsUntilRefused("ann"), 30) << "a pause earns no more than a burst";
}

TEST_F(UserLimitsTest, ABurstMayBeSmallerThanTheRate) {
  Limit({.calls_per_second = 10, .call_burst = 1});
  EXPECT_EQ(CallsUntilRefused("ann"), 1);
  now_ += 100ms;
  EXPECT_EQ(CallsUntilRefused("ann"), 1);
}

TEST_F(UserLimitsTest, UsersDoNotTouchEachOther) {
  Limit({.calls_per_second = 1, .call_burst = 5});
  EXPECT_EQ(CallsUntilRefused("ann"), 5);
  EXPECT_EQ(CallsUntilRefused("bob"), 5);
}

TEST_F(UserLimitsTest, StreamsHaveAPlaceOfTheirOwn) {
  Limit({.calls_at_a_time = 1, .streams_at_a_time = 1});
  auto stream = limits_->Begin({"ann"}, UserLimits::Kind::kStream);
  ASSERT_THAT(stream, IsOk());
  EXPECT_THAT(limits_->Begin({"ann"}, UserLimits::Kind::kStream).status(),
              AllOf(StatusIs(absl::StatusCode::kResourceExhausted), HasReason("USER_BUSY")));
  EXPECT_THAT(Call("ann"), IsOk());
  stream->Return();
  EXPECT_THAT(limits_->Begin({"ann"}, UserLimits::Kind::kStream).status(), IsOk());
}

TEST_F(UserLimitsTest, NewStreamsHaveARateOfTheirOwn) {
  Limit({.calls_per_second = 100, .streams_per_second = 5, .stream_burst = 20});
  const auto streams_until_refused = [this] {
    for (int count = 0;; ++count)
      if (!limits_->Begin({"ann"}, UserLimits::Kind::kStream).ok()) return count;
  };
  EXPECT_EQ(streams_until_refused(), 20) << "streams that end at once, as of a client in a loop";
  EXPECT_THAT(
      limits_->Begin({"ann"}, UserLimits::Kind::kStream).status(),
      AllOf(StatusIs(absl::StatusCode::kResourceExhausted), HasReason("USER_RATE_LIMITED")));
  EXPECT_THAT(Call("ann"), IsOk());
  now_ += 200ms;
  EXPECT_EQ(streams_until_refused(), 1);
  now_ += 1h;
  EXPECT_EQ(streams_until_refused(), 20);
}

TEST_F(UserLimitsTest, AStreamCountsAsACall) {
  Limit({.calls_per_second = 1, .call_burst = 3});
  EXPECT_THAT(limits_->Begin({"ann"}, UserLimits::Kind::kStream).status(), IsOk());
  EXPECT_EQ(CallsUntilRefused("ann"), 2);
  EXPECT_THAT(limits_->Begin({"ann"}, UserLimits::Kind::kStream).status(),
              HasReason("USER_RATE_LIMITED"));
}

TEST_F(UserLimitsTest, CountsCallsInProgressUntilTheirEnd) {
  Limit({.calls_at_a_time = 2});
  auto first = limits_->Begin({"ann"});
  auto second = limits_->Begin({"ann"});
  ASSERT_THAT(second, IsOk());
  EXPECT_THAT(Call("ann"),
              AllOf(StatusIs(absl::StatusCode::kResourceExhausted), HasReason("USER_BUSY")));
  EXPECT_THAT(Call("bob"), IsOk());
  first->Return();
  first->Return();
  EXPECT_THAT(Call("ann"), IsOk());
  UserLimits::Place moved = *std::move(second);
  auto third = limits_->Begin({"ann"});
  EXPECT_THAT(third, IsOk());
  EXPECT_THAT(Call("ann"), HasReason("USER_BUSY")) << "a moved place is still one";
}

TEST_F(UserLimitsTest, ForgetsUsersThatAreIdle) {
  Limit({.calls_per_second = 10, .call_burst = 30});
  for (int i = 0; i < 100; ++i) EXPECT_THAT(Call(fmt::format("user-{}", i)), IsOk());
  EXPECT_EQ(limits_->user_count(), 100u);
  now_ += 1h;
  for (int i = 0; i < 100; ++i) EXPECT_THAT(Call(fmt::format("other-{}", i)), IsOk());
  EXPECT_EQ(limits_->user_count(), 100u);
}

TEST_F(UserLimitsTest, RemembersNoMoreUsersThanItMay) {
  Limit({.calls_per_second = 1, .call_burst = 5, .max_users = 10});
  const auto in_progress = limits_->Begin({"busy"});
  EXPECT_EQ(CallsUntilRefused("ann"), 5);
  for (int i = 0; i < 1'000; ++i) {
    EXPECT_THAT(Call(fmt::format("user-{}", i)), IsOk());
    EXPECT_LE(limits_->user_count(), 11u);
    if (i % 3 != 0) continue;
    EXPECT_EQ(CallsUntilRefused("ann"), 0) << "a user that calls is remembered";
  }
}

TEST_F(UserLimitsTest, ManyThreadsMayCall) {
  UserLimits limits({.calls_per_second = 1'000'000, .call_burst = 1'000'000, .calls_at_a_time = 2});
  std::atomic<int> most = 0;
  std::atomic<int> running = 0;
  std::vector<std::jthread> threads;
  for (int i = 0; i < 4; ++i) {
    threads.emplace_back([&] {
      for (int n = 0; n < 1'000; ++n) {
        const auto place = limits.Begin({"ann"});
        if (!place.ok()) continue;
        const int now = ++running;
        for (int seen = most; seen < now && !most.compare_exchange_weak(seen, now);) {
        }
        --running;
      }
    });
  }
  threads.clear();
  EXPECT_LE(most, 2);
  EXPECT_THAT(limits.Begin({"ann"}), IsOk());
}

}  // namespace
}  // namespace todo::api
