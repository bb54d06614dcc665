#pragma once

#include <gtest/gtest.h>

#include <functional>
#include <memory>
#include <optional>
#include <string_view>
#include <vector>

#include "contract/contract_support.h"
#include "ports/event_inbox.h"
#include "ports/retry_queue.h"
#include "ports/task_store.h"
#include "ports/usage_store.h"

namespace todo::contract {

/// Usage; and tasks, an inbox and a retry queue on the same data. A part of a rebuild is two
/// changes.
class UsageEnvironment {
 public:
  virtual ~UsageEnvironment() = default;
  virtual ports::TaskStore& tasks() = 0;
  virtual ports::EventInbox& inbox() = 0;
  virtual ports::RetryQueue& retries() = 0;
  virtual ports::UsageStore& usage() = 0;
};

/// The contract of UsageStore and UsageWriter. The parameter makes the environment; null skips the
/// test.
class UsageContract
    : public testing::TestWithParam<std::function<std::unique_ptr<UsageEnvironment>()>> {
 protected:
  void SetUp() override {
    environment_ = GetParam()();
    if (environment_ == nullptr) GTEST_SKIP() << "needs a database";
  }
  ports::TaskStore& tasks() { return environment_->tasks(); }
  ports::UsageStore& usage() { return environment_->usage(); }

  domain::Task Apply(ports::Mutation mutation, std::string_view at);
  /// A new task of `user`.
  domain::Task Create(const domain::UserId& user, std::string_view at,
                      const domain::TaskFields& fields = {.title = "t"});
  /// The events of the user's change log.
  std::vector<ports::UsageEvent> Events(const domain::UserId& user);
  void Count(const std::vector<ports::UsageEvent>& events,
             std::string_view oldest = "2026-01-01T00:00:00Z");
  /// Makes a dead letter of an event that has not been claimed.
  void GiveUp(const ports::UsageEvent& event);
  void CountAll(const domain::UserId& user) { Count(Events(user)); }
  ports::Usage Read(const ports::UsageQuery& query);
  /// From `from` to `to`, as one bucket; user nullopt: all.
  ports::Usage Read(const std::optional<domain::UserId>& user, std::string_view from,
                    std::string_view to);
  /// All of the year 2026.
  ports::Usage ReadYear(const std::optional<domain::UserId>& user,
                        ports::UsageBreakdown breakdown = ports::UsageBreakdown::kNone);
  /// Rebuilds until nothing is left to do.
  void Rebuild();
  /// Packs until nothing is left to do, long after all events.
  void Pack();

  const domain::UserId ann_{"ann"};
  const domain::UserId bob_{"bob"};
  std::unique_ptr<UsageEnvironment> environment_;
};

}  // namespace todo::contract
