#pragma once

#include <gtest/gtest.h>

#include <cstdint>
#include <functional>
#include <memory>

#include "contract/contract_support.h"
#include "ports/task_store.h"

namespace todo::contract {

/// An empty store to play with. `wakes()` hears its on_change.
class TaskStoreEnvironment {
 public:
  virtual ~TaskStoreEnvironment() = default;
  virtual ports::TaskStore& store() = 0;
  /// Another store of the same tasks, which lets a user have kOpenTasks open ones.
  virtual ports::TaskStore& limited_store() = 0;
  static constexpr std::int64_t kOpenTasks = 3;
  virtual const Wakes& wakes() = 0;
};

/// The promises of every TaskStore (ports/task_store.h). The parameter makes the environment; null
/// skips the test.
class TaskStoreContract
    : public testing::TestWithParam<std::function<std::unique_ptr<TaskStoreEnvironment>()>> {
 protected:
  void SetUp() override {
    environment_ = GetParam()();
    if (environment_ == nullptr) GTEST_SKIP() << "needs a database";
  }
  ports::TaskStore& store() { return environment_->store(); }

  /// The task after a mutation that must succeed.
  domain::Task Apply(const ports::Mutation& mutation);
  /// All tasks of a query, page by page.
  std::vector<domain::Task> ListAll(const domain::UserId& user, ports::TaskQuery query);
  /// Occurrences 1 to `count` of one series, all open.
  std::vector<domain::Task> CreateSeries(std::int64_t count);
  std::vector<ports::SeriesMember> MembersOf(const domain::Task& task);
  std::vector<std::string> TitlesOf(const ports::TaskQuery& query);

  const domain::UserId user_{"ann"};
  const domain::UserId other_{"bob"};
  std::unique_ptr<TaskStoreEnvironment> environment_;
};

}  // namespace todo::contract
