#include "domain/recurrence/recurring_task.h"

#include <algorithm>
#include <utility>

#include "domain/recurrence/recurrence.h"
#include "domain/recurrence/recurrence_pattern.h"
#include "domain/recurrence/recurrence_rule.h"
#include "domain/recurrence/rule_move.h"
#include "domain/time_zone.h"
#include "util/require.h"

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

/// A wall-clock time of a series.
struct Place {
  absl::CivilSecond local;
  bool is_later = false;  // the second of two equal wall-clock times
};

Place PlaceOf(const Due& due, const TimeZone& zone) {
  const absl::CivilSecond local = LocalOf(due, zone);
  return {local, due.kind == DueKind::kInstant &&
                     zone.ToInstant(local) != zone.ToLaterInstant(local) &&
                     due.at >= zone.ToLaterInstant(local)};
}

Place AnchorOf(const SeriesPosition& series) { return {series.anchor, series.anchor_is_later}; }

absl::StatusOr<Recurrence> RecurrenceOf(const TaskFields& fields, const Place& anchor) {
  TODO_ASSIGN_OR_RETURN(TimeZone zone, TimeZone::Load(fields.time_zone));
  return Recurrence::Parse({.rule = fields.recurrence_rule.value_or(""),
                            .anchor = anchor.local,
                            .zone = std::move(zone),
                            .all_day = fields.due.kind == DueKind::kDate,
                            .anchor_is_later = anchor.is_later});
}

/// The instant of the scheduled date. It can be in the second of two equal hours only at the start
/// of a series.
Instant ScheduledAt(const SeriesPosition& series, const TimeZone& zone) {
  return series.anchor_is_later && series.scheduled == series.anchor
             ? zone.ToLaterInstant(series.scheduled)
             : zone.ToInstant(series.scheduled);
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

/// Sets `kept`, the value for later occurrences, after the task's value changed from `was` to
/// `now`.
template <typename T>
void Keep(std::optional<T>& kept, const T& was, const T& now) {
  if (!kept) kept = was;
  if (*kept == now) kept.reset();
}

/// The fields that the next occurrence takes from `task`, except the date.
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

/// How many occurrences COUNT leaves from the one at `series` on, itself included; nullopt: no
/// COUNT.
std::optional<int> LeftOf(const SeriesPosition& series, RecurrenceBasis basis,
                          const RecurrenceRule& rule,
                          const absl::StatusOr<Recurrence>& recurrence) {
  if (!rule.count) return std::nullopt;
  std::int64_t passed = series.occurrence - series.rule_since;
  if (basis == RecurrenceBasis::kSchedule) {
    if (!recurrence.ok()) return 1;
    const auto next = recurrence->NextAfter(ScheduledAt(series, recurrence->zone()));
    passed = next ? next->number - 2 : *rule.count - 1;
  }
  return static_cast<int>(std::max<std::int64_t>(1, *rule.count - passed));
}

/// Whether something follows the occurrence at `series`, done on its date; its COUNT apart.
bool GoesOn(const absl::StatusOr<Recurrence>& recurrence, const SeriesPosition& series,
            RecurrenceBasis basis) {
  if (!recurrence.ok()) return false;
  const Instant at = ScheduledAt(series, recurrence->zone());
  if (basis == RecurrenceBasis::kCompletion)
    return recurrence->NextAfterCompletion(at, 0, at).has_value();
  return recurrence->NextAfter(at).has_value();
}

/// The last moment before the day of `time`.
Instant BeforeDay(absl::CivilSecond time, const TimeZone& zone) {
  return zone.ToInstant(absl::CivilSecond(absl::CivilDay(time))) - Instant::duration{1};
}

/// Whether a date of the series after its first is on the day of `time`.
bool HasDateOn(const absl::StatusOr<Recurrence>& recurrence, absl::CivilSecond time) {
  if (!recurrence.ok()) return false;
  const auto next = recurrence->NextAfter(BeforeDay(time, recurrence->zone()));
  return next && absl::CivilDay(next->local) == absl::CivilDay(time);
}

/// The series of `task` after `fields` become its fields: its place, and its fields from now on.
struct Placed {
  TaskFields fields;  // of the series
  Place place;
  FollowingFields following;
};

absl::StatusOr<Placed> PlaceSeries(const Task& task, const TaskFields& fields, SeriesPlace place) {
  TODO_ASSIGN_OR_RETURN(const TimeZone zone, TimeZone::Load(fields.time_zone));
  Placed placed{.fields = fields, .place = {}, .following = task.series->following};
  if (place == SeriesPlace::kDue) {
    placed.following.due_kind.reset();
    placed.following.time_zone.reset();
    placed.place = PlaceOf(fields.due, zone);
    return placed;
  }
  const TaskFields before = FieldsAfter(task);
  placed.fields.due.kind = before.due.kind;
  if (fields.time_zone == task.fields.time_zone) {
    placed.fields.time_zone = before.time_zone;
    placed.place.local = task.series->scheduled;
    placed.place.is_later =
        task.series->anchor_is_later && task.series->scheduled == task.series->anchor;
    return placed;
  }
  placed.following.time_zone.reset();
  if (before.due.kind == DueKind::kInstant) {
    TODO_ASSIGN_OR_RETURN(const TimeZone zone_before, TimeZone::Load(before.time_zone));
    const Instant at = ScheduledAt(*task.series, zone_before);
    placed.place = PlaceOf({.kind = DueKind::kInstant, .local = {}, .at = at}, zone);
  } else {
    placed.place.local = task.series->scheduled;
  }
  return placed;
}

Days DaysOf(const Task& task, const TaskFields& moved) {
  if (moved.due.kind == DueKind::kDate) return Days::kAfter;
  return FieldsAfter(task).due.kind == DueKind::kDate ? Days::kBefore : Days::kNever;
}

/// UNTIL of `rule`, which is that of `before`, after a date at `from` became `to` on the same day:
/// as many dates come up to it as before. One without a time of day stays.
absl::Status MoveUntil(RecurrenceRule& rule, const Recurrence& before, absl::CivilSecond from,
                       const Placed& to) {
  using Kind = RecurrenceRule::Until::Kind;
  if (!rule.until || rule.until->kind == Kind::kDate || to.fields.due.kind == DueKind::kDate)
    return absl::OkStatus();
  absl::CivilSecond& until = rule.until->time;
  if (before.all_day()) {
    rule.until = {Kind::kDate, absl::CivilSecond(absl::CivilDay(until))};  // as it counted so far
    return absl::OkStatus();
  }
  const auto by = to.place.local - from;
  if (by == 0 && to.fields.time_zone == before.zone().name()) return absl::OkStatus();
  if (rule.until->kind == Kind::kFloating) {
    until += by;
    return absl::OkStatus();
  }
  TODO_ASSIGN_OR_RETURN(const TimeZone zone, TimeZone::Load(to.fields.time_zone));
  until =
      TimeZone().ToLocal(zone.ToInstant(before.zone().ToLocal(TimeZone().ToInstant(until)) + by));
  return absl::OkStatus();
}

void SetAnchor(SeriesPosition& series, const Place& anchor) {
  series.anchor = anchor.local;
  series.anchor_is_later = anchor.is_later;
}

}  // namespace

absl::StatusOr<SeriesPosition> StartSeries(const TaskFields& fields, const Uuid& series_id,
                                           std::int64_t occurrence) {
  TODO_ASSIGN_OR_RETURN(const TimeZone zone, TimeZone::Load(fields.time_zone));
  const Place anchor = PlaceOf(fields.due, zone);
  TODO_RETURN_IF_ERROR(RecurrenceOf(fields, anchor).status());
  return SeriesPosition{.series_id = series_id,
                        .occurrence = occurrence,
                        .rule_since = occurrence,
                        .anchor = anchor.local,
                        .anchor_is_later = anchor.is_later,
                        .scheduled = anchor.local,
                        .missed = 0,
                        .following = {}};
}

bool IsMovedAlone(const Task& task) {
  TODO_REQUIRE(task.series);
  const absl::StatusOr<TimeZone> zone = TimeZone::Load(FieldsAfter(task).time_zone);
  return task.series->following.due_kind ||
         (zone.ok() && std::chrono::floor<std::chrono::seconds>(task.fields.due.at) !=
                           ScheduledAt(*task.series, *zone));
}

bool IsSeriesOfInstants(const Task& task) {
  TODO_REQUIRE(task.series);
  const FollowingFields& following = task.series->following;
  return !following.time_zone &&
         following.due_kind.value_or(task.fields.due.kind) == DueKind::kInstant;
}

absl::StatusOr<SeriesPosition> MoveSeries(const Task& task, TaskFields& fields, SeriesPlace place) {
  TODO_REQUIRE(task.series);
  const RecurrenceBasis basis = fields.recurrence_basis;
  TODO_ASSIGN_OR_RETURN(Placed placed, PlaceSeries(task, fields, place));
  const Place& to = placed.place;
  TODO_ASSIGN_OR_RETURN(const RecurrenceRule rule,
                        ParseRecurrenceRule(fields.recurrence_rule.value_or("")));
  const absl::StatusOr<Recurrence> before = RecurrenceOf(FieldsAfter(task), AnchorOf(*task.series));
  const std::optional<int> left = LeftOf(*task.series, basis, rule, before);
  const bool went_on = left != 1 && GoesOn(before, *task.series, basis);
  const bool same_day = absl::CivilDay(to.local) == absl::CivilDay(task.series->scheduled);
  const bool of_the_series = same_day || HasDateOn(before, to.local);

  TODO_RETURN_IF_ERROR(Recurrence::CheckAnchor(to.local));
  TODO_ASSIGN_OR_RETURN(RecurrenceRule moved_rule,
                        MoveRule(*fields.recurrence_rule, task.series->scheduled, to.local,
                                 DaysOf(task, placed.fields)));
  if (same_day && place == SeriesPlace::kDue && before.ok())
    TODO_RETURN_IF_ERROR(MoveUntil(moved_rule, *before, task.series->scheduled, placed));
  const auto with = [&placed](const RecurrenceRule& changed) {
    TaskFields series = placed.fields;
    series.recurrence_rule = FormatRecurrenceRule(changed);
    return series;
  };
  SeriesPosition moved = *task.series;
  moved.following = placed.following;
  moved.scheduled = to.local;
  bool restarts = !same_day || to.is_later;
  if (!restarts) {
    SetAnchor(moved, {absl::CivilSecond(absl::CivilDay(moved.anchor)) +
                      (to.local - absl::CivilSecond(absl::CivilDay(to.local)))});
    restarts =
        LeftOf(moved, basis, moved_rule, RecurrenceOf(with(moved_rule), AnchorOf(moved))) != left;
  }
  if (restarts) {
    if (of_the_series && basis == RecurrenceBasis::kSchedule)
      moved_rule = KeepDays(moved_rule, task.series->anchor, to.local);
    if (left) moved_rule.count = left;
    moved.rule_since = moved.occurrence;
    SetAnchor(moved, to);
  }
  if (moved_rule != rule) fields.recurrence_rule = FormatRecurrenceRule(moved_rule);

  const absl::StatusOr<Recurrence> after = RecurrenceOf(with(moved_rule), AnchorOf(moved));
  if (absl::IsInvalidArgument(after.status())) return after.status();
  if (went_on && !of_the_series && !GoesOn(after, moved, basis)) {
    return absl::OutOfRangeError(
        "nothing of the rule follows that date: choose an earlier date, or change the rule too");
  }
  return moved;
}

absl::StatusOr<SeriesPosition> RestartSeries(const Task& task, TaskFields& fields,
                                             SeriesPlace place) {
  TODO_REQUIRE(task.series);
  TODO_ASSIGN_OR_RETURN(const RecurrenceRule rule,
                        ParseRecurrenceRule(fields.recurrence_rule.value_or("")));
  TODO_ASSIGN_OR_RETURN(Placed placed, PlaceSeries(task, fields, place));
  const auto without_end = [](RecurrenceRule whole) {
    whole.count.reset();
    whole.until.reset();
    return whole;
  };
  const absl::StatusOr<RecurrenceRule> before =
      ParseRecurrenceRule(task.fields.recurrence_rule.value_or(""));
  const bool same_days = before.ok() && without_end(*before) == without_end(rule);
  if (place == SeriesPlace::kScheduled && !same_days) {
    TODO_ASSIGN_OR_RETURN(Placed at_due, PlaceSeries(task, fields, SeriesPlace::kDue));
    const auto names_day_of = [&rule](const Placed& start) {
      return !absl::IsInvalidArgument(RecurrenceOf(start.fields, start.place).status()) &&
             RecurrencePattern(rule, start.place.local).NamesDayOfStart();
    };
    if (!names_day_of(placed) && names_day_of(at_due)) placed = std::move(at_due);
  }
  RecurrenceRule moved = rule;
  if (same_days && place == SeriesPlace::kDue) {
    TODO_ASSIGN_OR_RETURN(moved, MoveRule(*fields.recurrence_rule, task.series->scheduled,
                                          placed.place.local, DaysOf(task, placed.fields)));
    placed.fields.recurrence_rule = FormatRecurrenceRule(moved);
  }
  SeriesPosition series = *task.series;
  series.following = placed.following;
  series.scheduled = placed.place.local;
  // Something must follow this task, from whichever day the rule counts.
  TODO_RETURN_IF_ERROR(RecurrenceOf(placed.fields, placed.place).status());
  const bool keeps_days =
      same_days && fields.recurrence_basis == RecurrenceBasis::kSchedule &&
      absl::CivilDay(series.scheduled) == absl::CivilDay(task.series->scheduled);
  if (keeps_days && series.scheduled == task.series->scheduled && !rule.count) return series;
  if (keeps_days) moved = KeepDays(moved, series.anchor, series.scheduled);
  if (moved != rule) fields.recurrence_rule = FormatRecurrenceRule(moved);
  series.rule_since = series.occurrence;
  SetAnchor(series, placed.place);
  return series;
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
  return task.skipped_at;
}

absl::StatusOr<std::optional<NextOccurrence>> NextOccurrenceOf(const Task& task,
                                                               Instant passed_at) {
  TODO_REQUIRE(task.series);
  NextOccurrence next{.fields = FieldsAfter(task), .series = *task.series};
  const absl::StatusOr<Recurrence> recurrence = RecurrenceOf(next.fields, AnchorOf(*task.series));
  if (absl::IsOutOfRange(recurrence.status())) return std::nullopt;
  TODO_RETURN_IF_ERROR(recurrence.status());

  next.series.occurrence += 1;
  next.series.missed = 0;
  next.series.following = {};
  const TimeZone& zone = recurrence->zone();
  const Instant scheduled = ScheduledAt(*task.series, zone);
  std::optional<Recurrence::Occurrence> found;
  if (task.fields.recurrence_basis == RecurrenceBasis::kCompletion) {
    found = recurrence->NextAfterCompletion(
        task.completed ? passed_at : std::max(passed_at, scheduled),
        task.series->occurrence - task.series->rule_since + 1, scheduled);
  } else {
    const bool all_day = next.fields.due.kind == DueKind::kDate;
    const Instant passed = all_day ? BeforeDay(zone.ToLocal(passed_at), zone) : passed_at;
    found = recurrence->NextAfter(std::max(scheduled, passed));
    if (found) next.series.missed = found->number - recurrence->NextAfter(scheduled)->number;
  }
  if (!found) return std::nullopt;

  next.series.scheduled = found->local;
  next.fields.due = DueOf(*found, next.fields.due.kind);
  return next;
}

}  // namespace todo::domain
