#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "domain/ids.h"
#include "domain/task.h"
#include "domain/time.h"
#include "ports/clock.h"
#include "ports/task_store.h"

namespace todo::service {

/// Who calls, and what makes this call the same as an earlier one.
struct CallContext {
  domain::UserId user;
  std::optional<domain::RequestId>
      request_id;           // nullopt: the call cannot be repeated by the caller
  std::string fingerprint;  // of the request's content without its id
  std::string traceparent;  // W3C, or empty
};

/// A due date as a user gives it: at most one of the two.
struct DueInput {
  std::optional<domain::Instant> due_date;
  std::optional<std::string> due_local;
};

struct CreateTaskInput {
  std::string title;
  std::optional<std::string> description;
  std::optional<domain::Priority> priority;
  std::vector<std::string> tags;
  DueInput due;
  std::optional<std::string> time_zone;
  std::optional<std::string> recurrence_rule;
  std::optional<domain::RecurrenceBasis> basis;
};

/// What is set is to be changed; an inner nullopt clears.
struct UpdateTaskInput {
  domain::TaskId id;
  std::optional<std::int64_t> expected_version;
  std::optional<std::string> title;
  std::optional<std::optional<std::string>> description;
  std::optional<domain::Priority> priority;
  std::optional<std::vector<std::string>> tags;
  std::optional<DueInput> due;
  std::optional<std::string> time_zone;
  std::optional<std::optional<std::string>> recurrence_rule;
  std::optional<domain::RecurrenceBasis> basis;
};

/// What users do with their tasks: checks the input, decides, and leaves durability to the store.
/// Thread safety: all methods may be called from many threads at once. All block on the database.
///
/// Statuses besides those of ports::TaskStore: kInvalidArgument with every violated field
/// (util::FieldViolationsOf); kFailedPrecondition when the task's state does not allow the change.
class TaskService {
 public:
  /// All three must outlive the service.
  TaskService(ports::TaskStore& store, const ports::Clock& clock, ports::IdSource& ids)
      : store_(store), clock_(clock), ids_(ids) {}

  absl::StatusOr<domain::Task> Create(const CallContext& call, const CreateTaskInput& input);
  absl::StatusOr<domain::Task> Get(const domain::UserId& user, domain::TaskId id);
  absl::StatusOr<ports::TaskPage> List(const domain::UserId& user, const ports::TaskQuery& query);
  absl::StatusOr<domain::Task> Update(const CallContext& call, const UpdateTaskInput& input);
  /// Completing a completed task, or opening an open one, changes nothing.
  absl::StatusOr<domain::Task> SetCompleted(const CallContext& call, domain::TaskId id,
                                            std::optional<std::int64_t> expected_version,
                                            bool completed);
  /// Answers the task's last state.
  absl::StatusOr<domain::Task> Delete(const CallContext& call, domain::TaskId id,
                                      std::optional<std::int64_t> expected_version);
  absl::StatusOr<ports::ChangePage> ListChanges(const domain::UserId& user, std::int64_t after_seq,
                                                int limit);

 private:
  ports::Mutation NewMutation(domain::ChangeKind kind, const CallContext& call);
  absl::StatusOr<domain::Task> UpdateSchedule(ports::Mutation mutation,
                                              const UpdateTaskInput& input,
                                              bool caller_names_request);

  ports::TaskStore& store_;
  const ports::Clock& clock_;
  ports::IdSource& ids_;
};

}  // namespace todo::service
