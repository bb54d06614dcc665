#include "service/tasks/task_service.h"

#include <fmt/format.h>

#include <algorithm>
#include <string_view>
#include <utility>

#include "domain/recurrence/recurrence_rule.h"
#include "domain/recurrence/recurring_task.h"
#include "domain/time_zone.h"
#include "util/status.h"
#include "util/utf8.h"

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
  if (!input.due_date && !input.due_local) return {};
  const absl::StatusOr<Due> due = input.due_local
                                      ? domain::ResolveLocalDue(*input.due_local, time_zone)
                                      : domain::ResolveInstantDue(*input.due_date);
  if (!due.ok()) {
    Add(violations, input.due_local ? "due_local" : "due_date", due.status());
    return {};
  }
  if (input.due_date && due->at != *input.due_date) {
    violations.push_back({"task.due_local",
                          "is given together with task.due_date, which is another point in time; "
                          "give only one of the two"});
  }
  return *due;
}

bool IsSet(const DueInput& due) { return due.due_date || due.due_local; }

/// Whether only the zone says what is due when.
bool NeedsTimeZone(const DueInput& due) { return due.due_local.has_value(); }

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

/// The position of a task of these fields, with which their rule starts. Preconditions: they have a
/// rule, their due date is in order, and the zone is known.
std::optional<domain::SeriesPosition> StartSeriesOrExplain(const TaskFields& fields,
                                                           const domain::Uuid& series_id,
                                                           std::int64_t occurrence,
                                                           Violations& violations) {
  const bool rule_is_good = CheckRule(*fields.recurrence_rule, violations);
  if (fields.due.kind == DueKind::kNone) {
    violations.push_back(
        {"task.recurrence_rule",
         "needs a due date to count from: set task.due_date or task.due_local too"});
    return std::nullopt;
  }
  if (!rule_is_good) return std::nullopt;
  absl::StatusOr<domain::SeriesPosition> series =
      domain::StartSeries(fields, series_id, occurrence);
  if (series.ok()) return *series;
  Add(violations, "recurrence_rule", series.status());
  return std::nullopt;
}

absl::Status CompletedIsHistory() {
  return util::WithReason(
      absl::FailedPreconditionError(
          "a completed task's schedule is history: change it on the next occurrence, or "
          "uncomplete this task first"),
      "TASK_COMPLETED");
}

absl::Status DoesNotRecur() {
  return util::WithReason(absl::FailedPreconditionError("the task does not recur"),
                          "TASK_NOT_RECURRING");
}

absl::Status HasLaterOccurrence() {
  return util::WithReason(
      absl::FailedPreconditionError(
          "a later occurrence of this series is there already: change the schedule on that one"),
      "LATER_OCCURRENCE_EXISTS");
}

/// What `patch` without its schedule comes to for a member of the series in its `role`.
domain::TaskPatch PatchForMember(const domain::TaskPatch& patch, const Task& task,
                                 SeriesRole role) {
  domain::TaskPatch member;
  if (role == SeriesRole::kHistory || role == SeriesRole::kBefore) return member;
  member.recurrence_basis = patch.recurrence_basis;
  member.series.emplace(*task.series);
  if (role == SeriesRole::kLast) {
    (*member.series)->following = domain::ChangedAfter(task, patch);
    return member;
  }
  member.title = patch.title;
  member.description = patch.description;
  member.priority = patch.priority;
  member.tags = patch.tags;
  (*member.series)->following = domain::ChangedFromHereOn(task.series->following, patch);
  return member;
}

/// What a scope does not allow.
void CheckScope(SeriesScope scope, const Task& task, const TaskFields& fields,
                Violations& violations) {
  if (!task.series || !task.fields.recurrence_rule || scope == SeriesScope::kDefault) return;
  constexpr std::string_view kOfTheSeries =
      "is the same for the whole series: give scope FOLLOWING or ALL, or none";
  if (scope != SeriesScope::kThis) {
    if (fields.recurrence_rule) return;
    violations.push_back({"task.recurrence_rule",
                          "cannot be cleared with a scope: call StopSeries to end the series"});
    return;
  }
  if (fields.recurrence_rule != task.fields.recurrence_rule) {
    violations.push_back({"task.recurrence_rule", std::string(kOfTheSeries)});
  }
  if (fields.recurrence_basis != task.fields.recurrence_basis) {
    violations.push_back({"task.recurrence_basis", std::string(kOfTheSeries)});
  }
}

/// Whether only now it matters in which zone the task is, which has none of its own so far.
bool IsFirstDue(const UpdateTaskInput& input, const Task& task) {
  return input.due && IsSet(*input.due) && task.fields.due.kind == DueKind::kNone &&
         task.fields.time_zone == TaskFields().time_zone;
}

/// The fields of `task` as `input`, where a zone has its name, makes them.
TaskFields Updated(const Task& task, const UpdateTaskInput& input, Violations& violations) {
  TaskFields fields = task.fields;
  if (input.title) fields.title = *input.title;
  if (input.description) fields.description = *input.description;
  if (input.priority) fields.priority = *input.priority;
  if (input.tags) fields.tags = *input.tags;
  if (input.time_zone) fields.time_zone = **input.time_zone;
  if (input.recurrence_rule) fields.recurrence_rule = *input.recurrence_rule;
  if (input.basis) fields.recurrence_basis = *input.basis;
  if (input.due) {
    fields.due = ResolveDue(*input.due, fields.time_zone, violations);
  } else if (fields.due.kind == DueKind::kDate || fields.due.kind == DueKind::kLocal) {
    // The same wall-clock time in the new zone.
    fields.due = ResolveDue({.due_date = {}, .due_local = FormatDueLocal(fields.due)},
                            fields.time_zone, violations);
  }
  return fields;
}

/// Whether the texts say the same, however they spell it.
bool IsSameRule(const std::optional<std::string>& one, const std::optional<std::string>& other) {
  if (one == other) return true;
  if (!one || !other) return false;
  const absl::StatusOr<domain::RecurrenceRule> rule = domain::ParseRecurrenceRule(*one);
  const absl::StatusOr<domain::RecurrenceRule> same = domain::ParseRecurrenceRule(*other);
  return rule.ok() && same.ok() && *rule == *same;
}

bool ReachesOnwards(SeriesScope scope) {
  return scope == SeriesScope::kFollowing || scope == SeriesScope::kAll;
}

/// Where `input`, which makes `fields` of `task`, puts the series, as far as it changes that. With
/// a scope that reaches onwards a due date is the series'; else only one that is new, with a new
/// rule.
domain::SeriesPlace PlaceFor(const UpdateTaskInput& input, const Task& task,
                             const TaskFields& fields) {
  if (!input.due) return domain::SeriesPlace::kScheduled;
  if (ReachesOnwards(input.scope)) return domain::SeriesPlace::kDue;
  UpdateTaskInput without = input;
  without.due.reset();
  Violations known;  // `fields` have them too
  return fields.due == Updated(task, without, known).due ? domain::SeriesPlace::kScheduled
                                                         : domain::SeriesPlace::kDue;
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
  Violations violations;
  ports::Mutation mutation = NewMutation(domain::ChangeKind::kCreated, call);
  TaskFields& fields = mutation.fields;
  // Nothing depends on the zone of a task without a due date: it gets it with that.
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
      mutation.series = StartSeriesOrExplain(fields, ids_.NewId(), 1, violations);
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
  Violations violations;
  if (input.title) domain::CheckTitle(*input.title, "task.", violations);
  if (input.description) domain::CheckDescription(*input.description, "task.", violations);
  if (input.tags) domain::CheckTags(*input.tags, "task.", violations);
  // What can be said without knowing the task is said before the database is asked.
  const std::optional<std::string> named_zone = input.time_zone.value_or(std::nullopt);
  const bool zone_is_known = named_zone && CheckTimeZone(*named_zone, violations);
  if (input.due && (zone_is_known || !NeedsTimeZone(*input.due))) {
    ResolveDue(*input.due, named_zone.value_or("UTC"), violations);
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
  mutation.patch.recurrence_rule = input.recurrence_rule;
  mutation.patch.recurrence_basis = input.basis;
  const bool schedule = input.due || input.time_zone || input.recurrence_rule || input.basis;
  if (!schedule && input.scope == SeriesScope::kDefault) {
    TODO_ASSIGN_OR_RETURN(ports::MutationResult result, store_.Apply(mutation));
    return std::move(result.task);
  }
  return ChangeAsRead(mutation, call.request_id.has_value(),
                      [&](const Task& task) { return PlanUpdate(mutation, input, task); });
}

absl::StatusOr<TaskService::Plan> TaskService::PlanUpdate(ports::Mutation mutation,
                                                          UpdateTaskInput input, const Task& task) {
  if (!input.time_zone && IsFirstDue(input, task)) input.time_zone.emplace();
  if (input.time_zone) {
    TODO_ASSIGN_OR_RETURN(mutation.patch.time_zone, ZoneFor(mutation.user, *input.time_zone));
    input.time_zone = mutation.patch.time_zone;
  }
  if (input.recurrence_rule && IsSameRule(*input.recurrence_rule, task.fields.recurrence_rule)) {
    input.recurrence_rule = task.fields.recurrence_rule;  // the text stays too
    mutation.patch.recurrence_rule = task.fields.recurrence_rule;
  }
  const bool onwards = ReachesOnwards(input.scope);
  Violations violations;
  TaskFields fields = Updated(task, input, violations);
  const bool new_rule = fields.recurrence_rule != task.fields.recurrence_rule;
  const bool recurs = task.series && task.fields.recurrence_rule;
  const bool moves =
      onwards && (fields.due != task.fields.due || fields.time_zone != task.fields.time_zone ||
                  (input.due && recurs && domain::IsMovedAlone(task)));
  // Its points in time stay, so what the rule counts from is another wall-clock time.
  const bool rezones = input.scope == SeriesScope::kDefault && recurs && !new_rule &&
                       !task.completed && fields.time_zone != task.fields.time_zone &&
                       domain::IsSeriesOfInstants(task);
  CheckScope(input.scope, task, fields, violations);

  std::optional<domain::SeriesPosition> series = task.series;
  if (!fields.recurrence_rule) {
    if (new_rule && task.completed) return CompletedIsHistory();
  } else if (!violations.empty()) {
    if (new_rule) CheckRule(*fields.recurrence_rule, violations);
  } else if (fields.due.kind == DueKind::kNone && !new_rule) {
    violations.push_back(
        {"task.due_date", "cannot be cleared while the task recurs: clear recurrence_rule too"});
  } else if ((new_rule || moves) && task.completed) {
    return CompletedIsHistory();
  } else if (new_rule) {
    series = RestartSeries(task, fields, PlaceFor(input, task, fields), violations);
  } else if (moves || rezones) {
    const domain::SeriesPlace place =
        moves ? PlaceFor(input, task, fields) : domain::SeriesPlace::kScheduled;
    absl::StatusOr<domain::SeriesPosition> moved = domain::MoveSeries(task, fields, place);
    if (!moved.ok()) {
      Add(violations,
          place == domain::SeriesPlace::kScheduled ? "time_zone"
          : input.due->due_local                   ? "due_local"
                                                   : "due_date",
          moved.status());
    } else {
      series = *std::move(moved);
    }
  }
  if (!onwards && !new_rule && recurs && violations.empty()) {
    // A due date is this occurrence's alone; whether those after it are days, wall-clock times or
    // instants does not follow from it.
    TaskFields here = input.scope == SeriesScope::kThis ? fields : task.fields;
    here.due = fields.due;
    Task as_moved = task;
    as_moved.series = series;
    series->following = domain::ChangedHereAlone(as_moved, here);
  }
  if (!violations.empty()) return util::InvalidFields(violations);

  Plan plan{.one = mutation, .series = {}};
  domain::TaskPatch& patch = plan.one.patch;
  patch.due = fields.due;
  if (new_rule || moves || rezones)
    patch.recurrence_rule = fields.recurrence_rule;  // COUNT may have moved
  if (onwards && series)
    series->following = domain::ChangedFromHereOn(series->following, mutation.patch);
  if (series != task.series) patch.series = series;
  const bool restarts = fields.recurrence_rule && (new_rule || moves);
  if (!task.series || !(restarts || onwards)) return plan;

  TODO_ASSIGN_OR_RETURN(std::vector<ports::SeriesMember> members, MembersOf(task));
  if (restarts && !IsNewest(task, members)) return HasLaterOccurrence();
  if (!onwards) {
    plan.series = {.first = plan.one,
                   .others = {},
                   .series_id = task.series->series_id,
                   .seen = std::move(members)};
    return plan;
  }
  plan.series = PlanForSeries(
      task, std::move(members), input.scope, [&](const Task& member, SeriesRole role) {
        ports::Mutation change = mutation;
        const bool named = member.id == task.id &&
                           (role == SeriesRole::kOpen || input.scope == SeriesScope::kFollowing);
        change.patch = named ? patch : PatchForMember(mutation.patch, member, role);
        return change;
      });
  return plan;
}

std::optional<domain::SeriesPosition> TaskService::RestartSeries(const Task& task,
                                                                 TaskFields& fields,
                                                                 domain::SeriesPlace place,
                                                                 Violations& violations) {
  if (!task.series || fields.due.kind == DueKind::kNone)
    return StartSeriesOrExplain(fields, ids_.NewId(), 1, violations);
  if (!CheckRule(*fields.recurrence_rule, violations)) return std::nullopt;
  // A task stays in its series: so it stays the next occurrence of the one before it, which must
  // not get another. Of a task that did not recur any more the due date is where it starts.
  absl::StatusOr<domain::SeriesPosition> series = domain::RestartSeries(
      task, fields, task.fields.recurrence_rule ? place : domain::SeriesPlace::kDue);
  if (series.ok()) return *std::move(series);
  Add(violations, "recurrence_rule", series.status());
  return std::nullopt;
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
  // What is right depends on the task, and for a series on its other tasks; so they are read, and
  // the change is written on condition that they are still as they were.
  constexpr int kAttempts = 5;
  for (int attempt = 1;; ++attempt) {
    const absl::StatusOr<Task> task = store_.Get(call.user, call.task_id);
    absl::StatusOr<Plan> plan = task.ok() ? plan_for(*task) : task.status();
    if (!plan.ok()) {
      // This may be the repetition of a call that once succeeded: no task has version 0, so nothing
      // can be changed by asking.
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
        other.expected_version.reset();  // the whole series must be as it was seen
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
  return ChangeAsRead(
      mutation, call.request_id.has_value(), [&](const Task& task) -> absl::StatusOr<Plan> {
        Plan plan{.one = mutation, .series = {}};
        if (scope == SeriesScope::kThis) {
          plan.one.skips = task.series && task.fields.recurrence_rule && !task.completed;
          return plan;
        }
        if (!task.series) return plan;
        TODO_ASSIGN_OR_RETURN(auto members, MembersOf(task));
        plan.series = PlanForSeries(
            task, std::move(members), scope, [&](const Task& member, SeriesRole role) {
              ports::Mutation change = mutation;
              const bool named = member.id == task.id && scope == SeriesScope::kFollowing;
              if (role != SeriesRole::kOpen && !named) change.kind = domain::ChangeKind::kUpdated;
              if (role == SeriesRole::kLast) change.patch.recurrence_rule.emplace();
              return change;
            });
        const Task* before =
            scope == SeriesScope::kFollowing ? TaskBefore(task, plan.series->seen) : nullptr;
        if (before != nullptr && !before->completed) {
          // It would bring the series back when it is done.
          ports::Mutation end = mutation;
          end.kind = domain::ChangeKind::kUpdated;
          end.task_id = before->id;
          end.patch.recurrence_rule.emplace();
          plan.series->others.push_back(std::move(end));
        }
        return plan;
      });
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
  return ChangeAsRead(mutation, call.request_id.has_value(),
                      [&](const Task& task) -> absl::StatusOr<Plan> {
                        if (!task.series) return DoesNotRecur();
                        Plan plan{.one = mutation, .series = {}};
                        TODO_ASSIGN_OR_RETURN(auto members, MembersOf(task));
                        plan.series = PlanForSeries(task, std::move(members), SeriesScope::kAll,
                                                    [&](const Task&, SeriesRole role) {
                                                      ports::Mutation change = mutation;
                                                      if (role != SeriesRole::kHistory)
                                                        change.patch.recurrence_rule.emplace();
                                                      return change;
                                                    });
                        return plan;
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
  if (violations.empty()) {
    StartSeriesOrExplain(fields, domain::Uuid(), 1, violations);
  } else {
    CheckRule(input.recurrence_rule, violations);
  }
  if (!violations.empty()) return util::InvalidFields(violations);
  return domain::PreviewSeries(fields, input.count);
}

absl::StatusOr<ports::ChangePage> TaskService::ListChanges(const domain::UserId& user,
                                                           std::int64_t after_seq, int limit) {
  return store_.ListChanges(user, after_seq, limit);
}

}  // namespace todo::service
