#include "util/together.h"

#include <gtest/gtest.h>

#include <atomic>
#include <future>
#include <latch>
#include <set>
#include <stdexcept>
#include <thread>
#include <vector>

namespace todo::util {
namespace {

TEST(TogetherTest, EachCallIsMadeOnce) {
  WorkerPool pool(4, 100);
  std::vector<std::atomic<int>> calls(50);
  RunTogether(pool, calls.size(), [&](std::size_t i) { ++calls[i]; });
  for (const std::atomic<int>& count : calls) EXPECT_EQ(count, 1);
}

TEST(TogetherTest, NoCallsAreFine) {
  WorkerPool pool(1, 1);
  RunTogether(pool, 0, [](std::size_t) { FAIL(); });
}

TEST(TogetherTest, CallsRunAtTheSameTime) {
  WorkerPool pool(2, 2);
  std::latch both(2);
  RunTogether(pool, 2, [&](std::size_t) { both.arrive_and_wait(); });
}

TEST(TogetherTest, WithoutAFreeThreadTheCallerMakesAllCalls) {
  WorkerPool pool(1, 1);
  std::promise<void> end;
  ASSERT_TRUE(pool.TrySubmit([done = end.get_future().share()] { done.wait(); }));
  std::set<std::thread::id> threads;
  RunTogether(pool, 3, [&](std::size_t) { threads.insert(std::this_thread::get_id()); });
  EXPECT_EQ(threads, std::set{std::this_thread::get_id()});
  end.set_value();
}

TEST(TogetherTest, EachThreadOfAPoolMayCallIt) {
  WorkerPool pool(4, 1'000);
  std::atomic<int> calls = 0;
  std::latch all(100);
  for (int task = 0; task < 100; ++task) {
    ASSERT_TRUE(pool.TrySubmit([&] {
      RunTogether(pool, 3, [&](std::size_t) { ++calls; });
      all.count_down();
    }));
  }
  all.wait();
  EXPECT_EQ(calls, 300);
}

TEST(TogetherTest, AnExceptionComesOutWhenAllCallsHaveEnded) {
  WorkerPool pool(2, 10);
  std::atomic<int> calls = 0;
  EXPECT_THROW(RunTogether(pool, 10,
                           [&](std::size_t i) {
                             ++calls;
                             if (i % 3 == 0) throw std::runtime_error("no memory");
                           }),
               std::runtime_error);
  EXPECT_EQ(calls, 10);
}

TEST(TogetherTest, APoolThatShutsDownDoesNotHelp) {
  WorkerPool pool(2, 2);
  ASSERT_TRUE(pool.Shutdown(std::chrono::steady_clock::now()));
  int calls = 0;
  RunTogether(pool, 2, [&](std::size_t) { ++calls; });
  EXPECT_EQ(calls, 2);
}

}  // namespace
}  // namespace todo::util
