#include "domain/event/event_writer.h"

#include <fmt/format.h>

#include <cstddef>
#include <nlohmann/json.hpp>
#include <optional>

namespace todo::domain {
namespace {

using Json = nlohmann::ordered_json;

std::string Dump(const Json& json) {
  return json.dump(-1, ' ', false, Json::error_handler_t::replace);
}

std::string Quote(std::string_view text) { return Dump(Json(text)); }

Json OrNull(const std::optional<std::string>& text) { return text ? Json(*text) : Json(); }

/// As the database writes it: a fraction has six digits.
std::string TaskTime(Instant at) {
  constexpr std::size_t kWithThreeDigits = std::string_view("2026-10-24T09:00:00.500Z").size();
  std::string text = FormatInstant(at);
  if (text.size() == kWithThreeDigits) text.insert(text.size() - 1, "000");
  return text;
}
Json OrNull(const std::optional<Instant>& at) { return at ? Json(TaskTime(*at)) : Json(); }

/// The attributes that all our CloudEvents share, up to the opening of `data`.
std::string EnvelopeOf(const Change& change, std::string_view id, std::string_view type) {
  std::string text = fmt::format(
      R"({{"specversion":"1.0","id":"{}","source":"{}","type":"{}","subject":"{}","time":"{}",)"
      R"("datacontenttype":"application/json",)",
      id, kEventSource, type, change.task_id.value, FormatInstant(change.at));
  if (!change.traceparent.empty())
    text += fmt::format(R"("traceparent":{},)", Quote(change.traceparent));
  return text;
}

}  // namespace

EventId UpdateIdOf(const EventId& event_id) {
  // The same bits with the version nibble of a custom UUID.
  std::string text = event_id.value();
  text[14] = '8';
  return EventId{*Uuid::Parse(text)};
}

std::string TaskEventRecord(const Change& change) {
  const std::string_view kind = ToString(change.kind);
  return fmt::format(
      R"({}"data":{{"id":"{}","event_type":"{}","task_id":{},"user_id":{},"timestamp":"{}","task_data":{}}}}})",
      EnvelopeOf(change, change.event_id.value(), fmt::format("todo.task.{}.v1", kind)),
      change.event_id.value(), kind, change.task_id.value, Quote(change.user.value),
      FormatInstant(change.at), change.task_json);
}

std::string TaskUpdateRecord(const Change& change) {
  const EventId id = UpdateIdOf(change.event_id);
  const bool deleted = change.kind == ChangeKind::kDeleted;
  const std::string request =
      change.request_id ? fmt::format(R"("request_id":"{}",)", change.request_id->value()) : "";
  return fmt::format(
      R"({}"data":{{"id":"{}","event_id":"{}",{}"user_id":{},"seq":{},"change":"{}","task_id":{},)"
      R"("task":{},"timestamp":"{}"}}}})",
      EnvelopeOf(change, id.value(), "todo.task.changed.v1"), id.value(), change.event_id.value(),
      request, Quote(change.user.value), change.seq, ToString(change.kind), change.task_id.value,
      deleted ? "null" : std::string_view(change.task_json), FormatInstant(change.at));
}

std::string WithTraceparent(std::string record, std::string_view traceparent) {
  if (!traceparent.empty())
    record.insert(1, fmt::format(R"("traceparent":{},)", Quote(traceparent)));
  return record;
}

std::string_view TraceparentIn(std::string_view record) {
  // Cannot be a part of what a user wrote: in a JSON string the quotation marks are escaped.
  constexpr std::string_view kKey = R"("traceparent":")";
  const std::size_t key = record.find(kKey);
  if (key == std::string_view::npos) return {};
  const std::string_view rest = record.substr(key + kKey.size());
  return rest.substr(0, rest.find('"'));
}

std::string FormatFollowing(const FollowingFields& following) {
  Json json;
  if (following.title) json["title"] = *following.title;
  if (following.description) json["description"] = OrNull(*following.description);
  if (following.priority) json["priority"] = ToString(*following.priority);
  if (following.tags) json["tags"] = *following.tags;
  if (following.due_kind) json["due_kind"] = ToString(*following.due_kind);
  if (following.time_zone) json["time_zone"] = *following.time_zone;
  return Dump(json);
}

std::string FormatTaskJson(const Task& task) {
  const TaskFields& fields = task.fields;
  const bool is_due = fields.due.kind != DueKind::kNone;
  const std::string due_local = FormatDueLocal(fields.due);
  Json json;
  json["id"] = task.id.value;
  json["title"] = fields.title;
  json["description"] = OrNull(fields.description);
  json["completed"] = task.completed;
  json["priority"] = ToString(fields.priority);
  json["tags"] = fields.tags;
  json["due_date"] = is_due ? Json(TaskTime(fields.due.at)) : Json();
  json["recurrence_rule"] = OrNull(fields.recurrence_rule);
  json["user_id"] = task.user.value;
  json["created_at"] = TaskTime(task.created_at);
  json["updated_at"] = TaskTime(task.updated_at);
  json["version"] = task.version;
  json["seq"] = task.seq;
  json["completed_at"] = OrNull(task.completed_at);
  json["due_kind"] = is_due ? Json(ToString(fields.due.kind)) : Json();
  json["due_local"] = due_local.empty() ? Json() : Json(due_local);
  json["time_zone"] = fields.time_zone;
  json["recurrence_basis"] = ToString(fields.recurrence_basis);
  const auto& series = task.series;
  json["series_id"] = series ? Json(series->series_id.value()) : Json();
  json["occurrence"] = series ? Json(series->occurrence) : Json();
  json["series_anchor"] = series ? Json(absl::FormatCivilTime(series->anchor)) : Json();
  json["scheduled_for"] = series ? Json(absl::FormatCivilTime(series->scheduled)) : Json();
  json["missed_occurrences"] = series ? series->missed : 0;
  json["skipped_at"] = OrNull(task.skipped_at);
  json["rule_since"] = series ? Json(series->rule_since) : Json();
  json["following"] = series ? Json::parse(FormatFollowing(series->following)) : Json();
  json["series_anchor_later"] = series && series->anchor_is_later ? Json(true) : Json();
  return Dump(json);
}

}  // namespace todo::domain
