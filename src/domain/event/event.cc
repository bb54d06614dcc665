#include "domain/event/event.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <cstring>
#include <nlohmann/json.hpp>
#include <utility>

#include "absl/strings/ascii.h"
#include "domain/time_zone.h"
#include "util/digest.h"
#include "util/status.h"
#include "util/trace_context.h"

namespace todo::domain {
namespace {

using Json = nlohmann::json;

constexpr std::size_t kMaxRecordBytes = std::size_t{1} << 20;
constexpr int kMaxNesting = 64;
/// Beyond this a number changes on its way through anything that reads JSON numbers as doubles,
/// Dapr included.
constexpr std::int64_t kMaxExactInteger = std::int64_t{1} << 53;

constexpr std::array<std::pair<ChangeKind, std::string_view>, 5> kKinds = {{
    {ChangeKind::kCreated, "created"},
    {ChangeKind::kUpdated, "updated"},
    {ChangeKind::kCompleted, "completed"},
    {ChangeKind::kUncompleted, "uncompleted"},
    {ChangeKind::kDeleted, "deleted"},
}};

/// What breaks the contract: names the key, and quotes nothing of the record, which may be private.
/// Thrown and caught inside this file only.
struct Violation {
  std::string text;
};

std::string Quote(std::string_view text) {
  return Json(text).dump(-1, ' ', false, Json::error_handler_t::replace);
}

/// Whether a media type ("application/json; charset=utf-8") is one of JSON. Case and parameters do
/// not count.
bool IsJson(std::string_view media_type) {
  const absl::string_view type = util::ToAbsl(media_type.substr(0, media_type.find(';')));
  const std::string name = absl::AsciiStrToLower(absl::StripAsciiWhitespace(type));
  const std::size_t slash = name.find('/');
  if (slash == std::string::npos) return false;
  const std::string_view subtype = std::string_view(name).substr(slash + 1);
  return subtype == "json" || subtype.ends_with("+json");
}

Json ParseJson(std::string_view text, std::string_view what) {
  if (text.size() > kMaxRecordBytes) {
    throw Violation{
        fmt::format("{} has {} bytes; the limit is {}", what, text.size(), kMaxRecordBytes)};
  }
  if (NestsTooDeep(text))
    throw Violation{fmt::format("{} nests deeper than {} levels", what, kMaxNesting)};
  try {
    return Json::parse(text);
  } catch (const Json::parse_error& error) {
    throw Violation{fmt::format("{} is not JSON: it goes wrong at byte {}", what, error.byte)};
  } catch (const Json::exception&) {
    throw Violation{fmt::format("{} is not JSON: it holds a number that is too large", what)};
  }
}

std::string RequireText(const Json& value, std::string_view name) {
  if (!value.is_string())
    throw Violation{fmt::format("{} must be a string, not {}", name, value.type_name())};
  std::string text = value.get<std::string>();
  if (text.find('\0') != std::string::npos)
    throw Violation{fmt::format("{} holds a NUL character", name)};
  return text;
}

bool RequireBoolean(const Json& value, const std::string& name) {
  if (!value.is_boolean())
    throw Violation{fmt::format("{} must be a boolean, not {}", name, value.type_name())};
  return value.get<bool>();
}

std::int64_t RequireInteger(const Json& value, std::string_view name) {
  std::int64_t number = 0;
  if (value.is_number_float()) {
    // JSON has one kind of number: 1.0 is an integer.
    const double real = value.get<double>();
    if (std::floor(real) != real || std::abs(real) > static_cast<double>(kMaxExactInteger)) {
      throw Violation{fmt::format("{} must be an integer of at most 2^53", name)};
    }
    number = static_cast<std::int64_t>(real);
  } else if (value.is_number_unsigned() &&
             value.get<std::uint64_t>() > static_cast<std::uint64_t>(kMaxExactInteger)) {
    throw Violation{fmt::format("{} is beyond 2^53 and cannot cross the bus unchanged", name)};
  } else if (value.is_number_integer()) {
    number = value.get<std::int64_t>();
  } else {
    throw Violation{fmt::format("{} must be an integer, not {}", name, value.type_name())};
  }
  if (number < -kMaxExactInteger) throw Violation{fmt::format("{} is beyond -2^53", name)};
  return number;
}

Instant RequireInstant(const Json& value, std::string_view name) {
  const std::string text = RequireText(value, name);
  absl::StatusOr<Instant> instant = ParseInstant(text);
  if (!instant.ok()) {
    throw Violation{fmt::format("{}: {}", name, util::FromAbsl(instant.status().message()))};
  }
  return *instant;
}

/// A time that nothing is counted from.
Instant RequireAnyInstant(const Json& value, std::string_view name) {
  const absl::StatusOr<Instant> instant = ParseAnyInstant(RequireText(value, name));
  if (!instant.ok()) {
    throw Violation{fmt::format("{}: {}", name, util::FromAbsl(instant.status().message()))};
  }
  return *instant;
}

absl::CivilSecond RequireCivilSecond(const Json& value, std::string_view name) {
  const std::string text = RequireText(value, name);
  absl::CivilSecond civil;
  if (!absl::ParseLenientCivilTime(text, &civil)) {
    throw Violation{fmt::format("{} must be a local date and time", name)};
  }
  return civil;
}

const Json& Require(const Json& object, const char* key, std::string_view where) {
  const auto it = object.find(key);
  if (it == object.end())
    throw Violation{fmt::format("{} lacks the required key {}", where, Quote(key))};
  return *it;
}

/// The value of `key`, or nullptr when it is missing or null.
const Json* FindValue(const Json& object, const char* key) {
  const auto it = object.find(key);
  return it == object.end() || it->is_null() ? nullptr : &*it;
}

Uuid RequireUuid(const Json& value, std::string_view name) {
  const std::string text = RequireText(value, name);
  const std::optional<Uuid> uuid = Uuid::Parse(text);
  if (!uuid) throw Violation{fmt::format("{} must be a UUID", name)};
  return *uuid;
}

UserId RequireUser(const Json& value, std::string_view name) {
  UserId user{RequireText(value, name)};
  if (const absl::Status status = CheckUserId(user.value); !status.ok()) {
    throw Violation{fmt::format("{}: {}", name, util::FromAbsl(status.message()))};
  }
  return user;
}

Priority RequirePriority(const Json& value, std::string_view name) {
  const std::optional<Priority> priority = ParsePriority(RequireText(value, name));
  if (!priority) throw Violation{fmt::format("{} must be low, medium or high", name)};
  return *priority;
}

DueKind RequireDueKind(const Json& value, std::string_view name) {
  const std::string text = RequireText(value, name);
  const std::optional<DueKind> kind = ParseDueKind(text);
  if (!kind) throw Violation{fmt::format("{} must be date, local or instant", name)};
  return *kind;
}

std::vector<std::string> RequireTexts(const Json& value, std::string_view name) {
  if (!value.is_array())
    throw Violation{fmt::format("{} must be an array, not {}", name, value.type_name())};
  std::vector<std::string> texts;
  for (const Json& text : value) texts.push_back(RequireText(text, name));
  return texts;
}

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

FollowingFields ReadFollowing(const Json& data) {
  if (!data.is_object())
    throw Violation{fmt::format("task_data.following must be an object, not {}", data.type_name())};
  FollowingFields following;
  const auto with = [&data](const char* key, const auto& read) {
    if (const auto it = data.find(key); it != data.end())
      read(*it, fmt::format("task_data.following.{}", key));
  };
  with("title",
       [&](const Json& v, const std::string& name) { following.title = RequireText(v, name); });
  with("description", [&](const Json& v, const std::string& name) {
    following.description.emplace(v.is_null() ? std::nullopt : std::optional(RequireText(v, name)));
  });
  with("priority", [&](const Json& v, const std::string& name) {
    following.priority = RequirePriority(v, name);
  });
  with("tags",
       [&](const Json& v, const std::string& name) { following.tags = RequireTexts(v, name); });
  with("due_kind", [&](const Json& v, const std::string& name) {
    following.due_kind = RequireDueKind(v, name);
  });
  with("time_zone",
       [&](const Json& v, const std::string& name) { following.time_zone = RequireText(v, name); });
  return following;
}

std::string RequireTimeZone(const Json& value, std::string_view name) {
  std::string zone = RequireText(value, name);
  if (!TimeZone::Load(zone).ok())
    throw Violation{fmt::format("{} must be a zone of the IANA database", name)};
  return zone;
}

SeriesPosition ReadSeries(const Json& data) {
  const auto with = [&data](const char* key, const auto& read) {
    if (const Json* value = FindValue(data, key)) read(*value, fmt::format("task_data.{}", key));
  };
  SeriesPosition series;
  with("series_id",
       [&](const Json& v, const std::string& name) { series.series_id = RequireUuid(v, name); });
  with("occurrence", [&](const Json& v, const std::string& name) {
    series.occurrence = RequireInteger(v, name);
  });
  with("rule_since", [&](const Json& v, const std::string& name) {
    series.rule_since = RequireInteger(v, name);
  });
  with("series_anchor", [&](const Json& v, const std::string& name) {
    series.anchor = RequireCivilSecond(v, name);
  });
  with("series_anchor_later", [&](const Json& v, const std::string& name) {
    series.anchor_is_later = RequireBoolean(v, name);
  });
  with("scheduled_for", [&](const Json& v, const std::string& name) {
    series.scheduled = RequireCivilSecond(v, name);
  });
  with("missed_occurrences",
       [&](const Json& v, const std::string& name) { series.missed = RequireInteger(v, name); });
  with("following",
       [&](const Json& v, const std::string&) { series.following = ReadFollowing(v); });
  return series;
}

Task ReadTask(const Json& data, Writer writer) {
  if (!data.is_object())
    throw Violation{fmt::format("task_data must be an object, not {}", data.type_name())};
  Task task;
  const auto with = [&data](const char* key, const auto& read) {
    if (const Json* value = FindValue(data, key)) read(*value, fmt::format("task_data.{}", key));
  };
  const auto with_addition = [&](const char* key, const auto& read) {
    ReadAddition(writer, [&] { with(key, read); });
  };
  with("id",
       [&](const Json& v, const std::string& name) { task.id.value = RequireInteger(v, name); });
  with("title",
       [&](const Json& v, const std::string& name) { task.fields.title = RequireText(v, name); });
  with("description", [&](const Json& v, const std::string& name) {
    task.fields.description = RequireText(v, name);
  });
  with("completed",
       [&](const Json& v, const std::string& name) { task.completed = RequireBoolean(v, name); });
  with("priority", [&](const Json& v, const std::string& name) {
    task.fields.priority = RequirePriority(v, name);
  });
  with("tags",
       [&](const Json& v, const std::string& name) { task.fields.tags = RequireTexts(v, name); });
  with("recurrence_rule", [&](const Json& v, const std::string& name) {
    task.fields.recurrence_rule = RequireText(v, name);
  });
  with("user_id",
       [&](const Json& v, const std::string& name) { task.user = RequireUser(v, name); });
  with("created_at", [&](const Json& v, const std::string& name) {
    task.created_at = RequireAnyInstant(v, name);
  });
  with("updated_at", [&](const Json& v, const std::string& name) {
    task.updated_at = RequireAnyInstant(v, name);
  });

  std::optional<std::string> time_zone = task.fields.time_zone;
  if (FindValue(data, "time_zone") != nullptr) time_zone.reset();
  with_addition("time_zone", [&](const Json& v, const std::string& name) {
    time_zone = writer == Writer::kUs ? RequireText(v, name) : RequireTimeZone(v, name);
  });
  task.fields.due = ReadDue(data, time_zone, writer);
  if (time_zone) task.fields.time_zone = *time_zone;
  with_addition("recurrence_basis", [&](const Json& v, const std::string& name) {
    const std::optional<RecurrenceBasis> basis = ParseRecurrenceBasis(RequireText(v, name));
    if (!basis) throw Violation{fmt::format("{} must be schedule or completion", name)};
    task.fields.recurrence_basis = *basis;
  });
  with_addition("completed_at", [&](const Json& v, const std::string& name) {
    task.completed_at = RequireAnyInstant(v, name);
  });
  with_addition("version", [&](const Json& v, const std::string& name) {
    task.version = RequireInteger(v, name);
  });
  with_addition(
      "seq", [&](const Json& v, const std::string& name) { task.seq = RequireInteger(v, name); });
  if (FindValue(data, "series_id") != nullptr) {
    ReadAddition(writer, [&] { task.series = ReadSeries(data); });
    if (task.series) {
      with_addition("skipped_at", [&](const Json& v, const std::string& name) {
        task.skipped_at = RequireAnyInstant(v, name);
      });
    }
  }
  return task;
}

/// The CloudEvent in `record`, whose `data` is an object; `what` names what it should carry.
Json ReadCloudEvent(std::string_view record, std::string_view what) {
  // The sidecar passes on a record without a value as null.
  if (record.empty() || record == "null") {
    throw Violation{fmt::format(
        "the record has no value: it is a tombstone, as compacted topics have them, and no {}",
        what)};
  }
  Json cloud_event = ParseJson(record, "the record");
  if (!cloud_event.is_object()) throw Violation{"the record is JSON but not an object"};
  if (!cloud_event.contains("specversion")) {
    throw Violation{"the record is not a CloudEvent in structured mode: it has no specversion"};
  }
  const std::string spec = RequireText(cloud_event["specversion"], "specversion");
  if (spec != "1.0" && spec != "0.3") throw Violation{"specversion must be 1.0 or 0.3"};

  if (const Json* type = FindValue(cloud_event, "datacontenttype")) {
    const std::string text = RequireText(*type, "datacontenttype");
    if (!IsJson(text)) {
      throw Violation{fmt::format("datacontenttype must be application/json for a {}", what)};
    }
  }
  const Json* data = FindValue(cloud_event, "data");
  if (data == nullptr && FindValue(cloud_event, "data_base64") != nullptr) {
    throw Violation{fmt::format(
        "the CloudEvent's data is binary (data_base64); a {} is a JSON object in data", what)};
  }
  if (data == nullptr) throw Violation{"the CloudEvent has no data"};
  if (!data->is_object()) {
    throw Violation{
        fmt::format("the CloudEvent's data must be an object, not {}", data->type_name())};
  }
  return cloud_event;
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

bool NestsTooDeep(std::string_view json) {
  int depth = 0;
  bool in_string = false;
  for (std::size_t i = 0; i < json.size(); ++i) {
    const char c = json[i];
    if (in_string) {
      if (c == '\\') ++i;
      if (c == '"') in_string = false;
    } else if (c == '"') {
      in_string = true;
    } else if (c == '{' || c == '[') {
      if (++depth > kMaxNesting) return true;
    } else if (c == '}' || c == ']') {
      --depth;
    }
  }
  return false;
}

std::string_view ToString(ChangeKind kind) {
  for (const auto& [value, name] : kKinds) {
    if (value == kind) return name;
  }
  return "";
}

std::optional<ChangeKind> ParseChangeKind(std::string_view text) {
  for (const auto& [value, name] : kKinds) {
    if (name == text) return value;
  }
  return std::nullopt;
}

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
  return fmt::format(
      R"({}"data":{{"id":"{}","user_id":{},"seq":{},"change":"{}","task_id":{},"task":{},"timestamp":"{}"}}}})",
      EnvelopeOf(change, id.value(), "todo.task.changed.v1"), id.value(), Quote(change.user.value),
      change.seq, ToString(change.kind), change.task_id.value,
      deleted ? "null" : std::string_view(change.task_json), FormatInstant(change.at));
}

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

const EventHeader& HeaderOf(const Event& event) {
  return std::visit([](const EventHeader& header) -> const EventHeader& { return header; }, event);
}

absl::StatusOr<Task> ParseTaskJson(std::string_view json) {
  try {
    return ReadTask(ParseJson(json, "task_data"), Writer::kUs);
  } catch (const Violation& violation) {
    return util::MakeStatus(absl::StatusCode::kInvalidArgument, violation.text);
  }
}

std::string FormatFollowing(const FollowingFields& following) {
  nlohmann::ordered_json json;
  if (following.title) json["title"] = *following.title;
  if (following.description) {
    json["description"] = *following.description ? nlohmann::ordered_json(**following.description)
                                                 : nlohmann::ordered_json();
  }
  if (following.priority) json["priority"] = ToString(*following.priority);
  if (following.tags) json["tags"] = *following.tags;
  if (following.due_kind) json["due_kind"] = ToString(*following.due_kind);
  if (following.time_zone) json["time_zone"] = *following.time_zone;
  return json.dump(-1, ' ', false, nlohmann::ordered_json::error_handler_t::replace);
}

std::string FormatTaskJson(const Task& task) {
  const auto instant = [](const Instant& at) { return nlohmann::ordered_json(FormatInstant(at)); };
  const nlohmann::ordered_json null;
  const TaskFields& fields = task.fields;
  nlohmann::ordered_json json;
  json["id"] = task.id.value;
  json["title"] = fields.title;
  json["description"] = fields.description ? nlohmann::ordered_json(*fields.description) : null;
  json["completed"] = task.completed;
  json["priority"] = ToString(fields.priority);
  json["tags"] = fields.tags;
  json["due_date"] = fields.due.kind == DueKind::kNone ? null : instant(fields.due.at);
  json["recurrence_rule"] =
      fields.recurrence_rule ? nlohmann::ordered_json(*fields.recurrence_rule) : null;
  json["user_id"] = task.user.value;
  json["created_at"] = instant(task.created_at);
  json["updated_at"] = instant(task.updated_at);
  json["version"] = task.version;
  json["seq"] = task.seq;
  json["completed_at"] = task.completed_at ? instant(*task.completed_at) : null;
  json["due_kind"] =
      fields.due.kind == DueKind::kNone ? null : nlohmann::ordered_json(ToString(fields.due.kind));
  const std::string local = FormatDueLocal(fields.due);
  json["due_local"] = local.empty() ? null : nlohmann::ordered_json(local);
  json["time_zone"] = fields.time_zone;
  json["recurrence_basis"] = ToString(fields.recurrence_basis);
  json["series_id"] = task.series ? nlohmann::ordered_json(task.series->series_id.value()) : null;
  json["occurrence"] = task.series ? nlohmann::ordered_json(task.series->occurrence) : null;
  json["series_anchor"] =
      task.series ? nlohmann::ordered_json(absl::FormatCivilTime(task.series->anchor)) : null;
  json["scheduled_for"] =
      task.series ? nlohmann::ordered_json(absl::FormatCivilTime(task.series->scheduled)) : null;
  json["missed_occurrences"] = task.series ? task.series->missed : 0;
  json["skipped_at"] = task.skipped_at ? instant(*task.skipped_at) : null;
  json["rule_since"] = task.series ? nlohmann::ordered_json(task.series->rule_since) : null;
  json["following"] =
      task.series ? nlohmann::ordered_json::parse(FormatFollowing(task.series->following)) : null;
  json["series_anchor_later"] =
      task.series && task.series->anchor_is_later ? nlohmann::ordered_json(true) : null;
  return json.dump(-1, ' ', false, nlohmann::ordered_json::error_handler_t::replace);
}

}  // namespace todo::domain
