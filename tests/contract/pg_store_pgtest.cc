#include <fmt/format.h>

#include <sstream>

#include "absl/strings/escaping.h"
#include "contract/audit_log_contract.h"
#include "contract/event_inbox_contract.h"
#include "contract/notification_contract.h"
#include "contract/outbox_log_contract.h"
#include "contract/preferred_zones_contract.h"
#include "contract/reminder_store_contract.h"
#include "contract/retry_contract.h"
#include "contract/task_finder_contract.h"
#include "contract/task_store_contract.h"
#include "contract/usage_contract.h"
#include "domain/event/dead_letter.h"
#include "store/connection_pool.h"
#include "store/pg_audit_log.h"
#include "store/pg_crash_log.h"
#include "store/pg_dead_letter_store.h"
#include "store/pg_delivery_store.h"
#include "store/pg_event_inbox.h"
#include "store/pg_notification_store.h"
#include "store/pg_outbox_log.h"
#include "store/pg_preferred_zones.h"
#include "store/pg_reminder_store.h"
#include "store/pg_retry_queue.h"
#include "store/pg_service_status.h"
#include "store/pg_task_finder.h"
#include "store/pg_task_store.h"
#include "store/pg_usage_store.h"
#include "store/search_index.h"
#include "support/status_matchers.h"
#include "support/test_database.h"

// The contract suites on PostgreSQL.

namespace todo::contract {
namespace {

using support::HasReason;
using support::IsOkAndHolds;
using support::StatusIs;
using support::TestDatabase;
using testing::ElementsAre;
using testing::IsEmpty;

template <typename Environment>
auto Make() {
  std::unique_ptr<TestDatabase> database = TestDatabase::Make();
  return database == nullptr ? nullptr : std::make_unique<Environment>(std::move(database));
}

class PgTaskStoreEnvironment final : public TaskStoreEnvironment {
 public:
  explicit PgTaskStoreEnvironment(std::unique_ptr<TestDatabase> database, bool batches = false)
      : database_(std::move(database)), batches_(batches) {}
  ports::TaskStore& store() override { return store_; }
  ports::TaskStore& limited_store() override { return limited_store_; }
  const Wakes& wakes() override { return wakes_; }

 private:
  std::unique_ptr<TestDatabase> database_;
  const bool batches_;
  Wakes wakes_;
  store::ConnectionPool pool_{database_->conninfo()};
  store::PgTaskStore store_{pool_, std::ref(wakes_), {.lone_calls_too = batches_}};
  store::PgTaskStore limited_store_{
      pool_, std::ref(wakes_), {.open_task_limit = kOpenTasks, .lone_calls_too = batches_}};
};

class PgTaskFinderEnvironment final : public TaskFinderEnvironment {
 public:
  explicit PgTaskFinderEnvironment(std::unique_ptr<TestDatabase> database)
      : database_(std::move(database)) {
    EXPECT_THAT(store::MakeSearchIndex(pool_), IsOkAndHolds(""));
  }
  ports::TaskStore& tasks() override { return tasks_; }
  ports::TaskFinder& finder() override { return finder_; }

 private:
  std::unique_ptr<TestDatabase> database_;
  store::ConnectionPool pool_{database_->conninfo()};
  store::PgTaskStore tasks_{pool_, {}};
  store::PgTaskFinder finder_{pool_};
};

INSTANTIATE_TEST_SUITE_P(PostgreSql, TaskFinderContract,
                         testing::Values(&Make<PgTaskFinderEnvironment>));

TEST(PgTaskFinderTest, WithoutTheExtensionWordsAreFoundAndTypingErrorsAreNot) {
  const std::unique_ptr<TestDatabase> database = TestDatabase::Make();
  if (database == nullptr) GTEST_SKIP() << "needs a database";
  store::ConnectionPool pool(database->conninfo());
  ASSERT_TRUE(store::PgTaskStore(pool, {}).Apply(Create({"ann"}, "Buy groceries")).ok());
  store::PgTaskFinder finder(pool);
  EXPECT_EQ(finder.Find({"ann"}, {.words = "buying groceries"})->size(), 1u);
  EXPECT_EQ(finder.Find({"ann"}, {.words = "groceries market"})->size(), 1u);
  EXPECT_THAT(*finder.Find({"ann"}, {.words = "groseries"}), IsEmpty());
}

class PgEventInboxEnvironment final : public EventInboxEnvironment {
 public:
  explicit PgEventInboxEnvironment(std::unique_ptr<TestDatabase> database)
      : database_(std::move(database)) {}
  ports::TaskStore& store() override { return store_; }
  ports::EventInbox& inbox() override { return inbox_; }
  void Enqueue(std::string_view consumer, const domain::ReceivedEvent& received) override {
    const auto queued =
        store::PgRetryQueue(pool_, {}).Enqueue(consumer, received,
                                               {.failed_at = At("2026-03-01T09:00:00Z"),
                                                .due_at = At("2026-03-01T09:01:00Z"),
                                                .reason = "failed"});
    EXPECT_TRUE(queued.ok() && *queued) << queued.status();
  }
  const Wakes& wakes() override { return wakes_; }

 private:
  std::unique_ptr<TestDatabase> database_;
  Wakes wakes_;
  store::ConnectionPool pool_{database_->conninfo()};
  store::PgTaskStore store_{pool_, {}};
  store::PgEventInbox inbox_{pool_, std::ref(wakes_)};
};

class PgNotificationEnvironment final : public NotificationEnvironment {
 public:
  explicit PgNotificationEnvironment(std::unique_ptr<TestDatabase> database)
      : database_(std::move(database)) {}
  ports::TaskStore& tasks() override { return tasks_; }
  ports::EventInbox& inbox() override { return inbox_; }
  ports::NotificationStore& store() override { return store_; }
  ports::DeliveryStore& deliveries() override { return deliveries_; }
  int TellCount() override { return tells_; }
  std::vector<std::string> Messages() override {
    std::vector<std::string> payloads;
    const int count = std::stoi(database_->Run("select count(*) from messages"));
    for (int i = 0; i < count; ++i) {
      payloads.push_back(database_->Run(
          fmt::format("select payload from messages order by id offset {} limit 1", i)));
    }
    return payloads;
  }

 private:
  std::unique_ptr<TestDatabase> database_;
  store::ConnectionPool pool_{database_->conninfo()};
  store::PgTaskStore tasks_{pool_, {}};
  int tells_ = 0;
  store::PgEventInbox inbox_{pool_, {}, [this] { ++tells_; }};
  store::PgNotificationStore store_{pool_, [this] { ++tells_; }};
  store::PgDeliveryStore deliveries_{pool_};
};

class PgOutboxLogEnvironment final : public OutboxLogEnvironment {
 public:
  explicit PgOutboxLogEnvironment(std::unique_ptr<TestDatabase> database)
      : database_(std::move(database)) {}
  ports::TaskStore& store() override { return store_; }
  std::unique_ptr<ports::OutboxLog> NewLog(std::int64_t max_batch_bytes) override {
    return std::make_unique<store::PgOutboxLog>(
        pool_, store::OutboxLogOptions{.max_batch_bytes = max_batch_bytes});
  }
  void Pass(std::chrono::milliseconds time) override {
    for (const char* table : {"relay_shards", "relay_replicas"}) {
      database_->Run(
          fmt::format("update {} set lease_until = lease_until - interval '{} milliseconds'", table,
                      time.count()));
    }
  }

 private:
  std::unique_ptr<TestDatabase> database_;
  store::ConnectionPool pool_{database_->conninfo()};
  store::PgTaskStore store_{pool_, {}};
};

class PgAuditLogEnvironment final : public AuditLogEnvironment {
 public:
  explicit PgAuditLogEnvironment(std::unique_ptr<TestDatabase> database)
      : database_(std::move(database)) {}
  ports::TaskStore& store() override { return store_; }
  ports::EventInbox& inbox() override { return inbox_; }
  ports::OutboxLog& outbox() override { return outbox_; }
  std::unique_ptr<ports::AuditLog> NewAudit(int max_changes, int max_missing) override {
    return std::make_unique<store::PgAuditLog>(
        pool_, nullptr,
        store::AuditLogOptions{.max_changes = max_changes, .max_missing = max_missing});
  }
  std::int64_t LostCount() override {
    return store::PgServiceStatus(pool_).Read().value().lost_events;
  }
  void Pass(std::chrono::milliseconds time) override {
    database_->Run(
        fmt::format("update audit_turn set lease_until = lease_until - interval '{} milliseconds'",
                    time.count()));
  }

 private:
  std::unique_ptr<TestDatabase> database_;
  store::ConnectionPool pool_{database_->conninfo()};
  store::PgTaskStore store_{pool_, {}};
  store::PgEventInbox inbox_{pool_, {}};
  store::PgOutboxLog outbox_{pool_};
};

INSTANTIATE_TEST_SUITE_P(PostgreSql, AuditLogContract,
                         testing::Values(&Make<PgAuditLogEnvironment>));

class PgReminderStoreEnvironment final : public ReminderStoreEnvironment {
 public:
  explicit PgReminderStoreEnvironment(std::unique_ptr<TestDatabase> database)
      : database_(std::move(database)) {}
  ports::TaskStore& tasks() override { return tasks_; }
  ports::EventInbox& inbox() override { return inbox_; }
  ports::ReminderStore& reminders() override { return reminders_; }
  const Wakes& wakes() override { return wakes_; }
  std::vector<std::string> Posted() override {
    std::vector<std::string> posted;
    std::istringstream lines(
        database_->Run("select string_agg(topic || ' ' || key || ' ' || event_id || ' ' || "
                       "payload, E'\n' order by id) from messages"));
    for (std::string line; std::getline(lines, line);) posted.push_back(line);
    return posted;
  }

 private:
  std::unique_ptr<TestDatabase> database_;
  Wakes wakes_;
  store::ConnectionPool pool_{database_->conninfo()};
  store::PgTaskStore tasks_{pool_, {}};
  store::PgEventInbox inbox_{pool_, {}};
  store::PgReminderStore reminders_{pool_, std::ref(wakes_)};
};

class PgPreferredZonesEnvironment final : public PreferredZonesEnvironment {
 public:
  explicit PgPreferredZonesEnvironment(std::unique_ptr<TestDatabase> database)
      : database_(std::move(database)) {}
  ports::PreferredZones& zones() override { return zones_; }

 private:
  std::unique_ptr<TestDatabase> database_;
  store::ConnectionPool pool_{database_->conninfo()};
  store::PgPreferredZones zones_{pool_};
};

INSTANTIATE_TEST_SUITE_P(PostgreSql, PreferredZonesContract,
                         testing::Values(&Make<PgPreferredZonesEnvironment>));

TEST(PgDeliveryStoreTest, ALaneThatTheDatabaseFailsAtDoesNotHoldUpTheOthers) {
  const std::unique_ptr<TestDatabase> database = TestDatabase::Make();
  if (database == nullptr) GTEST_SKIP() << "needs a database";
  for (const char* user : {"ann", "bob"}) {
    database->Run(fmt::format(
        "insert into webhook_endpoints (user_id, id, url, host, reminders, task_events, "
        "fingerprint, created_at) values ('{0}', '00000000-0000-4000-8000-000000000001', "
        "'https://{0}.example', '{0}.example', true, true, '', '2026-03-01T00:00:00Z')",
        user));
  }
  // What waits for ann is too old, and cannot be given up.
  database->Run(
      "select enqueue_task_webhooks('ann', gen_random_uuid(), 'task.created', '{}', "
      "'2026-03-01T00:00:00Z')");
  database->Run(
      "select enqueue_task_webhooks('bob', gen_random_uuid(), 'task.created', '{}', "
      "'2026-03-05T00:00:00Z')");
  database->Run(
      "create function refuse() returns trigger language plpgsql as "
      "$$ begin raise exception 'refused'; end $$");
  database->Run(
      "create trigger refuse before update on deliveries for each row "
      "when (old.user_id = 'ann') execute function refuse()");
  store::ConnectionPool pool(database->conninfo());
  store::PgDeliveryStore deliveries(pool);
  const domain::Instant now = At("2026-03-05T00:00:01Z");
  const auto lease = [&] {
    return deliveries.Lease(ports::Pace::kNew, {domain::Channel::kWebhook}, now,
                            now + std::chrono::seconds(90));
  };
  EXPECT_THAT(lease(), StatusIs(absl::StatusCode::kInternal));
  const auto next = lease();
  ASSERT_TRUE(next.ok()) << next.status();
  ASSERT_TRUE(next->has_value());
  EXPECT_EQ((*next)->lane.user, domain::UserId{"bob"});
}

TEST(PgDeadLetterStoreTest, ReplayTellsWhenTheEventsAreDue) {
  const std::unique_ptr<TestDatabase> database = TestDatabase::Make();
  if (database == nullptr) GTEST_SKIP() << "needs a database";
  store::ConnectionPool pool(database->conninfo());
  std::vector<domain::Instant> told;
  store::PgRetryQueue queue(pool, {});
  store::PgDeadLetterStore letters(pool, [&told](domain::Instant due) { told.push_back(due); });
  const domain::Instant now = At("2026-03-05T00:00:00Z");
  domain::DeadLetter letter;
  letter.id = NewUuid();
  letter.consumer = "consumer";
  letter.event_id = NewEventId();
  letter.user = {"ann"};
  letter.event_at = letter.first_failed_at = letter.last_failed_at = now;
  letter.record.topic = "task-events";
  ASSERT_THAT(queue.AddDeadLetter(letter, ports::TakenFrom::kBus, now), IsOkAndHolds(true));
  EXPECT_THAT(told, IsEmpty());
  ASSERT_THAT(letters.Replay({}, 10, "an operator", now), IsOkAndHolds(1));
  EXPECT_THAT(told, ElementsAre(now));
  ASSERT_THAT(letters.Replay({}, 10, "an operator", now), IsOkAndHolds(0));
  EXPECT_THAT(told, ElementsAre(now)) << "there was none left";
}

TEST(PgDeadLetterStoreTest, RefusesPageTokensThatItDidNotMake) {
  const std::unique_ptr<TestDatabase> database = TestDatabase::Make();
  if (database == nullptr) GTEST_SKIP() << "needs a database";
  store::ConnectionPool pool(database->conninfo());
  store::PgDeadLetterStore letters(pool);
  const std::string id = NewUuid().value();
  for (const std::string& text :
       {std::string("nonsense"), "now " + id, std::string("1 no-id"), "9223372036854775807 " + id,
        "-9223372036854775808 " + id, std::string(1'000, '9') + " " + id}) {
    std::string token;
    absl::WebSafeBase64Escape(text, &token);
    const auto page = letters.List({}, 10, token);
    EXPECT_THAT(page, StatusIs(absl::StatusCode::kInvalidArgument)) << text;
    EXPECT_THAT(page, HasReason("INVALID_PAGE_TOKEN")) << text;
  }
}

TEST(PgServiceStatusTest, CountsDeliveriesAndTellsSinceWhenTheyWait) {
  const std::unique_ptr<TestDatabase> database = TestDatabase::Make();
  if (database == nullptr) GTEST_SKIP() << "needs a database";
  store::ConnectionPool pool(database->conninfo());
  store::PgServiceStatus ops(pool);
  EXPECT_EQ(ops.Read()->pending_deliveries, 0);
  EXPECT_EQ(ops.Read()->oldest_delivery, std::nullopt);
  for (const char* due : {"2026-03-01T09:00:00Z", "2026-03-01T10:00:00Z", "2999-01-01T00:00:00Z"}) {
    database->Run(
        fmt::format("select enqueue_delivery('ann', 'push', gen_random_uuid(), 'push.example', "
                    "gen_random_uuid(), 'reminder.due', '', false, '{0}', '{0}')",
                    due));
  }
  EXPECT_EQ(ops.Read()->pending_deliveries, 3);
  EXPECT_EQ(ops.Read()->oldest_delivery, At("2026-03-01T09:00:00Z"));
  database->Run(
      "select remove_lane(user_id, channel, target) from delivery_lanes "
      "order by due_at limit 1");
  database->Run("update delivery_lanes set due_at = '-infinity' where due_at > '2999-01-01'");
  EXPECT_EQ(ops.Read()->oldest_delivery, At("2026-03-01T10:00:00Z"));
}

class PgRetryEnvironment final : public RetryEnvironment {
 public:
  explicit PgRetryEnvironment(std::unique_ptr<TestDatabase> database)
      : database_(std::move(database)) {}
  ports::EventInbox& inbox() override { return inbox_; }
  ports::RetryQueue& retries() override { return retries_; }
  std::unique_ptr<ports::CrashLog> NewCrashLog(const std::string& instance) override {
    auto& pool = processes_[instance];
    if (pool == nullptr) {
      pool = std::make_unique<store::ConnectionPool>(
          database_->conninfo(), store::PoolOptions{.application_name = NameOf(instance)});
    }
    return std::make_unique<store::PgCrashLog>(*pool, instance);
  }
  void Disconnect(const std::string& instance) override {
    processes_.erase(instance);
    // The server notices it a moment later.
    EXPECT_TRUE(database_->WaitUntil(
        fmt::format("select count(*) from pg_stat_activity where application_name = '{}'",
                    NameOf(instance)),
        "0"));
  }

 private:
  static std::string NameOf(const std::string& instance) { return "process " + instance; }

  std::unique_ptr<TestDatabase> database_;
  store::ConnectionPool pool_{database_->conninfo()};
  store::PgEventInbox inbox_{pool_, {}};
  store::PgRetryQueue retries_{pool_, {}};
  std::map<std::string, std::unique_ptr<store::ConnectionPool>> processes_;
};

/// A process of release 1 holds no lock, and its row does not say that it does.
TEST(PgCrashLogTest, OnlyAProcessOfItsNameCountsTheCrashOfAnOldBinary) {
  const auto database = TestDatabase::Make();
  if (database == nullptr) GTEST_SKIP() << "needs a database";
  database->Run(
      "insert into processing (instance, slot, consumer, days, events) "
      "values ('old', 0, 'c', array[current_date], array[gen_random_uuid()])");
  EXPECT_EQ(database->Run("select count_crashes('new')"), "0");
  EXPECT_EQ(database->Run("select count_crashes('old')"), "1");
}

class PgUsageEnvironment final : public UsageEnvironment {
 public:
  explicit PgUsageEnvironment(std::unique_ptr<TestDatabase> database)
      : database_(std::move(database)) {}
  ports::TaskStore& tasks() override { return tasks_; }
  ports::EventInbox& inbox() override { return inbox_; }
  ports::RetryQueue& retries() override { return retries_; }
  ports::UsageStore& usage() override { return usage_; }

 private:
  std::unique_ptr<TestDatabase> database_;
  store::ConnectionPool pool_{database_->conninfo()};
  store::PgTaskStore tasks_{pool_, [](int) {}};
  store::PgEventInbox inbox_{pool_, {}};
  store::PgRetryQueue retries_{pool_, {}};
  store::PgUsageStore usage_{pool_, {.step_changes = 2, .pack_events = 3}};
};

INSTANTIATE_TEST_SUITE_P(PostgreSql, UsageContract, testing::Values(&Make<PgUsageEnvironment>));
INSTANTIATE_TEST_SUITE_P(PostgreSql, RetryContract, testing::Values(&Make<PgRetryEnvironment>));
INSTANTIATE_TEST_SUITE_P(PostgreSql, TaskStoreContract,
                         testing::Values(&Make<PgTaskStoreEnvironment>));

/// Every call of Apply goes through a batch, if it can.
std::unique_ptr<TaskStoreEnvironment> MakeBatching() {
  std::unique_ptr<TestDatabase> database = TestDatabase::Make();
  if (database == nullptr) return nullptr;
  return std::make_unique<PgTaskStoreEnvironment>(std::move(database), true);
}
INSTANTIATE_TEST_SUITE_P(PostgreSqlInBatches, TaskStoreContract, testing::Values(&MakeBatching));
INSTANTIATE_TEST_SUITE_P(PostgreSql, EventInboxContract,
                         testing::Values(&Make<PgEventInboxEnvironment>));
INSTANTIATE_TEST_SUITE_P(PostgreSql, ReminderStoreContract,
                         testing::Values(&Make<PgReminderStoreEnvironment>));
INSTANTIATE_TEST_SUITE_P(PostgreSql, NotificationContract,
                         testing::Values(&Make<PgNotificationEnvironment>));
INSTANTIATE_TEST_SUITE_P(PostgreSql, OutboxLogContract,
                         testing::Values(&Make<PgOutboxLogEnvironment>));

}  // namespace
}  // namespace todo::contract
