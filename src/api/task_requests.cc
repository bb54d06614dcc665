#include "api/task_requests.h"

#include <fmt/format.h>

#include <algorithm>
#include <iterator>
#include <string>
#include <string_view>

namespace todo::api {
namespace {

/// The forms of a due date that a request may set.
struct DueForms {
  bool due_date = true;
  bool due_local = true;
};
service::DueInput DecodeDue(const v1::Task& task, Violations& violations, DueForms forms = {}) {
  service::DueInput due;
  if (forms.due_date && task.has_due_date())
    due.due_date = DecodeInstant(task.due_date(), "task.due_date", violations);
  if (forms.due_local) due.due_local = NonEmpty(task.due_local());
  return due;
}

// ---- update masks

struct UpdateMask {
  bool title = false, description = false, priority = false, tags = false, due_date = false,
       due_local = false, time_zone = false, recurrence_rule = false, recurrence_basis = false;
};

struct MaskPath {
  std::string_view path;
  bool UpdateMask::*field;
};
constexpr MaskPath kMaskPaths[] = {{"title", &UpdateMask::title},
                                   {"description", &UpdateMask::description},
                                   {"priority", &UpdateMask::priority},
                                   {"tags", &UpdateMask::tags},
                                   {"due_date", &UpdateMask::due_date},
                                   {"due_local", &UpdateMask::due_local},
                                   {"time_zone", &UpdateMask::time_zone},
                                   {"recurrence_rule", &UpdateMask::recurrence_rule},
                                   {"recurrence_basis", &UpdateMask::recurrence_basis}};
constexpr char kKnownPaths[] =
    "title, description, priority, tags, due_date, due_local, time_zone, recurrence_rule, "
    "recurrence_basis, or \"*\" for all of them";

UpdateMask DecodeUpdateMask(const google::protobuf::FieldMask& paths, Violations& violations) {
  UpdateMask mask;
  if (paths.paths().empty()) {
    violations.Add("update_mask",
                   fmt::format("must name the fields to change: any of {}", kKnownPaths));
  }
  for (const std::string& path : paths.paths()) {
    if (path == "*") {
      for (const MaskPath& known : kMaskPaths) mask.*known.field = true;
      continue;
    }
    const auto* found = std::ranges::find(kMaskPaths, path, &MaskPath::path);
    if (found != std::end(kMaskPaths)) {
      mask.*found->field = true;
      continue;
    }
    violations.Add("update_mask", UnknownMaskPath(path, kKnownPaths));
    break;  // one violation is enough: its text names all known paths
  }
  return mask;
}

}  // namespace

absl::StatusOr<service::CreateTaskInput> DecodeCreateTask(const v1::CreateTaskRequest& request) {
  Violations violations;
  service::CreateTaskInput input;
  CheckRequestId(request.request_id(), violations);
  if (!request.has_task()) {
    violations.Add("task", "must be given, with at least a title");
    return violations.ToStatus();
  }
  const v1::Task& task = request.task();
  input.title = task.title();
  if (task.has_description()) input.description = task.description();
  input.priority = kPriorities.Decode(task.priority(), "task.priority", violations);
  input.tags.assign(task.tags().begin(), task.tags().end());
  input.due = DecodeDue(task, violations);
  input.time_zone = NonEmpty(task.time_zone());
  if (task.has_recurrence_rule()) input.recurrence_rule = task.recurrence_rule();
  input.basis = kBases.Decode(task.recurrence_basis(), "task.recurrence_basis", violations);
  TODO_RETURN_IF_ERROR(violations.ToStatus());
  return input;
}

absl::StatusOr<service::UpdateTaskInput> DecodeUpdateTask(const v1::UpdateTaskRequest& request) {
  Violations violations;
  service::UpdateTaskInput input;
  CheckRequestId(request.request_id(), violations);
  const UpdateMask mask = DecodeUpdateMask(request.update_mask(), violations);
  if (!request.has_task()) {
    violations.Add("task", "must be given, with at least its id");
    return violations.ToStatus();
  }
  const v1::Task& task = request.task();
  input.id = DecodeTaskId(task.id(), "task.id", violations);
  input.expected_version = DecodeEtag(task.etag(), "task.etag", violations);
  if (mask.title) input.title = task.title();
  if (mask.description) {
    input.description.emplace(task.has_description() ? std::optional(task.description())
                                                     : std::nullopt);
  }
  if (mask.priority) {
    input.priority = kPriorities.Decode(task.priority(), "task.priority", violations)
                         .value_or(domain::TaskFields().priority);
  }
  if (mask.tags) input.tags.emplace(task.tags().begin(), task.tags().end());
  if (mask.due_date || mask.due_local) {
    input.due =
        DecodeDue(task, violations, {.due_date = mask.due_date, .due_local = mask.due_local});
  }
  if (mask.time_zone) input.time_zone.emplace(NonEmpty(task.time_zone()));
  if (mask.recurrence_rule) {
    input.recurrence_rule.emplace(task.has_recurrence_rule() ? std::optional(task.recurrence_rule())
                                                             : std::nullopt);
  }
  if (mask.recurrence_basis) {
    input.basis = kBases.Decode(task.recurrence_basis(), "task.recurrence_basis", violations)
                      .value_or(domain::TaskFields().recurrence_basis);
  }
  input.scope = kScopes.Decode(request.scope(), "scope", violations).value_or(input.scope);
  TODO_RETURN_IF_ERROR(violations.ToStatus());
  return input;
}

absl::StatusOr<service::PreviewInput> DecodePreviewRecurrence(
    const v1::PreviewRecurrenceRequest& request) {
  constexpr CountLimits kLimits{.max = 100, .default_count = 10};
  Violations violations;
  service::PreviewInput input;
  const v1::Task& task = request.task();
  input.due = DecodeDue(task, violations);
  input.time_zone = NonEmpty(task.time_zone());
  input.recurrence_rule = task.recurrence_rule();
  input.count = DecodeCount(request.count(), "count", kLimits, violations);
  input.may_end = task.id() != 0;
  TODO_RETURN_IF_ERROR(violations.ToStatus());
  return input;
}

absl::StatusOr<ports::ChangeQuery> DecodeListChanges(const v1::ListChangesRequest& request) {
  Violations violations;
  ports::ChangeQuery query{.after_seq = request.after_seq(),
                           .limit = DecodePageSize(request.page_size(), violations),
                           .task = {}};
  if (request.task_id() != 0) query.task = DecodeTaskId(request.task_id(), "task_id", violations);
  if (query.after_seq < 0) violations.Add("after_seq", "must be 0 or the seq of a change");
  TODO_RETURN_IF_ERROR(violations.ToStatus());
  return query;
}

}  // namespace todo::api
