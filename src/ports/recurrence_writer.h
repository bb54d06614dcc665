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

/// Occurrence number `occurrence` of a series.
struct SeriesPlace {
  domain::UserId user;
  domain::Uuid series_id;
  std::int64_t occurrence = 1;
};

/// What orders the events about a task that lives in another program.
struct ForeignEvent {
  domain::UserId user;
  domain::Uuid series_id;
  std::int64_t version = 0;  // 0: the producer counts no versions
  domain::Instant at;
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

  /// The task at each of `places`; nullopt: there is none. Precondition: the users are locked.
  virtual absl::StatusOr<std::vector<std::optional<Successor>>> FindOccurrences(
      const std::vector<SeriesPlace>& places) = 0;

  /// Notes the newest events about tasks that live in another program. False: a newer event of the
  /// task (by version, else by time) is known already, so this one must have no effect.
  /// Preconditions: the users are locked, and no two of `events` are of one series.
  virtual absl::StatusOr<std::vector<bool>> AdvanceForeignTasks(
      const std::vector<ForeignEvent>& events) = 0;

  /// Writes the changes, in their order, and their rows of the change log. kAlreadyExists: the
  /// series has that occurrence already. kNotFound: there is no such task. Precondition: the users
  /// are locked.
  virtual absl::Status Write(const std::vector<ConsumerChange>& changes) = 0;
};

}  // namespace todo::ports
