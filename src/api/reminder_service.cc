#include "api/reminder_service.h"

#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "api/encoding.h"
#include "todo/v1/reminder_service.pb.h"
#include "util/status.h"

namespace todo::api {
namespace {

using domain::Reminder;
using Violations = std::vector<util::FieldViolation>;

v1::ReminderState Encode(domain::ReminderState state) {
  switch (state) {
    case domain::ReminderState::kPending: return v1::REMINDER_STATE_PENDING;
    case domain::ReminderState::kFired: return v1::REMINDER_STATE_FIRED;
    case domain::ReminderState::kCancelled: return v1::REMINDER_STATE_CANCELLED;
    case domain::ReminderState::kDeleted: break;  // not shown
  }
  return v1::REMINDER_STATE_UNSPECIFIED;
}

v1::Reminder Encode(const Reminder& reminder) {
  v1::Reminder out;
  out.set_task_id(reminder.id.task_id.value);
  out.set_number(reminder.id.number);
  // In the next occurrence an absolute reminder is a wall-clock time; where that is stands in
  // planned_at.
  if (!reminder.time.before && reminder.planned_at)
    *out.mutable_at() = EncodeInstant(*reminder.planned_at);
  if (reminder.time.before) out.set_before(domain::FormatPeriod(*reminder.time.before));
  if (reminder.time.time_of_day)
    out.set_time_of_day(domain::FormatTimeOfDay(*reminder.time.time_of_day));
  if (reminder.remind_at) *out.mutable_remind_at() = EncodeInstant(*reminder.remind_at);
  out.set_state(Encode(reminder.state));
  if (reminder.fired_at) *out.mutable_fired_at() = EncodeInstant(*reminder.fired_at);
  *out.mutable_created_at() = EncodeInstant(reminder.created_at);
  return out;
}

absl::StatusOr<v1::Reminder> Encoded(const absl::StatusOr<Reminder>& reminder) {
  if (!reminder.ok()) return reminder.status();
  return Encode(*reminder);
}

/// What stands for a point in time; what is out of range the use case refuses by name.
std::optional<domain::Instant> DecodeInstant(const google::protobuf::Timestamp& timestamp,
                                             std::string_view field, Violations& violations) {
  const auto seconds = [](domain::Instant instant) {
    return std::chrono::floor<std::chrono::seconds>(instant).time_since_epoch().count();
  };
  if (timestamp.seconds() < seconds(domain::kMinInstant) ||
      timestamp.seconds() > seconds(domain::kMaxInstant) || timestamp.nanos() < 0 ||
      timestamp.nanos() > 999'999'999) {
    violations.push_back({std::string(field), "must lie in the years 1970 to 9999 (UTC)"});
    return std::nullopt;
  }
  return domain::Instant(
      std::chrono::seconds(timestamp.seconds()) +
      std::chrono::ceil<std::chrono::microseconds>(std::chrono::nanoseconds(timestamp.nanos())));
}

/// What all requests have: the task, and, when they change something, a request id and a number.
template <typename Request>
void CheckCommon(const Request& request, Violations& violations) {
  if (request.task_id() <= 0) {
    violations.push_back({"task_id", "must be the id of a task, a number greater than 0"});
  }
  if constexpr (requires { request.number(); }) {
    if (request.number() <= 0) {
      violations.push_back(
          {"number", "must be the number of a reminder, as ListReminders shows it"});
    }
  }
  if constexpr (requires { request.request_id(); }) {
    if (!request.request_id().empty() && !domain::Uuid::Parse(request.request_id())) {
      violations.push_back(
          {"request_id", "must be a UUID such as 7d444840-9dc0-41d1-b245-5ffdce74fad2, or empty"});
    }
  }
}

absl::Status ToStatus(const Violations& violations) {
  return violations.empty() ? absl::OkStatus() : util::InvalidFields(violations);
}

std::optional<std::string> NotEmpty(const std::string& text) {
  return text.empty() ? std::nullopt : std::optional(text);
}

service::CallContext CallOf(std::string_view method, const Caller& caller,
                            const google::protobuf::Message& request) {
  return ContextOf(method, request, caller.identity.user, caller.traceparent);
}

absl::StatusOr<v1::Reminder> Create(service::ReminderService& reminders, const Caller& caller,
                                    const v1::CreateReminderRequest& request) {
  Violations violations;
  CheckCommon(request, violations);
  service::ReminderInput input;
  if (request.reminder().has_at())
    input.at = DecodeInstant(request.reminder().at(), "reminder.at", violations);
  input.before = NotEmpty(request.reminder().before());
  input.time_of_day = NotEmpty(request.reminder().time_of_day());
  TODO_RETURN_IF_ERROR(ToStatus(violations));
  return Encoded(reminders.Create(CallOf("CreateReminder", caller, request),
                                  domain::TaskId{request.task_id()}, input));
}

absl::StatusOr<v1::ListRemindersResponse> List(service::ReminderService& reminders,
                                               const Caller& caller,
                                               const v1::ListRemindersRequest& request) {
  Violations violations;
  CheckCommon(request, violations);
  TODO_RETURN_IF_ERROR(ToStatus(violations));
  TODO_ASSIGN_OR_RETURN(const std::vector<Reminder> found,
                        reminders.List(caller.identity.user, domain::TaskId{request.task_id()}));
  v1::ListRemindersResponse response;
  for (const Reminder& reminder : found) *response.add_reminders() = Encode(reminder);
  return response;
}

absl::StatusOr<v1::Reminder> Delete(service::ReminderService& reminders, const Caller& caller,
                                    const v1::DeleteReminderRequest& request) {
  Violations violations;
  CheckCommon(request, violations);
  TODO_RETURN_IF_ERROR(ToStatus(violations));
  return Encoded(reminders.Delete(CallOf("DeleteReminder", caller, request),
                                  domain::TaskId{request.task_id()}, request.number()));
}

absl::StatusOr<v1::Reminder> Snooze(service::ReminderService& reminders, const Caller& caller,
                                    const v1::SnoozeReminderRequest& request) {
  Violations violations;
  CheckCommon(request, violations);
  service::SnoozeInput input;
  if (request.has_until()) input.until = DecodeInstant(request.until(), "until", violations);
  input.duration = NotEmpty(request.duration());
  TODO_RETURN_IF_ERROR(ToStatus(violations));
  return Encoded(reminders.Snooze(CallOf("SnoozeReminder", caller, request),
                                  domain::TaskId{request.task_id()}, request.number(), input));
}

/// A method of the service: `handler(reminders, caller, request)`.
template <typename Request, typename Response, typename Handler>
UnaryMethod Method(std::string name, service::ReminderService& reminders, Handler handler) {
  return Unary<Request, Response>(
      std::move(name), [&reminders, handler](const Caller& caller, const Request& request) {
        return handler(reminders, caller, request);
      });
}

}  // namespace

std::unique_ptr<GatedService> MakeReminderService(service::ReminderService& reminders, Gate& gate) {
  std::vector<UnaryMethod> methods;
  methods.push_back(
      Method<v1::CreateReminderRequest, v1::Reminder>("CreateReminder", reminders, Create));
  methods.push_back(Method<v1::ListRemindersRequest, v1::ListRemindersResponse>("ListReminders",
                                                                                reminders, List));
  methods.push_back(
      Method<v1::DeleteReminderRequest, v1::Reminder>("DeleteReminder", reminders, Delete));
  methods.push_back(
      Method<v1::SnoozeReminderRequest, v1::Reminder>("SnoozeReminder", reminders, Snooze));
  return std::make_unique<GatedService>(
      *v1::Reminder::descriptor()->file()->FindServiceByName("ReminderService"), std::move(methods),
      gate);
}

}  // namespace todo::api
