#include "api/todo_service.h"

#include <algorithm>
#include <utility>
#include <vector>

#include "api/encoding.h"
#include "todo/v1/todo_service.pb.h"
#include "util/status.h"

namespace todo::api {
namespace {

/// Clients accept 4 MiB by default. A page that would be larger is made shorter; a single task is
/// always far smaller.
constexpr std::size_t kMaxPageBytes = 3 * 1024 * 1024;

absl::StatusOr<v1::Task> Encoded(const absl::StatusOr<domain::Task>& task) {
  if (!task.ok()) return task.status();
  return EncodeTask(*task);
}

service::CallContext CallOf(std::string_view method, const Caller& caller,
                            const google::protobuf::Message& request) {
  return ContextOf(method, request, caller.identity.user, caller.traceparent);
}

absl::StatusOr<v1::ListTasksResponse> ListTasks(service::TaskService& tasks,
                                                const domain::UserId& user,
                                                const v1::ListTasksRequest& request) {
  TODO_ASSIGN_OR_RETURN(ports::TaskQuery query, DecodeListTasks(request));
  for (;;) {
    absl::StatusOr<ports::TaskPage> page = tasks.List(user, query);
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
    query.limit = static_cast<int>(
        fitting);  // the same page again, cut where it fits, for the cursor that goes with it
  }
}

absl::StatusOr<v1::ListChangesResponse> ListChanges(service::TaskService& tasks,
                                                    const domain::UserId& user,
                                                    const v1::ListChangesRequest& request) {
  TODO_ASSIGN_OR_RETURN(const ChangesQuery query, DecodeListChanges(request));
  TODO_ASSIGN_OR_RETURN(const ports::ChangePage page,
                        tasks.ListChanges(user, query.after_seq, query.limit));
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

std::unique_ptr<GatedService> MakeTodoService(service::TaskService& tasks, Gate& gate) {
  std::vector<UnaryMethod> methods;
  methods.push_back(Unary<v1::CreateTaskRequest, v1::Task>(
      "CreateTask",
      [&tasks](const Caller& caller,
               const v1::CreateTaskRequest& request) -> absl::StatusOr<v1::Task> {
        TODO_ASSIGN_OR_RETURN(const service::CreateTaskInput input, DecodeCreateTask(request));
        return Encoded(tasks.Create(CallOf("CreateTask", caller, request), input));
      }));
  methods.push_back(Unary<v1::GetTaskRequest, v1::Task>(
      "GetTask",
      [&tasks](const Caller& caller,
               const v1::GetTaskRequest& request) -> absl::StatusOr<v1::Task> {
        TODO_ASSIGN_OR_RETURN(const TaskSelector ref, DecodeGetTask(request));
        return Encoded(tasks.Get(caller.identity.user, ref.id));
      }));
  methods.push_back(Unary<v1::ListTasksRequest, v1::ListTasksResponse>(
      "ListTasks", [&tasks](const Caller& caller, const v1::ListTasksRequest& request) {
        return ListTasks(tasks, caller.identity.user, request);
      }));
  methods.push_back(Unary<v1::UpdateTaskRequest, v1::Task>(
      "UpdateTask",
      [&tasks](const Caller& caller,
               const v1::UpdateTaskRequest& request) -> absl::StatusOr<v1::Task> {
        TODO_ASSIGN_OR_RETURN(const service::UpdateTaskInput input, DecodeUpdateTask(request));
        return Encoded(tasks.Update(CallOf("UpdateTask", caller, request), input));
      }));
  methods.push_back(Unary<v1::CompleteTaskRequest, v1::Task>(
      "CompleteTask",
      [&tasks](const Caller& caller,
               const v1::CompleteTaskRequest& request) -> absl::StatusOr<v1::Task> {
        TODO_ASSIGN_OR_RETURN(const TaskSelector ref, DecodeCompleteTask(request));
        return Encoded(tasks.SetCompleted(CallOf("CompleteTask", caller, request), ref.id,
                                          ref.expected_version, true));
      }));
  methods.push_back(Unary<v1::UncompleteTaskRequest, v1::Task>(
      "UncompleteTask",
      [&tasks](const Caller& caller,
               const v1::UncompleteTaskRequest& request) -> absl::StatusOr<v1::Task> {
        TODO_ASSIGN_OR_RETURN(const TaskSelector ref, DecodeUncompleteTask(request));
        return Encoded(tasks.SetCompleted(CallOf("UncompleteTask", caller, request), ref.id,
                                          ref.expected_version, false));
      }));
  methods.push_back(Unary<v1::DeleteTaskRequest, v1::Task>(
      "DeleteTask",
      [&tasks](const Caller& caller,
               const v1::DeleteTaskRequest& request) -> absl::StatusOr<v1::Task> {
        TODO_ASSIGN_OR_RETURN(const TaskSelector ref, DecodeDeleteTask(request));
        return Encoded(tasks.Delete(CallOf("DeleteTask", caller, request), ref.id,
                                    ref.expected_version, ref.scope));
      }));
  methods.push_back(Unary<v1::SkipTaskRequest, v1::Task>(
      "SkipTask",
      [&tasks](const Caller& caller,
               const v1::SkipTaskRequest& request) -> absl::StatusOr<v1::Task> {
        TODO_ASSIGN_OR_RETURN(const TaskSelector ref, DecodeSkipTask(request));
        return Encoded(
            tasks.Skip(CallOf("SkipTask", caller, request), ref.id, ref.expected_version));
      }));
  methods.push_back(Unary<v1::StopSeriesRequest, v1::Task>(
      "StopSeries",
      [&tasks](const Caller& caller,
               const v1::StopSeriesRequest& request) -> absl::StatusOr<v1::Task> {
        TODO_ASSIGN_OR_RETURN(const TaskSelector ref, DecodeStopSeries(request));
        return Encoded(
            tasks.StopSeries(CallOf("StopSeries", caller, request), ref.id, ref.expected_version));
      }));
  methods.push_back(Unary<v1::PreviewRecurrenceRequest, v1::PreviewRecurrenceResponse>(
      "PreviewRecurrence",
      [&tasks](const Caller& caller, const v1::PreviewRecurrenceRequest& request)
          -> absl::StatusOr<v1::PreviewRecurrenceResponse> {
        TODO_ASSIGN_OR_RETURN(const service::PreviewInput input, DecodePreviewRecurrence(request));
        TODO_ASSIGN_OR_RETURN(const domain::SeriesPreview preview,
                              tasks.Preview(caller.identity.user, input));
        return EncodePreview(preview);
      }));
  methods.push_back(Unary<v1::ListChangesRequest, v1::ListChangesResponse>(
      "ListChanges", [&tasks](const Caller& caller, const v1::ListChangesRequest& request) {
        return ListChanges(tasks, caller.identity.user, request);
      }));
  const auto* service =
      v1::CreateTaskRequest::descriptor()->file()->FindServiceByName("TodoService");
  return std::make_unique<GatedService>(*service, std::move(methods), gate);
}

}  // namespace todo::api
