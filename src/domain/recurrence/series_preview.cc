#include "domain/recurrence/series_preview.h"

#include <utility>

#include "domain/recurrence/recurrence.h"
#include "domain/recurrence/recurrence_rule.h"
#include "domain/recurrence/recurring_task.h"
#include "domain/time_zone.h"
#include "util/status.h"

namespace todo::domain {
namespace {

std::optional<std::chrono::seconds> TimeOfDay(const Due& due, const TimeZone& zone) {
  if (due.kind == DueKind::kDate) return std::nullopt;
  const absl::CivilSecond local = due.kind == DueKind::kInstant ? zone.ToLocal(due.at) : due.local;
  return std::chrono::seconds(local - absl::CivilSecond(absl::CivilDay(local)));
}

}  // namespace

absl::StatusOr<SeriesPreview> PreviewSeries(const TaskFields& fields, int n) {
  TODO_ASSIGN_OR_RETURN(TimeZone zone, TimeZone::Load(fields.time_zone));
  TODO_ASSIGN_OR_RETURN(const SeriesPosition first, StartSeries(fields, Uuid(), 1));
  SeriesPreview preview;
  preview.time_of_day = TimeOfDay(fields.due, zone);
  TODO_ASSIGN_OR_RETURN(const Recurrence recurrence,
                        Recurrence::Parse({.rule = fields.recurrence_rule.value_or(""),
                                           .anchor = first.anchor,
                                           .zone = std::move(zone),
                                           .all_day = fields.due.kind == DueKind::kDate,
                                           .anchor_is_later = first.anchor_is_later}));
  preview.rule = std::string(recurrence.rule());
  preview.warnings = recurrence.Warnings();
  const bool are_instants = fields.due.kind == DueKind::kInstant;
  for (const Recurrence::Occurrence& occurrence : recurrence.Upcoming(recurrence.anchor_at(), n)) {
    const Due due{.kind = fields.due.kind,
                  .local = are_instants ? absl::CivilSecond() : occurrence.local,
                  .at = occurrence.at};
    preview.occurrences.push_back({due, occurrence.number});
  }
  return preview;
}

absl::StatusOr<SeriesPreview> PreviewEnd(const TaskFields& fields) {
  TODO_ASSIGN_OR_RETURN(const TimeZone zone, TimeZone::Load(fields.time_zone));
  TODO_ASSIGN_OR_RETURN(const RecurrenceRule rule,
                        ParseRecurrenceRule(fields.recurrence_rule.value_or("")));
  return SeriesPreview{.rule = FormatRecurrenceRule(rule),
                       .time_of_day = TimeOfDay(fields.due, zone),
                       .occurrences = {},
                       .warnings = {"The series ends with this task."}};
}

}  // namespace todo::domain
