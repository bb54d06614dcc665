#include "app/runners/delivery_runner.h"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>
#include <condition_variable>
#include <memory>
#include <mutex>

#include "app/system_clock.h"
#include "support/fake_delivery_store.h"
#include "support/fake_event_inbox.h"
#include "support/fake_notification_store.h"
#include "support/status_matchers.h"

namespace todo::app {
namespace {

using namespace std::chrono_literals;
using domain::UserId;
using support::IsOk;

constexpr auto kNever = 24h;  // what waits for it waits for longer than the test

/// What the store, the receiver and the test tell each other.
struct Meeting {
  template <typename Condition>
  bool Await(const Condition& condition) {
    std::unique_lock lock(mutex);
    return changed.wait_for(lock, 30s, condition);
  }
  template <typename Change>
  void Tell(const Change& change) {
    {
      const std::lock_guard lock(mutex);
      change();
    }
    changed.notify_all();
  }

  std::mutex mutex;
  std::condition_variable changed;
  int fruitless = 0;  // looks
  int delivered = 0;
};

/// Says when there was nothing to lease.
class WatchedStore final : public ports::DeliveryStore {
 public:
  WatchedStore(ports::DeliveryStore& store, Meeting& meeting) : store_(store), meeting_(meeting) {}
  absl::StatusOr<std::optional<ports::LeasedLane>> Lease(
      ports::Pace pace, const std::vector<domain::Channel>& channels, domain::Instant now,
      domain::Instant until) override {
    auto leased = store_.Lease(pace, channels, now, until);
    if (leased.ok() && !leased->has_value()) meeting_.Tell([this] { ++meeting_.fruitless; });
    return leased;
  }
  absl::StatusOr<std::optional<domain::Instant>> NextTurn(
      ports::Pace pace, const std::vector<domain::Channel>& channels) override {
    return store_.NextTurn(pace, channels);
  }
  absl::StatusOr<bool> Finish(const ports::DeliveryLane& lane,
                              const ports::DeliveryAttempt& attempt, ports::Pace pace) override {
    return store_.Finish(lane, attempt, pace);
  }
  absl::Status StopEndpoint(const ports::LeasedLane& leased, const std::string& reason,
                            domain::Instant now) override {
    return store_.StopEndpoint(leased, reason, now);
  }

 private:
  ports::DeliveryStore& store_;
  Meeting& meeting_;
};

/// Answers when so many looks were in vain.
class Receiver final : public ports::WebhookSender {
 public:
  Receiver(Meeting& meeting, int looks) : meeting_(meeting), looks_(looks) {}
  ports::SendOutcome Send(const ports::WebhookMessage& /*message*/) override {
    meeting_.Await([this] { return meeting_.fruitless >= looks_; });
    meeting_.Tell([this] { ++meeting_.delivered; });
    return {.kind = ports::SendOutcome::Kind::kDelivered,
            .status_code = 200,
            .detail = {},
            .retry_after = {}};
  }
  absl::Status Check(const std::string& /*url*/) const override { return absl::OkStatus(); }

 private:
  Meeting& meeting_;
  const int looks_;
};

class DeliveryRunnerTest : public testing::Test {
 protected:
  void ReceiveAfter(int fruitless_looks) {
    channels_.Set({.webhooks = std::make_shared<Receiver>(meeting_, fruitless_looks),
                   .webhook_master_key = "key",
                   .mail = {},
                   .mail_from = {},
                   .push = {},
                   .push_public_key = {}});
  }
  void AddEndpoint(const UserId& user) {
    ports::WebhookEndpoint endpoint;
    endpoint.id = Id(0);
    endpoint.host = "hooks.example";
    endpoint.task_events = true;
    ASSERT_THAT(notifications_.AddEndpoint(user, endpoint, "f", {}), IsOk());
  }
  /// One delivery for each endpoint of the user's.
  void Enqueue(const UserId& user, domain::Instant due) {
    ASSERT_THAT(inbox_.Transact([&](ports::InboxTransaction& transaction) {
      return transaction.notifications().EnqueueTaskWebhooks(
          {{.user = user,
            .event_id = domain::EventId{Id(++event_count_)},
            .kind = "task.created",
            .body = "{}",
            .now = due}});
    }),
                IsOk());
  }
  static domain::Uuid Id(int number) {
    return *domain::Uuid::Parse(fmt::format("018f3f2e-0000-7000-8000-{:012}", number));
  }
  bool AwaitDelivered(int count) {
    return meeting_.Await([&] { return meeting_.delivered == count; });
  }

  const UserId ada_{"ada"};
  SystemClock clock_;
  Meeting meeting_;
  support::FakeDatabase database_;
  support::FakeEventInbox inbox_{database_};
  support::FakeNotificationStore notifications_{database_};
  support::FakeDeliveryStore deliveries_{database_};
  WatchedStore store_{deliveries_, meeting_};
  service::ChannelSet channels_;
  service::DeliverySender sender_{store_, clock_, channels_};
  util::Bell bell_;
  int event_count_ = 0;
};

TEST_F(DeliveryRunnerTest, AFinishedAttemptMakesRoomAtOnceForOtherLanesOfItsHost) {
  constexpr int kUsers = 9;  // more than a host may have out, twice
  ReceiveAfter(1);           // the runner has looked once more and found its host busy
  for (int i = 0; i < kUsers; ++i) {
    const UserId user{fmt::format("user-{}", i)};
    AddEndpoint(user);
    Enqueue(user, clock_.Now());
  }
  DeliveryRunner runner(sender_, ports::Pace::kNew, kUsers, bell_, kNever);
  runner.Start();
  EXPECT_TRUE(AwaitDelivered(kUsers)) << meeting_.delivered;
}

TEST_F(DeliveryRunnerTest, AnAnnouncedDeliveryIsSentAtOnceWithoutNeedlessLooks) {
  ReceiveAfter(0);
  AddEndpoint(ada_);
  DeliveryRunner runner(sender_, ports::Pace::kNew, 1, bell_, kNever);
  runner.Start();
  EXPECT_TRUE(meeting_.Await([&] { return meeting_.fruitless == 1; }));
  Enqueue(ada_, clock_.Now());
  bell_.Ring();
  EXPECT_TRUE(AwaitDelivered(1));
}

TEST_F(DeliveryRunnerTest, ADeliveryThatIsDueLaterIsSentThenWithoutAnnouncement) {
  ReceiveAfter(1);  // which was too early
  AddEndpoint(ada_);
  Enqueue(ada_, clock_.Now() + 300ms);
  DeliveryRunner runner(sender_, ports::Pace::kNew, 1, bell_, kNever);
  runner.Start();
  EXPECT_TRUE(AwaitDelivered(1));
}

TEST_F(DeliveryRunnerTest, AnAttemptWakesTheRunnerOfTheNewPaceOfItsLane) {
  ReceiveAfter(1);
  AddEndpoint(ada_);
  DeliveryRunner quick(sender_, ports::Pace::kQuick, 1, bell_, kNever);
  quick.Start();
  EXPECT_TRUE(meeting_.Await([&] { return meeting_.fruitless == 1; }));
  Enqueue(ada_, clock_.Now());
  Enqueue(ada_, clock_.Now());
  DeliveryRunner fresh(sender_, ports::Pace::kNew, 1, bell_, kNever);
  fresh.Start();
  EXPECT_TRUE(AwaitDelivered(2)) << meeting_.delivered;
}

}  // namespace
}  // namespace todo::app
