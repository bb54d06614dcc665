#include "api/mcp/resources.h"

#include <charconv>
#include <cstdint>
#include <optional>
#include <string_view>

#include "absl/time/civil_time.h"
#include "api/mcp/plain_json.h"
#include "api/mcp/tool_runs.h"
#include "api/request_parts.h"
#include "todo/v1/reminder_service.pb.h"
#include "todo/v1/todo_service.pb.h"
#include "util/status.h"

namespace todo::api::mcp {
namespace {

constexpr char kJsonType[] = "application/json";
constexpr char kToday[] = "todo://today";
constexpr std::string_view kTaskPrefix = "todo://tasks/";
constexpr int kMaxTasks = 200;

/// Whether the time of an open task has passed: that of an all-day task at the end of its day.
bool IsOverdue(const v1::Task& task, domain::Instant start_of_day, domain::Instant now) {
  return InstantIn(task.due_date()) < (task.due_kind() == v1::DUE_KIND_DATE ? start_of_day : now);
}

absl::StatusOr<Json> Today(const MethodCalls& methods, UserProfile& user) {
  TODO_ASSIGN_OR_RETURN(const domain::TimeZone zone, user.Zone());
  const absl::CivilDay today(zone.ToLocal(user.Now()));
  v1::ListTasksRequest request;
  request.mutable_filter()->set_completed(false);
  *request.mutable_filter()->mutable_due_before() =
      EncodeInstant(zone.ToInstant(absl::CivilSecond(today + 1)));
  request.set_order_by("due_date");
  request.set_page_size(kMaxTasks);
  TODO_ASSIGN_OR_RETURN(const auto found, methods.Call<v1::ListTasksResponse>(
                                              "/todo.v1.TodoService/ListTasks", request));
  Json list = {{"date", absl::FormatCivilTime(today)},
               {"time_zone", zone.name()},
               {"overdue", Json::array()},
               {"due_today", Json::array()},
               {"complete", found.next_page_token().empty()}};
  const domain::Instant start = zone.ToInstant(absl::CivilSecond(today));
  for (const v1::Task& task : found.tasks())
    list[IsOverdue(task, start, user.Now()) ? "overdue" : "due_today"].push_back(TaskJson(task));
  return list;
}

absl::StatusOr<Json> OneTask(std::int64_t id, const MethodCalls& methods) {
  v1::GetTaskRequest task_request;
  task_request.set_id(id);
  TODO_ASSIGN_OR_RETURN(const auto task,
                        methods.Call<v1::Task>("/todo.v1.TodoService/GetTask", task_request));
  v1::ListRemindersRequest reminders_request;
  reminders_request.set_task_id(id);
  TODO_ASSIGN_OR_RETURN(const auto reminders,
                        methods.Call<v1::ListRemindersResponse>(
                            "/todo.v1.ReminderService/ListReminders", reminders_request));
  Json content = {{"task", TaskJson(task)}, {"reminders", Json::array()}};
  content.update(PlainJson(reminders));
  return content;
}

/// The id in "todo://tasks/7".
std::optional<std::int64_t> TaskIdIn(std::string_view uri) {
  if (!uri.starts_with(kTaskPrefix)) return std::nullopt;
  uri.remove_prefix(kTaskPrefix.size());
  std::int64_t id = 0;
  const char* const end = uri.data() + uri.size();
  const auto [stop, error] = std::from_chars(uri.data(), end, id);
  if (error != std::errc() || stop != end || id <= 0) return std::nullopt;
  return id;
}

}  // namespace

Json ListedResources() {
  return Json::array({{{"uri", kToday},
                       {"name", "today"},
                       {"title", "Today"},
                       {"description",
                        "The open tasks that are due today or overdue, by the "
                        "user's own clock."},
                       {"mimeType", kJsonType}}});
}

Json ListedTemplates() {
  return Json::array({{{"uriTemplate", "todo://tasks/{id}"},
                       {"name", "task"},
                       {"title", "A task"},
                       {"description", "One task with its reminders."},
                       {"mimeType", kJsonType}}});
}

absl::StatusOr<Json> ReadResource(const std::string& uri, const MethodCalls& methods,
                                  UserProfile& user) {
  absl::StatusOr<Json> content = absl::NotFoundError("there is no such resource");
  if (uri == kToday) {
    content = Today(methods, user);
  } else if (const std::optional<std::int64_t> id = TaskIdIn(uri)) {
    content = OneTask(*id, methods);
  }
  if (!content.ok()) return content.status();
  return Json::array({{{"uri", uri}, {"mimeType", kJsonType}, {"text", TextOf(*content)}}});
}

}  // namespace todo::api::mcp
