#include "service/audit/auditor.h"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <chrono>
#include <string>
#include <vector>

#include "domain/event/event.h"
#include "domain/event/event_writer.h"
#include "fixtures.h"
#include "support/fake_audit_log.h"
#include "support/fake_database.h"
#include "support/fake_event_inbox.h"
#include "support/fake_task_store.h"

namespace todo::service {
namespace {

using domain::Change;
using domain::Instant;
using domain::UserId;
using std::chrono::milliseconds;
using support::FakeDatabase;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;
using namespace std::chrono_literals;

class SteppingClock final : public ports::Clock {
 public:
  Instant Now() const override { return now; }
  Instant now = At("2026-03-01T09:00:00Z");
};

/// The audit of one consumer with a delay of 40 s, and so a round every 10 s.
class AuditorTest : public testing::Test {
 protected:
  AuditorTest() { EXPECT_TRUE(auditor_.Enroll().ok()); }

  /// A change that is made and, unless the bus is stuck, published now.
  Change NewChange(const std::string& user) {
    ports::Mutation mutation;
    mutation.kind = domain::ChangeKind::kCreated;
    mutation.user = UserId{user};
    mutation.fields.title = "a task";
    mutation.request_id = domain::RequestId{ids_.NewId()};
    mutation.event_id = domain::EventId{ids_.NewId()};
    mutation.now = clock_.now;
    EXPECT_TRUE(store_.Apply(mutation).ok());
    if (publishing_) Publish();
    return database_.Read()->changes.back().change;
  }
  void Publish() {
    EXPECT_TRUE(database_
                    .Write([](FakeDatabase::Tables& tables) {
                      for (auto& [number, shard] : tables.shards) {
                        shard.cursor.position = tables.next_change_id - 1;
                        shard.cursor.message_position = tables.next_message_id - 1;
                      }
                      return absl::OkStatus();
                    })
                    .ok());
  }
  void Take(const Change& change) {
    EXPECT_TRUE(database_
                    .Write([&](FakeDatabase::Tables& tables) {
                      FakeDatabase::Take(tables, "all", change.event_id, change.at);
                      return absl::OkStatus();
                    })
                    .ok());
  }
  /// Rounds, and what they post published, for `time`. `each` runs before each of them.
  void RunFor(milliseconds time, const std::function<void()>& each = {}) {
    for (const Instant end = clock_.now + time; clock_.now < end;) {
      if (each) each();
      const auto again = auditor_.RunRound();
      ASSERT_TRUE(again.ok()) << again.status();
      if (publishing_) Publish();
      clock_.now += *again;
    }
  }
  /// Whose events were published again, in order.
  std::vector<std::string> Repeated() {
    std::vector<std::string> users;
    for (const auto& row : database_.Read()->messages) users.push_back(row.message.key);
    return users;
  }

  static constexpr milliseconds kDelay{40s};

  SteppingClock clock_;
  CountedIds ids_;
  FakeDatabase database_{
      [this] { return std::chrono::steady_clock::time_point(clock_.now.time_since_epoch()); }};
  support::FakeTaskStore store_{database_};
  support::FakeAuditLog log_{database_};
  bool can_deliver_ = true;
  bool publishing_ = true;
  Auditor auditor_{log_,
                   clock_,
                   {"all"},
                   [this] { return can_deliver_; },
                   {.owner = "me", .task_events_topic = "task-events", .delay = kDelay}};
};

TEST_F(AuditorTest, EventsThatASilentConsumerHasNotTakenArePublishedAgainUnchanged) {
  const Change change = NewChange("ann");
  RunFor(2 * kDelay);
  EXPECT_THAT(Repeated(), IsEmpty()) << "a delay to be missing, and another of silence";
  RunFor(10s);
  auto tables = database_.Read();
  ASSERT_EQ(tables->messages.size(), 1u);
  const ports::OutboxMessage& message = tables->messages[0].message;
  EXPECT_EQ(message.topic, "task-events");
  EXPECT_EQ(message.key, "ann");
  EXPECT_EQ(message.id, change.event_id.uuid);
  EXPECT_EQ(message.payload, domain::TaskEventRecord(change)) << "byte for byte";
}

TEST_F(AuditorTest, AnEventThatWasTakenIsNotPublishedAgain) {
  for (int i = 0; i < 30; ++i) {
    const Change change = NewChange(fmt::format("user {}", i % 5));
    RunFor(10s);
    Take(change);
  }
  RunFor(10min);
  EXPECT_THAT(Repeated(), IsEmpty());
}

TEST_F(AuditorTest, OtherUsersNewEventsDoNotHideALostOne) {
  NewChange("ann");
  RunFor(2 * kDelay + 10s, [&] { Take(NewChange("bob")); });
  EXPECT_THAT(Repeated(), ElementsAre("ann"));
}

TEST_F(AuditorTest, AConsumerThatIsBehindIsNotFlooded) {
  std::vector<Change> changes;
  for (int i = 0; i < 90; ++i) changes.push_back(NewChange(fmt::format("user {}", i % 7)));
  auto next = changes.begin();
  RunFor(15min, [&] {  // it takes one in ten seconds, and so 15 minutes for all
    if (next != changes.end()) Take(*next++);
  });
  RunFor(10min);
  EXPECT_EQ(next, changes.end());
  EXPECT_THAT(Repeated(), IsEmpty());
}

TEST_F(AuditorTest, AnEventPassedOverIsLostEvenWhileTheConsumerIsBehind) {
  NewChange("ann");
  const Change later = NewChange("ann");
  std::vector<Change> others;
  for (int i = 0; i < 60; ++i) others.push_back(NewChange(fmt::format("user {}", i)));
  Take(later);
  auto next = others.begin();
  RunFor(kDelay + 10s, [&] { Take(*next++); });
  EXPECT_THAT(Repeated(), ElementsAre("ann"));
}

TEST_F(AuditorTest, SilenceCountsOnlyWhileEventsCanBeDelivered) {
  NewChange("ann");
  can_deliver_ = false;
  RunFor(1h);
  can_deliver_ = true;
  RunFor(kDelay);
  EXPECT_THAT(Repeated(), IsEmpty()) << "now they come";
  RunFor(10s);
  EXPECT_THAT(Repeated(), ElementsAre("ann"));
}

TEST_F(AuditorTest, SilenceCountsOnlyWhileTheOutboxFlows) {
  NewChange("ann");
  publishing_ = false;
  NewChange("bob");
  RunFor(1h);
  EXPECT_THAT(Repeated(), IsEmpty());
  Publish();
  publishing_ = true;
  RunFor(kDelay);
  EXPECT_THAT(Repeated(), IsEmpty());
  RunFor(10s);
  EXPECT_THAT(Repeated(), testing::UnorderedElementsAre("ann", "bob"));
}

TEST_F(AuditorTest, SilenceCountsOnlyWhileTheDatabaseIsThere) {
  NewChange("ann");
  RunFor(kDelay + 20s);
  database_.FailWith(absl::UnavailableError("away"));
  EXPECT_EQ(auditor_.RunRound().status().code(), absl::StatusCode::kUnavailable);
  database_.FailWith(absl::OkStatus());
  RunFor(kDelay);
  EXPECT_THAT(Repeated(), IsEmpty());
  RunFor(10s);
  EXPECT_THAT(Repeated(), ElementsAre("ann"));
}

TEST_F(AuditorTest, AfterAFreezeTheSilenceIsMeasuredAnew) {
  NewChange("ann");
  RunFor(kDelay + 20s);
  clock_.now += 1h;
  RunFor(kDelay);
  EXPECT_THAT(Repeated(), IsEmpty());
  RunFor(10s);
  EXPECT_THAT(Repeated(), ElementsAre("ann"));
}

TEST_F(AuditorTest, AnotherReplicasTurnIsWaitedFor) {
  NewChange("ann");
  ASSERT_TRUE(log_.TakeTurn("another", 1h).value());
  RunFor(1h);
  EXPECT_THAT(Repeated(), IsEmpty());
  RunFor(kDelay + 10s);
  EXPECT_THAT(Repeated(), IsEmpty()) << "and the silence before it was not ours to hear";
  RunFor(10s);
  EXPECT_THAT(Repeated(), ElementsAre("ann"));
}

TEST_F(AuditorTest, AnEventIsRepeatedFiveTimesWithDoublingDelayAndThenLost) {
  testing::internal::CaptureStderr();
  const Change change = NewChange("ann");
  std::vector<milliseconds> times;
  const Instant begin = clock_.now;
  RunFor(80 * kDelay, [&] {
    if (Repeated().size() > times.size())
      times.push_back(std::chrono::floor<milliseconds>(clock_.now - begin));
  });
  const std::string log = testing::internal::GetCapturedStderr();
  ASSERT_EQ(times.size(), 5u);
  for (std::size_t i = 1; i < times.size(); ++i) {
    EXPECT_GE(times[i] - times[i - 1], kDelay * (1 << (i - 1))) << i;
    EXPECT_LE(times[i] - times[i - 1], kDelay * (1 << (i - 1)) + 20s) << i;
  }
  EXPECT_THAT(log, HasSubstr("\"events_lost\""));
  EXPECT_THAT(log, HasSubstr(change.event_id.value()));
  EXPECT_EQ(log.find("events_lost"), log.rfind("events_lost")) << "once";
  EXPECT_TRUE(database_.Read()->audits.at("all").missing.begin()->second.lost);
}

TEST_F(AuditorTest, AnEventTakenAfterARepetitionIsNotRepeatedAgain) {
  testing::internal::CaptureStderr();
  const Change change = NewChange("ann");
  RunFor(2 * kDelay + 10s);
  Take(change);
  RunFor(80 * kDelay);
  EXPECT_THAT(Repeated(), ElementsAre("ann"));
  EXPECT_THAT(testing::internal::GetCapturedStderr(), Not(HasSubstr("events_lost")));
}

TEST_F(AuditorTest, ARoundRepeatsNoMoreThanItsLimit) {
  constexpr std::size_t kCount = 450;
  for (std::size_t i = 0; i < kCount; ++i) NewChange(fmt::format("user {}", i));
  RunFor(2 * kDelay);
  std::vector<milliseconds> pauses;
  while (Repeated().size() < kCount) {
    const auto again = auditor_.RunRound();
    ASSERT_TRUE(again.ok() && pauses.size() < 10);
    pauses.push_back(*again);
    Publish();
    clock_.now += *again;
    EXPECT_LE(Repeated().size(), pauses.size() * Auditor::kRepeatsPerRound);
  }
  EXPECT_THAT(pauses, ElementsAre(1s, 1s, 10s)) << "soon again while there is more";
}

}  // namespace
}  // namespace todo::service
