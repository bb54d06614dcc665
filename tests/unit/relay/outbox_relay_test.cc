#include "relay/outbox_relay.h"

#include <gtest/gtest.h>

#include <chrono>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "scripted_outbox_log.h"
#include "support/fake_event_publisher.h"

namespace todo::relay {
namespace {

using std::chrono::hours;
using std::chrono::milliseconds;
using std::chrono::seconds;
using support::FakeEventPublisher;

SteadyTime In(SteadyTime::duration time) { return std::chrono::steady_clock::now() + time; }

/// Nothing happens by time alone.
RelayOptions Patient() {
  return {.owner = "test",
          .lease = hours(2),
          .renew_interval = hours(1),
          .poll_interval = hours(1),
          .cursor_interval = hours(1),
          .idle_cursor_interval = hours(1)};
}

bool HasRead(const ScriptedOutboxLog::State& state) { return state.read_count > 0; }

TEST(OutboxRelay, PublishesOnceWokenWithoutAPoll) {
  ScriptedOutboxLog log;
  FakeEventPublisher publisher;
  log.Commit(1, 0);
  OutboxRelay relay(log, publisher, Patient());
  relay.Start();
  ASSERT_TRUE(log.WaitUntil(HasRead));
  log.Commit(1, 1);
  EXPECT_TRUE(relay.Wake(1));
  EXPECT_TRUE(publisher.WaitForRecords(2));
  EXPECT_FALSE(relay.Wake(2)) << "not ours";
}

TEST(OutboxRelay, DrainsABacklogWithoutAWaker) {
  ScriptedOutboxLog log;
  FakeEventPublisher publisher;
  for (int shard = 0; shard < 8; ++shard) log.Commit(shard, 250);
  OutboxRelay relay(log, publisher, Patient());
  relay.Start();
  ASSERT_TRUE(publisher.WaitForRecords(8 * 250 * 2));
  ASSERT_TRUE(relay.Stop(In(seconds(20))));
  EXPECT_EQ(relay.stats().published_count, 8u * 250u);
  std::map<std::string, std::string> last;  // per topic and key
  for (const auto& [topic, event] : publisher.records()) {
    std::string& before = last[topic + event.key];
    EXPECT_LT(before, event.entry_id);
    before = event.entry_id;
  }
}

TEST(OutboxRelay, PollsByItself) {
  ScriptedOutboxLog log;
  FakeEventPublisher publisher;
  log.Commit(1, 0);
  RelayOptions options = Patient();
  options.poll_interval = milliseconds(1);
  OutboxRelay relay(log, publisher, options);
  relay.Start();
  ASSERT_TRUE(log.WaitUntil(HasRead));
  log.Commit(1, 1);
  EXPECT_TRUE(publisher.WaitForRecords(2));
}

TEST(OutboxRelay, StopWaitsForWhatIsInFlightThenWritesAndReleases) {
  ScriptedOutboxLog log;
  FakeEventPublisher publisher;
  publisher.Hold();
  log.Commit(1, 3);
  OutboxRelay relay(log, publisher, Patient());
  relay.Start();
  ASSERT_TRUE(publisher.WaitForPending(2));
  std::jthread bus([&] { publisher.FinishAll(absl::OkStatus()); });
  EXPECT_TRUE(relay.Stop(In(seconds(20))));
  EXPECT_TRUE(relay.Stop(In(seconds(20)))) << "again is harmless";
  EXPECT_EQ(log.Lock()->shards.at(1).durable.position, 3);
  EXPECT_FALSE(log.Lock()->shards.at(1).ours);
  EXPECT_FALSE(relay.Wake(1));
}

TEST(OutboxRelay, StopKeepsItsDeadline) {
  ScriptedOutboxLog log;
  FakeEventPublisher publisher;
  publisher.Hold();
  log.Commit(1, 3);
  OutboxRelay relay(log, publisher, Patient());
  relay.Start();
  ASSERT_TRUE(publisher.WaitForPending(2));
  EXPECT_TRUE(relay.Stop(In(milliseconds(1))));
  EXPECT_EQ(log.Lock()->shards.at(1).durable.position, 0);
}

TEST(OutboxRelay, CompletionsMayComeWhenItIsGone) {
  ScriptedOutboxLog log;
  FakeEventPublisher publisher;
  publisher.Hold();
  log.Commit(1, 3);
  {
    OutboxRelay relay(log, publisher, Patient());
    relay.Start();
    ASSERT_TRUE(publisher.WaitForPending(2));
  }
  publisher.FinishAll(absl::OkStatus());
}

TEST(OutboxRelay, ManyThreadsMayWakeIt) {
  ScriptedOutboxLog log;
  FakeEventPublisher publisher;
  for (int shard : {0, 1}) log.Commit(shard, 0);
  OutboxRelay relay(log, publisher, Patient());
  relay.Start();
  ASSERT_TRUE(log.WaitUntil(HasRead));
  {
    std::vector<std::jthread> writers;
    for (int i = 0; i < 4; ++i) {
      writers.emplace_back([&, shard = i % 2] {
        for (int n = 0; n < 100; ++n) {
          log.Commit(shard, 1);
          EXPECT_TRUE(relay.Wake(shard));
        }
      });
    }
  }
  EXPECT_TRUE(publisher.WaitForRecords(400 * 2));
  EXPECT_TRUE(relay.Stop(In(seconds(20))));
  EXPECT_EQ(publisher.records().size(), 800u);
}

}  // namespace
}  // namespace todo::relay
