#pragma once

#include <functional>
#include <map>
#include <utility>

#include "ports/reminder_store.h"
#include "support/fake_database.h"

namespace todo::support {

/// ReminderStore in memory. Thread safety: as the port says; `work` must not use the database in
/// any other way.
class FakeReminderStore final : public ports::ReminderStore {
 public:
  explicit FakeReminderStore(FakeDatabase& database, std::function<void(int shard)> on_message = {})
      : database_(database), on_message_(std::move(on_message)) {}

  /// LockAndLoad answers `status` for tasks of this user from now on, as if another transaction
  /// held the lock; OK ends it.
  void FailFor(const domain::UserId& user, absl::Status status);

  absl::Status Transact(
      const std::function<absl::Status(ports::ReminderTransaction&)>& work) override;
  absl::StatusOr<ports::TaskReminders> Get(const ports::TaskRef& ref) override;
  absl::StatusOr<std::vector<ports::TaskRef>> Owned(
      const std::vector<domain::TaskId>& ids) override;
  absl::StatusOr<std::vector<ports::TaskRef>> Unplanned(int limit) override;
  absl::StatusOr<std::vector<ports::TaskRef>> Due(domain::Instant until, int limit) override;
  absl::StatusOr<std::vector<ports::JobIntent>> ClaimJobs(domain::Instant now,
                                                          std::chrono::milliseconds lease,
                                                          int limit) override;
  absl::Status RecordJobs(const std::vector<ports::JobRecord>& records,
                          domain::Instant now) override;
  absl::StatusOr<std::optional<domain::Instant>> ForgetJobs(domain::Instant written_before,
                                                            domain::Instant from,
                                                            int limit) override;

 private:
  FakeDatabase& database_;
  util::Guarded<std::map<domain::UserId, absl::Status>> failures_;
  const std::function<void(int shard)> on_message_;
};

}  // namespace todo::support
