#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <string>

#include "api/analytics_methods.h"
#include "api/chat_methods.h"
#include "api/method.h"
#include "api/notification_methods.h"
#include "api/reminder_methods.h"
#include "api/todo_methods.h"
#include "support/fake_database.h"
#include "support/fake_notification_store.h"
#include "support/fake_preferred_zones.h"
#include "support/fake_reminder_store.h"
#include "support/fake_senders.h"
#include "support/fake_task_finder.h"
#include "support/fake_task_store.h"
#include "support/fake_usage_store.h"
#include "unit/api/fake_feed.h"
#include "unit/api/fake_tickets.h"

namespace todo::fuzz {

class StandingClock final : public ports::Clock {
 public:
  domain::Instant Now() const override { return *domain::ParseInstant("2026-11-27T12:00:00Z"); }
};

class CountingIds final : public ports::IdSource {
 public:
  domain::Uuid NewId() override {
    std::string bytes(16, '\0');
    const std::uint32_t number = ++count_;
    for (std::size_t i = 0; i < 4; ++i) bytes[15 - i] = static_cast<char>(number >> (8 * i));
    return domain::Uuid::FromBytes(bytes, 7);
  }

 private:
  std::uint32_t count_ = 0;
};

/// The methods that users call, on stores in memory. Each input gets new ones, so that it means the
/// same alone.
struct ServicesInMemory {
  ServicesInMemory() {
    channels.Set({.webhooks = std::make_shared<support::FakeWebhookSender>(),
                  .webhook_master_key = "a master key of the fuzzers",
                  .mail = std::make_shared<support::FakeMailer>(),
                  .mail_from = "todo@todo.example",
                  .push = std::make_shared<support::FakePushSender>(),
                  .push_public_key = "public"});
  }

  api::Caller CallerOf(const std::string& user) const {
    return {.identity = {.user = {user}, .roles = {}, .expiry = {}},
            .context = {.user = {user}, .request_id = {}, .fingerprint = {}, .traceparent = {}}};
  }

  support::FakeDatabase database;
  support::FakeTaskStore store{database};
  support::FakeTaskFinder finder{database};
  support::FakeReminderStore reminder_store{database};
  support::FakeNotificationStore notification_store{database};
  support::FakePreferredZones zones{database};
  support::FakeUsageStore usage_store{database};
  support::FakeStateStore state;
  StandingClock clock;
  CountingIds ids;
  service::ChannelSet channels;
  service::TaskService tasks{store, zones, clock, ids};
  service::ReminderService reminders{reminder_store, clock, ids, {}};
  service::NotificationSettings settings{{notification_store, state, zones, clock, ids, channels}};
  service::UsageService usage{usage_store, zones, clock};
  chat::Conversation conversation{
      {.tasks = tasks,
       .finder = finder,
       .state = state,
       .clock = clock,
       .ids = ids,
       .preferences = [](const domain::UserId&) -> absl::StatusOr<domain::NotificationPreferences> {
         return domain::NotificationPreferences{};
       },
       .usage = {},
       .model = nullptr}};
  api::FakeFeed feed;
  api::FakeTickets tickets;
  api::MethodTable methods{{api::MakeTodoMethods({tasks, feed, tickets, settings, clock}),
                            api::MakeReminderMethods(reminders),
                            api::MakeNotificationMethods(settings),
                            api::MakeChatMethods(conversation), api::MakeAnalyticsMethods(usage)}};
};

}  // namespace todo::fuzz
