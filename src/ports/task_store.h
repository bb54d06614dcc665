#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "domain/event/event.h"
#include "domain/ids.h"
#include "domain/task/task.h"
#include "domain/time.h"

namespace todo::ports {

/// One call that changes one task.
struct Mutation {
  domain::ChangeKind kind = domain::ChangeKind::kCreated;
  domain::UserId user;
  domain::TaskId task_id;                        // not for kCreated
  std::optional<std::int64_t> expected_version;  // nullopt: whatever the task's version is
  domain::TaskFields fields;                     // kCreated
  std::optional<domain::SeriesPosition> series;  // kCreated, with a rule
  domain::TaskPatch patch;                       // all kinds but kCreated
  bool skips = false;  // kDeleted: this occurrence alone, the series goes on

  domain::RequestId request_id;
  std::string fingerprint;   // same content, same fingerprint; 1 to 64 bytes of any kind
  domain::EventId event_id;  // for the change, should there be one
  domain::Instant now;
  std::string traceparent;  // W3C, or empty
};

struct MutationResult {
  domain::Task task;     // after the mutation; of a repeated request: as first answered
  bool changed = false;  // a change row was written by this very call
};

/// A task of a series, as a change of the series must know it.
struct SeriesMember {
  domain::Task task;       // tombstones included
  bool untouched = false;  // nobody but the consumer has changed it
  bool operator==(const SeriesMember&) const = default;
};

/// One call that changes several tasks of one series.
struct SeriesMutation {
  Mutation first;                // its task is the answer; its request id that of the call
  std::vector<Mutation> others;  // of other tasks, none of them kCreated; request ids do not count
  domain::Uuid series_id;
  std::vector<SeriesMember> seen;  // what ListSeries answered
};

/// Ties are in the order of ids. Titles are in Unicode's order (the root collation of ICU), to
/// which letters that differ in case alone are equal.
enum class TaskOrder { kCreatedAt, kDueDate, kPriority, kTitle, kUpdatedAt };

struct TaskQuery {
  std::optional<bool> completed;
  std::optional<domain::Priority> priority;
  std::optional<std::string> tag;
  std::optional<domain::Instant> due_from;    // inclusive
  std::optional<domain::Instant> due_before;  // exclusive
  std::string text;  // part of title or description, as util::FoldForSearch compares; empty: any
  TaskOrder order = TaskOrder::kCreatedAt;
  bool descending = false;
  int limit = 50;           // 1 to 500
  std::string page_cursor;  // TaskPage::next_cursor of the previous page of the same query; empty:
                            // first page
};

struct TaskPage {
  std::vector<domain::Task> tasks;
  std::string next_cursor;  // empty: no further page
};

struct ChangePage {
  std::vector<domain::Change> changes;
  std::int64_t last_seq = 0;
};

/// The users' tasks and their change log.
/// Thread safety: all methods may be called from many threads at once. All block on the database.
///
/// Every method can also answer: kUnavailable (no database: try again later), kResourceExhausted
/// (no free connection in time), kDeadlineExceeded (statement or lock timeout), kInternal (logged).
class TaskStore {
 public:
  /// More members of a series are not read at once.
  static constexpr int kMaxSeriesMembers = 403;

  virtual ~TaskStore() = default;

  /// Applies `mutation` and appends its change, in one durable step. A mutation that leaves the
  /// task as it was writes no change. Calling again with the same request id and fingerprint gives
  /// the first answer. Only a call that writes a change uses a `seq`. kNotFound: the user has no
  /// such task. kAborted: `expected_version` is not the current one. kAlreadyExists: the request id
  /// was used with another fingerprint. kUnknown: the connection was lost and the outcome could not
  /// be found out: repeat with the same request id.
  virtual absl::StatusOr<MutationResult> Apply(const Mutation& mutation) = 0;

  /// Of the user's series: its open tasks; the done ones after which the next one that is there is
  /// open; and the last one it has, done or deleted, but for those that the consumer made and took
  /// away again. By occurrence; not more than the first kMaxSeriesMembers.
  virtual absl::StatusOr<std::vector<SeriesMember>> ListSeries(const domain::UserId& user,
                                                               const domain::Uuid& series_id) = 0;

  /// Applies all mutations and appends their changes, each with a `seq` of its own, in one durable
  /// step, or none of them. As Apply for `first`. kAborted also: ListSeries would not answer `seen`
  /// any more: look again.
  virtual absl::StatusOr<MutationResult> ApplyToSeries(const SeriesMutation& mutation) = 0;

  /// kNotFound: the user has no such task.
  virtual absl::StatusOr<domain::Task> Get(const domain::UserId& user, domain::TaskId id) = 0;

  /// A page of the user's tasks. kInvalidArgument: the cursor is not one of this query.
  virtual absl::StatusOr<TaskPage> List(const domain::UserId& user, const TaskQuery& query) = 0;

  /// The user's changes with a greater `seq`, in order, up to `limit` (1 to 500).
  virtual absl::StatusOr<ChangePage> ListChanges(const domain::UserId& user, std::int64_t after_seq,
                                                 int limit) = 0;
};

}  // namespace todo::ports
