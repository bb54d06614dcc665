#pragma once

#include <vector>

#include "absl/status/statusor.h"
#include "domain/task/task.h"
#include "ports/clock.h"
#include "ports/task_store.h"
#include "service/tasks/series_plan.h"
#include "service/tasks/task_input.h"

// Which changes a call makes to a task and to the other tasks of its series. Nothing here reads or
// writes the store; inside `tasks` only.

namespace todo::service {

/// Whether the scope also reaches occurrences that are still to come.
bool ReachesOnwards(SeriesScope scope);

/// Whether `input` names a part of the schedule, so that what it changes depends on the task.
bool ChangesSchedule(const UpdateTaskInput& input);

/// Whether `input` gives `task` its first due date, so that only now its time zone matters, and
/// `task` has no zone of its own yet.
bool IsFirstDue(const UpdateTaskInput& input, const domain::Task& task);

/// What an update makes of one task.
struct TaskEdit {
  ports::Mutation asked;    // what the call asks for, without what follows for the schedule
  domain::TaskPatch patch;  // what is written to the task itself
  bool restarts = false;    // the schedule of its series changes: the task must be the newest one
};

/// Works out the update that `mutation` (with the patch of all plain fields) and `input` ask for.
/// Precondition: if `input` has a time zone, it is named. `ids` gives the id of a new series.
/// kInvalidArgument: with every violated field. kFailedPrecondition with reason TASK_COMPLETED: the
/// schedule of a completed task is history.
absl::StatusOr<TaskEdit> EditTask(ports::Mutation mutation, UpdateTaskInput input,
                                  const domain::Task& task, ports::IdSource& ids);

/// The changes of `edit` for `task` and the members of its series that `scope` reaches.
/// kFailedPrecondition with reason LATER_OCCURRENCE_EXISTS: the edit restarts the schedule, and
/// `task` is not the newest occurrence.
absl::StatusOr<ports::SeriesMutation> EditSeries(const TaskEdit& edit, const domain::Task& task,
                                                 std::vector<ports::SeriesMember> members,
                                                 SeriesScope scope);

/// Deletes `task` and the members that `scope` (kFollowing or kAll) reaches, and lets nothing
/// follow them.
ports::SeriesMutation DeleteFromSeries(const ports::Mutation& mutation, const domain::Task& task,
                                       std::vector<ports::SeriesMember> members, SeriesScope scope);

/// Takes the rule from all members: open tasks stay, and nothing follows them.
ports::SeriesMutation EndSeries(const ports::Mutation& mutation, const domain::Task& task,
                                std::vector<ports::SeriesMember> members);

}  // namespace todo::service
