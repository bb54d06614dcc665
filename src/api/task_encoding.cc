#include "api/task_encoding.h"

#include <fmt/format.h>

#include <string>

#include "api/request_parts.h"
#include "api/task_enums.h"
#include "chat/grammar/rule_words.h"
#include "domain/event/event_reader.h"
#include "domain/recurrence/recurrence_rule.h"
#include "util/status.h"

namespace todo::api {
namespace {

std::string RuleText(const domain::SeriesPreview& preview, v1::RecurrenceBasis basis,
                     const domain::Wording& wording) {
  absl::StatusOr<domain::RecurrenceRule> rule = domain::ParseRecurrenceRule(preview.rule);
  if (!rule.ok()) return preview.rule;
  if (!preview.time_of_day) domain::LimitToDays(*rule);
  std::string text = chat::RuleInWords(*rule, wording, preview.time_of_day);
  if (basis == v1::RECURRENCE_BASIS_COMPLETION) text += ", after completion";
  return text;
}

}  // namespace

v1::Task EncodeTask(const domain::Task& task) {
  v1::Task out;
  out.set_id(task.id.value);
  out.set_title(task.fields.title);
  if (task.fields.description) out.set_description(*task.fields.description);
  out.set_completed(task.completed);
  out.set_priority(kPriorities.Encode(task.fields.priority));
  for (const std::string& tag : task.fields.tags) out.add_tags(tag);
  if (task.fields.due.kind != domain::DueKind::kNone)
    *out.mutable_due_date() = EncodeInstant(task.fields.due.at);
  if (task.fields.recurrence_rule) out.set_recurrence_rule(*task.fields.recurrence_rule);
  out.set_user_id(task.user.value);
  *out.mutable_created_at() = EncodeInstant(task.created_at);
  *out.mutable_updated_at() = EncodeInstant(task.updated_at);
  out.set_version(task.version);
  out.set_etag(domain::EtagOf(task.version));
  out.set_due_kind(kDueKinds.Encode(task.fields.due.kind));
  out.set_due_local(domain::FormatDueLocal(task.fields.due));
  out.set_time_zone(task.fields.time_zone);
  out.set_recurrence_basis(kBases.Encode(task.fields.recurrence_basis));
  if (task.series) {
    out.set_series_id(task.series->series_id.value());
    out.set_occurrence(task.series->occurrence);
    out.set_missed_occurrences(task.series->missed);
  }
  if (task.completed_at) *out.mutable_completed_at() = EncodeInstant(*task.completed_at);
  if (task.skipped_at) *out.mutable_skipped_at() = EncodeInstant(*task.skipped_at);
  return out;
}

absl::StatusOr<v1::Change> EncodeChange(const domain::Change& change) {
  v1::Change out;
  out.set_seq(change.seq);
  out.set_event_id(change.event_id.value());
  out.set_event_type(std::string(domain::ToString(change.kind)));
  out.set_task_id(change.task_id.value);
  // A deleted task has no state on the bus.
  if (change.kind != domain::ChangeKind::kDeleted || !change.task_json.empty()) {
    const absl::StatusOr<domain::Task> task = domain::ParseTaskJson(change.task_json);
    if (!task.ok()) {
      return absl::InternalError(fmt::format("api: change {} of the log: {}",
                                             change.event_id.value(),
                                             util::FromAbsl(task.status().message())));
    }
    *out.mutable_task() = EncodeTask(*task);
  }
  *out.mutable_timestamp() = EncodeInstant(change.at);
  if (change.request_id) out.set_request_id(change.request_id->value());
  return out;
}

v1::PreviewRecurrenceResponse EncodePreview(const domain::SeriesPreview& preview,
                                            v1::RecurrenceBasis basis,
                                            const domain::Wording& wording) {
  v1::PreviewRecurrenceResponse out;
  out.set_recurrence_rule(preview.rule);
  out.set_text(RuleText(preview, basis, wording));
  for (const domain::SeriesPreview::Occurrence& occurrence : preview.occurrences) {
    v1::PreviewRecurrenceResponse::Occurrence* encoded = out.add_occurrences();
    *encoded->mutable_due_date() = EncodeInstant(occurrence.due.at);
    encoded->set_due_local(domain::FormatDueLocal(occurrence.due));
    encoded->set_number(occurrence.number);
  }
  for (const std::string& warning : preview.warnings) out.add_warnings(warning);
  return out;
}

}  // namespace todo::api
