#include "service/tasks/task_service.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "domain/recurrence/recurring_task.h"
#include "service/tasks/series_editing.h"
#include "service/tasks/task_input_checks.h"
#include "util/status.h"
#include "util/utf8.h"

namespace todo::service {
namespace {

using domain::Task;
using domain::TaskFields;

absl::Status DoesNotRecur() {
  return util::WithReason(absl::FailedPreconditionError("the task does not recur"),
                          "TASK_NOT_RECURRING");
}

}  // namespace

ports::Mutation TaskService::NewMutation(domain::ChangeKind kind, const CallContext& call) {
  ports::Mutation mutation;
  mutation.kind = kind;
  mutation.user = call.user;
  mutation.request_id = call.request_id ? *call.request_id : domain::RequestId{ids_.NewId()};
  mutation.fingerprint = call.fingerprint;
  mutation.event_id = domain::EventId{ids_.NewId()};
  mutation.now = clock_.Now();
  mutation.traceparent = call.traceparent;
  return mutation;
}

absl::StatusOr<std::string> TaskService::ZoneFor(const domain::UserId& user,
                                                 const std::optional<std::string>& named) {
  if (named) return *named;
  return zones_.ZoneOf(user);
}

absl::StatusOr<Task> TaskService::Create(const CallContext& call, const CreateTaskInput& input) {
  TODO_ASSIGN_OR_RETURN(const ports::Mutation mutation, PlanCreate(call, input));
  TODO_ASSIGN_OR_RETURN(ports::MutationResult result, store_.Apply(mutation));
  return std::move(result.task);
}

absl::StatusOr<ports::Mutation> TaskService::PlanCreate(const CallContext& call,
                                                        const CreateTaskInput& input) {
  Violations violations;
  ports::Mutation mutation = NewMutation(domain::ChangeKind::kCreated, call);
  TaskFields& fields = mutation.fields;
  // A task without a due date does not need the user's zone: it gets the zone with its due date.
  if (input.time_zone || IsSet(input.due)) {
    TODO_ASSIGN_OR_RETURN(fields.time_zone, ZoneFor(call.user, input.time_zone));
  }
  fields.title = input.title;
  fields.description = input.description;
  fields.priority = input.priority.value_or(domain::Priority::kMedium);
  fields.tags = input.tags;
  fields.recurrence_rule = input.recurrence_rule;
  fields.recurrence_basis = input.basis.value_or(domain::RecurrenceBasis::kSchedule);

  domain::CheckTitle(fields.title, "task.", violations);
  domain::CheckDescription(fields.description, "task.", violations);
  domain::CheckTags(fields.tags, "task.", violations);
  const bool zone_is_known = CheckTimeZone(fields.time_zone, violations);
  const std::size_t before = violations.size();
  if (zone_is_known || !NeedsTimeZone(input.due)) {
    fields.due = ResolveDue(input.due, fields.time_zone, violations);
  }
  if (fields.recurrence_rule) {
    if (zone_is_known && violations.size() == before) {
      mutation.series = StartSeriesOrExplain(fields, ids_.NewId(), violations);
    } else {
      CheckRule(*fields.recurrence_rule, violations);
    }
  }
  if (!violations.empty()) return util::InvalidFields(violations);
  return mutation;
}

absl::StatusOr<Task> TaskService::Get(const domain::UserId& user, domain::TaskId id) {
  return store_.Get(user, id);
}

absl::StatusOr<ports::TaskPage> TaskService::List(const domain::UserId& user,
                                                  const ports::TaskQuery& query) {
  Violations violations;
  if (query.tag && !util::CountCharacters(*query.tag)) {
    violations.push_back({"filter.tag", "must be valid UTF-8 without NUL characters"});
  }
  if (!util::CountCharacters(query.text)) {
    violations.push_back({"filter.text", "must be valid UTF-8 without NUL characters"});
  }
  if (!violations.empty()) return util::InvalidFields(violations);
  return store_.List(user, query);
}

absl::StatusOr<Task> TaskService::Update(const CallContext& call, const UpdateTaskInput& input) {
  TODO_ASSIGN_OR_RETURN(const ports::Mutation mutation, UpdateAsAsked(call, input));
  if (!ChangesSchedule(input) && input.scope == SeriesScope::kDefault) {
    TODO_ASSIGN_OR_RETURN(ports::MutationResult result, store_.Apply(mutation));
    return std::move(result.task);
  }
  return ChangeAsRead(mutation, call.request_id.has_value(),
                      [&](const Task& task) { return PlanUpdate(mutation, input, task); });
}

absl::StatusOr<ports::Mutation> TaskService::UpdateAsAsked(const CallContext& call,
                                                           const UpdateTaskInput& input) {
  Violations violations;
  if (input.title) domain::CheckTitle(*input.title, "task.", violations);
  if (input.description) domain::CheckDescription(*input.description, "task.", violations);
  if (input.tags) domain::CheckTags(*input.tags, "task.", violations);
  // All that can be checked without the task is checked before the database is asked.
  const std::optional<std::string> named_zone = input.time_zone.value_or(std::nullopt);
  const bool zone_is_known = named_zone && CheckTimeZone(*named_zone, violations);
  if (input.due && (zone_is_known || !NeedsTimeZone(*input.due))) {
    ResolveDue(*input.due, named_zone.value_or("UTC"), violations);
  }
  // The text of a rule alone is no reason to refuse the call: it may be the one that the task has.
  if (!violations.empty() && input.recurrence_rule && *input.recurrence_rule) {
    CheckRule(**input.recurrence_rule, violations);
  }
  if (!violations.empty()) return util::InvalidFields(violations);

  ports::Mutation mutation = NewMutation(domain::ChangeKind::kUpdated, call);
  mutation.task_id = input.id;
  mutation.expected_version = input.expected_version;
  mutation.patch.title = input.title;
  mutation.patch.description = input.description;
  mutation.patch.priority = input.priority;
  mutation.patch.tags = input.tags;
  mutation.patch.recurrence_rule = input.recurrence_rule;
  mutation.patch.recurrence_basis = input.basis;
  return mutation;
}

absl::StatusOr<TaskService::Plan> TaskService::PlanUpdate(ports::Mutation mutation,
                                                          UpdateTaskInput input, const Task& task) {
  if (!input.time_zone && IsFirstDue(input, task)) input.time_zone.emplace();
  if (input.time_zone) {
    TODO_ASSIGN_OR_RETURN(mutation.patch.time_zone, ZoneFor(mutation.user, *input.time_zone));
    input.time_zone = mutation.patch.time_zone;
  }
  TODO_ASSIGN_OR_RETURN(const TaskEdit edit, EditTask(std::move(mutation), input, task, ids_));
  Plan plan{.one = edit.asked, .series = {}};
  plan.one.patch = edit.patch;
  if (!task.series || !(edit.restarts || ReachesOnwards(input.scope))) return plan;
  TODO_ASSIGN_OR_RETURN(std::vector<ports::SeriesMember> members, MembersOf(task));
  TODO_ASSIGN_OR_RETURN(plan.series, EditSeries(edit, task, std::move(members), input.scope));
  return plan;
}

absl::StatusOr<std::vector<ports::SeriesMember>> TaskService::MembersOf(const Task& task) {
  TODO_ASSIGN_OR_RETURN(std::vector<ports::SeriesMember> members,
                        store_.ListSeries(task.user, task.series->series_id));
  const auto open = std::ranges::count_if(members, [](const ports::SeriesMember& member) {
    return !member.task.completed && !member.task.deleted;
  });
  if (open > kMaxOpenOccurrences) {
    return util::WithReason(
        absl::FailedPreconditionError(fmt::format(
            "this series has more than {} open occurrences, too many to change together: complete, "
            "skip or delete some of them first, or change this one alone (SERIES_SCOPE_THIS)",
            kMaxOpenOccurrences)),
        "TOO_MANY_OCCURRENCES");
  }
  return members;
}

absl::StatusOr<Task> TaskService::ChangeAsRead(
    const ports::Mutation& call, bool caller_names_request,
    const std::function<absl::StatusOr<Plan>(const Task&)>& plan_for) {
  // The right change depends on the task and, in a series, on the other tasks. So they are read,
  // and the change is written on condition that nothing has changed since.
  for (int attempt = 1;; ++attempt) {
    const absl::StatusOr<Task> task = store_.Get(call.user, call.task_id);
    absl::StatusOr<Plan> plan = task.ok() ? plan_for(*task) : task.status();
    if (!plan.ok()) {
      // The call may repeat one that succeeded. Asking for its first answer changes nothing, since
      // no task has version 0.
      ports::Mutation question = call;
      question.expected_version = 0;
      if (caller_names_request) {
        if (auto first = store_.Apply(question); first.ok()) return std::move(first->task);
      }
      return plan.status();
    }
    ports::Mutation& first = plan->series ? plan->series->first : plan->one;
    first.expected_version = call.expected_version.value_or(task->version);
    if (plan->series) {
      for (ports::Mutation& other : plan->series->others) {
        other.event_id = domain::EventId{ids_.NewId()};
        other.expected_version.reset();  // `seen` guards the whole series
      }
    }
    absl::StatusOr<ports::MutationResult> result =
        plan->series ? store_.ApplyToSeries(*plan->series) : store_.Apply(plan->one);
    if (result.ok()) return std::move(result->task);
    const std::string reason = util::ReasonOf(result.status());
    const bool overtaken =
        reason == "SERIES_CHANGED" || (reason == "STALE_ETAG" && !call.expected_version);
    if (!overtaken || attempt == kAttempts) return result.status();
  }
}

absl::StatusOr<Task> TaskService::SetCompleted(const CallContext& call, domain::TaskId id,
                                               std::optional<std::int64_t> expected_version,
                                               bool completed) {
  ports::Mutation mutation = NewMutation(
      completed ? domain::ChangeKind::kCompleted : domain::ChangeKind::kUncompleted, call);
  mutation.task_id = id;
  mutation.expected_version = expected_version;
  TODO_ASSIGN_OR_RETURN(ports::MutationResult result, store_.Apply(mutation));
  return std::move(result.task);
}

absl::StatusOr<Task> TaskService::Delete(const CallContext& call, domain::TaskId id,
                                         std::optional<std::int64_t> expected_version,
                                         SeriesScope scope) {
  ports::Mutation mutation = NewMutation(domain::ChangeKind::kDeleted, call);
  mutation.task_id = id;
  mutation.expected_version = expected_version;
  if (scope == SeriesScope::kDefault) {
    TODO_ASSIGN_OR_RETURN(ports::MutationResult result, store_.Apply(mutation));
    return std::move(result.task);
  }
  return ChangeAsRead(mutation, call.request_id.has_value(),
                      [&](const Task& task) { return PlanDelete(mutation, scope, task); });
}

absl::StatusOr<TaskService::Plan> TaskService::PlanDelete(const ports::Mutation& mutation,
                                                          SeriesScope scope, const Task& task) {
  Plan plan{.one = mutation, .series = {}};
  if (scope == SeriesScope::kThis) {
    plan.one.skips = task.series && task.fields.recurrence_rule && !task.completed;
    return plan;
  }
  if (!task.series) return plan;
  TODO_ASSIGN_OR_RETURN(std::vector<ports::SeriesMember> members, MembersOf(task));
  plan.series = DeleteFromSeries(mutation, task, std::move(members), scope);
  return plan;
}

absl::StatusOr<Task> TaskService::Skip(const CallContext& call, domain::TaskId id,
                                       std::optional<std::int64_t> expected_version) {
  ports::Mutation mutation = NewMutation(domain::ChangeKind::kDeleted, call);
  mutation.task_id = id;
  mutation.expected_version = expected_version;
  mutation.skips = true;
  return ChangeAsRead(
      mutation, call.request_id.has_value(), [&](const Task& task) -> absl::StatusOr<Plan> {
        if (!task.series || !task.fields.recurrence_rule) return DoesNotRecur();
        if (task.completed) {
          return util::WithReason(
              absl::FailedPreconditionError("the task is completed: there is nothing left to skip"),
              "TASK_COMPLETED");
        }
        return Plan{.one = mutation, .series = {}};
      });
}

absl::StatusOr<Task> TaskService::StopSeries(const CallContext& call, domain::TaskId id,
                                             std::optional<std::int64_t> expected_version) {
  ports::Mutation mutation = NewMutation(domain::ChangeKind::kUpdated, call);
  mutation.task_id = id;
  mutation.expected_version = expected_version;
  return ChangeAsRead(
      mutation, call.request_id.has_value(), [&](const Task& task) -> absl::StatusOr<Plan> {
        if (!task.series) return DoesNotRecur();
        TODO_ASSIGN_OR_RETURN(std::vector<ports::SeriesMember> members, MembersOf(task));
        return Plan{.one = mutation, .series = EndSeries(mutation, task, std::move(members))};
      });
}

absl::StatusOr<domain::SeriesPreview> TaskService::Preview(const domain::UserId& user,
                                                           const PreviewInput& input) {
  Violations violations;
  TaskFields fields;
  TODO_ASSIGN_OR_RETURN(fields.time_zone, ZoneFor(user, input.time_zone));
  fields.recurrence_rule = input.recurrence_rule;
  if (CheckTimeZone(fields.time_zone, violations) || !NeedsTimeZone(input.due)) {
    fields.due = ResolveDue(input.due, fields.time_zone, violations);
  }
  const bool due_is_good = violations.empty();
  if (!due_is_good) {
    CheckRule(input.recurrence_rule, violations);
  } else if (!StartSeriesOrExplain(fields, domain::Uuid(), violations) && input.may_end &&
             fields.due.kind != domain::DueKind::kNone &&
             absl::IsOutOfRange(domain::StartSeries(fields, domain::Uuid(), 1).status())) {
    return domain::PreviewEnd(fields);
  }
  if (!violations.empty()) return util::InvalidFields(violations);
  return domain::PreviewSeries(fields, input.count);
}

absl::StatusOr<ports::ChangePage> TaskService::ListChanges(const domain::UserId& user,
                                                           const ports::ChangeQuery& query) {
  return store_.ListChanges(user, query);
}

}  // namespace todo::service
