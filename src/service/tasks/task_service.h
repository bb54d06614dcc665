#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "domain/ids.h"
#include "domain/recurrence/recurring_task.h"
#include "domain/task/task.h"
#include "domain/time.h"
#include "ports/clock.h"
#include "ports/preferred_zones.h"
#include "ports/task_store.h"
#include "service/call_context.h"
#include "service/tasks/series_plan.h"
#include "util/status.h"

namespace todo::service {

/// A due date as a user gives it. One of the two, or both, as a task is read, when they agree.
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
  std::optional<std::string> time_zone;  // nullopt: the user's
  std::optional<std::string> recurrence_rule;
  std::optional<domain::RecurrenceBasis> basis;
};

/// What is set is to be changed; an inner nullopt clears, and of the zone means the user's.
struct UpdateTaskInput {
  domain::TaskId id;
  std::optional<std::int64_t> expected_version;
  std::optional<std::string> title;
  std::optional<std::optional<std::string>> description;
  std::optional<domain::Priority> priority;
  std::optional<std::vector<std::string>> tags;
  std::optional<DueInput> due;
  std::optional<std::optional<std::string>> time_zone;
  std::optional<std::optional<std::string>> recurrence_rule;
  std::optional<domain::RecurrenceBasis> basis;
  SeriesScope scope = SeriesScope::kDefault;
};

struct PreviewInput {
  DueInput due;
  std::optional<std::string> time_zone;  // nullopt: the user's
  std::string recurrence_rule;
  int count = 0;  // 1 to 100
};

/// What users do with their tasks: checks the input, decides, and leaves durability to the store.
/// Thread safety: all methods may be called from many threads at once. All block on the database.
///
/// Statuses besides those of ports::TaskStore: kInvalidArgument with every violated field
/// (util::FieldViolationsOf); kFailedPrecondition when the task's state does not allow the change.
class TaskService {
 public:
  /// A series with more is not changed as a whole: kFailedPrecondition, TOO_MANY_OCCURRENCES.
  static constexpr int kMaxOpenOccurrences = 200;

  /// All four must outlive the service.
  TaskService(ports::TaskStore& store, ports::PreferredZones& zones, const ports::Clock& clock,
              ports::IdSource& ids)
      : store_(store), zones_(zones), clock_(clock), ids_(ids) {}

  absl::StatusOr<domain::Task> Create(const CallContext& call, const CreateTaskInput& input);
  absl::StatusOr<domain::Task> Get(const domain::UserId& user, domain::TaskId id);
  absl::StatusOr<ports::TaskPage> List(const domain::UserId& user, const ports::TaskQuery& query);
  absl::StatusOr<domain::Task> Update(const CallContext& call, const UpdateTaskInput& input);
  /// Completing a completed task, or opening an open one, changes nothing.
  absl::StatusOr<domain::Task> SetCompleted(const CallContext& call, domain::TaskId id,
                                            std::optional<std::int64_t> expected_version,
                                            bool completed);
  /// Answers the task's last state; with kAll, of a completed task, the task, which stays.
  absl::StatusOr<domain::Task> Delete(const CallContext& call, domain::TaskId id,
                                      std::optional<std::int64_t> expected_version,
                                      SeriesScope scope = SeriesScope::kDefault);
  /// Deletes an open occurrence and lets the series go on with the next one.
  absl::StatusOr<domain::Task> Skip(const CallContext& call, domain::TaskId id,
                                    std::optional<std::int64_t> expected_version);
  /// What is open stays, and nothing follows it. Answers the task. Stopping again changes nothing.
  absl::StatusOr<domain::Task> StopSeries(const CallContext& call, domain::TaskId id,
                                          std::optional<std::int64_t> expected_version);
  /// What would follow a task of that schedule.
  absl::StatusOr<domain::SeriesPreview> Preview(const domain::UserId& user,
                                                const PreviewInput& input);
  absl::StatusOr<ports::ChangePage> ListChanges(const domain::UserId& user, std::int64_t after_seq,
                                                int limit);

 private:
  ports::Mutation NewMutation(domain::ChangeKind kind, const CallContext& call);
  /// What a call comes to: a change of one task, or of a series.
  struct Plan {
    ports::Mutation one;
    std::optional<ports::SeriesMutation> series;
  };
  /// Reads the task that `call` names and writes what `plan_for` makes of it, again as long as
  /// others are quicker.
  absl::StatusOr<domain::Task> ChangeAsRead(
      const ports::Mutation& call, bool caller_names_request,
      const std::function<absl::StatusOr<Plan>(const domain::Task&)>& plan_for);
  absl::StatusOr<Plan> PlanUpdate(ports::Mutation mutation, UpdateTaskInput input,
                                  const domain::Task& task);
  /// The members of the series of `task`, unless they are too many to change together.
  absl::StatusOr<std::vector<ports::SeriesMember>> MembersOf(const domain::Task& task);
  /// `named`, else the user's zone.
  absl::StatusOr<std::string> ZoneFor(const domain::UserId& user,
                                      const std::optional<std::string>& named);
  /// The position with a new rule, which may be written out in `fields` (domain::RestartSeries).
  std::optional<domain::SeriesPosition> RestartSeries(
      const domain::Task& task, domain::TaskFields& fields, domain::SeriesPlace place,
      std::vector<util::FieldViolation>& violations);

  ports::TaskStore& store_;
  ports::PreferredZones& zones_;
  const ports::Clock& clock_;
  ports::IdSource& ids_;
};

}  // namespace todo::service
