#include "domain/recurring_task.h"

#include <algorithm>
#include <utility>

#include "domain/recurrence.h"
#include "domain/time_zone.h"

namespace todo::domain {
namespace {

/// The wall-clock time of `due` in `zone`.
absl::CivilSecond LocalOf(const Due& due, const TimeZone& zone) {
  return due.kind == DueKind::kInstant ? zone.ToLocal(due.at) : due.local;
}

absl::StatusOr<Recurrence> RecurrenceOf(const TaskFields& fields, absl::CivilSecond anchor) {
  TODO_ASSIGN_OR_RETURN(TimeZone zone, TimeZone::Load(fields.time_zone));
  return Recurrence::Parse(fields.recurrence_rule.value_or(""), anchor, std::move(zone));
}

}  // namespace

absl::StatusOr<SeriesPosition> StartSeries(const TaskFields& fields, const Uuid& series_id) {
  TODO_ASSIGN_OR_RETURN(const TimeZone zone, TimeZone::Load(fields.time_zone));
  const absl::CivilSecond anchor = LocalOf(fields.due, zone);
  TODO_RETURN_IF_ERROR(RecurrenceOf(fields, anchor).status());
  return SeriesPosition{
      .series_id = series_id, .occurrence = 1, .anchor = anchor, .scheduled = anchor, .missed = 0};
}

absl::StatusOr<std::optional<NextOccurrence>> NextOccurrenceOf(const Task& task,
                                                               Instant completed_at) {
  const absl::StatusOr<Recurrence> recurrence = RecurrenceOf(task.fields, task.series->anchor);
  if (absl::IsOutOfRange(recurrence.status())) return std::nullopt;
  TODO_RETURN_IF_ERROR(recurrence.status());

  NextOccurrence next{.fields = task.fields, .series = *task.series};
  next.series.occurrence += 1;
  next.series.missed = 0;
  std::optional<Recurrence::Occurrence> found;
  if (task.fields.recurrence_basis == RecurrenceBasis::kCompletion) {
    found = recurrence->NextAfterCompletion(completed_at, task.series->occurrence);
  } else {
    // A task that was pulled ahead of its date must not come again on that date.
    const Instant scheduled = recurrence->zone().ToInstant(task.series->scheduled);
    found = recurrence->NextAfter(std::max({scheduled, task.fields.due.at, completed_at}));
    if (found) next.series.missed = found->number - recurrence->NextAfter(scheduled)->number;
  }
  if (!found) return std::nullopt;

  next.series.scheduled = found->local;
  next.fields.due.at = found->at;
  if (next.fields.due.kind != DueKind::kInstant) next.fields.due.local = found->local;
  return next;
}

}  // namespace todo::domain
