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
#include "ports/task_ref.h"

namespace todo::ports {

/// A task with its reminders.
struct TaskReminders {
  domain::Task task;                        // tombstones included
  std::vector<domain::Reminder> reminders;  // by number; those deleted whose job may still be there
};

/// What makes a call the same as an earlier one (see Mutation).
struct RequestName {
  domain::UserId user;
  domain::RequestId request_id;
  std::string fingerprint;
};

/// One transaction: lock, look, write. Commits when the function given to ReminderStore::Transact
/// answers OK, leaves no trace otherwise.
/// Thread safety: used by the thread that runs the function, and only during it.
class ReminderTransaction {
 public:
  virtual ~ReminderTransaction() = default;

  /// Locks the users of `refs` (in sorted order) until the end of the transaction, so that no task
  /// of theirs changes meanwhile, then reads: one entry for each ref, nullopt where the user holds
  /// no such task.
  virtual absl::StatusOr<std::vector<std::optional<TaskReminders>>> LockAndLoad(
      const std::vector<TaskRef>& refs) = 0;

  /// What the request was answered before; nullopt: it is new. The user must be locked.
  /// kAlreadyExists: it had another fingerprint.
  virtual absl::StatusOr<std::optional<domain::Reminder>> FirstAnswer(
      const RequestName& request) = 0;
  /// Remembers the answer of a new request.
  virtual absl::Status Remember(const RequestName& request, const domain::Reminder& answer,
                                domain::Instant now) = 0;

  /// Writes the reminders as they are now, new ones included. Their users must be locked.
  virtual absl::Status Save(const std::vector<domain::Reminder>& reminders) = 0;

  /// Puts messages into the outbox.
  virtual absl::Status Post(const std::vector<OutboxMessage>& messages) = 0;
};

/// A job to write or to delete: what the scheduler has for the reminder is not what it should have.
struct JobIntent {
  domain::Reminder reminder;
  bool wanted = false;  // for reminder.remind_at; false: there should be none
};

/// What became of a JobIntent: the scheduler now has a job for `scheduled_for`, or none.
struct JobRecord {
  domain::ReminderId id;
  std::optional<domain::Instant> scheduled_for;
};

/// The reminders of all tasks. A change of a task marks its reminders in its own transaction
/// (Reminder::unplanned_since). A next occurrence gets copies of its predecessor's: relative ones
/// as they are, absolute ones at the same distance on the clock to the scheduled date, wherever the
/// predecessor was moved. One that was taken away and comes back gets those that its predecessor
/// has then, in place of its former copies; reminders that users gave it stay. Thread safety: all
/// methods may be called from many threads at once. All block on the database and can answer what
/// TaskStore says every method can.
class ReminderStore {
 public:
  virtual ~ReminderStore() = default;

  /// Runs `work` in a transaction. OK from `work`: committed, and the relay is woken. Anything
  /// else: rolled back and returned as it is. kAborted, kUnknown: repeat the call.
  virtual absl::Status Transact(const std::function<absl::Status(ReminderTransaction&)>& work) = 0;

  /// A task's reminders, without locking anything. kNotFound: the user has no such task.
  virtual absl::StatusOr<TaskReminders> Get(const TaskRef& ref) = 0;

  /// Of `ids`, those that are tasks, with their owners; each once, in no order.
  virtual absl::StatusOr<std::vector<TaskRef>> Owned(const std::vector<domain::TaskId>& ids) = 0;

  /// Up to `limit` (> 0) tasks with reminders that wait for planning, the longest first.
  virtual absl::StatusOr<std::vector<TaskRef>> Unplanned(int limit) = 0;

  /// Up to `limit` (> 0) tasks with pending reminders whose time was `until` or before, the longest
  /// due first.
  virtual absl::StatusOr<std::vector<TaskRef>> Due(domain::Instant until, int limit) = 0;

  /// Takes up to `limit` (> 0) jobs that are not as they should be, soonest first. Nobody else gets
  /// them until `now` + `lease`.
  virtual absl::StatusOr<std::vector<JobIntent>> ClaimJobs(domain::Instant now,
                                                           std::chrono::milliseconds lease,
                                                           int limit) = 0;
  /// Notes what the scheduler has now and gives the claims back. Deleted reminders without a job
  /// are gone then.
  virtual absl::Status RecordJobs(const std::vector<JobRecord>& records, domain::Instant now) = 0;

  /// Forgets up to `limit` (> 0) jobs that were written before `written_before`, soonest first, for
  /// reminders at `from` or later: ClaimJobs will give them out again. Answers where to go on;
  /// nullopt: there are no more.
  virtual absl::StatusOr<std::optional<domain::Instant>> ForgetJobs(domain::Instant written_before,
                                                                    domain::Instant from,
                                                                    int limit) = 0;
};

}  // namespace todo::ports
