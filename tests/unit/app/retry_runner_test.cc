#include "app/runners/retry_runner.h"

#include <gtest/gtest.h>

#include <chrono>
#include <condition_variable>
#include <future>
#include <mutex>
#include <utility>

#include "domain/event/dead_letter.h"
#include "support/fake_crash_log.h"
#include "support/fake_event_inbox.h"

namespace todo::app {
namespace {

using namespace std::chrono_literals;

constexpr auto kSoon = 50ms;
constexpr auto kNever = 24h;  // what waits for it waits for longer than the test

/// A clock on the wall: it goes on, and can be set.
class WallClock final : public ports::Clock {
 public:
  domain::Instant Now() const override {
    return std::chrono::floor<std::chrono::microseconds>(std::chrono::system_clock::now()) +
           shift_.load();
  }
  void SetBack(std::chrono::hours by) { shift_ = -by; }

 private:
  std::atomic<std::chrono::microseconds> shift_{0us};
};

/// An empty queue that counts how often it was asked what is due.
class CountedQueue final : public ports::RetryQueue {
 public:
  absl::StatusOr<bool> Enqueue(std::string_view, const domain::ReceivedEvent&,
                               const ports::RetrySchedule&) override {
    return true;
  }
  absl::StatusOr<std::vector<ports::RetryEntry>> Due(const std::vector<std::string>&,
                                                     domain::Instant, int) override {
    std::future<void> hold;
    {
      const std::lock_guard lock(mutex_);
      ++looks_;
      hold = std::move(hold_);
    }
    changed_.notify_all();
    if (hold.valid()) hold.wait();
    return std::vector<ports::RetryEntry>();
  }
  absl::StatusOr<std::optional<domain::Instant>> NextDue(const std::vector<std::string>&) override {
    const std::lock_guard lock(mutex_);
    return next_due_;
  }
  absl::Status Reschedule(const ports::RetryEntry&, const ports::RetrySchedule&) override {
    return absl::OkStatus();
  }
  absl::StatusOr<bool> AddDeadLetter(const domain::DeadLetter&, ports::TakenFrom,
                                     domain::Instant) override {
    return true;
  }

  /// Lets the first look wait for `release`.
  void HoldFirst(std::future<void> release) { hold_ = std::move(release); }
  void SetNextDue(domain::Instant due) {
    const std::lock_guard lock(mutex_);
    next_due_ = due;
  }
  int looks() {
    const std::lock_guard lock(mutex_);
    return looks_;
  }
  /// Whether it is asked for the `total`th time, within a time that only a hanging runner needs.
  bool IsAsked(int total) {
    std::unique_lock lock(mutex_);
    return changed_.wait_for(lock, 20s, [&] { return looks_ >= total; });
  }

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
  int looks_ = 0;
  std::future<void> hold_;
  std::optional<domain::Instant> next_due_;
};

class RetryRunnerTest : public testing::Test {
 protected:
  WallClock clock_;
  support::FakeDatabase database_;
  support::FakeEventInbox inbox_{database_};
  support::FakeCrashLog crashes_{database_};
  CountedQueue queue_;
  service::EventProcessor processor_{{inbox_, queue_, crashes_, clock_}, {}};
};

TEST_F(RetryRunnerTest, AClockThatIsSetBackDelaysNoRetry) {
  RetryRunner runner(processor_, clock_, 1, kSoon);
  runner.Start();
  ASSERT_TRUE(queue_.IsAsked(1));
  clock_.SetBack(1h);
  EXPECT_TRUE(queue_.IsAsked(queue_.looks() + 2)) << "the first may have been under way";
}

TEST_F(RetryRunnerTest, ARetryThatIsDueInAnHourDelaysNoRetryOfOtherReplicas) {
  queue_.SetNextDue(clock_.Now() + 1h);
  RetryRunner runner(processor_, clock_, 1, kSoon);
  runner.Start();
  runner.Wake(clock_.Now() + 1h);
  EXPECT_TRUE(queue_.IsAsked(queue_.looks() + 2));
}

TEST_F(RetryRunnerTest, ARetryThatIsDueNowIsLookedForAtOnce) {
  RetryRunner runner(processor_, clock_, 2, kNever);
  runner.Start();
  ASSERT_TRUE(queue_.IsAsked(2));
  for (int i = 0; i < 3; ++i) {
    const int before = queue_.looks();
    runner.Wake(clock_.Now());
    EXPECT_TRUE(queue_.IsAsked(before + 1));
  }
}

TEST_F(RetryRunnerTest, ARetryThatIsFoundToBeDueSoonIsLookedForThen) {
  queue_.SetNextDue(clock_.Now() + 200ms);
  RetryRunner runner(processor_, clock_, 1, kNever);
  runner.Start();
  EXPECT_TRUE(queue_.IsAsked(2));
}

TEST_F(RetryRunnerTest, WhileOneThreadIsBusyAnotherLooksForDueRetries) {
  std::promise<void> release;
  queue_.HoldFirst(release.get_future());
  {
    RetryRunner runner(processor_, clock_, 2, kNever);
    runner.Start();
    EXPECT_TRUE(queue_.IsAsked(4)) << "by the other one";
    release.set_value();
  }
}

}  // namespace
}  // namespace todo::app
