#pragma once

#include <gtest/gtest.h>

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <vector>

#include "contract/contract_support.h"
#include "ports/live_log.h"
#include "ports/task_store.h"

namespace todo::contract {

/// An empty store, and the log of its changes.
class LiveLogEnvironment {
 public:
  virtual ~LiveLogEnvironment() = default;
  virtual ports::TaskStore& tasks() = 0;
  virtual ports::LiveLog& log() = 0;
  /// Takes the user's changes after `seq` out of the log, as a backup that is restored does.
  virtual void SetBack(const domain::UserId& user, std::int64_t seq) = 0;
};

/// The promises of LiveLog (ports/live_log.h). The parameter makes the environment; null skips the
/// test.
class LiveLogContract
    : public testing::TestWithParam<std::function<std::unique_ptr<LiveLogEnvironment>()>> {
 protected:
  static constexpr int kManyChanges = 100;
  static constexpr std::size_t kManyBytes = 1'000'000;

  void SetUp() override {
    environment_ = GetParam()();
    if (environment_ == nullptr) GTEST_SKIP() << "needs a database";
  }
  ports::TaskStore& tasks() { return environment_->tasks(); }
  ports::LiveLog& log() { return environment_->log(); }

  /// Makes `count` tasks of the user and answers all of the user's changes.
  std::vector<domain::Change> Make(const domain::UserId& user, int count);
  ports::MissedChanges ReadMissed(const domain::UserId& user, const domain::ChangeCursor& cursor,
                                  int max_changes = kManyChanges,
                                  std::size_t max_bytes = kManyBytes);
  std::vector<ports::CheckedCursor> Check(const std::vector<ports::CursorOfUser>& cursors);

  const domain::UserId user_{"ann"};
  const domain::UserId other_{"bob"};
  std::unique_ptr<LiveLogEnvironment> environment_;
};

}  // namespace todo::contract
