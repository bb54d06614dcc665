#include "domain/recurring_task.h"

#include <algorithm>
#include <utility>

#include "domain/recurrence.h"
#include "domain/recurrence_rule.h"
#include "domain/time_zone.h"

namespace todo::domain {
namespace {

/// The wall-clock time of `due` in `zone`.
absl::CivilSecond LocalOf(const Due& due, const TimeZone& zone) {
  return due.kind == DueKind::kInstant ? zone.ToLocal(due.at) : due.local;
}

Due DueOf(const Recurrence::Occurrence& occurrence, DueKind kind) {
  return {.kind = kind,
          .local = kind == DueKind::kInstant ? absl::CivilSecond() : occurrence.local,
          .at = occurrence.at};
}

absl::StatusOr<Recurrence> RecurrenceOf(const TaskFields& fields, absl::CivilSecond anchor) {
  TODO_ASSIGN_OR_RETURN(TimeZone zone, TimeZone::Load(fields.time_zone));
  return Recurrence::Parse({.rule = fields.recurrence_rule.value_or(""),
                            .anchor = anchor,
                            .zone = std::move(zone),
                            .all_day = fields.due.kind == DueKind::kDate});
}

/// Calls `visit` with each field that a task can have for itself alone and its place among what
/// follows; due kind and zone apart, which belong to the schedule.
template <typename Visit>
void ForEachText(const Visit& visit) {
  visit(&TaskFields::title, &FollowingFields::title, &TaskPatch::title);
  visit(&TaskFields::description, &FollowingFields::description, &TaskPatch::description);
  visit(&TaskFields::priority, &FollowingFields::priority, &TaskPatch::priority);
  visit(&TaskFields::tags, &FollowingFields::tags, &TaskPatch::tags);
}

/// `kept` is what follows where it differs from `now`, which was `was`.
template <typename T>
void Keep(std::optional<T>& kept, const T& was, const T& now) {
  if (!kept) kept = was;
  if (*kept == now) kept.reset();
}

/// What the next occurrence takes from `task`, its date apart.
TaskFields FieldsAfter(const Task& task) {
  TaskFields fields = task.fields;
  const FollowingFields& following = task.series->following;
  ForEachText([&](auto field, auto kept, auto) {
    if (following.*kept) fields.*field = *(following.*kept);
  });
  if (following.due_kind) fields.due.kind = *following.due_kind;
  if (following.time_zone) fields.time_zone = *following.time_zone;
  return fields;
}

/// How many occurrences COUNT leaves from `task` on, itself included; nullopt: no COUNT.
std::optional<int> LeftOf(const Task& task, const RecurrenceRule& rule,
                          const absl::StatusOr<Recurrence>& recurrence) {
  if (!rule.count) return std::nullopt;
  std::int64_t passed = task.series->occurrence - task.series->rule_since;
  if (task.fields.recurrence_basis == RecurrenceBasis::kSchedule) {
    if (!recurrence.ok()) return 1;
    const auto next = recurrence->NextAfter(recurrence->zone().ToInstant(task.series->scheduled));
    passed = next ? next->number - 2 : *rule.count - 1;
  }
  return static_cast<int>(std::max<std::int64_t>(1, *rule.count - passed));
}

/// Whether the series has something after `scheduled`, its COUNT apart.
bool GoesOn(const absl::StatusOr<Recurrence>& recurrence, absl::CivilSecond scheduled,
            RecurrenceBasis basis) {
  if (!recurrence.ok()) return false;
  // Counted from completions, the rule starts anew on a day that nobody knows yet.
  if (basis == RecurrenceBasis::kCompletion) return true;
  return recurrence->NextAfter(recurrence->zone().ToInstant(scheduled)).has_value();
}

}  // namespace

absl::StatusOr<SeriesPosition> StartSeries(const TaskFields& fields, const Uuid& series_id,
                                           std::int64_t occurrence) {
  TODO_ASSIGN_OR_RETURN(const TimeZone zone, TimeZone::Load(fields.time_zone));
  const absl::CivilSecond anchor = LocalOf(fields.due, zone);
  TODO_RETURN_IF_ERROR(RecurrenceOf(fields, anchor).status());
  return SeriesPosition{.series_id = series_id,
                        .occurrence = occurrence,
                        .rule_since = occurrence,
                        .anchor = anchor,
                        .scheduled = anchor,
                        .missed = 0,
                        .following = {}};
}

absl::StatusOr<SeriesPosition> MoveSeries(const Task& task, TaskFields& fields) {
  TODO_ASSIGN_OR_RETURN(const TimeZone zone, TimeZone::Load(fields.time_zone));
  SeriesPosition moved = *task.series;
  moved.following.due_kind.reset();
  moved.following.time_zone.reset();
  const absl::CivilSecond due = LocalOf(fields.due, zone);
  TODO_ASSIGN_OR_RETURN(RecurrenceRule rule,
                        ParseRecurrenceRule(fields.recurrence_rule.value_or("")));
  const absl::StatusOr<Recurrence> before = RecurrenceOf(FieldsAfter(task), task.series->anchor);
  const std::optional<int> left = LeftOf(task, rule, before);
  const RecurrenceBasis basis = fields.recurrence_basis;
  const bool went_on = left != 1 && GoesOn(before, task.series->scheduled, basis);
  if (absl::CivilDay(due) == absl::CivilDay(moved.scheduled)) {
    moved.anchor = absl::CivilSecond(absl::CivilDay(moved.anchor)) +
                   (due - absl::CivilSecond(absl::CivilDay(due)));
  } else {
    if (left) {
      rule.count = left;
      fields.recurrence_rule = FormatRecurrenceRule(rule);
    }
    moved.rule_since = moved.occurrence;
    moved.anchor = due;
  }
  moved.scheduled = due;

  const absl::StatusOr<Recurrence> after = RecurrenceOf(fields, moved.anchor);
  if (absl::IsInvalidArgument(after.status())) return after.status();
  if (went_on && !GoesOn(after, moved.scheduled, basis)) {
    return absl::OutOfRangeError(
        "nothing of the rule follows that date: choose an earlier date, or change the rule too");
  }
  return moved;
}

FollowingFields ChangedHereAlone(const Task& task, const TaskFields& fields) {
  FollowingFields following = task.series->following;
  ForEachText([&](auto field, auto kept, auto) {
    Keep(following.*kept, task.fields.*field, fields.*field);
  });
  Keep(following.due_kind, task.fields.due.kind, fields.due.kind);
  Keep(following.time_zone, task.fields.time_zone, fields.time_zone);
  return following;
}

FollowingFields ChangedFromHereOn(FollowingFields following, const TaskPatch& patch) {
  ForEachText([&](auto, auto kept, auto change) {
    if (patch.*change) (following.*kept).reset();
  });
  return following;
}

FollowingFields ChangedAfter(const Task& task, const TaskPatch& patch) {
  FollowingFields following = task.series->following;
  ForEachText([&](auto field, auto kept, auto change) {
    if (!(patch.*change)) return;
    following.*kept = patch.*change;
    Keep(following.*kept, task.fields.*field, task.fields.*field);
  });
  return following;
}

std::optional<Instant> PassedAt(const Task& task) {
  if (!task.fields.recurrence_rule || !task.series) return std::nullopt;
  if (task.completed) return task.completed_at.value_or(task.updated_at);
  if (task.skipped_at) return std::max(*task.skipped_at, task.fields.due.at);
  return std::nullopt;
}

absl::StatusOr<std::optional<NextOccurrence>> NextOccurrenceOf(const Task& task,
                                                               Instant passed_at) {
  NextOccurrence next{.fields = FieldsAfter(task), .series = *task.series};
  const absl::StatusOr<Recurrence> recurrence = RecurrenceOf(next.fields, task.series->anchor);
  if (absl::IsOutOfRange(recurrence.status())) return std::nullopt;
  TODO_RETURN_IF_ERROR(recurrence.status());

  next.series.occurrence += 1;
  next.series.missed = 0;
  next.series.following = {};
  std::optional<Recurrence::Occurrence> found;
  if (task.fields.recurrence_basis == RecurrenceBasis::kCompletion) {
    found = recurrence->NextAfterCompletion(passed_at,
                                            task.series->occurrence - task.series->rule_since + 1);
  } else {
    // A task that was pulled ahead of its date must not come again on that date.
    const Instant scheduled = recurrence->zone().ToInstant(task.series->scheduled);
    found = recurrence->NextAfter(std::max({scheduled, task.fields.due.at, passed_at}));
    if (found) next.series.missed = found->number - recurrence->NextAfter(scheduled)->number;
  }
  if (!found) return std::nullopt;

  next.series.scheduled = found->local;
  next.fields.due = DueOf(*found, next.fields.due.kind);
  return next;
}

absl::StatusOr<SeriesPreview> PreviewSeries(const TaskFields& fields, int n) {
  TODO_ASSIGN_OR_RETURN(const TimeZone zone, TimeZone::Load(fields.time_zone));
  TODO_ASSIGN_OR_RETURN(const Recurrence recurrence,
                        RecurrenceOf(fields, LocalOf(fields.due, zone)));
  SeriesPreview preview{
      .rule = std::string(recurrence.rule()), .occurrences = {}, .warnings = recurrence.Warnings()};
  const Instant anchor = zone.ToInstant(recurrence.anchor());
  for (const Recurrence::Occurrence& occurrence : recurrence.Upcoming(anchor, n)) {
    preview.occurrences.push_back({DueOf(occurrence, fields.due.kind), occurrence.number});
  }
  return preview;
}

}  // namespace todo::domain
