#include "store/task_rows.h"

#include <optional>

#include "domain/event/event_writer.h"
#include "store/session.h"

namespace todo::store {
namespace {

using Type = BinaryArray::Type;

}  // namespace

TaskRows::TaskRows()
    : columns_{BinaryArray(Type::kText),         // user_id
               BinaryArray(Type::kInt8),         // id
               BinaryArray(Type::kInt8),         // version
               BinaryArray(Type::kInt8),         // seq
               BinaryArray(Type::kText),         // title
               BinaryArray(Type::kText),         // description
               BinaryArray(Type::kBool),         // completed
               BinaryArray(Type::kTimestamptz),  // completed_at
               BinaryArray(Type::kInt2),         // priority
               BinaryArray(Type::kText),         // tags, as text
               BinaryArray(Type::kText),         // due_kind
               BinaryArray(Type::kTimestamp),    // due_local
               BinaryArray(Type::kTimestamptz),  // due_at
               BinaryArray(Type::kText),         // time_zone
               BinaryArray(Type::kText),         // recurrence_rule
               BinaryArray(Type::kText),         // recurrence_basis
               BinaryArray(Type::kTimestamptz),  // updated_at
               BinaryArray(Type::kTimestamptz),  // deleted_at
               BinaryArray(Type::kTimestamptz),  // skipped_at
               BinaryArray(Type::kTimestamptz),  // created_at
               BinaryArray(Type::kUuid),         // series_id
               BinaryArray(Type::kInt8),         // occurrence
               BinaryArray(Type::kTimestamp),    // series_anchor
               BinaryArray(Type::kBool),         // series_anchor_later
               BinaryArray(Type::kTimestamp),    // scheduled_for
               BinaryArray(Type::kInt8),         // missed
               BinaryArray(Type::kInt8),         // rule_since
               BinaryArray(Type::kText),         // following, as text
               BinaryArray(Type::kInt8)} {       // consumer_version
  for (std::size_t i = 0; i < kAll; ++i) pointers_[i] = &columns_[i];
}

void TaskRows::Add(const domain::Task& task, domain::Instant changed_at, bool by_consumer) {
  const domain::TaskFields& fields = task.fields;
  const domain::Due& due = fields.due;
  const bool is_due = due.kind != domain::DueKind::kNone;
  const bool is_local = due.kind == domain::DueKind::kDate || due.kind == domain::DueKind::kLocal;
  std::size_t column = 0;
  const auto add = [&](const auto& value) { columns_[column++].Add(value); };
  add(task.user.value);
  add(task.id.value);
  add(task.version);
  add(task.seq);
  add(fields.title);
  add(fields.description);
  add(task.completed);
  add(task.completed_at);
  add(static_cast<std::int64_t>(fields.priority));
  add(ArrayLiteral(fields.tags));
  add(is_due ? std::optional(domain::ToString(due.kind)) : std::nullopt);
  add(is_local ? std::optional(due.local) : std::nullopt);
  add(is_due ? std::optional(due.at) : std::nullopt);
  add(fields.time_zone);
  add(fields.recurrence_rule);
  add(domain::ToString(fields.recurrence_basis));
  add(task.updated_at);
  add(task.deleted ? std::optional(changed_at) : std::nullopt);
  add(task.skipped_at);
  add(task.created_at);
  AddSeries(task.series);
  columns_.back().Add(by_consumer ? std::optional(task.version) : std::nullopt);
}

void TaskRows::AddSeries(const std::optional<domain::SeriesPosition>& position) {
  std::size_t column = kChanging + 1;
  const auto add = [&](const auto& value) { columns_[column++].Add(value); };
  const domain::SeriesPosition series = position.value_or(domain::SeriesPosition{});
  const auto add_any = [&](const auto& value) {
    add(position ? std::optional(value) : std::nullopt);
  };
  add_any(series.series_id);
  add_any(series.occurrence);
  add_any(series.anchor);
  add(series.anchor_is_later ? std::optional(true) : std::nullopt);
  add_any(series.scheduled);
  add(position ? series.missed : 0);
  add_any(series.rule_since);
  add(series.following != domain::FollowingFields()
          ? std::optional(domain::FormatFollowing(series.following))
          : std::nullopt);
}

}  // namespace todo::store
