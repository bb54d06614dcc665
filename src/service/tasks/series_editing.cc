#include "service/tasks/series_editing.h"

#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "domain/recurrence/recurrence_rule.h"
#include "domain/recurrence/recurring_task.h"
#include "service/tasks/task_input_checks.h"
#include "util/require.h"
#include "util/status.h"

namespace todo::service {
namespace {

using domain::DueKind;
using domain::SeriesPlace;
using domain::SeriesPosition;
using domain::Task;
using domain::TaskFields;

absl::Status CompletedIsHistory() {
  return util::WithReason(
      absl::FailedPreconditionError(
          "the schedule of a completed task is history: change it on the next occurrence, or "
          "uncomplete this task first"),
      "TASK_COMPLETED");
}

absl::Status HasLaterOccurrence() {
  return util::WithReason(
      absl::FailedPreconditionError(
          "this series already has a later occurrence: change the schedule on that one"),
      "LATER_OCCURRENCE_EXISTS");
}

/// The fields of `task` after the update.
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
    // An unchanged wall-clock time, in the new zone.
    fields.due = ResolveDue({.due_date = {}, .due_local = FormatDueLocal(fields.due)},
                            fields.time_zone, violations);
  }
  return fields;
}

/// Whether the texts are equal rules, however they are spelled.
bool IsSameRule(const std::optional<std::string>& one, const std::optional<std::string>& other) {
  if (one == other) return true;
  if (!one || !other) return false;
  const absl::StatusOr<domain::RecurrenceRule> rule = domain::ParseRecurrenceRule(*one);
  const absl::StatusOr<domain::RecurrenceRule> same = domain::ParseRecurrenceRule(*other);
  return rule.ok() && same.ok() && *rule == *same;
}

/// An update, compared with the task that it changes.
struct Comparison {
  Comparison(const Task& task_before, const UpdateTaskInput& update, Violations& violations)
      : task(task_before),
        input(update),
        fields(Updated(task, input, violations)),
        recurs(task.series && task.fields.recurrence_rule),
        onwards(ReachesOnwards(input.scope)),
        new_rule(fields.recurrence_rule != task.fields.recurrence_rule) {
    const bool new_zone = fields.time_zone != task.fields.time_zone;
    moves = onwards && (fields.due != task.fields.due || new_zone ||
                        (input.due && recurs && domain::IsMovedAlone(task)));
    rezones = input.scope == SeriesScope::kDefault && recurs && !new_rule && !task.completed &&
              new_zone && domain::IsSeriesOfInstants(task);
  }

  const Task& task;
  const UpdateTaskInput& input;
  TaskFields fields;  // of the task after the update
  bool recurs;        // before the update
  bool onwards;       // occurrences to come change too
  bool new_rule;
  bool moves = false;    // the series goes to another place
  bool rezones = false;  // the points in time stay, so the rule counts from another wall-clock time
};

/// Appends what the scope does not allow.
void CheckScope(const Comparison& update, Violations& violations) {
  const SeriesScope scope = update.input.scope;
  if (!update.recurs || scope == SeriesScope::kDefault) return;
  constexpr std::string_view kOfTheSeries =
      "is common to the whole series: give scope FOLLOWING or ALL, or none";
  if (scope != SeriesScope::kThis) {
    if (update.fields.recurrence_rule) return;
    violations.push_back({"task.recurrence_rule",
                          "cannot be cleared with a scope: call StopSeries to end the series"});
    return;
  }
  if (update.new_rule) violations.push_back({"task.recurrence_rule", std::string(kOfTheSeries)});
  if (update.fields.recurrence_basis != update.task.fields.recurrence_basis) {
    violations.push_back({"task.recurrence_basis", std::string(kOfTheSeries)});
  }
}

/// Where the update puts the series. With a scope that reaches onwards, a due date is that of the
/// series; with another, only a due date that is new, given together with a new rule.
SeriesPlace PlaceOf(const Comparison& update) {
  if (!update.input.due) return SeriesPlace::kScheduled;
  if (update.onwards) return SeriesPlace::kDue;
  UpdateTaskInput without = update.input;
  without.due.reset();
  Violations known;  // reported for the update already
  return update.fields.due == Updated(update.task, without, known).due ? SeriesPlace::kScheduled
                                                                       : SeriesPlace::kDue;
}

/// The position with a new rule. The rule in `update.fields` may be spelled out anew.
std::optional<SeriesPosition> Restarted(Comparison& update, ports::IdSource& ids,
                                        Violations& violations) {
  const Task& task = update.task;
  TaskFields& fields = update.fields;
  if (!task.series || fields.due.kind == DueKind::kNone)
    return StartSeriesOrExplain(fields, ids.NewId(), violations);
  if (!CheckRule(*fields.recurrence_rule, violations)) return std::nullopt;
  // A task stays in its series, so it remains the next occurrence of the one before it, which must
  // not get another. A task that no longer recurred starts again at its due date.
  const SeriesPlace place = task.fields.recurrence_rule ? PlaceOf(update) : SeriesPlace::kDue;
  absl::StatusOr<SeriesPosition> series = domain::RestartSeries(task, fields, place);
  if (series.ok()) return *std::move(series);
  AddViolation(violations, "recurrence_rule", series.status());
  return std::nullopt;
}

/// The position at another place or in another zone, with an unchanged rule. COUNT in
/// `update.fields` may change.
std::optional<SeriesPosition> Moved(Comparison& update, Violations& violations) {
  const SeriesPlace place = update.moves ? PlaceOf(update) : SeriesPlace::kScheduled;
  absl::StatusOr<SeriesPosition> moved = domain::MoveSeries(update.task, update.fields, place);
  if (moved.ok()) return *std::move(moved);
  const std::string_view field = place == SeriesPlace::kScheduled ? "time_zone"
                                 : update.input.due->due_local    ? "due_local"
                                                                  : "due_date";
  AddViolation(violations, field, moved.status());
  return update.task.series;
}

/// The position of the task after the update.
absl::StatusOr<std::optional<SeriesPosition>> PositionAfter(Comparison& update,
                                                            ports::IdSource& ids,
                                                            Violations& violations) {
  const Task& task = update.task;
  const TaskFields& fields = update.fields;
  if (!fields.recurrence_rule) {
    if (update.new_rule && task.completed) return CompletedIsHistory();
    return task.series;
  }
  if (!violations.empty()) {
    if (update.new_rule) CheckRule(*fields.recurrence_rule, violations);
    return task.series;
  }
  if (fields.due.kind == DueKind::kNone && !update.new_rule) {
    violations.push_back(
        {"task.due_date", "cannot be cleared while the task recurs: clear recurrence_rule too"});
    return task.series;
  }
  if ((update.new_rule || update.moves) && task.completed) return CompletedIsHistory();
  if (update.new_rule) return Restarted(update, ids, violations);
  if (update.moves || update.rezones) return Moved(update, violations);
  return task.series;
}

/// The fields that occurrences to come take, after an update of this occurrence alone: a due date
/// is always of this occurrence alone, the other fields only with scope kThis.
domain::FollowingFields FollowingAfter(const Comparison& update, const SeriesPosition& series) {
  TaskFields here = update.input.scope == SeriesScope::kThis ? update.fields : update.task.fields;
  here.due = update.fields.due;
  Task as_moved = update.task;
  as_moved.series = series;
  return domain::ChangedHereAlone(as_moved, here);
}

/// What `patch`, without its schedule, means for a member of the series in its `role`.
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

}  // namespace

bool ReachesOnwards(SeriesScope scope) {
  return scope == SeriesScope::kFollowing || scope == SeriesScope::kAll;
}

bool ChangesSchedule(const UpdateTaskInput& input) {
  return input.due || input.time_zone || input.recurrence_rule || input.basis;
}

bool IsFirstDue(const UpdateTaskInput& input, const Task& task) {
  return input.due && IsSet(*input.due) && task.fields.due.kind == DueKind::kNone &&
         task.fields.time_zone == TaskFields().time_zone;
}

absl::StatusOr<TaskEdit> EditTask(ports::Mutation mutation, UpdateTaskInput input, const Task& task,
                                  ports::IdSource& ids) {
  TODO_REQUIRE(!input.time_zone || *input.time_zone);
  if (input.recurrence_rule && IsSameRule(*input.recurrence_rule, task.fields.recurrence_rule)) {
    input.recurrence_rule = task.fields.recurrence_rule;  // keeps its spelling
    mutation.patch.recurrence_rule = task.fields.recurrence_rule;
  }
  Violations violations;
  Comparison update(task, input, violations);
  CheckScope(update, violations);
  TODO_ASSIGN_OR_RETURN(std::optional<SeriesPosition> series,
                        PositionAfter(update, ids, violations));
  if (!violations.empty()) return util::InvalidFields(violations);
  if (!update.onwards && !update.new_rule && update.recurs)
    series->following = FollowingAfter(update, *series);
  if (update.onwards && series)
    series->following = domain::ChangedFromHereOn(series->following, mutation.patch);

  TaskEdit edit{.asked = std::move(mutation), .patch = {}};
  edit.patch = edit.asked.patch;
  edit.patch.due = update.fields.due;
  if (update.new_rule || update.moves || update.rezones)
    edit.patch.recurrence_rule = update.fields.recurrence_rule;  // COUNT may have changed
  if (series != task.series) edit.patch.series = series;
  edit.restarts = update.fields.recurrence_rule && (update.new_rule || update.moves);
  return edit;
}

absl::StatusOr<ports::SeriesMutation> EditSeries(const TaskEdit& edit, const Task& task,
                                                 std::vector<ports::SeriesMember> members,
                                                 SeriesScope scope) {
  if (edit.restarts && !IsNewest(task, members)) return HasLaterOccurrence();
  if (!ReachesOnwards(scope)) {
    ports::Mutation alone = edit.asked;
    alone.patch = edit.patch;
    return ports::SeriesMutation{.first = std::move(alone),
                                 .others = {},
                                 .series_id = task.series->series_id,
                                 .seen = std::move(members)};
  }
  return PlanForSeries(task, std::move(members), scope, [&](const Task& member, SeriesRole role) {
    ports::Mutation change = edit.asked;
    const bool named =
        member.id == task.id && (role == SeriesRole::kOpen || scope == SeriesScope::kFollowing);
    change.patch = named ? edit.patch : PatchForMember(edit.asked.patch, member, role);
    return change;
  });
}

ports::SeriesMutation DeleteFromSeries(const ports::Mutation& mutation, const Task& task,
                                       std::vector<ports::SeriesMember> members,
                                       SeriesScope scope) {
  ports::SeriesMutation plan =
      PlanForSeries(task, std::move(members), scope, [&](const Task& member, SeriesRole role) {
        ports::Mutation change = mutation;
        const bool named = member.id == task.id && scope == SeriesScope::kFollowing;
        if (role != SeriesRole::kOpen && !named) change.kind = domain::ChangeKind::kUpdated;
        if (role == SeriesRole::kLast) change.patch.recurrence_rule.emplace();
        return change;
      });
  const Task* before = scope == SeriesScope::kFollowing ? TaskBefore(task, plan.seen) : nullptr;
  if (before != nullptr && !before->completed) {
    // Its completion would bring the series back.
    ports::Mutation end = mutation;
    end.kind = domain::ChangeKind::kUpdated;
    end.task_id = before->id;
    end.patch.recurrence_rule.emplace();
    plan.others.push_back(std::move(end));
  }
  return plan;
}

ports::SeriesMutation EndSeries(const ports::Mutation& mutation, const Task& task,
                                std::vector<ports::SeriesMember> members) {
  return PlanForSeries(task, std::move(members), SeriesScope::kAll,
                       [&mutation](const Task&, SeriesRole role) {
                         ports::Mutation change = mutation;
                         if (role != SeriesRole::kHistory) change.patch.recurrence_rule.emplace();
                         return change;
                       });
}

}  // namespace todo::service
