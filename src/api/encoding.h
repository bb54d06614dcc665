#pragma once

#include <string>
#include <string_view>

#include "absl/status/statusor.h"
#include "domain/event/event.h"
#include "domain/task/task.h"
#include "ports/task_store.h"
#include "service/tasks/task_service.h"
#include "todo/v1/todo_service.pb.h"

// Between the messages of the API and the types of the use cases; one function for each way of each
// pair.
//
// Decoding checks what exists on the wire only (ids, page sizes, enum values, timestamps, masks,
// etags, tokens) and answers kInvalidArgument with every such violation of the request; what the
// values mean is checked by the use case.

namespace todo::api {

google::protobuf::Timestamp EncodeInstant(domain::Instant instant);
v1::Task EncodeTask(const domain::Task& task);
/// kInternal: the change log holds a task that cannot be read.
absl::StatusOr<v1::Change> EncodeChange(const domain::Change& change);

absl::StatusOr<service::CreateTaskInput> DecodeCreateTask(const v1::CreateTaskRequest& request);
absl::StatusOr<service::UpdateTaskInput> DecodeUpdateTask(const v1::UpdateTaskRequest& request);

/// A task and, when the caller said so, the version it must have.
struct TaskSelector {
  domain::TaskId id;
  std::optional<std::int64_t> expected_version;
  service::SeriesScope scope = service::SeriesScope::kDefault;
};
absl::StatusOr<TaskSelector> DecodeGetTask(const v1::GetTaskRequest& request);
absl::StatusOr<TaskSelector> DecodeCompleteTask(const v1::CompleteTaskRequest& request);
absl::StatusOr<TaskSelector> DecodeUncompleteTask(const v1::UncompleteTaskRequest& request);
absl::StatusOr<TaskSelector> DecodeDeleteTask(const v1::DeleteTaskRequest& request);
absl::StatusOr<TaskSelector> DecodeSkipTask(const v1::SkipTaskRequest& request);
absl::StatusOr<TaskSelector> DecodeStopSeries(const v1::StopSeriesRequest& request);

absl::StatusOr<service::PreviewInput> DecodePreviewRecurrence(
    const v1::PreviewRecurrenceRequest& request);
v1::PreviewRecurrenceResponse EncodePreview(const domain::SeriesPreview& preview);

absl::StatusOr<ports::TaskQuery> DecodeListTasks(const v1::ListTasksRequest& request);
/// The page token with which the answer to `request` ends; empty for an empty cursor. Good for this
/// query only.
std::string EncodePageToken(const v1::ListTasksRequest& request, std::string_view cursor);
/// What is wrong with an update mask that names `path`; `known` are the paths that it may name.
std::string UnknownMaskPath(std::string_view path, std::string_view known);
/// What to answer when the store does not know the cursor inside a well-formed token.
absl::Status UnknownPageToken();

struct ChangesQuery {
  std::int64_t after_seq = 0;
  int limit = 0;
};
absl::StatusOr<ChangesQuery> DecodeListChanges(const v1::ListChangesRequest& request);

/// The context of a call that changes something; `method` is its name. `request` has a
/// `request_id`, which must be a UUID or empty: check with the Decode functions, which report that
/// too.
service::CallContext ContextOf(std::string_view method, const google::protobuf::Message& request,
                               const domain::UserId& user, std::string traceparent);

}  // namespace todo::api
