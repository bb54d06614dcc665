#pragma once

#include <gtest/gtest.h>

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "contract/contract_support.h"
#include "ports/task_finder.h"
#include "ports/task_store.h"

namespace todo::contract {

/// An empty store of tasks and a finder on the same data.
class TaskFinderEnvironment {
 public:
  virtual ~TaskFinderEnvironment() = default;
  virtual ports::TaskStore& tasks() = 0;
  virtual ports::TaskFinder& finder() = 0;
};

/// The promises of every TaskFinder (ports/task_finder.h). The parameter makes the environment;
/// null skips the test.
class TaskFinderContract
    : public testing::TestWithParam<std::function<std::unique_ptr<TaskFinderEnvironment>()>> {
 protected:
  void SetUp() override {
    environment_ = GetParam()();
    if (environment_ == nullptr) GTEST_SKIP() << "needs a database";
  }
  ports::TaskFinder& finder() { return environment_->finder(); }

  domain::Task Apply(const ports::Mutation& mutation);
  domain::Task Add(const std::string& title) { return Apply(Create(user_, title)); }
  std::vector<ports::FoundTask> Find(const ports::FindQuery& query);
  std::vector<ports::FoundTask> Find(const std::string& words) {
    ports::FindQuery query;
    query.words = words;
    return Find(query);
  }

  const domain::UserId user_{"ann"};
  std::unique_ptr<TaskFinderEnvironment> environment_;
};

}  // namespace todo::contract
