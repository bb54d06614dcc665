#include "api/todo_methods.h"

#include <cstddef>
#include <utility>
#include <vector>

#include "api/parse_methods.h"
#include "api/request_parts.h"
#include "api/task_batch.h"
#include "api/task_encoding.h"
#include "api/task_query.h"
#include "api/task_requests.h"
#include "api/watch_methods.h"
#include "todo/v1/todo_service.pb.h"
#include "util/status.h"

namespace todo::api {
namespace {

absl::StatusOr<v1::Task> Encoded(const absl::StatusOr<domain::Task>& task) {
  if (!task.ok()) return task.status();
  return EncodeTask(*task);
}

absl::StatusOr<v1::Task> CreateTask(service::TaskService& tasks, const Caller& caller,
                                    const v1::CreateTaskRequest& request) {
  TODO_ASSIGN_OR_RETURN(const service::CreateTaskInput input, DecodeCreateTask(request));
  return Encoded(tasks.Create(caller.context, input));
}

absl::StatusOr<v1::Task> GetTask(service::TaskService& tasks, const Caller& caller,
                                 const v1::GetTaskRequest& request) {
  TODO_ASSIGN_OR_RETURN(const TaskSelector selector, DecodeTaskSelector(request));
  return Encoded(tasks.Get(caller.context.user, selector.id));
}

absl::StatusOr<v1::ListTasksResponse> ListTasks(service::TaskService& tasks, const Caller& caller,
                                                const v1::ListTasksRequest& request) {
  TODO_ASSIGN_OR_RETURN(ports::TaskQuery query, DecodeListTasks(request));
  query.cancellation = caller.context.cancellation;
  for (;;) {
    absl::StatusOr<ports::TaskPage> page = tasks.List(caller.context.user, query);
    if (absl::IsInvalidArgument(page.status()) && !query.page_cursor.empty() &&
        util::FieldViolationsOf(page.status()).empty()) {
      return UnknownPageToken();
    }
    if (!page.ok()) return page.status();
    v1::ListTasksResponse response;
    std::size_t bytes = 0;
    for (const domain::Task& task : page->tasks) {
      v1::Task encoded = EncodeTask(task);
      bytes += encoded.ByteSizeLong();
      if (bytes > kMaxPageBytes && response.tasks_size() > 0) break;
      *response.add_tasks() = std::move(encoded);
    }
    const auto fitting = static_cast<std::size_t>(response.tasks_size());
    if (fitting == page->tasks.size()) {
      response.set_next_page_token(EncodePageToken(request, page->next_cursor));
      return response;
    }
    // Read again with as many tasks as fit, for the cursor behind the last of them.
    query.limit = static_cast<int>(fitting);
  }
}

absl::StatusOr<v1::Task> UpdateTask(service::TaskService& tasks, const Caller& caller,
                                    const v1::UpdateTaskRequest& request) {
  TODO_ASSIGN_OR_RETURN(const service::UpdateTaskInput input, DecodeUpdateTask(request));
  return Encoded(tasks.Update(caller.context, input));
}

absl::StatusOr<v1::Task> CompleteTask(service::TaskService& tasks, const Caller& caller,
                                      const v1::CompleteTaskRequest& request) {
  TODO_ASSIGN_OR_RETURN(const TaskSelector selector, DecodeTaskSelector(request));
  return Encoded(tasks.SetCompleted(caller.context, selector.id, selector.expected_version, true));
}

absl::StatusOr<v1::Task> UncompleteTask(service::TaskService& tasks, const Caller& caller,
                                        const v1::UncompleteTaskRequest& request) {
  TODO_ASSIGN_OR_RETURN(const TaskSelector selector, DecodeTaskSelector(request));
  return Encoded(tasks.SetCompleted(caller.context, selector.id, selector.expected_version, false));
}

absl::StatusOr<v1::Task> DeleteTask(service::TaskService& tasks, const Caller& caller,
                                    const v1::DeleteTaskRequest& request) {
  TODO_ASSIGN_OR_RETURN(const TaskSelector selector, DecodeTaskSelector(request));
  return Encoded(
      tasks.Delete(caller.context, selector.id, selector.expected_version, selector.scope));
}

absl::StatusOr<v1::Task> RestoreTask(service::TaskService& tasks, const Caller& caller,
                                     const v1::RestoreTaskRequest& request) {
  Violations violations;
  const domain::TaskId id = DecodeTaskId(request.id(), "id", violations);
  CheckRequestId(request.request_id(), violations);
  TODO_RETURN_IF_ERROR(violations.ToStatus());
  return Encoded(tasks.Restore(caller.context, id));
}

absl::StatusOr<v1::BatchUpdateTasksResponse> BatchUpdateTasks(
    service::TaskService& tasks, const Caller& caller, const v1::BatchUpdateTasksRequest& request) {
  TODO_ASSIGN_OR_RETURN(const std::vector<service::TaskChange> changes,
                        DecodeBatchUpdateTasks(request));
  const auto changed = tasks.ChangeAll(caller.context, changes);
  if (!changed.ok()) return BatchFailure(changed.status(), request);
  v1::BatchUpdateTasksResponse response;
  for (const service::ChangedTask& task : *changed) *response.add_tasks() = EncodeTask(task.after);
  return response;
}

absl::StatusOr<v1::Task> SkipTask(service::TaskService& tasks, const Caller& caller,
                                  const v1::SkipTaskRequest& request) {
  TODO_ASSIGN_OR_RETURN(const TaskSelector selector, DecodeTaskSelector(request));
  return Encoded(tasks.Skip(caller.context, selector.id, selector.expected_version));
}

absl::StatusOr<v1::Task> StopSeries(service::TaskService& tasks, const Caller& caller,
                                    const v1::StopSeriesRequest& request) {
  TODO_ASSIGN_OR_RETURN(const TaskSelector selector, DecodeTaskSelector(request));
  return Encoded(tasks.StopSeries(caller.context, selector.id, selector.expected_version));
}

absl::StatusOr<v1::PreviewRecurrenceResponse> PreviewRecurrence(
    service::TaskService& tasks, service::NotificationSettings& settings, const Caller& caller,
    const v1::PreviewRecurrenceRequest& request) {
  TODO_ASSIGN_OR_RETURN(const service::PreviewInput input, DecodePreviewRecurrence(request));
  TODO_ASSIGN_OR_RETURN(const domain::SeriesPreview preview,
                        tasks.Preview(caller.context.user, input));
  // A state store that is away costs the user's way to write times, and not the answer.
  const auto preferences = settings.GetPreferences(caller.context.user);
  return EncodePreview(preview, request.task().recurrence_basis(),
                       preferences.ok() ? preferences->values.wording : domain::Wording());
}

MethodDefinition PreviewMethod(service::TaskService& tasks,
                               service::NotificationSettings& settings) {
  return Unary<v1::PreviewRecurrenceRequest, v1::PreviewRecurrenceResponse>(
      "PreviewRecurrence",
      [&tasks, &settings](const Caller& caller, const v1::PreviewRecurrenceRequest& request) {
        return PreviewRecurrence(tasks, settings, caller, request);
      });
}

absl::StatusOr<v1::ListChangesResponse> ListChanges(service::TaskService& tasks,
                                                    const Caller& caller,
                                                    const v1::ListChangesRequest& request) {
  TODO_ASSIGN_OR_RETURN(const ports::ChangeQuery query, DecodeListChanges(request));
  TODO_ASSIGN_OR_RETURN(const ports::ChangePage page,
                        tasks.ListChanges(caller.context.user, query));
  v1::ListChangesResponse response;
  response.set_last_seq(page.last_seq);
  std::size_t bytes = 0;
  for (const domain::Change& change : page.changes) {
    TODO_ASSIGN_OR_RETURN(v1::Change encoded, EncodeChange(change));
    bytes += encoded.ByteSizeLong();
    if (bytes > kMaxPageBytes && response.changes_size() > 0)
      break;  // the caller goes on after the last one
    *response.add_changes() = std::move(encoded);
  }
  return response;
}

}  // namespace

ServiceDefinition MakeTodoMethods(const TodoParts& parts) {
  service::TaskService& tasks = parts.tasks;
  return {.service = v1::CreateTaskRequest::descriptor()->file()->FindServiceByName("TodoService"),
          .methods = {Unary("CreateTask", tasks, CreateTask), Unary("GetTask", tasks, GetTask),
                      Unary("ListTasks", tasks, ListTasks), Unary("UpdateTask", tasks, UpdateTask),
                      Unary("CompleteTask", tasks, CompleteTask),
                      Unary("UncompleteTask", tasks, UncompleteTask),
                      Unary("DeleteTask", tasks, DeleteTask),
                      Unary("BatchUpdateTasks", tasks, BatchUpdateTasks),
                      Unary("SkipTask", tasks, SkipTask), Unary("RestoreTask", tasks, RestoreTask),
                      Unary("StopSeries", tasks, StopSeries), PreviewMethod(tasks, parts.settings),
                      ParseTaskMethod(parts.settings, parts.clock),
                      Unary("ListChanges", tasks, ListChanges), WatchTasksMethod(parts.feed),
                      CreateWatchTicketMethod(parts.tickets)}};
}

}  // namespace todo::api
