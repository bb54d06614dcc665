#include "app/delivery_runner.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <chrono>
#include <condition_variable>
#include <memory>
#include <mutex>

#include "app/system_clock.h"
#include "support/fake_event_inbox.h"
#include "support/fake_notification_store.h"

namespace todo::app {
namespace {

using namespace std::chrono_literals;
using domain::UserId;

/// What the store and the receivers of one test tell each other.
struct Meeting {
  std::mutex mutex;
  std::condition_variable changed;
  bool found_nothing = false;
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
    if (leased.ok() && !leased->has_value()) {
      const std::lock_guard lock(meeting_.mutex);
      meeting_.found_nothing = true;
      meeting_.changed.notify_all();
    }
    return leased;
  }
  absl::StatusOr<bool> Finish(const ports::DeliveryLane& lane, const ports::Attempt& attempt,
                              bool slow) override {
    return store_.Finish(lane, attempt, slow);
  }
  absl::Status StopTarget(const ports::LeasedLane& leased, const std::string& reason,
                          domain::Instant now) override {
    return store_.StopTarget(leased, reason, now);
  }

 private:
  ports::DeliveryStore& store_;
  Meeting& meeting_;
};

/// Answers only when the runner has looked once more and found its host busy.
class SlowReceiver final : public ports::WebhookSender {
 public:
  explicit SlowReceiver(Meeting& meeting) : meeting_(meeting) {}
  ports::SendOutcome Send(const ports::WebhookMessage& /*message*/) override {
    std::unique_lock lock(meeting_.mutex);
    meeting_.changed.wait_for(lock, 60s, [this] { return meeting_.found_nothing; });
    ++meeting_.delivered;
    meeting_.changed.notify_all();
    return {.kind = ports::SendOutcome::Kind::kDelivered,
            .status_code = 200,
            .detail = {},
            .retry_after = {}};
  }
  absl::Status Check(const std::string& /*url*/) const override { return absl::OkStatus(); }

 private:
  Meeting& meeting_;
};

TEST(DeliveryRunnerTest, WhoIsDoneMakesRoomAtOnceForWhatWaitsForItsHost) {
  constexpr int kUsers = 9;  // more than a host may have out, twice
  SystemClock clock;
  Meeting meeting;
  support::FakeDatabase database;
  support::FakeEventInbox inbox(database);
  support::FakeNotificationStore notifications(database);
  support::FakeDeliveryStore deliveries(database);
  WatchedStore store(deliveries, meeting);
  service::Outlets outlets;
  outlets.Set({.webhooks = std::make_shared<SlowReceiver>(meeting),
               .webhook_master_key = "key",
               .mail = {},
               .mail_from = {},
               .push = {},
               .push_public_key = {}});
  const domain::Uuid id = *domain::Uuid::Parse("018f3f2e-0000-7000-8000-000000000001");
  for (int i = 0; i < kUsers; ++i) {
    const UserId user{fmt::format("user-{}", i)};
    ports::WebhookEndpoint endpoint;
    endpoint.id = id;
    endpoint.host = "hooks.example";
    endpoint.task_events = true;
    ASSERT_TRUE(notifications.AddEndpoint(user, endpoint, "f", {}).ok());
    ASSERT_TRUE(inbox
                    .Transact([&](ports::InboxTransaction& transaction) {
                      return transaction.EnqueueTaskWebhooks({{.user = user,
                                                               .event_id = domain::EventId{id},
                                                               .kind = "task.created",
                                                               .body = "{}",
                                                               .now = clock.Now()}});
                    })
                    .ok());
  }
  service::DeliverySender sender(store, clock, outlets);
  const DeliveryRunner runner(sender, ports::Pace::kNew, kUsers, /*poll=*/1h);
  std::unique_lock lock(meeting.mutex);
  EXPECT_TRUE(meeting.changed.wait_for(lock, 30s, [&] { return meeting.delivered == kUsers; }))
      << meeting.delivered;
}

}  // namespace
}  // namespace todo::app
