#include "domain/event/event_reader.h"

#include <fmt/format.h>

#include <cstring>
#include <optional>
#include <utility>

#include "domain/event/cloud_event.h"
#include "domain/event/json_values.h"
#include "util/digest.h"
#include "util/status.h"
#include "util/trace_context.h"

namespace todo::domain {
namespace {

/// The writer of a task. Keys that the schema names are the contract and must be right in every
/// task. Keys that todo-service adds may be anything in a task of another program, and count where
/// they are as todo-service writes them.
enum class Writer { kUs, kAnybody };

/// Runs `read()`, which reads keys that todo-service adds and takes them when all of it is right.
/// Otherwise they count as if they were not there, unless we wrote them.
template <typename Read>
void ReadAddition(Writer writer, const Read& read) {
  try {
    read();
  } catch (const Violation&) {
    if (writer == Writer::kUs) throw;
  }
}

/// The due date as the user meant it; nullopt: the task does not say, or it is a point in time.
std::optional<Due> ReadLocalDue(const Json& data, const std::string& time_zone) {
  const Json* local = FindValue(data, "due_local");
  const Json* kind = FindValue(data, "due_kind");
  if (kind == nullptr) return std::nullopt;
  const DueKind parsed = RequireDueKind(*kind, "task_data.due_kind");
  if ((parsed != DueKind::kDate && parsed != DueKind::kLocal) || local == nullptr)
    return std::nullopt;
  absl::StatusOr<Due> due = ResolveLocalDue(RequireText(*local, "task_data.due_local"), time_zone);
  if (!due.ok()) {
    throw Violation{
        "task_data.due_local must be a day of the calendar or a wall-clock time, and "
        "task_data.time_zone a zone of the IANA database"};
  }
  return *due;
}

/// `time_zone`: nullopt: it cannot be understood, so wall-clock times cannot either.
Due ReadDue(const Json& data, const std::optional<std::string>& time_zone, Writer writer) {
  std::optional<Instant> at;
  if (const Json* date = FindValue(data, "due_date"))
    at = RequireAnyInstant(*date, "task_data.due_date");
  std::optional<Due> due;
  if (time_zone) ReadAddition(writer, [&] { due = ReadLocalDue(data, *time_zone); });
  if (due) {
    // The instant it was resolved to stays, even if the zone's rules have changed since.
    if (at) due->at = *at;
    return *due;
  }
  if (!at) return {};
  return {.kind = DueKind::kInstant, .local = {}, .at = *at};
}

FollowingFields ReadFollowing(const Json& data, std::string_view name) {
  if (!data.is_object())
    throw Violation{fmt::format("{} must be an object, not {}", name, data.type_name())};
  const auto text_or_null = [](const Json& value, std::string_view key) {
    return value.is_null() ? std::nullopt : std::optional(RequireText(value, key));
  };
  const ObjectReader reader(data, std::string(name));
  FollowingFields following;
  reader.ReadNullable("title", following.title, RequireText);
  reader.ReadNullable("description", following.description, text_or_null);
  reader.ReadNullable("priority", following.priority, RequirePriority);
  reader.ReadNullable("tags", following.tags, RequireTexts);
  reader.ReadNullable("due_kind", following.due_kind, RequireDueKind);
  reader.ReadNullable("time_zone", following.time_zone, RequireText);
  return following;
}

SeriesPosition ReadSeries(const ObjectReader& task_data) {
  SeriesPosition series;
  task_data.Read("series_id", series.series_id, RequireUuid);
  task_data.Read("occurrence", series.occurrence, RequireInteger);
  task_data.Read("rule_since", series.rule_since, RequireInteger);
  task_data.Read("series_anchor", series.anchor, RequireCivilSecond);
  task_data.Read("series_anchor_later", series.anchor_is_later, RequireBoolean);
  task_data.Read("scheduled_for", series.scheduled, RequireCivilSecond);
  task_data.Read("missed_occurrences", series.missed, RequireInteger);
  task_data.Read("following", series.following, ReadFollowing);
  return series;
}

Task ReadTask(const Json& data, Writer writer) {
  if (!data.is_object())
    throw Violation{fmt::format("task_data must be an object, not {}", data.type_name())};
  const ObjectReader reader(data, "task_data");
  Task task;
  TaskFields& fields = task.fields;
  reader.Read("id", task.id.value, RequireInteger);
  reader.Read("title", fields.title, RequireText);
  reader.Read("description", fields.description, RequireText);
  reader.Read("completed", task.completed, RequireBoolean);
  reader.Read("priority", fields.priority, RequirePriority);
  reader.Read("tags", fields.tags, RequireTexts);
  reader.Read("recurrence_rule", fields.recurrence_rule, RequireText);
  reader.Read("user_id", task.user, RequireUser);
  reader.Read("created_at", task.created_at, RequireAnyInstant);
  reader.Read("updated_at", task.updated_at, RequireAnyInstant);

  const auto read_addition = [&](const char* key, auto& target, const auto& require) {
    ReadAddition(writer, [&] { reader.Read(key, target, require); });
  };
  // Without a value where the task names a zone that cannot be understood.
  std::optional<std::string> time_zone = fields.time_zone;
  if (reader.Has("time_zone")) time_zone.reset();
  read_addition("time_zone", time_zone, writer == Writer::kUs ? RequireText : RequireTimeZone);
  fields.due = ReadDue(data, time_zone, writer);
  if (time_zone) fields.time_zone = *time_zone;
  read_addition("recurrence_basis", fields.recurrence_basis, RequireRecurrenceBasis);
  read_addition("completed_at", task.completed_at, RequireAnyInstant);
  read_addition("version", task.version, RequireInteger);
  read_addition("seq", task.seq, RequireInteger);
  if (reader.Has("series_id")) ReadAddition(writer, [&] { task.series = ReadSeries(reader); });
  if (task.series) read_addition("skipped_at", task.skipped_at, RequireAnyInstant);
  return task;
}

/// All of the header but its id and time, which each kind of event says in its own way.
void ReadHeader(const Json& cloud_event, EventHeader& header) {
  const Json& data = cloud_event["data"];
  header.task_id.value = RequireInteger(Require(data, "task_id", "the event"), "task_id");
  header.user = RequireUser(Require(data, "user_id", "the event"), "user_id");
  if (const Json* source = FindValue(cloud_event, "source"))
    header.source = RequireText(*source, "source");
  // Written on into our own events, so it must be one; but none is lost for want of it.
  if (const Json* trace = FindValue(cloud_event, "traceparent"); trace && trace->is_string())
    header.traceparent = util::ParseTraceparent(trace->get_ref<const std::string&>());
}

/// The value of EventHeader::identity.
std::int64_t IdentityOf(std::string_view kind, const EventHeader& header) {
  // Lengths keep the parts apart, whatever they contain.
  const std::string name = fmt::format("{} {} {} {}:{}{}", kind, header.task_id.value,
                                       header.at.time_since_epoch().count(),
                                       header.user.value.size(), header.user.value, header.source);
  const std::string digest = util::Sha256(name);
  std::int64_t identity = 0;
  std::memcpy(&identity, digest.data(), sizeof identity);
  return identity;
}

TaskEvent ReadTaskEvent(std::string_view record) {
  const Json cloud_event = ReadCloudEvent(record, "task event");
  const Json& data = cloud_event["data"];
  TaskEvent event;
  event.id = EventId{RequireUuid(Require(data, "id", "the event"), "id")};
  const std::string kind = RequireText(Require(data, "event_type", "the event"), "event_type");
  const std::optional<ChangeKind> parsed = ParseChangeKind(kind);
  if (!parsed) {
    throw Violation{"event_type must be created, updated, completed, uncompleted or deleted"};
  }
  event.kind = *parsed;
  ReadHeader(cloud_event, event);
  event.actor = event.user;
  event.at = RequireInstant(Require(data, "timestamp", "the event"), "timestamp");
  if (const Json* task = FindValue(data, "task_data"))
    event.task = ReadTask(*task, Writer::kAnybody);
  if (event.task && !event.task->user.value.empty()) event.user = event.task->user;
  event.identity = IdentityOf(ToString(event.kind), event);
  return event;
}

EventId ReadReminderId(const Json& cloud_event, std::string_view source) {
  if (const Json* id = FindValue(cloud_event["data"], "id")) return EventId{RequireUuid(*id, "id")};
  const std::string id = RequireText(Require(cloud_event, "id", "the CloudEvent"), "id");
  if (const std::optional<Uuid> uuid = Uuid::Parse(id)) return EventId{*uuid};
  // CloudEvents are told apart by source and id together.
  const std::string name = fmt::format("reminder {} {}{}", source.size(), source, id);
  return EventId{Uuid::FromBytes(util::Sha256(name).substr(0, 16), 8)};
}

/// How a due date was meant says only how it is shown: nothing in those keys makes an event
/// unreadable.
Due ReadReminderDue(const Json& data) {
  Due due;
  if (const Json* date = FindValue(data, "due_date")) {
    const Instant at = RequireAnyInstant(*date, "due_date");
    if (at >= kMinInstant) due = {.kind = DueKind::kInstant, .local = {}, .at = at};
  }
  const Json* kind = FindValue(data, "due_kind");
  const Json* local = FindValue(data, "due_local");
  if (!kind || !kind->is_string() || !local || !local->is_string()) return due;
  const std::optional<DueKind> meant = ParseDueKind(kind->get_ref<const std::string&>());
  absl::StatusOr<Due> resolved = ResolveLocalDue(local->get_ref<const std::string&>(), "UTC");
  if (!resolved.ok() || meant != resolved->kind) return due;
  if (due.kind != DueKind::kNone) resolved->at = due.at;
  return *resolved;
}

ReminderEvent ReadReminderEvent(std::string_view record) {
  const Json cloud_event = ReadCloudEvent(record, "reminder event");
  const Json& data = cloud_event["data"];
  ReminderEvent event;
  ReadHeader(cloud_event, event);
  event.id = ReadReminderId(cloud_event, event.source);
  event.title = RequireText(Require(data, "title", "the event"), "title");
  event.at = RequireInstant(Require(data, "remind_at", "the event"), "remind_at");
  event.due = ReadReminderDue(data);
  event.identity = IdentityOf("reminder", event);
  return event;
}

}  // namespace

absl::StatusOr<TaskEvent> ParseTaskEventRecord(std::string_view record) {
  try {
    return ReadTaskEvent(record);
  } catch (const Violation& violation) {
    return util::MakeStatus(absl::StatusCode::kInvalidArgument, violation.text);
  }
}

absl::StatusOr<ReminderEvent> ParseReminderEventRecord(std::string_view record) {
  try {
    return ReadReminderEvent(record);
  } catch (const Violation& violation) {
    return util::MakeStatus(absl::StatusCode::kInvalidArgument, violation.text);
  }
}

absl::StatusOr<Task> ParseTaskJson(std::string_view json) {
  try {
    return ReadTask(ParseJson(json, "task_data"), Writer::kUs);
  } catch (const Violation& violation) {
    return util::MakeStatus(absl::StatusCode::kInvalidArgument, violation.text);
  }
}

absl::StatusOr<FollowingFields> ParseFollowing(std::string_view json) {
  try {
    return ReadFollowing(ParseJson(json, "following"), "following");
  } catch (const Violation& violation) {
    return util::MakeStatus(absl::StatusCode::kInvalidArgument, violation.text);
  }
}

}  // namespace todo::domain
