#pragma once

#include <gtest/gtest.h>

#include <chrono>
#include <functional>
#include <map>
#include <memory>

#include "contract/contract_support.h"
#include "ports/outbox_log.h"
#include "ports/task_store.h"

namespace todo::contract {

/// An empty change log, and the task store that fills it.
class OutboxLogEnvironment {
 public:
  virtual ~OutboxLogEnvironment() = default;
  virtual ports::TaskStore& store() = 0;
  /// One more replica's view of the log.
  virtual std::unique_ptr<ports::OutboxLog> NewLog(std::int64_t max_batch_bytes) = 0;
  std::unique_ptr<ports::OutboxLog> NewLog() { return NewLog(512 * 1024); }
  /// Lets the leases grow older by `time`.
  virtual void Pass(std::chrono::milliseconds time) = 0;
};

/// The contract of OutboxLog (ports/outbox_log.h). The parameter makes the environment; null
/// skips the test.
class OutboxLogContract
    : public testing::TestWithParam<std::function<std::unique_ptr<OutboxLogEnvironment>()>> {
 protected:
  void SetUp() override {
    environment_ = GetParam()();
    if (environment_ == nullptr) GTEST_SKIP() << "needs a database";
  }
  domain::Task Apply(const ports::Mutation& mutation);
  ports::OutboxShards Renew(ports::OutboxLog& log, const std::string& owner);
  std::vector<ports::OutboxBatch> Read(ports::OutboxLog& log,
                                       const std::vector<ports::OutboxShard>& shards,
                                       int limit = 100);

  std::unique_ptr<OutboxLogEnvironment> environment_;
};

/// Reads on from where `shards` are, moves them, and adds what came to `changes` of each user.
/// True: something came.
bool Drain(ports::OutboxLog& log, std::vector<ports::OutboxShard>& shards, int limit,
           std::map<domain::UserId, std::vector<domain::Change>>& changes);

}  // namespace todo::contract
