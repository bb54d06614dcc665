#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "domain/ids.h"
#include "domain/recurrence/series_preview.h"
#include "domain/task/task.h"
#include "ports/clock.h"
#include "ports/preferred_zones.h"
#include "ports/task_store.h"
#include "service/call_context.h"
#include "service/tasks/series_plan.h"
#include "service/tasks/task_changes.h"
#include "service/tasks/task_input.h"

namespace todo::service {

/// The use cases of tasks: create, change, complete, list and the like. The service checks the
/// input and decides what changes; the store makes it durable. Thread safety: all methods may be
/// called from many threads at once. All block on the database.
///
/// Statuses besides those of ports::TaskStore: kInvalidArgument with every violated field
/// (util::FieldViolationsOf); kFailedPrecondition when the task's state does not allow the change.
class TaskService {
 public:
  /// A series with more open occurrences is not changed as a whole: kFailedPrecondition with reason
  /// TOO_MANY_OCCURRENCES.
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
  /// Answers the task's last state. A completed task stays when the scope is kAll.
  absl::StatusOr<domain::Task> Delete(const CallContext& call, domain::TaskId id,
                                      std::optional<std::int64_t> expected_version,
                                      SeriesScope scope = SeriesScope::kDefault);
  /// Brings a deleted task back, under its id. Restoring a task that is not deleted changes
  /// nothing.
  absl::StatusOr<domain::Task> Restore(const CallContext& call, domain::TaskId id);
  /// Makes several changes in one durable step, in this order: all of them, or none. Each is
  /// checked against its task as the changes before it leave that; a version that it expects is the
  /// one before the call. When one cannot be made, the call fails with its status, and
  /// util::IndexOf(status) is its index. A repetition of the call gets the first answers.
  /// kFailedPrecondition with reason CHANGE_ALONE: a new rule for a task of a series, which Update
  /// can change. Preconditions: 1 to ports::TaskStore::kMaxMutations changes; updates have the
  /// default scope.
  absl::StatusOr<std::vector<ChangedTask>> ChangeAll(const CallContext& call,
                                                     const std::vector<TaskChange>& changes);
  /// The answers of the ChangeAll that was made with this request id and fingerprint; nullopt: none
  /// was. kAlreadyExists: the request id was used with another fingerprint. Precondition: the call
  /// has a request id.
  absl::StatusOr<std::optional<std::vector<ChangedTask>>> FirstAnswers(const CallContext& call);
  /// Deletes an open occurrence and lets the series go on with the next one.
  absl::StatusOr<domain::Task> Skip(const CallContext& call, domain::TaskId id,
                                    std::optional<std::int64_t> expected_version);
  /// Open tasks stay, and no occurrence follows them. Answers the task. Stopping a series again
  /// changes nothing.
  absl::StatusOr<domain::Task> StopSeries(const CallContext& call, domain::TaskId id,
                                          std::optional<std::int64_t> expected_version);
  /// The occurrences that would follow a task with this schedule.
  absl::StatusOr<domain::SeriesPreview> Preview(const domain::UserId& user,
                                                const PreviewInput& input);
  absl::StatusOr<ports::ChangePage> ListChanges(const domain::UserId& user,
                                                const ports::ChangeQuery& query);

 private:
  /// How often a call plans a change anew that others have overtaken.
  static constexpr int kAttempts = 5;

  class ListPlan;  // of ChangeAll
  ports::Mutation NewMutation(domain::ChangeKind kind, const CallContext& call);
  /// What a call writes: a change of one task, or changes of a series.
  struct Plan {
    ports::Mutation one;
    std::optional<ports::SeriesMutation> series;
  };
  /// Reads the task that `call` names, and writes the plan that `plan_for` makes for it. Repeats
  /// both, a few times, when another call changes the task or its series in between.
  absl::StatusOr<domain::Task> ChangeAsRead(
      const ports::Mutation& call, bool caller_names_request,
      const std::function<absl::StatusOr<Plan>(const domain::Task&)>& plan_for);
  absl::StatusOr<ports::Mutation> PlanCreate(const CallContext& call, const CreateTaskInput& input);
  /// Checks all that can be checked without the task, and answers what the input asks for; a change
  /// of the schedule needs PlanUpdate too.
  absl::StatusOr<ports::Mutation> UpdateAsAsked(const CallContext& call,
                                                const UpdateTaskInput& input);
  absl::StatusOr<Plan> PlanUpdate(ports::Mutation mutation, UpdateTaskInput input,
                                  const domain::Task& task);
  absl::StatusOr<Plan> PlanDelete(const ports::Mutation& mutation, SeriesScope scope,
                                  const domain::Task& task);
  /// The members of the series of `task`. kFailedPrecondition: they are too many to change
  /// together.
  absl::StatusOr<std::vector<ports::SeriesMember>> MembersOf(const domain::Task& task);
  /// `named`, else the user's zone.
  absl::StatusOr<std::string> ZoneFor(const domain::UserId& user,
                                      const std::optional<std::string>& named);

  ports::TaskStore& store_;
  ports::PreferredZones& zones_;
  const ports::Clock& clock_;
  ports::IdSource& ids_;
};

}  // namespace todo::service
