#include <algorithm>

#include "contract/audit_log_contract.h"
#include "contract/event_inbox_contract.h"
#include "contract/live_log_contract.h"
#include "contract/notification_contract.h"
#include "contract/outbox_log_contract.h"
#include "contract/preferred_zones_contract.h"
#include "contract/reminder_store_contract.h"
#include "contract/retry_contract.h"
#include "contract/task_finder_contract.h"
#include "contract/task_store_contract.h"
#include "contract/usage_contract.h"
#include "support/fake_audit_log.h"
#include "support/fake_crash_log.h"
#include "support/fake_delivery_store.h"
#include "support/fake_event_inbox.h"
#include "support/fake_live_log.h"
#include "support/fake_notification_store.h"
#include "support/fake_outbox_log.h"
#include "support/fake_preferred_zones.h"
#include "support/fake_reminder_store.h"
#include "support/fake_retry_queue.h"
#include "support/fake_task_finder.h"
#include "support/fake_task_store.h"
#include "support/fake_usage_store.h"

namespace todo::contract {
namespace {

class FakeTaskStoreEnvironment final : public TaskStoreEnvironment {
 public:
  ports::TaskStore& store() override { return store_; }
  ports::TaskStore& limited_store() override { return limited_store_; }
  const Wakes& wakes() override { return wakes_; }

 private:
  support::FakeDatabase database_;
  Wakes wakes_;
  support::FakeTaskStore store_{database_, std::ref(wakes_)};
  support::FakeTaskStore limited_store_{database_, std::ref(wakes_), kOpenTasks};
};

class FakeTaskFinderEnvironment final : public TaskFinderEnvironment {
 public:
  ports::TaskStore& tasks() override { return tasks_; }
  ports::TaskFinder& finder() override { return finder_; }

 private:
  support::FakeDatabase database_;
  support::FakeTaskStore tasks_{database_};
  support::FakeTaskFinder finder_{database_};
};

INSTANTIATE_TEST_SUITE_P(Fake, TaskFinderContract, testing::Values([] {
                           return std::make_unique<FakeTaskFinderEnvironment>();
                         }));

class FakeEventInboxEnvironment final : public EventInboxEnvironment {
 public:
  ports::TaskStore& store() override { return store_; }
  ports::EventInbox& inbox() override { return inbox_; }
  void Enqueue(std::string_view consumer, const domain::ReceivedEvent& received) override {
    const absl::Status status = database_.Write([&](support::FakeDatabase::Tables& tables) {
      const domain::EventHeader& event = received.event;
      EXPECT_TRUE(
          support::FakeDatabase::Take(tables, consumer, event.id, event.at, event.identity));
      ports::RetryEntry entry;
      entry.attempts = 1;
      entry.first_failed_at = entry.due_at = At("2026-03-01T09:01:00Z");
      support::FakeDatabase::Enqueue(tables, consumer, received, entry);
      return absl::OkStatus();
    });
    EXPECT_TRUE(status.ok()) << status;
  }
  const Wakes& wakes() override { return wakes_; }

 private:
  support::FakeDatabase database_;
  Wakes wakes_;
  support::FakeTaskStore store_{database_};
  support::FakeEventInbox inbox_{database_, std::ref(wakes_)};
};

class FakeNotificationEnvironment final : public NotificationEnvironment {
 public:
  ports::TaskStore& tasks() override { return tasks_; }
  ports::EventInbox& inbox() override { return inbox_; }
  ports::NotificationStore& store() override { return store_; }
  ports::DeliveryStore& deliveries() override { return deliveries_; }
  int TellCount() override { return tells_; }
  std::vector<std::string> Messages() override {
    std::vector<std::string> payloads;
    for (const auto& row : database_.Read()->messages) payloads.push_back(row.message.payload);
    return payloads;
  }

 private:
  support::FakeDatabase database_;
  support::FakeTaskStore tasks_{database_};
  int tells_ = 0;
  support::FakeEventInbox inbox_{database_, {}, [this] { ++tells_; }};
  support::FakeNotificationStore store_{database_, [this] { ++tells_; }};
  support::FakeDeliveryStore deliveries_{database_};
};

class FakeOutboxLogEnvironment final : public OutboxLogEnvironment {
 public:
  ports::TaskStore& store() override { return store_; }
  std::unique_ptr<ports::OutboxLog> NewLog(std::int64_t max_batch_bytes) override {
    return std::make_unique<support::FakeOutboxLog>(database_, max_batch_bytes);
  }
  void Pass(std::chrono::milliseconds time) override { now_ += time; }

 private:
  std::chrono::steady_clock::time_point now_;
  support::FakeDatabase database_{[this] { return now_; }};
  support::FakeTaskStore store_{database_};
};

class FakeAuditLogEnvironment final : public AuditLogEnvironment {
 public:
  ports::TaskStore& store() override { return store_; }
  ports::EventInbox& inbox() override { return inbox_; }
  ports::OutboxLog& outbox() override { return outbox_; }
  std::unique_ptr<ports::AuditLog> NewAudit(int max_changes, int max_missing) override {
    return std::make_unique<support::FakeAuditLog>(database_, max_changes, max_missing);
  }
  std::int64_t LostCount() override {
    std::int64_t count = 0;
    for (const auto& [consumer, audit] : database_.Read()->audits) {
      count +=
          std::ranges::count_if(audit.missing, [](const auto& entry) { return entry.second.lost; });
    }
    return count;
  }
  void Pass(std::chrono::milliseconds time) override { now_ += time; }

 private:
  std::chrono::steady_clock::time_point now_;
  support::FakeDatabase database_{[this] { return now_; }};
  support::FakeTaskStore store_{database_};
  support::FakeEventInbox inbox_{database_};
  support::FakeOutboxLog outbox_{database_};
};

INSTANTIATE_TEST_SUITE_P(Fake, AuditLogContract, testing::Values([] {
                           return std::make_unique<FakeAuditLogEnvironment>();
                         }));

class FakeLiveLogEnvironment final : public LiveLogEnvironment {
 public:
  ports::TaskStore& tasks() override { return tasks_; }
  ports::LiveLog& log() override { return log_; }
  void SetBack(const domain::UserId& user, std::int64_t seq) override { log_.SetBack(user, seq); }

 private:
  support::FakeDatabase database_;
  support::FakeTaskStore tasks_{database_};
  support::FakeLiveLog log_{database_};
};

INSTANTIATE_TEST_SUITE_P(Fake, LiveLogContract, testing::Values([] {
                           return std::make_unique<FakeLiveLogEnvironment>();
                         }));

class FakeReminderStoreEnvironment final : public ReminderStoreEnvironment {
 public:
  ports::TaskStore& tasks() override { return tasks_; }
  ports::EventInbox& inbox() override { return inbox_; }
  ports::ReminderStore& reminders() override { return reminders_; }
  const Wakes& wakes() override { return wakes_; }
  std::vector<std::string> Posted() override {
    std::vector<std::string> posted;
    for (const support::FakeDatabase::MessageRow& row : database_.Read()->messages) {
      posted.push_back(row.message.topic + " " + row.message.key + " " + row.message.id.value() +
                       " " + row.message.payload);
    }
    return posted;
  }

 private:
  support::FakeDatabase database_;
  Wakes wakes_;
  support::FakeTaskStore tasks_{database_};
  support::FakeEventInbox inbox_{database_};
  support::FakeReminderStore reminders_{database_, std::ref(wakes_)};
};

class FakePreferredZonesEnvironment final : public PreferredZonesEnvironment {
 public:
  ports::PreferredZones& zones() override { return zones_; }

 private:
  support::FakeDatabase database_;
  support::FakePreferredZones zones_{database_};
};

INSTANTIATE_TEST_SUITE_P(Fake, PreferredZonesContract, testing::Values([] {
                           return std::make_unique<FakePreferredZonesEnvironment>();
                         }));

class FakeRetryEnvironment final : public RetryEnvironment {
 public:
  ports::EventInbox& inbox() override { return inbox_; }
  ports::RetryQueue& retries() override { return retries_; }
  std::unique_ptr<ports::CrashLog> NewCrashLog(const std::string& instance) override {
    return std::make_unique<support::FakeCrashLog>(database_, instance);
  }
  void Disconnect(const std::string& instance) override {
    support::FakeCrashLog(database_, instance).LoseConnections();
  }

 private:
  support::FakeDatabase database_;
  support::FakeEventInbox inbox_{database_};
  support::FakeRetryQueue retries_{database_};
};

class FakeUsageEnvironment final : public UsageEnvironment {
 public:
  ports::TaskStore& tasks() override { return tasks_; }
  ports::EventInbox& inbox() override { return inbox_; }
  ports::RetryQueue& retries() override { return retries_; }
  ports::UsageStore& usage() override { return usage_; }

 private:
  support::FakeDatabase database_;
  support::FakeTaskStore tasks_{database_};
  support::FakeEventInbox inbox_{database_};
  support::FakeRetryQueue retries_{database_};
  support::FakeUsageStore usage_{database_};
};

INSTANTIATE_TEST_SUITE_P(Fake, UsageContract,
                         testing::Values([] { return std::make_unique<FakeUsageEnvironment>(); }));
INSTANTIATE_TEST_SUITE_P(Fake, RetryContract,
                         testing::Values([] { return std::make_unique<FakeRetryEnvironment>(); }));
INSTANTIATE_TEST_SUITE_P(Fake, TaskStoreContract, testing::Values([] {
                           return std::make_unique<FakeTaskStoreEnvironment>();
                         }));
INSTANTIATE_TEST_SUITE_P(Fake, EventInboxContract, testing::Values([] {
                           return std::make_unique<FakeEventInboxEnvironment>();
                         }));
INSTANTIATE_TEST_SUITE_P(Fake, ReminderStoreContract, testing::Values([] {
                           return std::make_unique<FakeReminderStoreEnvironment>();
                         }));
INSTANTIATE_TEST_SUITE_P(Fake, NotificationContract, testing::Values([] {
                           return std::make_unique<FakeNotificationEnvironment>();
                         }));
INSTANTIATE_TEST_SUITE_P(Fake, OutboxLogContract, testing::Values([] {
                           return std::make_unique<FakeOutboxLogEnvironment>();
                         }));

}  // namespace
}  // namespace todo::contract
