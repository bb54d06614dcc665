#include "app/id_source.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <set>
#include <string>
#include <thread>
#include <vector>

#include "app/system_clock.h"

namespace todo::app {
namespace {

using namespace std::chrono_literals;

class SetClock final : public ports::Clock {
 public:
  domain::Instant Now() const override { return now_; }
  void Set(domain::Instant now) { now_ = now; }

 private:
  std::atomic<domain::Instant> now_ = domain::Instant(std::chrono::milliseconds(0x0123456789ab));
};

TEST(IdSourceTest, IdsAreUuidsOfVersion7ThatBeginWithTheTime) {
  SetClock clock;
  RandomIdSource ids(clock);
  const std::string id = ids.NewId().value();
  EXPECT_EQ(id.substr(0, 13), "01234567-89ab");
  EXPECT_EQ(id[14], '7');
  EXPECT_NE(std::string("89ab").find(id[19]), std::string::npos) << id;
}

TEST(IdSourceTest, IdsGrowWhileTheClockStandsStillOrGoesBack) {
  SetClock clock;
  RandomIdSource ids(clock);
  std::string last;
  // More than the counter can tell apart within a millisecond.
  for (int i = 0; i < 10'000; ++i) {
    if (i == 5'000) clock.Set(clock.Now() - 1h);
    const std::string id = ids.NewId().value();
    ASSERT_GT(id, last);
    last = id;
  }
}

TEST(IdSourceTest, ThreadsNeverGetTheSameId) {
  SystemClock clock;
  RandomIdSource ids(clock);
  constexpr std::size_t kThreads = 4;
  constexpr std::size_t kIds = 2'000;
  std::vector<std::vector<std::string>> made(kThreads);
  {
    std::vector<std::jthread> threads;
    for (auto& mine : made) {
      threads.emplace_back([&ids, &mine] {
        for (std::size_t i = 0; i < kIds; ++i) mine.push_back(ids.NewId().value());
      });
    }
  }
  std::set<std::string> all;
  for (const auto& mine : made) {
    EXPECT_TRUE(std::is_sorted(mine.begin(), mine.end()));
    all.insert(mine.begin(), mine.end());
  }
  EXPECT_EQ(all.size(), kThreads * kIds);
}

}  // namespace
}  // namespace todo::app
