#pragma once

#include <gtest/gtest.h>

#include <chrono>
#include <functional>
#include <memory>

#include "contract/contract_support.h"
#include "ports/audit_log.h"
#include "ports/event_inbox.h"
#include "ports/outbox_log.h"
#include "ports/task_store.h"

namespace todo::contract {

/// An empty change log, and what fills, publishes and takes it.
class AuditLogEnvironment {
 public:
  virtual ~AuditLogEnvironment() = default;
  virtual ports::TaskStore& store() = 0;
  virtual ports::EventInbox& inbox() = 0;
  virtual ports::OutboxLog& outbox() = 0;
  /// With these limits (see AuditLogOptions), on the same data as the ones before.
  virtual std::unique_ptr<ports::AuditLog> NewAudit(int max_changes, int max_missing) = 0;
  /// How many events are counted as lost.
  virtual std::int64_t LostCount() = 0;
  /// Lets the leases grow older by `time`.
  virtual void Pass(std::chrono::milliseconds time) = 0;
};

/// The contract of AuditLog (ports/audit_log.h). The parameter makes the environment; null
/// skips the test.
class AuditLogContract
    : public testing::TestWithParam<std::function<std::unique_ptr<AuditLogEnvironment>()>> {
 protected:
  void SetUp() override;
  /// A change of `user` that is in the log now, at the instant that contract_support gives.
  domain::Change NewChange(const domain::UserId& user);
  /// The consumer takes the event, whatever becomes of it.
  void Take(const domain::Change& change, std::string_view consumer = "all");
  /// Everything is on the bus. Answers the messages among it.
  std::vector<ports::OutboxMessage> Publish();
  ports::AuditFindings Look(std::string_view consumer = "all");
  /// The missing events that are due a day later, in order.
  std::vector<ports::MissingEvent> Missing(std::string_view consumer = "all");
  /// The same, as seqs.
  std::vector<std::int64_t> MissingSeqs(std::string_view consumer = "all");
  std::vector<std::int64_t> PassedOver();
  /// Posts all that is missing again, each as "again <seq>".
  void Repeat(const std::vector<ports::MissingEvent>& events);

  const domain::UserId user_{"ann"};
  const domain::UserId other_{"bob"};
  ports::AuditScope scope_;
  std::unique_ptr<AuditLogEnvironment> environment_;
  std::unique_ptr<ports::AuditLog> audit_;
};

}  // namespace todo::contract
