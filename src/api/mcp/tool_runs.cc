#include "api/mcp/tool_runs.h"

#include <fmt/format.h>

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "absl/time/civil_time.h"
#include "api/mcp/argument_times.h"
#include "api/mcp/plain_json.h"
#include "api/request_parts.h"
#include "domain/ids.h"
#include "domain/time.h"
#include "domain/time_zone.h"
#include "todo/v1/analytics_service.pb.h"
#include "todo/v1/reminder_service.pb.h"
#include "util/digest.h"
#include "util/status.h"

namespace todo::api::mcp {
namespace {

/// A day alone, such as "2026-11-27".
constexpr std::size_t kDayLength = 10;

Json OnlyTask(const v1::Task& task) { return {{"task", TaskJson(task)}}; }

absl::StatusOr<Json> TaskOf(const absl::StatusOr<v1::Task>& task) {
  if (!task.ok()) return task.status();
  return OnlyTask(*task);
}

/// The request id of a further step of a call, equal in each repetition of the call.
std::string IdOfStep(const std::string& request_id, int step) {
  constexpr int kVersion = 8;
  return domain::Uuid::FromBytes(util::Sha256(fmt::format("{}/{}", request_id, step)), kVersion)
      .value();
}

void RequireText(ToolCall& call, const char* name) {
  if (call.arguments.Has(name) && call.arguments.Text(name).empty())
    call.arguments.AddViolation(name, "must not be empty");
}

/// The task that the argument `text` describes, and its reminders.
absl::StatusOr<v1::ParseTaskResponse> ParseText(ToolCall& call) {
  v1::ParseTaskRequest request;
  if (!call.arguments.Has("text")) return v1::ParseTaskResponse();
  call.arguments.Put({"text", "time_zone"}, request);
  return call.methods.Call<v1::ParseTaskResponse>("/todo.v1.TodoService/ParseTask", request);
}

/// Adds the reminders of a text to a new task. A reminder that is refused becomes a note, because
/// the task is there.
absl::Status AddReminders(ToolCall& call, const v1::ParseTaskResponse& parsed,
                          const std::string& content, std::int64_t task_id, Json& result) {
  for (int i = 0; i < parsed.reminders_size(); ++i) {
    v1::CreateReminderRequest request;
    request.set_task_id(task_id);
    request.set_request_id(IdOfStep(call.request_id, i + 1));
    if (parsed.reminders(i).has_at())
      *request.mutable_reminder()->mutable_at() = parsed.reminders(i).at();
    request.mutable_reminder()->set_before(parsed.reminders(i).before());
    const auto reminder = call.methods.CallFor<v1::Reminder>(
        content, "/todo.v1.ReminderService/CreateReminder", request);
    if (reminder.ok()) {
      result["reminders"].push_back(PlainJson(*reminder));
    } else if (absl::IsInvalidArgument(reminder.status()) ||
               absl::IsFailedPrecondition(reminder.status())) {
      result["notes"].push_back(
          "A reminder of the text was not added: its time has passed, or the "
          "task has no due date.");
    } else {
      return reminder.status();
    }
  }
  return absl::OkStatus();
}

/// The reminders of a task that an equal call has added.
absl::Status TellReminders(ToolCall& call, std::int64_t task_id, Json& result) {
  v1::ListRemindersRequest request;
  request.set_task_id(task_id);
  TODO_ASSIGN_OR_RETURN(const auto list, call.methods.Call<v1::ListRemindersResponse>(
                                             "/todo.v1.ReminderService/ListReminders", request));
  for (const v1::Reminder& reminder : list.reminders())
    result["reminders"].push_back(PlainJson(reminder));
  return absl::OkStatus();
}

/// Moves the due date of `task`, which is an instant, to the day `day`. Its time of day on the
/// clock of the task's zone stays.
absl::Status MoveInstant(const v1::Task& task, const std::string& day,
                         v1::UpdateTaskRequest& request) {
  Violations violations;
  const std::optional<domain::Instant> due = DecodeInstant(task.due_date(), "due_date", violations);
  TODO_ASSIGN_OR_RETURN(const domain::TimeZone zone, domain::TimeZone::Load(task.time_zone()));
  absl::CivilDay to;
  if (!due || !absl::ParseCivilTime(day, &to))
    return util::InvalidFields({{"due_local", "must be a day, such as 2026-11-27"}});
  const absl::CivilSecond from = zone.ToLocal(*due);
  const std::int64_t time_of_day = from - absl::CivilSecond(absl::CivilDay(from));
  *request.mutable_task()->mutable_due_date() =
      EncodeInstant(zone.ToInstant(absl::CivilSecond(to) + time_of_day));
  request.mutable_task()->clear_due_local();
  request.mutable_update_mask()->add_paths("due_date");
  return absl::OkStatus();
}

constexpr const char* kUpdateMethod = "/todo.v1.TodoService/UpdateTask";

}  // namespace

Json TaskJson(const v1::Task& task) {
  Json json = PlainJson(task);
  for (const char* name : {"user_id", "version", "due_kind", "occurrence", "missed_occurrences",
                           "created_at", "updated_at"}) {
    json.erase(name);
  }
  if (!task.has_recurrence_rule()) json.erase("recurrence_basis");
  return json;
}

absl::StatusOr<Json> AddTask(ToolCall& call) {
  if (!call.arguments.Has("text") && !call.arguments.Has("title"))
    call.arguments.AddViolation("title", "must be given, unless text is");
  TODO_RETURN_IF_ERROR(call.arguments.Check());
  const domain::Instant begin = call.user.Now();
  TODO_ASSIGN_OR_RETURN(const v1::ParseTaskResponse parsed, ParseText(call));
  v1::CreateTaskRequest request;
  *request.mutable_task() = parsed.task();
  if (call.arguments.Has("tags")) request.mutable_task()->clear_tags();
  call.arguments.Put({"title", "description", "priority", "tags", "due_local", "time_zone",
                      "recurrence_rule", "recurrence_basis"},
                     *request.mutable_task());
  request.set_request_id(call.request_id);
  // "Tomorrow" of a repeated call may be another day, and is not another request.
  const std::string content = call.arguments.Has("text") ? call.arguments.Content() : "";
  TODO_ASSIGN_OR_RETURN(
      const v1::Task task,
      call.methods.CallFor<v1::Task>(content, "/todo.v1.TodoService/CreateTask", request));
  Json result = OnlyTask(task);
  const bool is_repeated = InstantIn(task.created_at()) < begin - std::chrono::seconds(1);
  const bool is_read_alike =
      task.title() == request.task().title() && task.due_local() == request.task().due_local();
  if (is_repeated && !is_read_alike) {
    TODO_RETURN_IF_ERROR(TellReminders(call, task.id(), result));
    return result;
  }
  for (const std::string& note : parsed.notes()) result["notes"].push_back(note);
  TODO_RETURN_IF_ERROR(AddReminders(call, parsed, content, task.id(), result));
  return result;
}

absl::StatusOr<Json> ChangeTask(ToolCall& call) {
  const std::vector<const char*> fields = {
      "title",     "description", "priority",        "tags",
      "due_local", "time_zone",   "recurrence_rule", "recurrence_basis"};
  v1::UpdateTaskRequest request;
  for (const char* field : fields)
    if (call.arguments.Has(field)) request.mutable_update_mask()->add_paths(field);
  TODO_RETURN_IF_ERROR(call.arguments.Check());
  if (request.update_mask().paths().empty())
    call.arguments.AddViolation("title", "give this, or another field to change");
  TODO_RETURN_IF_ERROR(call.arguments.Check());
  call.arguments.Put(fields, *request.mutable_task());
  call.arguments.Put({"id", "etag"}, *request.mutable_task());
  call.arguments.Put({"scope"}, request);
  request.set_request_id(call.request_id);
  return TaskOf(call.methods.Call<v1::Task>(kUpdateMethod, request));
}

absl::StatusOr<Json> CompleteTask(ToolCall& call) {
  TODO_RETURN_IF_ERROR(call.arguments.Check());
  if (call.arguments.Flag("completed", true)) {
    v1::CompleteTaskRequest request;
    call.arguments.Put({"id", "etag"}, request);
    request.set_request_id(call.request_id);
    return TaskOf(call.methods.Call<v1::Task>("/todo.v1.TodoService/CompleteTask", request));
  }
  v1::UncompleteTaskRequest request;
  call.arguments.Put({"id", "etag"}, request);
  request.set_request_id(call.request_id);
  return TaskOf(call.methods.Call<v1::Task>("/todo.v1.TodoService/UncompleteTask", request));
}

absl::StatusOr<Json> PostponeTask(ToolCall& call) {
  RequireText(call, "due_local");
  TODO_RETURN_IF_ERROR(call.arguments.Check());
  v1::GetTaskRequest read;
  call.arguments.Put({"id"}, read);
  TODO_ASSIGN_OR_RETURN(const v1::Task task,
                        call.methods.Call<v1::Task>("/todo.v1.TodoService/GetTask", read));
  v1::UpdateTaskRequest request;
  call.arguments.Put({"id", "etag", "due_local"}, *request.mutable_task());
  std::string& due = *request.mutable_task()->mutable_due_local();
  // A day alone moves the day and keeps the time of day.
  const bool is_day = due.size() == kDayLength;
  if (is_day && task.due_kind() == v1::DUE_KIND_INSTANT) {
    TODO_RETURN_IF_ERROR(MoveInstant(task, std::string(due), request));
  } else {
    if (is_day && task.due_kind() == v1::DUE_KIND_LOCAL) due += task.due_local().substr(kDayLength);
    request.mutable_update_mask()->add_paths("due_local");
  }
  request.set_scope(v1::SERIES_SCOPE_THIS);
  request.set_request_id(call.request_id);
  return TaskOf(call.methods.Call<v1::Task>(kUpdateMethod, request));
}

absl::StatusOr<Json> Remind(ToolCall& call) {
  v1::CreateReminderRequest request;
  v1::Reminder& reminder = *request.mutable_reminder();
  if (call.arguments.Has("at") == call.arguments.Has("before"))
    call.arguments.AddViolation("at", "give either this or before, such as PT1H");
  if (call.arguments.Text("at").size() == kDayLength)
    call.arguments.AddViolation("at", "needs a time of day: 2026-11-27T09:00");
  TODO_ASSIGN_OR_RETURN(const auto at, TakeInstant(call, "at"));
  if (at) *reminder.mutable_at() = *at;
  TODO_RETURN_IF_ERROR(call.arguments.Check());
  call.arguments.Put({"before", "time_of_day"}, reminder);
  request.set_task_id(call.arguments.Number("id"));
  request.set_request_id(call.request_id);
  TODO_ASSIGN_OR_RETURN(
      const v1::Reminder made,
      call.methods.Call<v1::Reminder>("/todo.v1.ReminderService/CreateReminder", request));
  return Json{{"reminder", PlainJson(made)}};
}

absl::StatusOr<Json> DeleteTask(ToolCall& call) {
  RequireText(call, "etag");  // an empty one would count as none
  TODO_RETURN_IF_ERROR(call.arguments.Check());
  v1::DeleteTaskRequest request;
  call.arguments.Put({"id", "etag", "scope"}, request);
  request.set_request_id(call.request_id);
  return TaskOf(call.methods.Call<v1::Task>("/todo.v1.TodoService/DeleteTask", request));
}

absl::StatusOr<Json> RestoreTask(ToolCall& call) {
  TODO_RETURN_IF_ERROR(call.arguments.Check());
  v1::RestoreTaskRequest request;
  call.arguments.Put({"id"}, request);
  request.set_request_id(call.request_id);
  return TaskOf(call.methods.Call<v1::Task>("/todo.v1.TodoService/RestoreTask", request));
}

absl::StatusOr<Json> PreviewRule(ToolCall& call) {
  TODO_RETURN_IF_ERROR(call.arguments.Check());
  v1::PreviewRecurrenceRequest request;
  call.arguments.Put({"recurrence_rule", "due_local", "time_zone"}, *request.mutable_task());
  call.arguments.Put({"count"}, request);
  TODO_ASSIGN_OR_RETURN(const auto preview, call.methods.Call<v1::PreviewRecurrenceResponse>(
                                                "/todo.v1.TodoService/PreviewRecurrence", request));
  Json result = {{"occurrences", Json::array()}};
  result.update(PlainJson(preview));
  return result;
}

absl::StatusOr<Json> ShowUsage(ToolCall& call) {
  v1::GetUsageRequest request;
  TakeZone(call);
  TODO_ASSIGN_OR_RETURN(const auto start, TakeInstant(call, "start"));
  if (start) *request.mutable_start() = *start;
  TODO_ASSIGN_OR_RETURN(const auto end, TakeInstant(call, "end"));
  if (end) *request.mutable_end() = *end;
  TODO_RETURN_IF_ERROR(call.arguments.Check());
  call.arguments.Put({"bucket", "time_zone", "breakdown", "compare"}, request);
  TODO_ASSIGN_OR_RETURN(const v1::Usage usage, call.methods.Call<v1::Usage>(
                                                   "/todo.v1.AnalyticsService/GetUsage", request));
  return PlainJson(usage);
}

}  // namespace todo::api::mcp
