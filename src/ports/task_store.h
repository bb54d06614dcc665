#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "domain/event/event.h"
#include "domain/ids.h"
#include "domain/reminder/reminder.h"
#include "domain/task/task.h"
#include "domain/time.h"
#include "ports/request_name.h"
#include "util/cancellation.h"

namespace todo::ports {

/// A call's changes of the reminders of one task. They are no change of the task.
struct ReminderChanges {
  std::vector<int> removed;  // their numbers; removed before others are added
  std::vector<domain::ReminderTime>
      added;  // planned after the commit, as after a change of the task

  bool empty() const { return removed.empty() && added.empty(); }
};

/// One change of one task, as a call asks for it.
struct Mutation {
  domain::ChangeKind kind = domain::ChangeKind::kCreated;
  domain::UserId user;
  domain::TaskId task_id;                        // not for kCreated, unless it restores
  std::optional<std::int64_t> expected_version;  // nullopt: any version is changed
  domain::TaskFields fields;                     // kCreated
  std::optional<domain::SeriesPosition> series;  // kCreated, with a rule
  domain::TaskPatch patch;                       // all kinds but kCreated
  bool skips = false;  // kDeleted: only this occurrence goes, its series goes on
  /// kCreated: the deleted task `task_id` comes back as it was; `fields` and `series` are ignored.
  /// A task that is not deleted stays as it is. The only mutation that finds a deleted task.
  bool restores = false;
  ReminderChanges reminders = {};  // of the task; only in ApplyAll

  domain::RequestId request_id;
  std::string fingerprint;   // 1 to 64 bytes; equal for calls with equal content
  domain::EventId event_id;  // the id of the change, if one is written
  domain::Instant now;
  std::string traceparent;  // W3C, or empty

  /// Whether it makes a new task.
  bool creates() const { return kind == domain::ChangeKind::kCreated && !restores; }
};

struct MutationResult {
  domain::Task task;      // after the mutation; for a repeated request, the first answer
  bool changed = false;   // this very call wrote a change
  bool repeated = false;  // another call with this request came first
  std::vector<int> reminder_numbers = {};  // of the reminders added
};

/// Several changes of one user's tasks, made by one call: all of them, or none.
struct MutationList {
  domain::RequestId request_id;
  std::string fingerprint;  // as in Mutation
  /// 1 to TaskStore::kMaxMutations, all of one user, applied in this order. The list has the
  /// request id, so those of its mutations are ignored. A later mutation may change a task again,
  /// but it cannot name a task that an earlier one creates: the id of a new task is not known yet.
  std::vector<Mutation> mutations;
};

/// A task of a series, with what a change of the series must know about it.
struct SeriesMember {
  domain::Task task;       // may be deleted
  bool untouched = false;  // the recurrence consumer wrote its last change, no user did since
  bool operator==(const SeriesMember&) const = default;
};

/// Changes of several tasks of one series, made by one call.
struct SeriesMutation {
  Mutation first;                // its task is the answer; its request id is that of the call
  std::vector<Mutation> others;  // of other tasks, none kCreated; their request ids are ignored
  domain::Uuid series_id;
  std::vector<SeriesMember> seen;  // the series as ListSeries answered it
};

/// Equal keys are sorted by id. Titles are sorted in Unicode's order (the root collation of ICU),
/// in which letters that differ only in case are equal.
enum class TaskOrder { kCreatedAt, kDueDate, kPriority, kTitle, kUpdatedAt };

struct TaskQuery {
  std::optional<bool> completed;
  std::optional<domain::Priority> priority;
  std::optional<std::string> tag;
  std::optional<domain::Instant> due_from;    // inclusive
  std::optional<domain::Instant> due_before;  // exclusive
  std::string text;  // a part of title or description, compared folded (util::FoldForSearch);
                     // empty: any
  TaskOrder order = TaskOrder::kCreatedAt;
  bool descending = false;
  int limit = 50;           // 1 to 500
  std::string page_cursor;  // TaskPage::next_cursor of the page before, with an equal query; empty:
                            // the first page
  util::Cancellation cancellation = {};  // says how long the caller waits; another one does not
                                         // make another query
};

struct TaskPage {
  std::vector<domain::Task> tasks;
  std::string next_cursor;  // empty: this is the last page
};

struct ChangeQuery {
  std::int64_t after_seq = 0;               // changes with a greater `seq`
  int limit = 50;                           // 1 to 500
  std::optional<domain::TaskId> task = {};  // nullopt: the changes of all tasks
};

struct ChangePage {
  std::vector<domain::Change> changes;
  std::int64_t last_seq = 0;  // of the user's newest change, in this page or not
};

/// The users' tasks and their change log.
/// Thread safety: all methods may be called from many threads at once. All block on the database.
///
/// Every method can also answer: kUnavailable (no database: try again later), kResourceExhausted
/// (no free connection in time: try again later), kDeadlineExceeded (statement or lock timeout),
/// kInternal (logged).
class TaskStore {
 public:
  /// ListSeries reads no more members than this.
  static constexpr int kMaxSeriesMembers = 403;
  /// ApplyAll takes no more mutations than this.
  static constexpr std::size_t kMaxMutations = 50;

  virtual ~TaskStore() = default;

  /// Applies `mutation` and appends its change, in one durable step. A mutation that leaves the
  /// task as it was writes no change and uses no `seq`. Repeating a call with the same request id
  /// and fingerprint is harmless and gives the first answer. Failures leave everything as it was:
  /// kNotFound: the user has no such task. kAborted with reason STALE_ETAG: the task has another
  /// version than `expected_version`: read it again. kAborted with another reason: other calls were
  /// in the way: repeat the call. kAlreadyExists: the request id was used with another fingerprint,
  /// or another task has the occurrence of the series. kResourceExhausted with reason
  /// TOO_MANY_OPEN_TASKS: the user has as many open tasks as a store lets a user have, and the call
  /// would add one. Only kUnknown leaves the outcome open, after a lost connection: repeat the call
  /// with the same request id. Precondition: the mutation changes no reminders.
  virtual absl::StatusOr<MutationResult> Apply(const Mutation& mutation) = 0;

  /// Applies all mutations of `list` and appends their changes in one durable step, each with a
  /// `seq` of its own, in the order of the list; or none of them. Answers one result for each
  /// mutation, in order. Apply is the case of one. Statuses are those of Apply, and those of
  /// ports/reminder_failures.h. When one mutation fails, the call fails with its status, and
  /// util::IndexOf(status) is the index of that mutation in the list (nullopt: the failure is about
  /// the whole call). Repeating the call with the same request id and fingerprint gives the first
  /// answers of all mutations.
  virtual absl::StatusOr<std::vector<MutationResult>> ApplyAll(const MutationList& list) = 0;

  /// The first answers of the Apply or ApplyAll with this request; nullopt: there was none.
  /// `changed` says whether the first call wrote a change. kAlreadyExists: the request id was used
  /// with another fingerprint.
  virtual absl::StatusOr<std::optional<std::vector<MutationResult>>> FirstAnswers(
      const RequestName& request) = 0;

  /// The tasks of the user's series that a change of the series must know, by occurrence: its open
  /// tasks; the completed ones that come right before an open one; and the last one, completed or
  /// deleted, unless the consumer made it and took it away again. At most the first
  /// kMaxSeriesMembers.
  virtual absl::StatusOr<std::vector<SeriesMember>> ListSeries(const domain::UserId& user,
                                                               const domain::Uuid& series_id) = 0;

  /// Applies all mutations and appends their changes in one durable step, each with a `seq` of its
  /// own; or none of them. Answers the result of `first`. Statuses are those of Apply for `first`,
  /// and kAborted with reason SERIES_CHANGED: ListSeries no longer answers `seen`: read the series
  /// again.
  virtual absl::StatusOr<MutationResult> ApplyToSeries(const SeriesMutation& mutation) = 0;

  /// kNotFound: the user has no such task.
  virtual absl::StatusOr<domain::Task> Get(const domain::UserId& user, domain::TaskId id) = 0;
  /// Like Get, and finds deleted tasks too.
  virtual absl::StatusOr<domain::Task> GetEvenDeleted(const domain::UserId& user,
                                                      domain::TaskId id) = 0;

  /// A page of the user's tasks. kInvalidArgument: the cursor does not belong to this query.
  /// kCancelled: the caller has gone. kDeadlineExceeded with reason DEADLINE_PASSED: the caller
  /// waits no longer; with reason SEARCH_TOO_SLOW: the search for a text takes too long. None of
  /// these says that other calls would fail.
  virtual absl::StatusOr<TaskPage> List(const domain::UserId& user, const TaskQuery& query) = 0;

  /// A page of the user's changes, in the order of their `seq`. A task that the user does not have
  /// has none.
  virtual absl::StatusOr<ChangePage> ListChanges(const domain::UserId& user,
                                                 const ChangeQuery& query) = 0;
};

}  // namespace todo::ports
