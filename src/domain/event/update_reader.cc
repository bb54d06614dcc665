#include "domain/event/update_reader.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstddef>
#include <optional>
#include <string>

#include "domain/event/cloud_event.h"
#include "domain/event/json_values.h"
#include "util/status.h"
#include "util/trace_context.h"

namespace todo::domain {
namespace {

/// Walks over JSON that is known to be valid.
class JsonWalk {
 public:
  /// `text` must outlive the walk.
  explicit JsonWalk(std::string_view text) : text_(text) { SkipSpace(); }

  /// The value of the last `key` of the object that begins here, as text. nullopt: there is none,
  /// or the text is not simple: a key of the object is escaped, or a byte order mark comes first.
  std::optional<std::string_view> ValueOf(std::string_view key) {
    std::optional<std::string_view> value;
    if (text_[at_] != '{') return std::nullopt;
    ++at_;
    for (SkipSpace(); text_[at_] != '}'; SkipSpace()) {
      if (text_[at_] == ',') {
        ++at_;
        continue;
      }
      const std::string_view name = SkipString();
      if (name.find('\\') != std::string_view::npos) return std::nullopt;
      SkipSpace();
      ++at_;  // the colon
      SkipSpace();
      const std::size_t begin = at_;
      SkipValue();
      if (name == key) value = text_.substr(begin, at_ - begin);
    }
    return value;
  }

 private:
  void SkipSpace() { at_ = std::min(text_.find_first_not_of(" \t\r\n", at_), text_.size()); }

  /// Answers the text between the quotes.
  std::string_view SkipString() {
    const std::size_t begin = ++at_;
    while (text_[at_] != '"') at_ += text_[at_] == '\\' ? 2 : 1;
    return text_.substr(begin, at_++ - begin);
  }

  void SkipValue() {
    if (text_[at_] == '"') {
      SkipString();
    } else if (text_[at_] == '{' || text_[at_] == '[') {
      int depth = 0;
      do {
        const char c = text_[at_];
        if (c == '"') {
          SkipString();
          continue;
        }
        if (c == '{' || c == '[') ++depth;
        if (c == '}' || c == ']') --depth;
        ++at_;
      } while (depth > 0);
    } else {
      at_ = std::min(text_.find_first_of(",}] \t\r\n", at_), text_.size());
    }
  }

  const std::string_view text_;
  std::size_t at_ = 0;
};

/// The JSON of `task`, which `record` has in its data, on one line: as the record has it where that
/// is simple.
std::string TaskText(std::string_view record, const Json& task) {
  if (const auto data = JsonWalk(record).ValueOf("data")) {
    const auto text = JsonWalk(*data).ValueOf("task");
    if (text && text->find_first_of("\r\n") == std::string_view::npos) return std::string(*text);
  }
  return task.dump();
}

Change ReadChange(std::string_view record, const Json& cloud_event, ChangeKind kind) {
  const Json& data = cloud_event["data"];
  Change change;
  change.kind = kind;
  change.event_id = EventId{RequireUuid(Require(data, "event_id", "the update"), "event_id")};
  change.user = RequireUser(Require(data, "user_id", "the update"), "user_id");
  change.seq = RequireInteger(Require(data, "seq", "the update"), "seq");
  if (change.seq < 1) throw Violation{"seq must be 1 or more"};
  change.task_id.value = RequireInteger(Require(data, "task_id", "the update"), "task_id");
  change.at = RequireInstant(Require(data, "timestamp", "the update"), "timestamp");
  if (const Json* id = FindValue(data, "request_id"))
    change.request_id = RequestId{RequireUuid(*id, "request_id")};
  if (const Json* trace = FindValue(cloud_event, "traceparent"); trace && trace->is_string())
    change.traceparent = util::ParseTraceparent(trace->get_ref<const std::string&>());

  const Json& task = Require(data, "task", "the update");
  if (kind == ChangeKind::kDeleted) {
    if (!task.is_null()) throw Violation{"task must be null: it is deleted"};
    return change;
  }
  if (!task.is_object())
    throw Violation{fmt::format("task must be an object, not {}", task.type_name())};
  // The screens of a user get the text as it is.
  if (RequireInteger(Require(task, "id", "the task"), "task.id") != change.task_id.value)
    throw Violation{"task.id must be equal to task_id"};
  if (RequireUser(Require(task, "user_id", "the task"), "task.user_id") != change.user)
    throw Violation{"task.user_id must be equal to user_id"};
  change.version = RequireInteger(Require(task, "version", "the task"), "task.version");
  change.task_json = TaskText(record, task);
  return change;
}

NotificationUpdate ReadNotification(const Json& data) {
  NotificationUpdate update;
  update.user = RequireUser(Require(data, "user_id", "the update"), "user_id");
  update.notification_id =
      RequireUuid(Require(data, "notification_id", "the update"), "notification_id");
  if (const Json* id = FindValue(data, "task_id"))
    update.task_id = TaskId{RequireInteger(*id, "task_id")};
  update.at = RequireInstant(Require(data, "timestamp", "the update"), "timestamp");
  return update;
}

TaskUpdate ReadTaskUpdate(std::string_view record) {
  const Json cloud_event = ReadCloudEvent(record, "task update");
  const Json& data = cloud_event["data"];
  const std::string kind = RequireText(Require(data, "change", "the update"), "change");
  if (kind == "notification") return ReadNotification(data);
  const std::optional<ChangeKind> change = ParseChangeKind(kind);
  if (change && FindValue(data, "event_id") != nullptr)
    return ReadChange(record, cloud_event, *change);
  return OtherUpdate{RequireUser(Require(data, "user_id", "the update"), "user_id")};
}

}  // namespace

absl::StatusOr<TaskUpdate> ParseTaskUpdateRecord(std::string_view record) {
  try {
    return ReadTaskUpdate(record);
  } catch (const Violation& violation) {
    return util::MakeStatus(absl::StatusCode::kInvalidArgument, violation.text);
  }
}

}  // namespace todo::domain
