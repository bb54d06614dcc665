#include "util/alarms.h"

#include <gtest/gtest.h>

#include <atomic>
#include <chrono>
#include <future>
#include <memory>
#include <mutex>
#include <optional>
#include <random>
#include <thread>
#include <vector>

namespace todo::util {
namespace {

using std::chrono::hours;
using std::chrono::microseconds;
using std::chrono::milliseconds;
using std::chrono::seconds;
using std::chrono::steady_clock;

constexpr seconds kPatience{20};

/// Waits until the alarms' thread has called everything that was due before.
void LetDueAlarmsPass(Alarms& alarms) {
  std::promise<void> passed;
  const Alarm alarm = alarms.At(steady_clock::now(), [&] { passed.set_value(); });
  ASSERT_EQ(passed.get_future().wait_for(kPatience), std::future_status::ready);
}

TEST(Alarms, CallsAtItsTimeAndNotBefore) {
  Alarms alarms;
  const auto time = steady_clock::now() + milliseconds(20);
  std::promise<steady_clock::time_point> called;
  const Alarm alarm = alarms.At(time, [&] { called.set_value(steady_clock::now()); });
  auto future = called.get_future();
  ASSERT_EQ(future.wait_for(kPatience), std::future_status::ready);
  EXPECT_GE(future.get(), time);
}

TEST(Alarms, CallsAtOnceWhenTheTimeHasPassed) {
  Alarms alarms;
  std::promise<std::thread::id> called;
  const Alarm alarm = alarms.At(steady_clock::time_point::min(),
                                [&] { called.set_value(std::this_thread::get_id()); });
  EXPECT_NE(called.get_future().get(), std::this_thread::get_id());
}

TEST(Alarms, CallsInOrderOfTimeAndThenOfSetting) {
  Alarms alarms;
  const auto now = steady_clock::now();
  std::promise<void> first_runs;
  std::promise<void> all_are_set;
  std::vector<int> order;
  std::vector<Alarm> set;
  set.push_back(alarms.At(now, [&] {
    first_runs.set_value();
    all_are_set.get_future().wait();
  }));
  first_runs.get_future().wait();
  set.push_back(alarms.At(now + microseconds(2), [&] { order.push_back(2); }));
  set.push_back(alarms.At(now + microseconds(1), [&] { order.push_back(0); }));
  set.push_back(alarms.At(now + microseconds(1), [&] { order.push_back(1); }));
  all_are_set.set_value();
  LetDueAlarmsPass(alarms);
  EXPECT_EQ(order, (std::vector{0, 1, 2}));
}

TEST(Alarms, AnEarlierAlarmDoesNotWaitForALaterOne) {
  Alarms alarms;
  const Alarm later = alarms.At(steady_clock::now() + hours(1), [] { FAIL(); });
  std::promise<void> called;
  const Alarm earlier =
      alarms.At(steady_clock::now() + milliseconds(1), [&] { called.set_value(); });
  EXPECT_EQ(called.get_future().wait_for(kPatience), std::future_status::ready);
  EXPECT_EQ(alarms.count(), 1u);
}

TEST(Alarms, DestructionOfTheHandleCancels) {
  Alarms alarms;
  std::atomic<bool> called = false;
  const auto held = std::make_shared<int>(1);
  {
    const Alarm alarm =
        alarms.At(steady_clock::now() + hours(1), [&called, held] { called = true; });
    EXPECT_EQ(alarms.count(), 1u);
  }
  EXPECT_EQ(alarms.count(), 0u);
  EXPECT_EQ(held.use_count(), 1) << "a cancelled alarm holds nothing";
  LetDueAlarmsPass(alarms);
  EXPECT_FALSE(called);
}

TEST(Alarms, AssignmentCancelsTheOldAlarmAndKeepsTheNewOne) {
  Alarms alarms;
  std::promise<void> called;
  Alarm alarm = alarms.At(steady_clock::now() + hours(1), [] { FAIL(); });
  alarm = alarms.At(steady_clock::now() + milliseconds(5), [&] { called.set_value(); });
  Alarm moved = std::move(alarm);
  EXPECT_EQ(called.get_future().wait_for(kPatience), std::future_status::ready);
  moved.Cancel();
  moved.Cancel();
  EXPECT_EQ(alarms.count(), 0u);
}

TEST(Alarms, ACallbackMaySetAndCancelAlarmsAndEndItsOwn) {
  Alarms alarms;
  std::promise<void> called;
  Alarm own;
  Alarm other;
  Alarm next;
  alarms.Call(steady_clock::now(), [&] {
    other = alarms.At(steady_clock::now() + hours(1), [] { FAIL(); });
    own = alarms.At(steady_clock::now(), [&] {
      own.Cancel();
      other.Cancel();
      next = alarms.At(steady_clock::now(), [&] { called.set_value(); });
    });
  });
  EXPECT_EQ(called.get_future().wait_for(kPatience), std::future_status::ready);
  LetDueAlarmsPass(alarms);
  EXPECT_EQ(alarms.count(), 0u);
}

TEST(Alarms, ACallWithoutAHandleHappensToo) {
  Alarms alarms;
  std::promise<void> called;
  alarms.Call(steady_clock::now() + milliseconds(1), [&] { called.set_value(); });
  EXPECT_EQ(called.get_future().wait_for(kPatience), std::future_status::ready);
}

TEST(Alarms, ReleasesWhatACallbackHeldAfterItsCall) {
  Alarms alarms;
  auto held = std::make_shared<int>(1);
  const std::weak_ptr<int> watched = held;
  const Alarm alarm = alarms.At(steady_clock::now(), [held = std::move(held)] {});
  LetDueAlarmsPass(alarms);
  EXPECT_TRUE(watched.expired());
}

TEST(Alarms, AHandleMayOutliveTheAlarms) {
  std::optional<Alarms> alarms(std::in_place);
  Alarm alarm = alarms->At(steady_clock::now() + hours(1), [] { FAIL(); });
  alarms.reset();
  alarm.Cancel();
}

TEST(Alarms, NothingIsCalledAfterStop) {
  Alarms alarms;
  const Alarm before = alarms.At(steady_clock::now() + hours(1), [] { FAIL(); });
  alarms.Stop();
  alarms.Stop();
  const Alarm after = alarms.At(steady_clock::now(), [] { FAIL(); });
  EXPECT_EQ(alarms.count(), 0u);
}

TEST(Alarms, TheEndReleasesAlarmsThatCancelOthers) {
  auto alarms = std::make_unique<Alarms>();
  auto inner = std::make_shared<Alarm>(alarms->At(steady_clock::now() + hours(1), [] { FAIL(); }));
  const Alarm outer = alarms->At(steady_clock::now() + hours(2), [inner] { FAIL(); });
  inner.reset();
  alarms.reset();
}

TEST(Alarms, ManyThreadsSetAndCancel) {
  Alarms alarms;
  std::atomic<int> kept = 0;
  std::atomic<int> called = 0;
  std::vector<std::thread> threads;
  std::mutex mutex;
  std::vector<Alarm> all;
  for (unsigned thread = 0; thread < 4; ++thread) {
    threads.emplace_back([&, thread] {
      std::mt19937 random(thread);
      for (int i = 0; i < 500; ++i) {
        const auto time = steady_clock::now() + microseconds(random() % 2'000);
        Alarm alarm = alarms.At(time, [&called] { ++called; });
        if (random() % 2 == 0) continue;  // cancelled, or just called
        ++kept;
        const std::lock_guard lock(mutex);
        all.push_back(std::move(alarm));
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  const auto deadline = steady_clock::now() + kPatience;
  while (alarms.count() > 0 && steady_clock::now() < deadline) std::this_thread::yield();
  LetDueAlarmsPass(alarms);
  EXPECT_EQ(alarms.count(), 0u);
  EXPECT_GE(called, kept);
  EXPECT_LE(called, 2'000);
}

}  // namespace
}  // namespace todo::util
