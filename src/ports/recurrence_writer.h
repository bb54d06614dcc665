#pragma once

#include <cstdint>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "domain/ids.h"
#include "domain/task/task.h"
#include "domain/time.h"
#include "ports/task_ref.h"

namespace todo::ports {

/// The next occurrence of a task, made by the consumer of recurring tasks.
struct Successor {
  domain::Task task;       // may be deleted
  bool untouched = false;  // the consumer made its last change
};

/// A task of an event, as the database holds it now.
struct HeldTask {
  domain::Task task;                   // may be deleted
  std::optional<Successor> successor;  // nullopt: none was ever made
};

/// One change of a task by the consumer. It is made in the name of the service, not of a request.
struct ConsumerChange {
  enum class Kind { kCreateSuccessor, kRemoveSuccessor, kReviveSuccessor };
  Kind kind = Kind::kCreateSuccessor;
  domain::UserId user;
  domain::TaskId task_id;         // kRemove, kRevive: the successor
  domain::TaskFields fields;      // kCreate, kRevive
  domain::SeriesPosition series;  // kCreate, kRevive
  domain::EventId event_id;       // of the change's own event
  domain::Instant now;
  std::string traceparent;
};

/// Reads and writes what the consumer of recurring tasks needs, inside a transaction of the inbox.
/// Deleted tasks are found too.
/// Thread safety: as InboxTransaction. All methods block on the database; statuses as
/// EventInbox::Transact.
class RecurrenceWriter {
 public:
  virtual ~RecurrenceWriter() = default;

  /// Locks the users of `refs`, in sorted order, until the end of the transaction, and then reads
  /// their tasks. One entry for each ref; nullopt: the user has no such task.
  virtual absl::StatusOr<std::vector<std::optional<HeldTask>>> LockAndLoad(
      const std::vector<TaskRef>& refs) = 0;

  /// Those of `ids` that are tasks of any user. An event about another user's task must have no
  /// effect.
  virtual absl::StatusOr<std::set<domain::TaskId>> Existing(
      const std::vector<domain::TaskId>& ids) = 0;

  /// The task that is occurrence number `occurrence` of the series; nullopt: there is none.
  /// Precondition: the user is locked.
  virtual absl::StatusOr<std::optional<Successor>> FindOccurrence(const domain::UserId& user,
                                                                  const domain::Uuid& series_id,
                                                                  std::int64_t occurrence) = 0;

  /// Notes the newest event about a task that lives in another program. False: a newer event (by
  /// version, else by time) is known already, so this one must have no effect. Precondition: the
  /// user is locked.
  virtual absl::StatusOr<bool> AdvanceForeignTask(const domain::UserId& user,
                                                  const domain::Uuid& series_id,
                                                  std::int64_t version, domain::Instant at) = 0;

  /// Writes the changes and their rows of the change log. kAlreadyExists: the series has that
  /// occurrence already. kNotFound: there is no such task. Precondition: the users are locked.
  virtual absl::Status Write(const std::vector<ConsumerChange>& changes) = 0;
};

}  // namespace todo::ports
