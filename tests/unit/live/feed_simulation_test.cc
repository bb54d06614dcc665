// Two replicas of the feed, watchers that come, go and resume on any of them, a bus that loses,
// repeats and reorders, and a database that fails and is set back: in random order by seed.
// Whatever happens, each watcher sees the changes once and in order, is told when the log is
// another one, and ends with the tasks of the database.

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <random>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "live/feed_core.h"
#include "unit/live/manual_workplace.h"
#include "unit/live/model_database.h"

namespace todo::live {
namespace {

using std::chrono::milliseconds;

// A sanitizer makes a run ten times as long; it looks for other faults than this test does.
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
constexpr int kRuns = 200;
#else
constexpr int kRuns = 2'000;
#endif

constexpr int kReplicas = 2;
constexpr int kUsers = 3;
constexpr int kWatchers = 6;
constexpr int kTasks = 7;

domain::UserId UserNumber(int number) { return {fmt::format("u{}", number)}; }

/// What a run has found. All but the last must be empty.
struct Findings {
  std::vector<std::string> faults;
  int updates = 0;
  int resyncs = 0;
  int resumes = 0;
  int heads = 0;
};

class Simulation {
 public:
  Simulation(unsigned seed, bool registers_late) : random_(seed), loses_(seed % 2 == 0) {
    FeedOptions options;
    options.max_missed_changes = 12;
    options.page_size = 2;
    options.registers_late = registers_late;
    database_.meanwhile = [this] { return Meanwhile(); };
    for (Replica& replica : replicas_) {
      replica.core = std::make_unique<FeedCore>(
          FeedParts{database_, database_, clock_, [this] { return now_; }}, replica.workplace,
          options);
    }
    for (int i = 0; i < kWatchers; ++i) watchers_.emplace_back().user = UserNumber(i % kUsers);
  }
  ~Simulation() {
    for (Watcher& watcher : watchers_) watcher.watch.reset();
  }
  Simulation(const Simulation&) = delete;
  Simulation& operator=(const Simulation&) = delete;

  Findings Run(int actions) {
    for (int i = 0; i < actions; ++i) Act();
    Calm();
    for (Watcher& watcher : watchers_) CheckEnd(watcher);
    return findings_;
  }

 private:
  struct SetClock final : ports::Clock {
    domain::Instant Now() const override { return {}; }
  };
  struct Replica {
    ManualWorkplace workplace;
    std::vector<domain::TaskUpdate> bus;
    bool checking = false;
    std::unique_ptr<FeedCore> core;
  };

  /// A client: what it knows, and its connection.
  struct Watcher {
    domain::UserId user;
    std::optional<domain::ChangeCursor> cursor;  // nullopt: nothing, or a part of a snapshot
    ModelDatabase::Tasks tasks;
    bool must_resync = false;    // its cursor was set back
    bool resumes_ahead = false;  // its connection began with tasks newer than its cursor
    bool is_ahead = false;  // when the database was set back, its tasks were newer than its cursor
    bool mixes_logs = false;
    std::int64_t head_at_snapshot = 0;
    bool greeted = false;
    int connection = 0;
    std::unique_ptr<ports::FeedWatch> watch;
    std::function<void()> drained;
  };

  /// The door of one connection.
  class Sink final : public ports::FeedSink {
   public:
    Sink(Simulation& simulation, Watcher& watcher)
        : simulation_(simulation), watcher_(watcher), connection_(watcher.connection) {}

    bool Send(const ports::FeedMessage& message) override {
      if (std::exchange(busy_, true)) simulation_.Fault(watcher_, "two calls of a sink at once");
      const bool sent = IsConnected() && !simulation_.Chance(60);
      if (sent) {
        simulation_.Receive(watcher_, message);
        if (simulation_.Chance(15)) simulation_.Act();
      } else if (IsConnected()) {
        lost_ = true;
      }
      busy_ = false;
      return sent;
    }
    void OnDrained(std::function<void()> callback) override {
      if (simulation_.Chance(2) || !IsConnected()) return callback();
      watcher_.drained = std::move(callback);
    }
    void End(const ports::FeedEnd& /*end*/) override {
      simulation_.Fault(watcher_, "an end that nobody asked for");
    }

   private:
    bool IsConnected() const { return !lost_ && watcher_.connection == connection_; }

    Simulation& simulation_;
    Watcher& watcher_;
    const int connection_;
    bool busy_ = false;
    bool lost_ = false;
  };

  int Pick(int count) { return std::uniform_int_distribution(0, count - 1)(random_); }
  bool Chance(int one_in) { return !calm_ && Pick(one_in) == 0; }
  template <typename T>
  std::size_t PickIndex(const std::vector<T>& items) {
    return static_cast<std::size_t>(Pick(static_cast<int>(items.size())));
  }

  void Act() {
    if (++depth_ <= 4) {
      Watcher& watcher = watchers_[PickIndex(watchers_)];
      Replica& replica = replicas_[static_cast<std::size_t>(Pick(kReplicas))];
      switch (Pick(16)) {
        case 0:
        case 1:
        case 2: Commit(1 + Pick(3)); break;
        case 3:
        case 4:
        case 5: Deliver(replica); break;
        case 6:
        case 7:
        case 8:
          if (replica.workplace.size() > 0) {
            replica.workplace.RunOne(
                static_cast<std::size_t>(Pick(static_cast<int>(replica.workplace.size()))));
          }
          break;
        case 9: Drain(watcher); break;
        case 10:
        case 11: Connect(watcher); break;
        case 12:
          if (Chance(3)) Disconnect(watcher);
          break;
        case 13:
          if (Chance(8)) Commit(20);  // too many to resume after them
          break;
        case 14:
          now_ += milliseconds(Pick(6'000));
          Check(replica);
          break;
        default:
          if (Chance(6)) database_.BackUp();
          if (Chance(15)) SetBack();
      }
    }
    --depth_;
  }

  /// Other threads go on while one waits for the database, which may fail.
  absl::Status Meanwhile() {
    if (Chance(3)) Act();
    return Chance(25) ? absl::UnavailableError("database away") : absl::OkStatus();
  }

  void Commit(int count) {
    const domain::UserId user = UserNumber(Pick(kUsers));
    for (int i = 0; i < count; ++i) {
      const domain::Change change = database_.Commit(user, 1 + Pick(kTasks), Chance(4));
      for (Replica& replica : replicas_) {
        if (loses_ && Chance(12)) continue;
        replica.bus.emplace_back(change);
        if (Chance(12)) replica.bus.emplace_back(change);
        if (Chance(40)) replica.bus.emplace_back(domain::OtherUpdate{user});
      }
    }
  }

  void Deliver(Replica& replica) {
    if (replica.bus.empty()) return;
    const std::size_t index = loses_ && Chance(5) ? PickIndex(replica.bus) : 0;
    domain::TaskUpdate update = replica.bus[index];
    replica.bus.erase(replica.bus.begin() + static_cast<std::ptrdiff_t>(index));
    replica.core->Publish(std::move(update));
  }

  void Check(Replica& replica) {
    if (std::exchange(replica.checking, true)) return;  // the thread is in a check
    Chance(3) ? replica.core->check().CheckAsked() : replica.core->check().CheckAll();
    replica.checking = false;
  }

  /// The cases that the feed cannot notice are left out: a watcher that is cut off right behind its
  /// snapshot, whose tasks are newer than its cursor; and one whose bus loses just the updates of
  /// the new log with numbers that it has.
  void SetBack() {
    for (Watcher& watcher : watchers_) {
      if (!IsAhead(watcher)) continue;
      if (!watcher.watch || watcher.resumes_ahead) return;
      watcher.is_ahead = true;
    }
    database_.Restore();
    for (Replica& replica : replicas_) {
      if (loses_) replica.bus.clear();
    }
    for (Watcher& watcher : watchers_) {
      if (watcher.cursor && !database_.user(watcher.user).Knows(*watcher.cursor)) {
        watcher.must_resync = true;
      }
    }
  }

  static bool IsAhead(const Watcher& watcher) {
    if (!watcher.cursor) return false;
    if (watcher.cursor->seq < watcher.head_at_snapshot) return true;
    const std::int64_t number = std::stoll(watcher.cursor->event_id.value().substr(24));
    return std::any_of(watcher.tasks.begin(), watcher.tasks.end(),
                       [&](const auto& task) { return task.second > number; });
  }

  void Connect(Watcher& watcher) {
    if (watcher.watch) return Reconnect(watcher);
    ++watcher.connection;
    watcher.greeted = false;
    watcher.resumes_ahead = IsAhead(watcher);
    if (watcher.cursor) ++findings_.resumes;
    if (!watcher.cursor) watcher.must_resync = false;
    ports::WatchRequest request;
    request.user = watcher.user;
    request.cursor = watcher.cursor;
    Replica& replica = replicas_[static_cast<std::size_t>(Pick(kReplicas))];
    auto watch = replica.core->Watch(request, std::make_shared<Sink>(*this, watcher));
    if (!watch.ok()) return Fault(watcher, watch.status().ToString());
    watcher.watch = *std::move(watch);
  }

  /// A client whose sink failed notices only by its silence.
  void Reconnect(Watcher& watcher) {
    if (!Chance(6)) return;
    Disconnect(watcher);
    Connect(watcher);
  }

  void Disconnect(Watcher& watcher) {
    ++watcher.connection;
    watcher.drained = nullptr;
    if (watcher.is_ahead || watcher.mixes_logs) Forget(watcher);
    const std::unique_ptr<ports::FeedWatch> watch = std::move(watcher.watch);
  }

  static void Forget(Watcher& watcher) {
    watcher.is_ahead = watcher.mixes_logs = false;
    watcher.head_at_snapshot = 0;
    watcher.cursor.reset();
    watcher.tasks.clear();
    watcher.must_resync = false;
  }

  static void Drain(Watcher& watcher) {
    if (const auto drained = std::exchange(watcher.drained, nullptr)) drained();
  }

  void Receive(Watcher& watcher, const ports::FeedMessage& message) {
    if (std::holds_alternative<ports::FeedAlive>(message)) return;  // may come before the greeting
    const bool first = !std::exchange(watcher.greeted, true);
    std::visit([&](const auto& content) { On(watcher, first, content); }, message);
  }
  void On(Watcher& watcher, bool first, const ports::FeedResumed& /*resumed*/) {
    if (!first || !watcher.cursor) Fault(watcher, "resumed without a cursor");
  }
  void On(Watcher& watcher, bool /*first*/, const ports::FeedResync& /*resync*/) {
    Forget(watcher);
    ++findings_.resyncs;
  }
  void On(Watcher& watcher, bool first, const ports::FeedSnapshot& snapshot) {
    if (watcher.cursor) Fault(watcher, "a snapshot without resync");
    if (first) watcher.tasks.clear();  // of a snapshot that was broken off
    for (const domain::Task& task : snapshot.tasks) watcher.tasks[task.id.value] = task.version;
    if (snapshot.last) watcher.cursor = snapshot.cursor;
    if (snapshot.last) watcher.head_at_snapshot = database_.user(watcher.user).head().seq;
    if (snapshot.last && !database_.user(watcher.user).Knows(snapshot.cursor)) {
      watcher.must_resync = true;
    }
  }
  void On(Watcher& watcher, bool first, const std::shared_ptr<const domain::LiveChange>& update) {
    const domain::Change& change = update->change();
    if (change.user != watcher.user) Fault(watcher, "another user's update");
    if (first || !watcher.cursor) return Fault(watcher, "an update before its base");
    if (change.seq > watcher.cursor->seq + 1) Fault(watcher, "missed");
    if (change.seq <= watcher.cursor->seq) Fault(watcher, "repeated");
    // The bus has lost the updates of the new log whose numbers the watcher has.
    if (loses_ && watcher.must_resync && database_.user(watcher.user).Knows(update->cursor())) {
      watcher.mixes_logs = true;
    }
    watcher.cursor = update->cursor();
    // An update of the old log may still be on the bus. The new log does not know it.
    if (!database_.user(watcher.user).Knows(*watcher.cursor)) watcher.must_resync = true;
    if (change.kind == domain::ChangeKind::kDeleted) {
      watcher.tasks.erase(change.task_id.value);
    } else {
      watcher.tasks[change.task_id.value] = change.version;
    }
    if (!IsAhead(watcher)) watcher.is_ahead = false;
    ++findings_.updates;
  }
  static void On(Watcher& /*watcher*/, bool /*first*/, const ports::FeedNotification& /*notice*/) {}
  static void On(Watcher& /*watcher*/, bool /*first*/, const ports::FeedAlive& /*alive*/) {}
  void On(Watcher& watcher, bool first, const ports::FeedHead& head) {
    if (first || watcher.cursor != head.head) Fault(watcher, "a head that is not the cursor");
    ++findings_.heads;
  }

  /// No more trouble; until nothing is left to do.
  void Calm() {
    calm_ = true;
    for (Watcher& watcher : watchers_) {
      Disconnect(watcher);
      Connect(watcher);
    }
    for (int round = 0; round < 8; ++round) {
      for (Replica& replica : replicas_) {
        while (!replica.bus.empty()) Deliver(replica);
        for (bool again = true; again;) {
          replica.workplace.RunAll();
          for (Watcher& watcher : watchers_) Drain(watcher);
          again = replica.workplace.size() > 0;
        }
        now_ += milliseconds(3'000);
        Check(replica);
      }
    }
  }

  void CheckEnd(Watcher& watcher) {
    const ModelDatabase::User& user = database_.user(watcher.user);
    if (watcher.must_resync) Fault(watcher, "not told that the database was set back");
    if (watcher.cursor != user.head()) Fault(watcher, "not current at the end");
    if (watcher.tasks != user.tasks) Fault(watcher, "other tasks than the database at the end");
  }

  void Fault(const Watcher& watcher, const std::string& text) {
    findings_.faults.push_back(fmt::format("{}: {}", watcher.user.value, text));
  }

  std::mt19937 random_;
  /// True: the bus loses and reorders, and has nothing of the old log after a set-back. False: it
  /// keeps its order, and updates of the old log come after the set-back.
  const bool loses_;
  bool calm_ = false;
  int depth_ = 0;
  SetClock clock_;
  SteadyTime now_{std::chrono::hours(1)};
  ModelDatabase database_;
  std::vector<Watcher> watchers_;
  Findings findings_;
  std::array<Replica, kReplicas> replicas_;
};

Findings RunMany(int count, bool registers_late) {
  Findings all;
  for (int seed = 1; seed <= count; ++seed) {
    const Findings one = Simulation(static_cast<unsigned>(seed), registers_late).Run(400);
    for (const std::string& fault : one.faults) {
      all.faults.push_back(fmt::format("seed {}: {}", seed, fault));
    }
    all.updates += one.updates;
    all.resyncs += one.resyncs;
    all.resumes += one.resumes;
    all.heads += one.heads;
  }
  return all;
}

TEST(FeedSimulation, EveryWatcherSeesEveryChangeOnceAndInOrder) {
  const Findings found = RunMany(kRuns, false);
  EXPECT_EQ(found.faults, std::vector<std::string>());
  // The runs were about something.
  EXPECT_GT(found.updates, 25 * kRuns);
  EXPECT_GT(found.resyncs, kRuns);
  EXPECT_GT(found.resumes, 2 * kRuns);
  EXPECT_GT(found.heads, kRuns);
}

TEST(FeedSimulation, NoticesARegistrationAfterTheRead) {
  EXPECT_FALSE(RunMany(50, true).faults.empty());
}

}  // namespace
}  // namespace todo::live
