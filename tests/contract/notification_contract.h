#pragma once

#include <gtest/gtest.h>

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "contract/contract_support.h"
#include "ports/delivery_store.h"
#include "ports/event_inbox.h"
#include "ports/notification_store.h"
#include "ports/task_store.h"

namespace todo::contract {

/// An empty database with the stores of notifications on it.
class NotificationEnvironment {
 public:
  virtual ~NotificationEnvironment() = default;
  virtual ports::TaskStore& tasks() = 0;
  virtual ports::EventInbox& inbox() = 0;
  virtual ports::NotificationStore& store() = 0;
  virtual ports::DeliveryStore& deliveries() = 0;
  /// How often the stores have told that deliveries may be due.
  virtual int TellCount() = 0;
  /// Payloads posted to the outbox so far.
  virtual std::vector<std::string> Messages() = 0;
};

/// The promises of NotificationStore, DeliveryStore and the notifications of InboxTransaction. The
/// parameter makes the environment; null skips the test.
class NotificationContract
    : public testing::TestWithParam<std::function<std::unique_ptr<NotificationEnvironment>()>> {
 protected:
  void SetUp() override {
    environment_ = GetParam()();
    if (environment_ == nullptr) GTEST_SKIP() << "needs a database";
  }
  ports::NotificationStore& store() { return environment_->store(); }
  ports::DeliveryStore& deliveries() { return environment_->deliveries(); }

  ports::WebhookEndpoint AddEndpoint(const domain::UserId& user, const std::string& host,
                                     bool task_events = false);
  ports::PushSubscription AddSubscription(const domain::UserId& user, const std::string& endpoint);
  ports::ReminderNotice Notice(const domain::UserId& user);
  void Remind(const std::vector<ports::ReminderNotice>& notices);
  void EnqueueTaskWebhook(const domain::UserId& user);
  std::optional<ports::LeasedLane> Lease(ports::Pace pace, domain::Instant now);
  std::optional<domain::Instant> NextTurn(ports::Pace pace);
  bool Finish(const ports::LeasedLane& leased, ports::DeliveryState state, domain::Instant at,
              ports::Pace pace = ports::Pace::kQuick,
              std::optional<domain::Instant> paused_until = {});

  const domain::UserId ann_{"ann"};
  const domain::UserId bob_{"bob"};
  const domain::Instant now_ = At("2026-03-01T09:00:00Z");
  std::unique_ptr<NotificationEnvironment> environment_;
};

}  // namespace todo::contract
