#pragma once

#include <gtest/gtest.h>

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "contract/contract_support.h"
#include "ports/event_inbox.h"
#include "ports/reminder_store.h"
#include "ports/task_store.h"

namespace todo::contract {

/// An empty store of reminders, with the tasks on the same data. `wakes()` hears its on_message.
class ReminderStoreEnvironment {
 public:
  virtual ~ReminderStoreEnvironment() = default;
  virtual ports::TaskStore& tasks() = 0;
  virtual ports::EventInbox& inbox() = 0;
  virtual ports::ReminderStore& reminders() = 0;
  virtual const Wakes& wakes() = 0;
  /// "topic key id payload" of every message of the outbox.
  virtual std::vector<std::string> Posted() = 0;
};

/// The promises of every ReminderStore (ports/reminder_store.h). The parameter makes the
/// environment; null skips the test.
class ReminderStoreContract
    : public testing::TestWithParam<std::function<std::unique_ptr<ReminderStoreEnvironment>()>> {
 protected:
  using Work = std::function<absl::Status(ports::ReminderTransaction&)>;

  void SetUp() override {
    environment_ = GetParam()();
    if (environment_ == nullptr) GTEST_SKIP() << "needs a database";
  }
  ports::ReminderStore& store() { return environment_->reminders(); }

  domain::Task Apply(const ports::Mutation& mutation);
  /// A task of `user_` that is due at 2026-03-10T12:00:00Z.
  domain::Task DueTask(const std::string& title = "a task");
  /// A transaction that must commit.
  void Commit(const Work& work);
  void Save(const std::vector<domain::Reminder>& reminders);
  std::vector<domain::Reminder> RemindersOf(const domain::Task& task);
  std::vector<ports::JobIntent> Claim(std::string_view now, int limit = 100);
  /// The jobs of these reminders are as the reminders say, since `now`.
  void Record(const std::vector<domain::Reminder>& reminders, std::string_view now);
  /// The first task of a series.
  domain::Task MakeSeries(std::string_view due_local, const std::string& zone,
                          domain::DueKind kind = domain::DueKind::kLocal);
  /// The consumer's write for the occurrence after `task`, scheduled `days` later on the clock.
  domain::Task WriteSuccessor(const domain::Task& task, int days = 1);
  /// Takes the successor of `task` away, or brings it back as `successor` says.
  void WriteOf(const domain::Task& task, const domain::Task& successor,
               ports::ConsumerChange::Kind kind);

  const domain::UserId user_{"ann"};
  std::unique_ptr<ReminderStoreEnvironment> environment_;
};

}  // namespace todo::contract
