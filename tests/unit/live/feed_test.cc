// The feed with its threads.

#include "live/feed.h"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <chrono>
#include <memory>
#include <mutex>
#include <optional>
#include <random>
#include <thread>
#include <utility>
#include <vector>

#include "support/delegating_task_store.h"
#include "support/status_matchers.h"
#include "unit/live/model_database.h"
#include "unit/live/recording_sink.h"
#include "util/status.h"

namespace todo::live {
namespace {

using std::chrono::milliseconds;
using support::StatusIs;
using Received = RecordingSink::Received;

const domain::UserId kAda{"ada"};

class SetClock final : public ports::Clock {
 public:
  domain::Instant Now() const override { return domain::Instant(std::chrono::microseconds(now_)); }
  void Advance(std::chrono::microseconds step) { now_ += step.count(); }

 private:
  std::atomic<std::int64_t> now_ = 1'000'000'000;
};

/// The model, for many threads.
class LockedDatabase final : public ports::LiveLog {
 public:
  absl::StatusOr<ports::MissedChanges> ReadMissed(const domain::UserId& user,
                                                  const domain::ChangeCursor& cursor, int max,
                                                  std::size_t bytes) override {
    const std::lock_guard lock(mutex_);
    return model_.ReadMissed(user, cursor, max, bytes);
  }
  absl::StatusOr<std::vector<ports::CheckedCursor>> Check(
      const std::vector<ports::CursorOfUser>& cursors) override {
    const std::lock_guard lock(mutex_);
    return model_.Check(cursors);
  }
  domain::Change Commit(const domain::UserId& user, std::int64_t task) {
    const std::lock_guard lock(mutex_);
    return model_.Commit(user, task, false);
  }
  domain::ChangeCursor Head(const domain::UserId& user) {
    const std::lock_guard lock(mutex_);
    return model_.user(user).head();
  }
  ModelDatabase::Tasks Tasks(const domain::UserId& user) {
    const std::lock_guard lock(mutex_);
    return model_.user(user).tasks;
  }
  ports::TaskStore& tasks() { return tasks_; }

 private:
  /// List is all that is called.
  class LockedTasks final : public support::DelegatingTaskStore {
   public:
    LockedTasks(ports::TaskStore& store, std::mutex& mutex)
        : DelegatingTaskStore(store), mutex_(mutex) {}
    absl::StatusOr<ports::TaskPage> List(const domain::UserId& user,
                                         const ports::TaskQuery& query) override {
      const std::lock_guard lock(mutex_);
      return DelegatingTaskStore::List(user, query);
    }

   private:
    std::mutex& mutex_;
  };

  std::mutex mutex_;
  ModelDatabase model_;
  LockedTasks tasks_{model_, mutex_};
};

class FeedTest : public testing::Test {
 protected:
  Feed& feed() {
    if (!feed_) {
      feed_ = std::make_unique<Feed>(FeedParts{database_, database_.tasks(), clock_}, options_);
    }
    return *feed_;
  }
  std::unique_ptr<ports::FeedWatch> Watch(std::shared_ptr<ports::FeedSink> sink,
                                          std::optional<domain::ChangeCursor> cursor = {},
                                          std::optional<domain::Instant> expiry = {}) {
    ports::WatchRequest request;
    request.user = kAda;
    request.cursor = std::move(cursor);
    request.expiry = expiry;
    auto watch = feed().Watch(std::move(request), std::move(sink));
    EXPECT_THAT(watch.status(), StatusIs(absl::StatusCode::kOk));
    return watch.ok() ? *std::move(watch) : nullptr;
  }

  SetClock clock_;
  LockedDatabase database_;
  FeedOptions options_;
  std::unique_ptr<Feed> feed_;
};

bool HasExpired(const Received& received) {
  return received.end && absl::IsUnauthenticated(received.end->status) &&
         util::ReasonOf(received.end->status) == "TOKEN_EXPIRED";
}

TEST_F(FeedTest, ShowsTheTasksAndThenTheirChanges) {
  database_.Commit(kAda, 1);
  const auto sink = std::make_shared<RecordingSink>();
  const auto watch = Watch(sink);
  ASSERT_TRUE(sink->WaitFor([](const Received& received) {
    const auto parts = received.All<ports::FeedSnapshot>();
    return !parts.empty() && parts.back().last;
  }));
  feed().Publish(database_.Commit(kAda, 2));
  EXPECT_TRUE(
      sink->WaitFor([](const Received& received) { return received.Updates().size() == 1; }));
}

TEST_F(FeedTest, TheChecksNoticeALostUpdate) {
  options_.check_interval = milliseconds(20);
  options_.second_look = milliseconds(10);
  const auto sink = std::make_shared<RecordingSink>();
  const auto watch = Watch(sink, domain::ChangeCursor{});
  ASSERT_TRUE(sink->WaitFor([](const Received& received) { return !received.messages.empty(); }));
  database_.Commit(kAda, 1);
  EXPECT_TRUE(
      sink->WaitFor([](const Received& received) { return received.Updates().size() == 1; }));
}

TEST_F(FeedTest, AWatchEndsWhenItsTimeIsUpByTheClock) {
  const auto sink = std::make_shared<RecordingSink>();
  const auto watch = Watch(sink, domain::ChangeCursor{}, clock_.Now() + milliseconds(1));
  ASSERT_TRUE(sink->WaitFor([](const Received& received) { return !received.messages.empty(); }));
  EXPECT_FALSE(sink->received().end) << "the clock stands";
  clock_.Advance(milliseconds(2));
  EXPECT_TRUE(sink->WaitFor(HasExpired));
  EXPECT_EQ(feed().stats().watches, 0u);
  EXPECT_EQ(feed().stats().expired, 1u);
}

TEST_F(FeedTest, ARenewedWatchLivesOn) {
  const auto renewed = std::make_shared<RecordingSink>();
  const auto watch = Watch(renewed, domain::ChangeCursor{}, clock_.Now() + milliseconds(10));
  watch->SetExpiry(clock_.Now() + std::chrono::hours(24 * 365 * 1'000));
  const auto expiring = std::make_shared<RecordingSink>();
  const auto other = Watch(expiring, domain::ChangeCursor{}, clock_.Now() + milliseconds(10));
  clock_.Advance(milliseconds(10));
  EXPECT_TRUE(expiring->WaitFor(HasExpired));
  feed().Publish(database_.Commit(kAda, 1));
  EXPECT_TRUE(
      renewed->WaitFor([](const Received& received) { return received.Updates().size() == 1; }));
  watch->SetExpiry(std::nullopt);
  watch->SetExpiry(clock_.Now());
  EXPECT_TRUE(renewed->WaitFor(HasExpired));
  watch->SetExpiry(std::nullopt);  // too late, and harmless
}

TEST_F(FeedTest, TheEndOfTheServerEndsWatchesDuringTheirRead) {
  std::vector<std::shared_ptr<RecordingSink>> sinks;
  std::vector<std::unique_ptr<ports::FeedWatch>> watches;
  for (int i = 0; i < 50; ++i) {
    sinks.push_back(std::make_shared<RecordingSink>());
    watches.push_back(Watch(sinks.back()));
  }
  feed().End();
  for (const auto& sink : sinks) {
    EXPECT_TRUE(sink->WaitFor([](const Received& received) {
      return received.end && received.end->retry_after &&
             util::ReasonOf(received.end->status) == "SERVER_STOPPING";
    }));
  }
}

TEST_F(FeedTest, EndsWithReadsThatWait) {
  options_.threads = 1;
  std::vector<std::unique_ptr<ports::FeedWatch>> watches;
  for (int i = 0; i < 100; ++i) {
    watches.push_back(Watch(std::make_shared<RecordingSink>(), domain::ChangeCursor{i, {}}));
  }
  feed_.reset();
}

/// Knows what a client knows, and checks each message against it.
class CheckingSink final : public ports::FeedSink {
 public:
  struct Known {
    std::optional<domain::ChangeCursor> cursor;
    ModelDatabase::Tasks tasks;
    int faults = 0;
  };
  explicit CheckingSink(Known known) : known_(std::move(known)) {}

  bool Send(const ports::FeedMessage& message) override {
    const std::lock_guard lock(mutex_);
    if (const auto* snapshot = std::get_if<ports::FeedSnapshot>(&message)) {
      if (known_.cursor) ++known_.faults;
      for (const domain::Task& task : snapshot->tasks) {
        known_.tasks[task.id.value] = task.version;
      }
      if (snapshot->last) known_.cursor = snapshot->cursor;
    } else if (std::holds_alternative<ports::FeedResync>(message)) {
      known_.cursor.reset();
      known_.tasks.clear();
    } else if (const auto* update =
                   std::get_if<std::shared_ptr<const domain::LiveChange>>(&message)) {
      const domain::Change& change = (*update)->change();
      if (!known_.cursor || change.seq != known_.cursor->seq + 1) ++known_.faults;
      known_.cursor = (*update)->cursor();
      known_.tasks[change.task_id.value] = change.version;
    }
    return true;
  }
  void OnDrained(std::function<void()> callback) override { callback(); }
  void End(const ports::FeedEnd& /*end*/) override {}

  Known known() {
    const std::lock_guard lock(mutex_);
    return known_;
  }

 private:
  std::mutex mutex_;
  Known known_;
};

/// One client: connects, stays a while, and resumes with what it knows.
void WatchForAWhile(Feed& feed, unsigned seed, const std::atomic<bool>& stop,
                    std::vector<CheckingSink::Known>& results, std::mutex& mutex,
                    const std::function<bool(const CheckingSink::Known&)>& is_current) {
  std::mt19937 random(seed);
  CheckingSink::Known known;
  for (bool last = false; !last;) {
    last = stop;
    const auto sink = std::make_shared<CheckingSink>(known);
    ports::WatchRequest request;
    request.user = kAda;
    request.cursor = known.cursor;
    const auto watch = feed.Watch(std::move(request), sink);
    if (!watch.ok()) break;
    const auto deadline = std::chrono::steady_clock::now() +
                          (last ? milliseconds(20'000) : milliseconds(random() % 8));
    while (std::chrono::steady_clock::now() < deadline && !(last && is_current(sink->known()))) {
      std::this_thread::yield();
    }
    known = sink->known();
    if (!last && !known.cursor) known.tasks.clear();  // a part of a snapshot
  }
  const std::lock_guard lock(mutex);
  results.push_back(known);
}

TEST_F(FeedTest, ManyThreadsPublishAndWatchAtOnce) {
  options_.check_interval = milliseconds(50);
  options_.second_look = milliseconds(20);
  options_.gap_patience = milliseconds(2);
  options_.page_size = 3;
  Feed& feed = this->feed();
  std::atomic<bool> stop = false;
  std::atomic<bool> committed = false;
  std::mutex mutex;
  std::vector<CheckingSink::Known> results;
  const auto is_current = [&](const CheckingSink::Known& known) {
    return committed && known.cursor == database_.Head(kAda);
  };
  std::vector<std::thread> publishers;
  for (unsigned i = 0; i < 2; ++i) {
    publishers.emplace_back([&, i] {
      std::mt19937 random(i);
      for (int n = 0; n < 500; ++n) {
        // The threads overtake each other between commit and publishing.
        domain::Change change = database_.Commit(kAda, 1 + static_cast<std::int64_t>(random() % 9));
        if (random() % 20 == 0) continue;  // lost
        if (random() % 20 == 0) feed.Publish(change);
        feed.Publish(std::move(change));
      }
    });
  }
  std::vector<std::thread> clients;
  for (unsigned i = 0; i < 4; ++i) {
    clients.emplace_back([&, i] { WatchForAWhile(feed, i, stop, results, mutex, is_current); });
  }
  for (std::thread& publisher : publishers) publisher.join();
  committed = true;
  stop = true;
  for (std::thread& client : clients) client.join();
  ASSERT_EQ(results.size(), 4u);
  for (const CheckingSink::Known& known : results) {
    EXPECT_EQ(known.faults, 0);
    EXPECT_EQ(known.cursor, database_.Head(kAda));
    EXPECT_EQ(known.tasks, database_.Tasks(kAda));
  }
  EXPECT_EQ(feed.stats().watches, 0u);
}

}  // namespace
}  // namespace todo::live
