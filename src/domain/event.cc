#include "domain/event.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <nlohmann/json.hpp>
#include <utility>

#include "util/digest.h"
#include "util/status.h"

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

Due ReadDue(const Json& data, const std::string& time_zone) {
  const Json* date = FindValue(data, "due_date");
  const Json* local = FindValue(data, "due_local");
  const Json* kind = FindValue(data, "due_kind");
  if (kind != nullptr) {
    const DueKind parsed = RequireDueKind(*kind, "task_data.due_kind");
    if ((parsed == DueKind::kDate || parsed == DueKind::kLocal) && local != nullptr) {
      absl::StatusOr<Due> due =
          ResolveLocalDue(RequireText(*local, "task_data.due_local"), time_zone);
      if (!due.ok()) {
        throw Violation{
            "task_data.due_local must be a day of the calendar or a wall-clock time, and "
            "task_data.time_zone a zone of the IANA database"};
      }
      // The instant it was resolved to stays, even if the zone's rules have changed since.
      if (date != nullptr) due->at = RequireInstant(*date, "task_data.due_date");
      return *due;
    }
  }
  if (date == nullptr) return {};
  return {
      .kind = DueKind::kInstant, .local = {}, .at = RequireInstant(*date, "task_data.due_date")};
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

Task ReadTask(const Json& data) {
  if (!data.is_object())
    throw Violation{fmt::format("task_data must be an object, not {}", data.type_name())};
  Task task;
  const auto with = [&data](const char* key, const auto& read) {
    if (const Json* value = FindValue(data, key)) read(*value, fmt::format("task_data.{}", key));
  };
  with("id",
       [&](const Json& v, const std::string& name) { task.id.value = RequireInteger(v, name); });
  with("title",
       [&](const Json& v, const std::string& name) { task.fields.title = RequireText(v, name); });
  with("description", [&](const Json& v, const std::string& name) {
    task.fields.description = RequireText(v, name);
  });
  with("completed", [&](const Json& v, const std::string& name) {
    if (!v.is_boolean())
      throw Violation{fmt::format("{} must be a boolean, not {}", name, v.type_name())};
    task.completed = v.get<bool>();
  });
  with("priority", [&](const Json& v, const std::string& name) {
    task.fields.priority = RequirePriority(v, name);
  });
  with("tags",
       [&](const Json& v, const std::string& name) { task.fields.tags = RequireTexts(v, name); });
  with("time_zone", [&](const Json& v, const std::string& name) {
    task.fields.time_zone = RequireText(v, name);
  });
  task.fields.due = ReadDue(data, task.fields.time_zone);
  with("recurrence_rule", [&](const Json& v, const std::string& name) {
    task.fields.recurrence_rule = RequireText(v, name);
  });
  with("recurrence_basis", [&](const Json& v, const std::string& name) {
    const std::optional<RecurrenceBasis> basis = ParseRecurrenceBasis(RequireText(v, name));
    if (!basis) throw Violation{fmt::format("{} must be schedule or completion", name)};
    task.fields.recurrence_basis = *basis;
  });
  with("user_id",
       [&](const Json& v, const std::string& name) { task.user = RequireUser(v, name); });
  with("created_at",
       [&](const Json& v, const std::string& name) { task.created_at = RequireInstant(v, name); });
  with("updated_at",
       [&](const Json& v, const std::string& name) { task.updated_at = RequireInstant(v, name); });
  with("completed_at", [&](const Json& v, const std::string& name) {
    task.completed_at = RequireInstant(v, name);
  });
  with("version",
       [&](const Json& v, const std::string& name) { task.version = RequireInteger(v, name); });
  with("seq", [&](const Json& v, const std::string& name) { task.seq = RequireInteger(v, name); });
  with("series_id", [&](const Json& v, const std::string& name) {
    SeriesPosition series;
    series.series_id = RequireUuid(v, name);
    with("occurrence",
         [&](const Json& x, const std::string& n) { series.occurrence = RequireInteger(x, n); });
    with("rule_since",
         [&](const Json& x, const std::string& n) { series.rule_since = RequireInteger(x, n); });
    with("series_anchor",
         [&](const Json& x, const std::string& n) { series.anchor = RequireCivilSecond(x, n); });
    with("scheduled_for",
         [&](const Json& x, const std::string& n) { series.scheduled = RequireCivilSecond(x, n); });
    with("missed_occurrences",
         [&](const Json& x, const std::string& n) { series.missed = RequireInteger(x, n); });
    with("skipped_at",
         [&](const Json& x, const std::string& n) { task.skipped_at = RequireInstant(x, n); });
    with("following",
         [&](const Json& x, const std::string&) { series.following = ReadFollowing(x); });
    task.series = series;
  });
  return task;
}

/// The CloudEvent in `record`, whose `data` is an object; `what` names what it should carry.
Json ReadCloudEvent(std::string_view record, std::string_view what) {
  Json cloud_event = ParseJson(record, "the record");
  if (!cloud_event.is_object()) throw Violation{"the record is JSON but not an object"};
  if (!cloud_event.contains("specversion")) {
    throw Violation{"the record is not a CloudEvent in structured mode: it has no specversion"};
  }
  const std::string spec = RequireText(cloud_event["specversion"], "specversion");
  if (spec != "1.0" && spec != "0.3") throw Violation{"specversion must be 1.0 or 0.3"};

  if (const Json* type = FindValue(cloud_event, "datacontenttype")) {
    const std::string text = RequireText(*type, "datacontenttype");
    if (text.find("json") == std::string::npos) {
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
    header.traceparent = ParseTraceparent(trace->get_ref<const std::string&>());
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
  event.at = RequireInstant(Require(data, "timestamp", "the event"), "timestamp");
  if (const Json* task = FindValue(data, "task_data")) event.task = ReadTask(*task);
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

ReminderEvent ReadReminderEvent(std::string_view record) {
  const Json cloud_event = ReadCloudEvent(record, "reminder event");
  const Json& data = cloud_event["data"];
  ReminderEvent event;
  ReadHeader(cloud_event, event);
  event.id = ReadReminderId(cloud_event, event.source);
  event.title = RequireText(Require(data, "title", "the event"), "title");
  event.at = RequireInstant(Require(data, "remind_at", "the event"), "remind_at");
  if (const Json* due = FindValue(data, "due_date"))
    event.due_at = RequireInstant(*due, "due_date");
  return event;
}

bool IsLowerHex(std::string_view text) {
  return std::all_of(text.begin(), text.end(),
                     [](char c) { return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f'); });
}

bool IsZero(std::string_view hex) { return hex.find_first_not_of('0') == std::string_view::npos; }

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

std::string ParseTraceparent(std::string_view text) {
  // version-trace id-parent id-flags: 2, 32, 16 and 2 hexadecimal digits. Later versions may append
  // more.
  constexpr std::size_t kLength = 55;
  if (text.size() < kLength || text[2] != '-' || text[35] != '-' || text[52] != '-') return "";
  const std::string_view version = text.substr(0, 2);
  const std::string_view trace_id = text.substr(3, 32);
  const std::string_view parent_id = text.substr(36, 16);
  const std::string_view flags = text.substr(53, 2);
  if (!IsLowerHex(version) || !IsLowerHex(trace_id) || !IsLowerHex(parent_id) || !IsLowerHex(flags))
    return "";
  if (version == "ff" || IsZero(trace_id) || IsZero(parent_id)) return "";
  if (text.size() > kLength && (version == "00" || text[kLength] != '-')) return "";
  return fmt::format("00{}", text.substr(2, kLength - 2));
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
    return ReadTask(ParseJson(json, "task_data"));
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
  return json.dump(-1, ' ', false, nlohmann::ordered_json::error_handler_t::replace);
}

}  // namespace todo::domain
