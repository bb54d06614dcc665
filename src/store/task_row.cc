#include "store/task_row.h"

#include <cstdint>
#include <optional>
#include <string>
#include <utility>

#include "domain/event/event_reader.h"
#include "domain/event/event_writer.h"
#include "store/binary_row_reader.h"
#include "store/task_columns.h"
#include "util/status.h"

namespace todo::store {
namespace {

template <typename T>
std::optional<T> ValueIf(bool condition, T value) {
  return condition ? std::optional<T>(std::move(value)) : std::nullopt;
}

/// The columns of a row that a task has in another form.
struct Columns {
  std::int16_t priority = 0;
  std::string recurrence_basis;
  std::optional<std::string> due_kind;
  std::optional<absl::CivilSecond> due_local;
  std::optional<domain::Instant> due_at;
  std::optional<domain::Instant> deleted_at;
  std::optional<domain::Uuid> series_id;
  std::optional<std::int64_t> occurrence;
  std::optional<absl::CivilSecond> series_anchor;
  std::optional<bool> series_anchor_later;
  std::optional<absl::CivilSecond> scheduled_for;
  std::int64_t missed = 0;
  std::optional<std::int64_t> rule_since;
  std::optional<Jsonb> following;
  std::optional<std::int64_t> consumer_version;
};

absl::StatusOr<domain::Due> DueOf(const Columns& columns) {
  if (!columns.due_kind) return domain::Due();
  const std::optional<domain::DueKind> kind = domain::ParseDueKind(*columns.due_kind);
  if (!kind || !columns.due_at) return absl::InvalidArgumentError("its due date is half a one");
  return domain::Due{.kind = *kind,
                     .local = columns.due_local.value_or(absl::CivilSecond()),
                     .at = *columns.due_at};
}

absl::StatusOr<domain::SeriesPosition> SeriesOf(const Columns& columns) {
  domain::SeriesPosition series;
  series.series_id = *columns.series_id;
  series.occurrence = columns.occurrence.value_or(series.occurrence);
  series.rule_since = columns.rule_since.value_or(series.rule_since);
  series.anchor = columns.series_anchor.value_or(series.anchor);
  series.anchor_is_later = columns.series_anchor_later.value_or(false);
  series.scheduled = columns.scheduled_for.value_or(series.scheduled);
  series.missed = columns.missed;
  if (columns.following) {
    TODO_ASSIGN_OR_RETURN(series.following, domain::ParseFollowing(columns.following->text));
  }
  return series;
}

/// Takes over what the task has in another form.
absl::Status Complete(domain::Task& task, const Columns& columns) {
  domain::TaskFields& fields = task.fields;
  const auto basis = domain::ParseRecurrenceBasis(columns.recurrence_basis);
  if (!basis || columns.priority < 0 || columns.priority > 2)
    return absl::InvalidArgumentError("its basis or priority is unknown");
  fields.recurrence_basis = *basis;
  fields.priority = static_cast<domain::Priority>(columns.priority);
  TODO_ASSIGN_OR_RETURN(fields.due, DueOf(columns));
  task.deleted = columns.deleted_at.has_value();
  if (!columns.series_id) return absl::OkStatus();
  TODO_ASSIGN_OR_RETURN(task.series, SeriesOf(columns));
  return absl::OkStatus();
}

}  // namespace

BinaryRow TaskRow(const domain::Task& task, domain::Instant changed_at, bool by_consumer) {
  const domain::TaskFields& fields = task.fields;
  const domain::Due& due = fields.due;
  const bool is_due = due.kind != domain::DueKind::kNone;
  const bool is_local = due.kind == domain::DueKind::kDate || due.kind == domain::DueKind::kLocal;
  const bool in_series = task.series.has_value();
  const domain::SeriesPosition series = task.series.value_or(domain::SeriesPosition{});
  const bool has_following = series.following != domain::FollowingFields();
  return BinaryRow(
      task.user.value, task.id.value, task.version, task.seq, fields.title, fields.description,
      task.completed, task.completed_at, static_cast<std::int16_t>(fields.priority), fields.tags,
      ValueIf(is_due, domain::ToString(due.kind)), ValueIf(is_local, due.local),
      ValueIf(is_due, due.at), fields.time_zone, fields.recurrence_rule,
      domain::ToString(fields.recurrence_basis), task.created_at, task.updated_at,
      ValueIf(task.deleted, changed_at), task.skipped_at, ValueIf(in_series, series.series_id),
      ValueIf(in_series, series.occurrence), ValueIf(in_series, series.anchor),
      ValueIf(series.anchor_is_later, true), ValueIf(in_series, series.scheduled), series.missed,
      ValueIf(in_series, series.rule_since),
      has_following ? std::optional(Jsonb{domain::FormatFollowing(series.following)})
                    : std::nullopt,
      ValueIf(by_consumer, task.version));
}

absl::StatusOr<domain::Task> DecodeTaskRow(std::string_view row) {
  domain::Task task;
  domain::TaskFields& fields = task.fields;
  Columns columns;
  if (!ReadRow(row, task.user.value, task.id.value, task.version, task.seq, fields.title,
               fields.description, task.completed, task.completed_at, columns.priority, fields.tags,
               columns.due_kind, columns.due_local, columns.due_at, fields.time_zone,
               fields.recurrence_rule, columns.recurrence_basis, task.created_at, task.updated_at,
               columns.deleted_at, task.skipped_at, columns.series_id, columns.occurrence,
               columns.series_anchor, columns.series_anchor_later, columns.scheduled_for,
               columns.missed, columns.rule_since, columns.following, columns.consumer_version))
    return NotUnderstood("it is no batch_task");
  if (const absl::Status status = Complete(task, columns); !status.ok())
    return NotUnderstood(util::FromAbsl(status.message()));
  return task;
}

}  // namespace todo::store
