#include "service/task_service.h"

#include <fmt/format.h>

#include <string_view>
#include <utility>

#include "domain/recurrence_rule.h"
#include "domain/recurring_task.h"
#include "domain/time_zone.h"
#include "util/status.h"

namespace todo::service {
namespace {

using domain::Due;
using domain::DueKind;
using domain::Task;
using domain::TaskFields;
using util::FieldViolation;
using Violations = std::vector<FieldViolation>;

void Add(Violations& violations, std::string_view field, const absl::Status& status) {
  // Who speaks is said in logs; here the field says it.
  constexpr std::string_view kSpeaker = "recurrence rule: ";
  std::string_view text = util::FromAbsl(status.message());
  if (text.starts_with(kSpeaker)) text.remove_prefix(kSpeaker.size());
  violations.push_back({fmt::format("task.{}", field), std::string(text)});
}

/// What the user's due date comes to in `time_zone`.
Due ResolveDue(const DueInput& input, const std::string& time_zone, Violations& violations) {
  if (input.due_date && input.due_local) {
    violations.push_back(
        {"task.due_local", "is given together with task.due_date; give only one of the two"});
    return {};
  }
  if (!input.due_date && !input.due_local) return {};
  const absl::StatusOr<Due> due = input.due_local
                                      ? domain::ResolveLocalDue(*input.due_local, time_zone)
                                      : domain::ResolveInstantDue(*input.due_date);
  if (due.ok()) return *due;
  Add(violations, input.due_local ? "due_local" : "due_date", due.status());
  return {};
}

/// Whether only the zone says what is due when.
bool NeedsTimeZone(const DueInput& due) { return due.due_local && !due.due_date; }

/// Whether the zone is known; a violation when it is not.
bool CheckTimeZone(const std::string& time_zone, Violations& violations) {
  const absl::StatusOr<domain::TimeZone> zone = domain::TimeZone::Load(time_zone);
  if (!zone.ok()) Add(violations, "time_zone", zone.status());
  return zone.ok();
}

/// What is wrong with the text of a rule, whatever the rest of the task is.
bool CheckRule(std::string_view rule, Violations& violations) {
  const absl::Status status = domain::ParseRecurrenceRule(rule).status();
  if (!status.ok()) Add(violations, "recurrence_rule", status);
  return status.ok();
}

/// The series that starts with a task of these fields. Preconditions: they have a rule, their due
/// date is in order, and the zone is known.
std::optional<domain::SeriesPosition> StartSeries(const TaskFields& fields,
                                                  const domain::Uuid& series_id,
                                                  Violations& violations) {
  const bool rule_is_good = CheckRule(*fields.recurrence_rule, violations);
  if (fields.due.kind == DueKind::kNone) {
    violations.push_back(
        {"task.recurrence_rule",
         "needs a due date to count from: set task.due_date or task.due_local too"});
    return std::nullopt;
  }
  if (!rule_is_good) return std::nullopt;
  absl::StatusOr<domain::SeriesPosition> series = domain::StartSeries(fields, series_id);
  if (series.ok()) return *series;
  Add(violations, "recurrence_rule", series.status());
  return std::nullopt;
}

absl::Status CompletedIsHistory() {
  return util::WithReason(
      absl::FailedPreconditionError(
          "a completed task's rule cannot change: change it on the next occurrence, or "
          "uncomplete this task first"),
      "TASK_COMPLETED");
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

absl::StatusOr<Task> TaskService::Create(const CallContext& call, const CreateTaskInput& input) {
  Violations violations;
  ports::Mutation mutation = NewMutation(domain::ChangeKind::kCreated, call);
  TaskFields& fields = mutation.fields;
  fields.title = input.title;
  fields.description = input.description;
  fields.priority = input.priority.value_or(domain::Priority::kMedium);
  fields.tags = input.tags;
  fields.time_zone = input.time_zone.value_or("UTC");
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
      mutation.series = StartSeries(fields, ids_.NewId(), violations);
    } else {
      CheckRule(*fields.recurrence_rule, violations);
    }
  }
  if (!violations.empty()) return util::InvalidFields(violations);

  TODO_ASSIGN_OR_RETURN(ports::MutationResult result, store_.Apply(mutation));
  return std::move(result.task);
}

absl::StatusOr<Task> TaskService::Get(const domain::UserId& user, domain::TaskId id) {
  return store_.Get(user, id);
}

absl::StatusOr<ports::TaskPage> TaskService::List(const domain::UserId& user,
                                                  const ports::TaskQuery& query) {
  Violations violations;
  if (query.tag && !domain::CountCharacters(*query.tag)) {
    violations.push_back({"filter.tag", "must be valid UTF-8 without NUL characters"});
  }
  if (!domain::CountCharacters(query.text)) {
    violations.push_back({"filter.text", "must be valid UTF-8 without NUL characters"});
  }
  if (!violations.empty()) return util::InvalidFields(violations);
  return store_.List(user, query);
}

absl::StatusOr<Task> TaskService::Update(const CallContext& call, const UpdateTaskInput& input) {
  Violations violations;
  if (input.title) domain::CheckTitle(*input.title, "task.", violations);
  if (input.description) domain::CheckDescription(*input.description, "task.", violations);
  if (input.tags) domain::CheckTags(*input.tags, "task.", violations);
  // What can be said without knowing the task is said before the database is asked.
  const bool zone_is_known = input.time_zone && CheckTimeZone(*input.time_zone, violations);
  if (input.due && (zone_is_known || !NeedsTimeZone(*input.due))) {
    ResolveDue(*input.due, input.time_zone.value_or("UTC"), violations);
  }
  // A rule that stays as it is may be sent along, so its text alone is no reason to refuse.
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
  mutation.patch.time_zone = input.time_zone;
  mutation.patch.recurrence_rule = input.recurrence_rule;
  mutation.patch.recurrence_basis = input.basis;
  if (input.due || input.time_zone || input.recurrence_rule || input.basis) {
    return UpdateSchedule(std::move(mutation), input, call.request_id.has_value());
  }
  TODO_ASSIGN_OR_RETURN(ports::MutationResult result, store_.Apply(mutation));
  return std::move(result.task);
}

absl::StatusOr<Task> TaskService::UpdateSchedule(ports::Mutation mutation,
                                                 const UpdateTaskInput& input,
                                                 bool caller_names_request) {
  // Due date, zone and rule are valid only together, so the task is read, checked with the changes,
  // and written on condition that nobody changed it in between.
  const auto prepare = [&]() -> absl::Status {
    TODO_ASSIGN_OR_RETURN(const Task task, store_.Get(mutation.user, input.id));
    mutation.expected_version = input.expected_version.value_or(task.version);
    mutation.patch.series.reset();  // of an attempt before

    Violations violations;
    TaskFields fields = task.fields;
    if (input.time_zone) fields.time_zone = *input.time_zone;
    if (input.recurrence_rule) fields.recurrence_rule = *input.recurrence_rule;
    if (input.basis) fields.recurrence_basis = *input.basis;
    if (input.due) {
      fields.due = ResolveDue(*input.due, fields.time_zone, violations);
    } else if (fields.due.kind == DueKind::kDate || fields.due.kind == DueKind::kLocal) {
      // The same wall-clock time in the new zone.
      fields.due = ResolveDue({.due_date = {}, .due_local = FormatDueLocal(fields.due)},
                              fields.time_zone, violations);
    }
    if (violations.empty() && fields.recurrence_rule) {
      if (fields.recurrence_rule != task.fields.recurrence_rule) {
        if (task.completed) return CompletedIsHistory();
        mutation.patch.series = StartSeries(fields, ids_.NewId(), violations);
      } else if (fields.due.kind == DueKind::kNone) {
        violations.push_back(
            {"task.due_date",
             "cannot be cleared while the task recurs: clear recurrence_rule too"});
      }
    } else if (fields.recurrence_rule) {
      if (fields.recurrence_rule != task.fields.recurrence_rule) {
        CheckRule(*fields.recurrence_rule, violations);
      }
    } else if (task.fields.recurrence_rule && task.completed) {
      return CompletedIsHistory();
    }
    if (!violations.empty()) return util::InvalidFields(violations);
    mutation.patch.due = fields.due;
    return absl::OkStatus();
  };

  constexpr int kAttempts = 5;
  for (int attempt = 1;; ++attempt) {
    if (absl::Status status = prepare(); !status.ok()) {
      // This may be the repetition of a call that once succeeded: no task has version 0, so nothing
      // can be changed by asking.
      if (caller_names_request) {
        mutation.expected_version = 0;
        if (auto first = store_.Apply(mutation); first.ok()) return std::move(first->task);
      }
      return status;
    }
    absl::StatusOr<ports::MutationResult> result = store_.Apply(mutation);
    if (result.ok()) return std::move(result->task);
    if (!absl::IsAborted(result.status()) || input.expected_version || attempt == kAttempts)
      return result.status();
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
                                         std::optional<std::int64_t> expected_version) {
  ports::Mutation mutation = NewMutation(domain::ChangeKind::kDeleted, call);
  mutation.task_id = id;
  mutation.expected_version = expected_version;
  TODO_ASSIGN_OR_RETURN(ports::MutationResult result, store_.Apply(mutation));
  return std::move(result.task);
}

absl::StatusOr<ports::ChangePage> TaskService::ListChanges(const domain::UserId& user,
                                                           std::int64_t after_seq, int limit) {
  return store_.ListChanges(user, after_seq, limit);
}

}  // namespace todo::service
