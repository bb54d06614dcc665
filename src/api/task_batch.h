#pragma once

#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "service/tasks/task_changes.h"
#include "todo/v1/todo_service.pb.h"

// Requests with several changes of tasks, from the messages of the API to the types of the use
// case, and its failures back. Pure functions.

namespace todo::api {

/// Checks the form of each change, as the call for that change alone would. kInvalidArgument with
/// every violation: the paths of its fields begin with the change, "changes[3].update.task.title".
absl::StatusOr<std::vector<service::TaskChange>> DecodeBatchUpdateTasks(
    const v1::BatchUpdateTasksRequest& request);

/// A failure of TaskService::ChangeAll with paths of fields as above. Other statuses stay as they
/// are.
absl::Status BatchFailure(const absl::Status& status, const v1::BatchUpdateTasksRequest& request);

}  // namespace todo::api
