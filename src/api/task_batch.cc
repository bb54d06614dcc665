#include "api/task_batch.h"

#include <fmt/format.h>

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "api/request_parts.h"
#include "api/task_requests.h"
#include "ports/task_store.h"
#include "util/status.h"

namespace todo::api {
namespace {

/// The path in the whole request of `field`, which is one of the call for `change` alone.
std::string PathOf(const v1::TaskChange& change, std::size_t index, std::string_view field) {
  const auto of_change = [index](std::string_view name) {
    return fmt::format("changes[{}].{}", index, name);
  };
  if (change.has_tags()) return of_change("tags");
  if (!change.has_update()) return of_change(field);
  if (field == "task.id") return of_change("id");
  if (field == "task.etag") return of_change("etag");
  return of_change(fmt::format("update.{}", field));
}

void AddViolations(const absl::Status& status, const v1::TaskChange& change, std::size_t index,
                   Violations& violations) {
  for (util::FieldViolation& violation : util::FieldViolationsOf(status))
    violations.Add(PathOf(change, index, violation.field), std::move(violation.description));
}

absl::StatusOr<service::TaskChange> DecodeUpdate(const v1::TaskChange& change) {
  v1::UpdateTaskRequest alone;
  *alone.mutable_task() = change.update().task();
  alone.mutable_task()->set_id(change.id());
  alone.mutable_task()->set_etag(change.etag());
  *alone.mutable_update_mask() = change.update().update_mask();
  return DecodeUpdateTask(alone);
}

absl::StatusOr<service::TaskChange> DecodeTags(const v1::TaskChange& change,
                                               const TaskSelector& task) {
  const auto& tags = change.tags();
  if (tags.add().empty() && tags.remove().empty())
    return util::InvalidFields({{"tags", "must name tags to add or to remove"}});
  return service::TagChange{.id = task.id,
                            .expected_version = task.expected_version,
                            .added = {tags.add().begin(), tags.add().end()},
                            .removed = {tags.remove().begin(), tags.remove().end()}};
}

absl::StatusOr<service::TaskChange> DecodeChange(const v1::TaskChange& change) {
  if (change.has_update()) return DecodeUpdate(change);
  Violations violations;
  const TaskSelector task{.id = DecodeTaskId(change.id(), "id", violations),
                          .expected_version = DecodeEtag(change.etag(), "etag", violations)};
  TODO_RETURN_IF_ERROR(violations.ToStatus());
  switch (change.change_case()) {
    case v1::TaskChange::kCompleted:
      return service::TaskCompletion{.id = task.id,
                                     .expected_version = task.expected_version,
                                     .completed = change.completed()};
    case v1::TaskChange::kDeleted:
      if (change.deleted())
        return service::TaskDeletion{.id = task.id, .expected_version = task.expected_version};
      return service::TaskRestoration{.id = task.id, .expected_version = task.expected_version};
    case v1::TaskChange::kTags: return DecodeTags(change, task);
    default: break;
  }
  return util::InvalidFields({{"change", "must be one of completed, deleted, update and tags"}});
}

}  // namespace

absl::StatusOr<std::vector<service::TaskChange>> DecodeBatchUpdateTasks(
    const v1::BatchUpdateTasksRequest& request) {
  Violations violations;
  CheckRequestId(request.request_id(), violations);
  const auto count = static_cast<std::size_t>(request.changes_size());
  if (count == 0 || count > ports::TaskStore::kMaxMutations) {
    violations.Add("changes", fmt::format("has {} changes; it must have 1 to {}", count,
                                          ports::TaskStore::kMaxMutations));
    return violations.ToStatus();
  }
  std::vector<service::TaskChange> changes;
  for (std::size_t i = 0; i < count; ++i) {
    const v1::TaskChange& change = request.changes(static_cast<int>(i));
    absl::StatusOr<service::TaskChange> decoded = DecodeChange(change);
    if (decoded.ok()) {
      changes.push_back(*std::move(decoded));
    } else {
      AddViolations(decoded.status(), change, i, violations);
    }
  }
  TODO_RETURN_IF_ERROR(violations.ToStatus());
  return changes;
}

absl::Status BatchFailure(const absl::Status& status, const v1::BatchUpdateTasksRequest& request) {
  const std::optional<std::size_t> index = util::IndexOf(status);
  if (!index || util::FieldViolationsOf(status).empty()) return status;
  Violations violations;
  AddViolations(status, request.changes(static_cast<int>(*index)), *index, violations);
  return util::WithIndex(violations.ToStatus(), *index);
}

}  // namespace todo::api
