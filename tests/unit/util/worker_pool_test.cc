#include "util/worker_pool.h"

#include <gtest/gtest.h>

#include <array>
#include <atomic>
#include <chrono>
#include <future>
#include <memory>
#include <string>
#include <thread>
#include <vector>

namespace todo::util {
namespace {

using std::chrono::seconds;
using std::chrono::steady_clock;

constexpr seconds kPatience{20};

steady_clock::time_point Soon() { return steady_clock::now() + kPatience; }

/// Tasks that begin when they are given a thread and end when the test says so.
class Gate {
 public:
  WorkerPool::Task Task() {
    return [this] {
      begun_.fetch_add(1);
      begun_.notify_all();
      open_.wait(false);
    };
  }
  void WaitUntilBegun(int count) {
    for (int seen = begun_; seen < count; seen = begun_) begun_.wait(seen);
  }
  void Open() {
    open_ = true;
    open_.notify_all();
  }

 private:
  std::atomic<int> begun_ = 0;
  std::atomic<bool> open_ = false;
};

TEST(WorkerPool, RunsEachTaskOnce) {
  std::atomic<int> count = 0;
  {
    WorkerPool pool(4, 1'000);
    for (int i = 0; i < 1'000; ++i) EXPECT_TRUE(pool.TrySubmit([&] { ++count; }));
  }
  EXPECT_EQ(count, 1'000);
}

TEST(WorkerPool, RunsAsManyAtATimeAsItHasThreads) {
  Gate gate;
  WorkerPool pool(3, 3);
  for (int i = 0; i < 3; ++i) EXPECT_TRUE(pool.TrySubmit(gate.Task()));
  gate.WaitUntilBegun(3);
  gate.Open();
}

TEST(WorkerPool, RefusesAtOnceWhenTheQueueIsFull) {
  Gate gate;
  std::atomic<int> count = 0;
  {
    WorkerPool pool(1, 2);
    ASSERT_TRUE(pool.TrySubmit(gate.Task()));
    gate.WaitUntilBegun(1);
    EXPECT_TRUE(pool.TrySubmit([&] { ++count; }));
    EXPECT_TRUE(pool.TrySubmit([&] { ++count; }));
    EXPECT_FALSE(pool.TrySubmit([&] { ++count; }));
    EXPECT_EQ(pool.queued_count(), 2u);
    gate.Open();
  }
  EXPECT_EQ(count, 2);
}

TEST(WorkerPool, TakesTasksFromTasks) {
  std::promise<void> done;
  WorkerPool pool(1, 1);
  ASSERT_TRUE(pool.TrySubmit([&] { EXPECT_TRUE(pool.TrySubmit([&] { done.set_value(); })); }));
  EXPECT_EQ(done.get_future().wait_for(kPatience), std::future_status::ready);
}

TEST(WorkerPool, ShutdownWaitsForWhatWasAcceptedAndRefusesTheRest) {
  Gate gate;
  std::atomic<int> count = 0;
  WorkerPool pool(1, 10);
  ASSERT_TRUE(pool.TrySubmit(gate.Task()));
  for (int i = 0; i < 5; ++i) ASSERT_TRUE(pool.TrySubmit([&] { ++count; }));
  std::jthread opener([&] { gate.Open(); });
  EXPECT_TRUE(pool.Shutdown(Soon()));
  EXPECT_EQ(count, 5);
  EXPECT_EQ(pool.queued_count(), 0u);
  EXPECT_FALSE(pool.TrySubmit([] {}));
  EXPECT_TRUE(pool.Shutdown(Soon())) << "again is harmless";
}

TEST(WorkerPool, ShutdownDropsWhatStillWaitsAtItsDeadline) {
  Gate gate;
  auto held = std::make_shared<int>();
  std::atomic<bool> ran = false;
  WorkerPool pool(1, 10);
  ASSERT_TRUE(pool.TrySubmit(gate.Task()));
  gate.WaitUntilBegun(1);
  ASSERT_TRUE(pool.TrySubmit([held, &ran] { ran = true; }));
  EXPECT_FALSE(pool.Shutdown(steady_clock::now()));
  EXPECT_EQ(held.use_count(), 1) << "what the task held is released";
  EXPECT_EQ(pool.queued_count(), 0u);
  gate.Open();
  EXPECT_TRUE(pool.Shutdown(Soon()));
  EXPECT_FALSE(ran);
}

/// Asks the pool when it dies, as a call does that answers when it is dropped.
struct AsksOnTheWay {
  explicit AsksOnTheWay(WorkerPool& asked) : pool(asked) {}
  ~AsksOnTheWay() {
    EXPECT_FALSE(pool.TrySubmit([] {}));
  }
  WorkerPool& pool;
};

TEST(WorkerPool, ADroppedTaskMayCallThePool) {
  Gate gate;
  WorkerPool pool(1, 10);
  ASSERT_TRUE(pool.TrySubmit(gate.Task()));
  gate.WaitUntilBegun(1);
  ASSERT_TRUE(pool.TrySubmit([held = std::make_shared<AsksOnTheWay>(pool)] {}));
  std::promise<bool> done;
  std::jthread stopper([&] { done.set_value(pool.Shutdown(steady_clock::now())); });
  auto result = done.get_future();
  ASSERT_EQ(result.wait_for(kPatience), std::future_status::ready);
  EXPECT_FALSE(result.get());
  gate.Open();
}

TEST(WorkerPool, ReleasesWhatATaskHoldsAsSoonAsItIsDone) {
  auto held = std::make_shared<int>();
  std::weak_ptr<int> seen = held;
  WorkerPool pool(1, 1);
  ASSERT_TRUE(pool.TrySubmit([held = std::move(held)] {}));
  EXPECT_TRUE(pool.Shutdown(Soon()));
  EXPECT_TRUE(seen.expired());
}

TEST(WorkerPool, DestructionRunsWhatWaits) {
  Gate gate;
  std::atomic<int> count = 0;
  std::jthread opener;
  {
    WorkerPool pool(1, 10);
    ASSERT_TRUE(pool.TrySubmit(gate.Task()));
    gate.WaitUntilBegun(1);
    for (int i = 0; i < 5; ++i) ASSERT_TRUE(pool.TrySubmit([&] { ++count; }));
    opener = std::jthread([&] { gate.Open(); });
  }
  EXPECT_EQ(count, 5);
}

TEST(WorkerPool, AKeyLeavesThreadsToTheOthers) {
  Gate gate;
  std::promise<void> done;
  WorkerPool pool(2, 10, {.running = 1, .waiting = 3});
  for (int i = 0; i < 3; ++i) ASSERT_TRUE(pool.TrySubmit("ann", gate.Task()));
  gate.WaitUntilBegun(1);
  ASSERT_TRUE(pool.TrySubmit("ann", gate.Task()));
  EXPECT_FALSE(pool.TrySubmit("ann", gate.Task())) << "its share of the queue is full";
  ASSERT_TRUE(pool.TrySubmit("bob", [&] { done.set_value(); }));
  EXPECT_EQ(done.get_future().wait_for(kPatience), std::future_status::ready);
  EXPECT_EQ(pool.queued_count(), 3u);
  gate.Open();
  EXPECT_TRUE(pool.Shutdown(Soon())) << "what waited for its share is done too";
}

TEST(WorkerPool, ManyThreadsMaySubmitForManyKeys) {
  std::atomic<int> accepted = 0;
  std::atomic<int> ran = 0;
  std::atomic<int> most = 0;
  std::array<std::atomic<int>, 3> running{};
  {
    WorkerPool pool(4, 16, {.running = 2, .waiting = 8});
    std::vector<std::jthread> threads;
    for (std::size_t key = 0; key < running.size(); ++key) {
      threads.emplace_back([&, key] {
        for (int n = 0; n < 1'000; ++n) {
          const bool taken = pool.TrySubmit(std::string(1, static_cast<char>('a' + key)), [&, key] {
            const int now = ++running[key];
            for (int seen = most; seen < now && !most.compare_exchange_weak(seen, now);) {
            }
            ++ran;
            --running[key];
          });
          if (taken) ++accepted;
        }
      });
    }
    threads.clear();
  }
  EXPECT_EQ(ran, accepted);
  EXPECT_LE(most, 2);
}

TEST(WorkerPool, ManyThreadsMaySubmit) {
  std::atomic<int> accepted = 0;
  std::atomic<int> ran = 0;
  {
    WorkerPool pool(2, 8);
    std::vector<std::jthread> threads;
    for (int i = 0; i < 4; ++i) {
      threads.emplace_back([&] {
        for (int n = 0; n < 1'000; ++n) {
          if (pool.TrySubmit([&] { ++ran; })) ++accepted;
        }
      });
    }
    threads.clear();
  }
  EXPECT_EQ(ran, accepted);
}

/// A task that is aside until the gate opens.
WorkerPool::Task Aside(Gate& gate) {
  return [wait = gate.Task()] {
    const WorkerPool::Aside aside;
    wait();
  };
}

TEST(WorkerPool, RunsAnotherTaskWhileOneIsAside) {
  Gate aside, running;
  std::atomic<int> count = 0;
  {
    WorkerPool pool(1, 10, {}, 2);
    for (int i = 0; i < 2; ++i) ASSERT_TRUE(pool.TrySubmit(Aside(aside)));
    aside.WaitUntilBegun(2);
    ASSERT_TRUE(pool.TrySubmit(running.Task()));
    running.WaitUntilBegun(1);
    ASSERT_TRUE(pool.TrySubmit([&] { ++count; }));
    aside.Open();
    EXPECT_EQ(pool.queued_count(), 1u) << "what comes back does not let more tasks begin";
    EXPECT_EQ(count, 0);
    running.Open();
  }
  EXPECT_EQ(count, 1);
}

TEST(WorkerPool, ATaskKeepsItsPlaceWhenAsManyAreAsideAsMayBe) {
  Gate aside, kept;
  std::atomic<int> count = 0;
  {
    WorkerPool pool(1, 10, {}, 1);
    ASSERT_TRUE(pool.TrySubmit(Aside(aside)));
    aside.WaitUntilBegun(1);
    ASSERT_TRUE(pool.TrySubmit(Aside(kept)));
    kept.WaitUntilBegun(1);
    ASSERT_TRUE(pool.TrySubmit([&] { ++count; }));
    EXPECT_EQ(pool.queued_count(), 1u);
    kept.Open();
    aside.Open();
  }
  EXPECT_EQ(count, 1);
}

TEST(WorkerPool, AKeyHasItsShareOfWhatIsAside) {
  Gate first, second, other;
  WorkerPool pool(2, 10, {.running = 1, .aside = 1}, 4);
  ASSERT_TRUE(pool.TrySubmit("ann", Aside(first)));
  first.WaitUntilBegun(1);
  ASSERT_TRUE(pool.TrySubmit("ann", Aside(second)));
  second.WaitUntilBegun(1);
  ASSERT_TRUE(pool.TrySubmit("ann", [] {}));
  ASSERT_TRUE(pool.TrySubmit("bob", other.Task()));
  other.WaitUntilBegun(1);
  EXPECT_EQ(pool.queued_count(), 1u) << "of Ann, whose second task kept its place";
  for (Gate* gate : {&first, &second, &other}) gate->Open();
}

TEST(WorkerPool, SteppingAsideTwiceIsSteppingAsideOnce) {
  std::promise<void> other, both;
  WorkerPool pool(1, 10, {}, 3);
  ASSERT_TRUE(pool.TrySubmit([&] {
    const WorkerPool::Aside once;
    { const WorkerPool::Aside twice; }
    EXPECT_TRUE(pool.TrySubmit([&] { other.set_value(); }));
    EXPECT_EQ(other.get_future().wait_for(kPatience), std::future_status::ready);
    both.set_value();
  }));
  EXPECT_EQ(both.get_future().wait_for(2 * kPatience), std::future_status::ready);
}

TEST(WorkerPool, SteppingAsideOutsideOfAPoolDoesNothing) { const WorkerPool::Aside aside; }

TEST(WorkerPool, ShutdownWaitsForWhatIsAside) {
  Gate gate;
  WorkerPool pool(1, 10, {}, 1);
  ASSERT_TRUE(pool.TrySubmit(Aside(gate)));
  gate.WaitUntilBegun(1);
  EXPECT_FALSE(pool.Shutdown(steady_clock::now()));
  gate.Open();
  EXPECT_TRUE(pool.Shutdown(Soon()));
}

}  // namespace
}  // namespace todo::util
