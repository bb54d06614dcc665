#pragma once

#include <cstdint>
#include <optional>

#include "absl/status/statusor.h"
#include "api/request_parts.h"
#include "api/task_enums.h"
#include "domain/ids.h"
#include "service/tasks/task_service.h"
#include "todo/v1/todo_service.pb.h"
#include "util/status.h"

// Requests about tasks, from the messages of the API to the types of the use cases.
//
// Decoding checks the form of a request: ids, page sizes, enum values, timestamps, masks, etags. It
// returns kInvalidArgument with every violation. The use case checks the values. All are pure
// functions.

namespace todo::api {

absl::StatusOr<service::CreateTaskInput> DecodeCreateTask(const v1::CreateTaskRequest& request);
absl::StatusOr<service::UpdateTaskInput> DecodeUpdateTask(const v1::UpdateTaskRequest& request);
absl::StatusOr<service::PreviewInput> DecodePreviewRecurrence(
    const v1::PreviewRecurrenceRequest& request);

/// The task that a request is about.
struct TaskSelector {
  domain::TaskId id;
  std::optional<std::int64_t> expected_version;  // nullopt: any
  service::SeriesScope scope = service::SeriesScope::kDefault;
};

/// Decodes any request with an id and, optionally, an etag with a request id, and a scope.
template <typename Request>
absl::StatusOr<TaskSelector> DecodeTaskSelector(const Request& request) {
  Violations violations;
  TaskSelector selector;
  selector.id = DecodeTaskId(request.id(), "id", violations);
  if constexpr (requires { request.etag(); }) {
    selector.expected_version = DecodeEtag(request.etag(), "etag", violations);
    CheckRequestId(request.request_id(), violations);
  }
  if constexpr (requires { request.scope(); }) {
    selector.scope = kScopes.Decode(request.scope(), "scope", violations).value_or(selector.scope);
  }
  TODO_RETURN_IF_ERROR(violations.ToStatus());
  return selector;
}

absl::StatusOr<ports::ChangeQuery> DecodeListChanges(const v1::ListChangesRequest& request);

}  // namespace todo::api
