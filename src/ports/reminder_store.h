#pragma once

#include <chrono>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "domain/ids.h"
#include "domain/reminder/reminder.h"
#include "domain/task/task.h"
#include "domain/time.h"
#include "ports/outbox_log.h"
#include "ports/request_name.h"
#include "ports/task_ref.h"

namespace todo::ports {

/// A task with its reminders.
struct TaskReminders {
  domain::Task task;                        // tombstones included
  std::vector<domain::Reminder> reminders;  // by number; also deleted ones that may have a job
  std::string traceparent = {};  // of the task's last change; empty: none, or the log forgot it
};

/// One transaction: lock, read, write. It commits when the function given to
/// ReminderStore::Transact answers OK, and leaves no trace otherwise. Thread safety: for the thread
/// that runs the function, until the function returns.
class ReminderTransaction {
 public:
  virtual ~ReminderTransaction() = default;

  /// Locks the users of `refs` (in sorted order), so that none of their tasks changes until the end
  /// of the transaction, then reads. Answers one entry for each ref; nullopt: the user has no such
  /// task.
  virtual absl::StatusOr<std::vector<std::optional<TaskReminders>>> LockAndLoad(
      const std::vector<TaskRef>& refs) = 0;

  /// The first answer of the request; nullopt: the request is new. Precondition: the user is
  /// locked. kAlreadyExists: the request id was used with another fingerprint.
  virtual absl::StatusOr<std::optional<domain::Reminder>> FirstAnswer(
      const RequestName& request) = 0;
  /// Remembers the answer of a new request.
  virtual absl::Status Remember(const RequestName& request, const domain::Reminder& answer,
                                domain::Instant now) = 0;

  /// Writes the reminders, new ones included. Precondition: their users are locked.
  virtual absl::Status Save(const std::vector<domain::Reminder>& reminders) = 0;

  /// Puts messages into the outbox.
  virtual absl::Status Post(const std::vector<OutboxMessage>& messages) = 0;
};

/// A job to write or to delete, because the scheduler's job for the reminder is not as it should
/// be.
struct JobIntent {
  domain::Reminder reminder;
  bool wanted = false;           // true: a job for reminder.remind_at; false: no job
  std::string traceparent = {};  // as in TaskReminders
};

/// The outcome of a JobIntent: the scheduler now has a job for `scheduled_for`; nullopt: no job.
struct JobRecord {
  domain::ReminderId id;
  std::optional<domain::Instant> scheduled_for;
};

/// The reminders of all tasks. The transaction that changes a task also marks its reminders
/// (Reminder::unplanned_since). A new occurrence of a series gets copies of its predecessor's
/// reminders: relative ones unchanged; absolute ones with an equal distance, in wall-clock time, to
/// the scheduled date, even if the predecessor was moved. An occurrence that the consumer took away
/// and brings back gets new copies in place of the former ones; reminders that users gave it stay.
/// A task that a user restores has the reminders that it had.
/// Thread safety: all methods may be called from many threads at once. All block on the database.
/// Every method can also answer the statuses that TaskStore lists for all of its methods.
class ReminderStore {
 public:
  virtual ~ReminderStore() = default;

  /// Runs `work` in a transaction. If `work` answers OK, commits and wakes the relay; otherwise
  /// rolls back and returns the status of `work`. kAborted, kUnknown: repeat the call.
  virtual absl::Status Transact(const std::function<absl::Status(ReminderTransaction&)>& work) = 0;

  /// A task's reminders, without a lock. kNotFound: the user has no such task.
  virtual absl::StatusOr<TaskReminders> Get(const TaskRef& ref) = 0;

  /// The existing tasks among `ids`, with their owners; each once, in no order.
  virtual absl::StatusOr<std::vector<TaskRef>> Owned(const std::vector<domain::TaskId>& ids) = 0;

  /// Up to `limit` (> 0) tasks with reminders that wait to be planned, the longest waiting first.
  virtual absl::StatusOr<std::vector<TaskRef>> Unplanned(int limit) = 0;

  /// Up to `limit` (> 0) tasks with pending reminders that were due at `until`, the longest due
  /// first.
  virtual absl::StatusOr<std::vector<TaskRef>> Due(domain::Instant until, int limit) = 0;

  /// Claims up to `limit` (> 0) jobs that are not as they should be, soonest first. Other calls do
  /// not get them until `now` + `lease`.
  virtual absl::StatusOr<std::vector<JobIntent>> ClaimJobs(domain::Instant now,
                                                           std::chrono::milliseconds lease,
                                                           int limit) = 0;
  /// Records the jobs that the scheduler has now and releases the claims. Removes deleted reminders
  /// that have no job any more.
  virtual absl::Status RecordJobs(const std::vector<JobRecord>& records, domain::Instant now) = 0;

  /// Forgets up to `limit` (> 0) jobs of reminders at `from` or later that were written before
  /// `written_before`, soonest first, so that ClaimJobs gives them out again. Answers the `from` of
  /// the next call; nullopt: no more jobs are left.
  virtual absl::StatusOr<std::optional<domain::Instant>> ForgetJobs(domain::Instant written_before,
                                                                    domain::Instant from,
                                                                    int limit) = 0;
};

}  // namespace todo::ports
