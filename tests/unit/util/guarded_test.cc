#include "util/guarded.h"

#include <gtest/gtest.h>

#include <condition_variable>
#include <memory>
#include <thread>
#include <vector>

namespace todo::util {
namespace {

TEST(Guarded, LetsOneThreadInAtATime) {
  Guarded<int> count;
  {
    std::vector<std::jthread> threads;
    for (int i = 0; i < 4; ++i) {
      threads.emplace_back([&] {
        for (int n = 0; n < 10'000; ++n) ++*count.Lock();
      });
    }
  }
  EXPECT_EQ(*count.Lock(), 40'000);
}

TEST(Guarded, AHandleKeepsTheLockUntilItDies) {
  Guarded<int> value(1);
  auto handle = std::make_unique<Guarded<int>::Handle>(value.Lock());
  std::jthread reader([&] { EXPECT_EQ(*value.Lock(), 2); });
  **handle = 2;
  handle.reset();
}

TEST(Guarded, ItsLockFitsAConditionVariable) {
  Guarded<bool> ready;
  std::condition_variable changed;
  std::jthread writer([&] {
    *ready.Lock() = true;
    changed.notify_all();
  });
  auto handle = ready.Lock();
  EXPECT_TRUE(changed.wait_for(handle.lock(), std::chrono::seconds(20), [&] { return *handle; }));
}

TEST(Guarded, HoldsWhatCanOnlyBeMoved) {
  Guarded<std::unique_ptr<int>> value(std::make_unique<int>(7));
  EXPECT_EQ(**value.Lock(), 7);
}

}  // namespace
}  // namespace todo::util
