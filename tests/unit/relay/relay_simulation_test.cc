// Replicas of the relay that freeze, die, lose answers and overlap, in random order by seed, on one
// outbox and one bus in memory. Whatever happens, every change reaches every topic, and first
// copies come in order.

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <functional>
#include <map>
#include <memory>
#include <random>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "relay/relay_loop.h"

namespace todo::relay {
namespace {

using std::chrono::hours;
using std::chrono::milliseconds;
using std::chrono::seconds;

constexpr int kShards = 4;
constexpr int kReplicas = 3;
constexpr milliseconds kLease{4'000};

/// The database: what all replicas share.
struct SharedOutbox {
  struct Shard {
    std::string owner;
    std::int64_t epoch = 0;
    SteadyTime lease_until;
    ports::OutboxCursor cursor;
    std::vector<domain::Change> changes;
  };
  std::map<int, Shard> shards;
  std::map<std::string, SteadyTime> replicas;  // until when each lives
};

class Simulation {
 public:
  explicit Simulation(unsigned seed) : random_(seed) {
    for (int shard = 0; shard < kShards; ++shard) outbox_.shards[shard];
    for (int replica = 0; replica < kReplicas; ++replica) Restart(replica);
  }

  void Run(int actions) {
    for (int i = 0; i < actions; ++i) Act();
  }

  /// No more trouble, except that one sidecar does not come back; until all is published, or a
  /// generous time has passed.
  void Calm() {
    calm_ = true;
    for (Replica& replica : replicas_) replica.sidecar.away = false;
    replicas_[0].sidecar.away = true;
    for (int i = 0; i < 2'000; ++i) {
      now_ += milliseconds(50);
      for (int replica = 0; replica < kReplicas; ++replica) Step(replica);
      while (!bus_.pending.empty()) Answer(0);
    }
  }

  void Check() {
    for (const auto& [number, shard] : outbox_.shards) {
      std::vector<std::string> committed;
      for (const domain::Change& change : shard.changes)
        committed.push_back(change.event_id.value());
      for (const char* topic : {"task-events", "task-updates"}) {
        const auto key = std::make_pair(std::string(topic), fmt::format("u{}", number));
        EXPECT_EQ(bus_.first_copies[key], committed) << topic;
      }
      EXPECT_EQ(shard.cursor.position, static_cast<std::int64_t>(committed.size()));
    }
  }

 private:
  /// One replica's connection. In the middle of a call anything may happen to the others.
  class Log final : public ports::OutboxLog {
   public:
    explicit Log(Simulation& simulation) : simulation_(simulation) {}

    absl::StatusOr<ports::OutboxShards> Renew(const std::string& owner,
                                              milliseconds lease) override {
      owner_ = owner;
      return Call<ports::OutboxShards>([&](SharedOutbox& outbox, SteadyTime now) {
        outbox.replicas[owner] = now + lease;
        const auto live = std::count_if(outbox.replicas.begin(), outbox.replicas.end(),
                                        [&](const auto& replica) { return replica.second > now; });
        ports::OutboxShards answer;
        answer.fair_share = (kShards + static_cast<int>(live) - 1) / static_cast<int>(live);
        for (auto& [number, shard] : outbox.shards) {
          const bool room = static_cast<int>(answer.owned.size()) < answer.fair_share;
          if (shard.owner != owner && (shard.lease_until > now || !room)) continue;
          if (shard.owner != owner) ++shard.epoch;
          shard.owner = owner;
          shard.lease_until = now + lease;
          answer.owned.push_back({number, shard.epoch, shard.cursor, shard.cursor});
        }
        return answer;
      });
    }

    absl::StatusOr<std::vector<ports::OutboxBatch>> Read(
        const std::vector<ports::OutboxShard>& shards, int limit) override {
      return Call<std::vector<ports::OutboxBatch>>([&](SharedOutbox& outbox, SteadyTime) {
        std::vector<ports::OutboxBatch> batches;
        for (const ports::OutboxShard& asked : shards) {
          const auto& changes = outbox.shards.at(asked.number).changes;
          ports::OutboxBatch& batch = batches.emplace_back();
          batch.shard = asked.number;
          const auto begin = static_cast<std::size_t>(asked.cursor.position);
          const auto end = std::min(changes.size(), begin + static_cast<std::size_t>(limit));
          for (std::size_t i = begin; i < end; ++i) batch.changes.push_back(changes[i]);
          batch.next.position = static_cast<std::int64_t>(end);
        }
        return batches;
      });
    }

    absl::StatusOr<std::vector<int>> Advance(
        const std::vector<ports::OutboxShard>& shards) override {
      return Call<std::vector<int>>([&](SharedOutbox& outbox, SteadyTime) {
        std::vector<int> lost;
        for (const ports::OutboxShard& written : shards) {
          auto& shard = outbox.shards.at(written.number);
          const bool as_known = shard.cursor == written.stored || shard.cursor == written.cursor;
          if (shard.epoch == written.epoch && shard.owner == owner_ && as_known) {
            shard.cursor = written.cursor;
          } else {
            lost.push_back(written.number);
          }
        }
        return lost;
      });
    }

    absl::Status Release(const std::vector<ports::OutboxShard>& shards) override {
      return Call<int>([&](SharedOutbox& outbox, SteadyTime) {
               for (const ports::OutboxShard& written : shards) {
                 auto& shard = outbox.shards.at(written.number);
                 if (shard.epoch != written.epoch || shard.owner != owner_) continue;
                 if (shard.cursor == written.stored) shard.cursor = written.cursor;
                 shard.owner.clear();
                 shard.lease_until = {};
               }
               return 0;
             })
          .status();
    }

   private:
    /// The call may fail before or after its work is done, and time may pass on either side of it.
    template <typename T>
    absl::StatusOr<T> Call(const std::function<T(SharedOutbox&, SteadyTime)>& work) {
      simulation_.Meanwhile();
      if (simulation_.Chance(20)) return absl::UnavailableError("database away");
      T answer = work(simulation_.outbox_, simulation_.now_);
      simulation_.Meanwhile();
      if (simulation_.Chance(20)) return absl::UnavailableError("answer lost");
      return answer;
    }

    Simulation& simulation_;
    std::string owner_;
  };

  struct Bus final : ports::EventPublisher {
    struct Pending {
      std::string topic;
      std::vector<ports::OutgoingEvent> events;
      std::function<void(absl::Status)> done;
    };
    void Publish(std::string_view topic, std::vector<ports::OutgoingEvent> events,
                 std::function<void(absl::Status)> done) override {
      pending.push_back({std::string(topic), std::move(events), std::move(done)});
    }
    void Land(const std::string& topic, const ports::OutgoingEvent& event) {
      if (seen.insert(topic + event.entry_id).second)
        first_copies[{topic, event.key}].push_back(event.entry_id);
    }
    std::vector<Pending> pending;
    std::set<std::string> seen;
    std::map<std::pair<std::string, std::string>, std::vector<std::string>>
        first_copies;  // topic, key
  };

  /// A replica's own way to the bus. It outlives the replica.
  struct Sidecar final : ports::EventPublisher {
    void Publish(std::string_view topic, std::vector<ports::OutgoingEvent> events,
                 std::function<void(absl::Status)> done) override {
      if (away) return done(absl::UnavailableError("connection refused"));
      bus->Publish(topic, std::move(events), std::move(done));
    }
    Bus* bus = nullptr;
    bool away = false;
  };

  struct Replica {
    Sidecar sidecar;
    std::unique_ptr<Log> log;
    std::shared_ptr<Mailbox> mailbox;
    std::unique_ptr<RelayLoop> loop;
    bool stepping = false;
  };

  int Pick(int count) { return std::uniform_int_distribution(0, count - 1)(random_); }
  bool Chance(int one_in) { return !calm_ && Pick(one_in) == 0; }

  void Act() {
    switch (Pick(8)) {
      case 0: Commit(Pick(kShards), 1 + Pick(6)); break;
      case 1: now_ += milliseconds(Pick(400)); break;
      case 2:
      case 3:
      case 4: Step(Pick(kReplicas)); break;
      case 5:
      case 6:
        if (!bus_.pending.empty())
          Answer(static_cast<std::size_t>(Pick(static_cast<int>(bus_.pending.size()))));
        break;
      default:
        if (Chance(20)) Restart(Pick(kReplicas));
        if (Chance(20)) {
          bool& away = replicas_[static_cast<std::size_t>(Pick(kReplicas))].sidecar.away;
          away = !away;
        }
        if (Chance(20))
          replicas_[static_cast<std::size_t>(Pick(kReplicas))].mailbox->Stop(now_ + seconds(1));
    }
  }

  /// The replica in whose call this is may be frozen for longer than its lease, while the world
  /// goes on.
  void Meanwhile() {
    if (!Chance(10)) return;
    const int actions = Pick(30);
    for (int i = 0; i < actions; ++i) Act();
    if (Chance(3)) now_ += kLease;
  }

  void Commit(int number, int count) {
    auto& changes = outbox_.shards.at(number).changes;
    for (int i = 0; i < count; ++i) {
      domain::Change& change = changes.emplace_back();
      change.user.value = fmt::format("u{}", number);
      change.seq = static_cast<std::int64_t>(changes.size());
      change.event_id.uuid = *domain::Uuid::Parse(
          fmt::format("00000000-0000-7000-8000-{:06}{:06}", number, change.seq));
      change.task_json = "{}";
    }
    for (Replica& replica : replicas_) replica.mailbox->Wake(number, now_);
  }

  void Step(int index) {
    Replica& replica = replicas_[static_cast<std::size_t>(index)];
    if (replica.stepping) return;  // it is frozen in a call
    replica.stepping = true;
    replica.loop->Step();
    replica.stepping = false;
    if (replica.loop->finished()) Restart(index);
  }

  /// Killed, without a word, and started again under another name.
  void Restart(int index) {
    Replica& replica = replicas_[static_cast<std::size_t>(index)];
    if (replica.stepping) return;
    RelayOptions options;
    options.owner = fmt::format("replica-{}", ++starts_);
    options.batch_limit = 4;
    options.lease = kLease;
    options.give_up_after = seconds(2);
    options.sidecar_answers = [&replica] { return !replica.sidecar.away; };
    replica.sidecar.bus = &bus_;
    replica.log = std::make_unique<Log>(*this);
    replica.mailbox = std::make_shared<Mailbox>();
    replica.loop = std::make_unique<RelayLoop>(
        *replica.log, replica.sidecar, options, [this] { return now_; }, replica.mailbox);
  }

  /// The bus takes all of a publish, or a first part, and says what it likes about it.
  void Answer(std::size_t index) {
    const Bus::Pending publish = std::move(bus_.pending[index]);
    bus_.pending.erase(bus_.pending.begin() + static_cast<std::ptrdiff_t>(index));
    const bool fails = Chance(3);
    const std::size_t landed =
        fails ? static_cast<std::size_t>(Pick(static_cast<int>(publish.events.size()) + 1))
              : publish.events.size();
    for (std::size_t i = 0; i < landed; ++i) bus_.Land(publish.topic, publish.events[i]);
    publish.done(fails ? absl::InternalError("broker says no") : absl::OkStatus());
  }

  std::mt19937 random_;
  bool calm_ = false;
  SteadyTime now_{hours(1)};
  SharedOutbox outbox_;
  Bus bus_;
  int starts_ = 0;
  std::array<Replica, kReplicas> replicas_;
};

class RelaySimulationTest : public testing::TestWithParam<unsigned> {};

TEST_P(RelaySimulationTest, EveryChangeArrivesAndFirstCopiesAreInOrder) {
  Simulation simulation(GetParam());
  simulation.Run(2'000);
  simulation.Calm();
  simulation.Check();
}

INSTANTIATE_TEST_SUITE_P(Seeds, RelaySimulationTest, testing::Range(1u, 21u));

}  // namespace
}  // namespace todo::relay
