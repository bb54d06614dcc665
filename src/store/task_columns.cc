#include "store/task_columns.h"

#include "absl/time/civil_time.h"
#include "domain/event/event.h"
#include "domain/event/event_reader.h"
#include "domain/event/event_writer.h"
#include "domain/time.h"
#include "util/log.h"
#include "util/status.h"
#include "util/unicode.h"

namespace todo::store {
namespace {

template <typename T>
Patch OrNull(const std::optional<T>& value) {
  return value ? Patch(*value) : Patch();
}

}  // namespace

void AddTitle(Patch& patch, const std::string& title) {
  patch["title"] = title;
  patch["folded_title"] = util::FoldForSearch(title);
}

void AddDescription(Patch& patch, const std::optional<std::string>& description) {
  patch["description"] = OrNull(description);
  patch["folded_description"] = util::FoldForSearch(description.value_or(""));
}

void AddFields(Patch& patch, const domain::TaskFields& fields) {
  AddTitle(patch, fields.title);
  AddDescription(patch, fields.description);
  patch["priority"] = static_cast<int>(fields.priority);
  patch["tags"] = fields.tags;
  AddDue(patch, fields.due);
  patch["time_zone"] = fields.time_zone;
  patch["recurrence_rule"] = OrNull(fields.recurrence_rule);
  patch["recurrence_basis"] = domain::ToString(fields.recurrence_basis);
}

void AddDue(Patch& patch, const domain::Due& due) {
  const bool any = due.kind != domain::DueKind::kNone;
  const bool local = due.kind == domain::DueKind::kDate || due.kind == domain::DueKind::kLocal;
  patch["due_kind"] = any ? Patch(domain::ToString(due.kind)) : Patch();
  patch["due_local"] = local ? Patch(absl::FormatCivilTime(due.local)) : Patch();
  patch["due_at"] = any ? Patch(domain::FormatInstant(due.at)) : Patch();
}

void AddSeries(Patch& patch, const std::optional<domain::SeriesPosition>& series) {
  patch["series_id"] = series ? Patch(series->series_id.value()) : Patch();
  patch["occurrence"] = series ? Patch(series->occurrence) : Patch();
  patch["series_anchor"] = series ? Patch(absl::FormatCivilTime(series->anchor)) : Patch();
  patch["series_anchor_later"] = series && series->anchor_is_later ? Patch(true) : Patch();
  patch["scheduled_for"] = series ? Patch(absl::FormatCivilTime(series->scheduled)) : Patch();
  patch["missed"] = series ? series->missed : 0;
  patch["rule_since"] = series ? Patch(series->rule_since) : Patch();
  patch["following"] = series ? Patch::parse(domain::FormatFollowing(series->following)) : Patch();
}

absl::Status NotUnderstood(std::string_view reason) {
  util::Log(util::Severity::kError, "stored_task_not_understood", {{"reason", reason}});
  return absl::InternalError("store: a stored task cannot be read");
}

absl::StatusOr<domain::Task> DecodeTask(std::string_view json) {
  absl::StatusOr<domain::Task> task = domain::ParseTaskJson(json);
  if (task.ok()) return task;
  return NotUnderstood(util::FromAbsl(task.status().message()));
}

}  // namespace todo::store
