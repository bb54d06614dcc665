#include "store/pg_live_log.h"

#include <fmt/format.h>
#include <gmock/gmock.h>

#include <algorithm>
#include <cstdint>
#include <memory>
#include <string>
#include <utility>

#include "contract/live_log_contract.h"
#include "store/connection_pool.h"
#include "store/pg_task_store.h"
#include "support/test_database.h"

namespace todo::contract {
namespace {

using support::TestDatabase;
using testing::HasSubstr;
using testing::Not;

class PgLiveLogEnvironment final : public LiveLogEnvironment {
 public:
  explicit PgLiveLogEnvironment(std::unique_ptr<TestDatabase> database)
      : database_(std::move(database)) {}
  ports::TaskStore& tasks() override { return tasks_; }
  ports::LiveLog& log() override { return log_; }
  void SetBack(const domain::UserId& user, std::int64_t seq) override {
    database_->Run(
        fmt::format("delete from changes where user_id = '{}' and seq > {}", user.value, seq));
    database_->Run(fmt::format("update users set seq = {} where user_id = '{}'", seq, user.value));
  }

 private:
  std::unique_ptr<TestDatabase> database_;
  store::ConnectionPool pool_{database_->conninfo()};
  store::PgTaskStore tasks_{pool_, {}};
  store::PgLiveLog log_{pool_};
};

INSTANTIATE_TEST_SUITE_P(PostgreSql, LiveLogContract,
                         testing::Values([]() -> std::unique_ptr<LiveLogEnvironment> {
                           std::unique_ptr<TestDatabase> database = TestDatabase::Make();
                           if (database == nullptr) return nullptr;
                           return std::make_unique<PgLiveLogEnvironment>(std::move(database));
                         }));

/// The largest number that follows `key` in `plan`.
std::int64_t MaxOf(const std::string& plan, const std::string& key) {
  std::int64_t max = 0;
  for (std::size_t at = plan.find(key); at != std::string::npos; at = plan.find(key, at + 1))
    max = std::max<std::int64_t>(max, std::stoll(plan.substr(at + key.size())));
  return max;
}

// Whatever the planner knows of the arguments: the plan for these very ones, and the plan for any.
TEST(PgLiveLogTest, ReadsNoMoreOfTheLogThanItAnswers) {
  const std::unique_ptr<TestDatabase> database = TestDatabase::Make();
  if (database == nullptr) GTEST_SKIP() << "needs a database";
  database->Run(
      "insert into changes (user_id, seq, shard, event_id, kind, task_id, version, task_json, at, "
      "traceparent) select 'u' || i % 100, i / 100 + 1, 0, gen_random_uuid(), 'updated', 1, 1, "
      "'{}', now(), '' from generate_series(0, 29999) i");
  database->Run("analyze changes");
  for (const char* mode : {"force_custom_plan", "force_generic_plan"}) {
    const auto session = database->Open();
    session->Run(fmt::format("set plan_cache_mode = {}", mode));
    session->Run(
        "prepare read (text, bigint, uuid, int, bigint) as select * from "
        "read_missed($1, $2, $3, $4, $5)");
    session->Run(
        "prepare check_all (text[], bigint[], uuid[]) as select * from check_cursors($1, $2, $3)");
    const std::string cursor = session->Run(
        "select format('%L, 250, %L', 'u7', event_id) from changes where user_id = 'u7' and seq = "
        "250");
    const std::string users = session->Run(
        "select format('%L, %L, %L', array_agg('u' || i % 100), array_agg(1 + i / 100), "
        "array_agg(gen_random_uuid())) from generate_series(0, 9999) i");
    // `rows`: of the log, with the head and the cursor of each user.
    for (const auto& [call, rows] :
         {std::pair(fmt::format("read({}, 20, 1000000)", cursor), 20),
          std::pair(fmt::format("read('u7', 250, gen_random_uuid(), 20, 1000000)"), 1),
          std::pair(fmt::format("check_all({})", users), 1)}) {
      const std::string plan =
          session->Run("explain (analyze, timing off, format json) execute " + call);
      EXPECT_THAT(plan, Not(HasSubstr("Seq Scan"))) << mode << plan;
      EXPECT_THAT(plan, Not(HasSubstr("Hash Join"))) << mode << plan;
      EXPECT_THAT(plan, Not(HasSubstr("Merge Join"))) << mode << plan;
      EXPECT_THAT(plan, HasSubstr("changes_pkey")) << mode << plan;
      // Rows of a node that runs again and again count for one run.
      EXPECT_LE(MaxOf(plan, "\"Rows Removed by Filter\": "), 1) << mode << plan;
      EXPECT_LE(MaxOf(plan, "\"Rows Removed by Index Recheck\": "), 0) << mode << plan;
      if (call.starts_with("read")) {
        EXPECT_LE(MaxOf(plan, "\"Actual Rows\": "), rows) << plan;
      }
    }
  }
}

}  // namespace
}  // namespace todo::contract
