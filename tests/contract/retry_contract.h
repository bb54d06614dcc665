#pragma once

#include <gtest/gtest.h>

#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "contract/contract_support.h"
#include "ports/crash_log.h"
#include "ports/event_inbox.h"
#include "ports/retry_queue.h"

namespace todo::contract {

/// An empty retry queue, and what shares its data.
class RetryEnvironment {
 public:
  virtual ~RetryEnvironment() = default;
  virtual ports::EventInbox& inbox() = 0;
  virtual ports::RetryQueue& retries() = 0;
  virtual std::unique_ptr<ports::CrashLog> NewCrashLog(const std::string& instance) = 0;
  /// Ends the connections of an instance, as the end of its process does.
  virtual void Disconnect(const std::string& instance) = 0;
};

/// The contract of RetryQueue and CrashLog (ports/retry_queue.h, ports/crash_log.h). The
/// parameter makes the environment; null skips the test.
class RetryContract
    : public testing::TestWithParam<std::function<std::unique_ptr<RetryEnvironment>()>> {
 protected:
  void SetUp() override {
    environment_ = GetParam()();
    if (environment_ == nullptr) GTEST_SKIP() << "needs a database";
  }
  ports::EventInbox& inbox() { return environment_->inbox(); }
  ports::RetryQueue& retries() { return environment_->retries(); }

  bool Enqueue(const domain::ReceivedEvent& received, const ports::RetrySchedule& schedule);
  /// The entries that are due, in their order.
  std::vector<ports::RetryEntry> Due(std::string_view now);
  /// How many of the events a transaction of its own claims.
  std::size_t Claim(const std::vector<domain::ReceivedEvent>& received_events);

  /// Events about to be applied, in slot `slot` of the instance; answers the suspects among them.
  std::map<domain::EventId, int> Begin(const std::string& instance, int slot,
                                       const std::vector<domain::ReceivedEvent>& received_events);
  int Restart(const std::string& instance);

  std::unique_ptr<RetryEnvironment> environment_;
};

}  // namespace todo::contract
