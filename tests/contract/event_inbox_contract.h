#pragma once

#include <gtest/gtest.h>

#include <functional>
#include <memory>

#include "contract/contract_support.h"
#include "ports/event_inbox.h"
#include "ports/task_store.h"

namespace todo::contract {

/// An empty inbox, and the task store on the same data. `wakes()` hears the inbox's on_change.
class EventInboxEnvironment {
 public:
  virtual ~EventInboxEnvironment() = default;
  virtual ports::TaskStore& store() = 0;
  virtual ports::EventInbox& inbox() = 0;
  /// Puts an event that failed once into its task's retry queue.
  virtual void Enqueue(std::string_view consumer, const domain::ReceivedEvent& received) = 0;
  virtual const Wakes& wakes() = 0;
};

/// The contract of EventInbox (ports/event_inbox.h). The parameter makes the environment; null
/// skips the test.
class EventInboxContract
    : public testing::TestWithParam<std::function<std::unique_ptr<EventInboxEnvironment>()>> {
 protected:
  using Work = std::function<absl::Status(ports::InboxTransaction&)>;

  void SetUp() override {
    environment_ = GetParam()();
    if (environment_ == nullptr) GTEST_SKIP() << "needs a database";
  }
  ports::TaskStore& store() { return environment_->store(); }
  ports::EventInbox& inbox() { return environment_->inbox(); }

  domain::Task Apply(const ports::Mutation& mutation);
  /// A transaction that must commit.
  void Commit(const Work& work);
  /// Claims in a transaction of its own.
  ports::Claimed ClaimAll(std::string_view consumer, const std::vector<domain::TaskEvent>& events);
  std::set<domain::EventId> Claim(std::string_view consumer,
                                  const std::vector<domain::TaskEvent>& events);
  std::optional<ports::HeldTask> Load(const ports::TaskRef& ref);
  ports::HeldTask LoadHeld(const domain::Task& task);
  /// Takes the event up, in a transaction of its own. True: it was its turn, and has left the
  /// queue.
  bool Retry(const domain::TaskEvent& event, int attempts);
  /// Writes the successor of `task` and answers it.
  domain::Task MakeSuccessor(const domain::Task& task);

  const domain::UserId user_{"ann"};
  const domain::UserId other_{"bob"};
  std::unique_ptr<EventInboxEnvironment> environment_;
};

}  // namespace todo::contract
