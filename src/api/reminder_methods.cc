#include "api/reminder_methods.h"

#include <vector>

#include "api/request_parts.h"
#include "todo/v1/reminder_service.pb.h"
#include "util/status.h"

namespace todo::api {
namespace {

using domain::Reminder;

/// A reminder never fires early, so fractions are rounded up.
constexpr InstantOptions kReminderTime{.range = InstantOptions::Range::kStorable,
                                       .rounding = InstantOptions::Rounding::kUp};

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
  // An absolute reminder of a later occurrence is stored as a wall-clock time; `planned_at` is the
  // instant that this comes to.
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

/// Checks the fields that many requests have: the task, the number of the reminder, the request id.
template <typename Request>
void CheckCommon(const Request& request, Violations& violations) {
  DecodeTaskId(request.task_id(), "task_id", violations);
  if constexpr (requires { request.number(); }) {
    if (request.number() <= 0)
      violations.Add("number", "must be the number of a reminder, as ListReminders shows it");
  }
  if constexpr (requires { request.request_id(); }) {
    CheckRequestId(request.request_id(), violations);
  }
}

absl::StatusOr<v1::Reminder> CreateReminder(service::ReminderService& reminders,
                                            const Caller& caller,
                                            const v1::CreateReminderRequest& request) {
  Violations violations;
  CheckCommon(request, violations);
  service::ReminderInput input;
  if (request.reminder().has_at())
    input.at = DecodeInstant(request.reminder().at(), "reminder.at", violations, kReminderTime);
  input.before = NonEmpty(request.reminder().before());
  input.time_of_day = NonEmpty(request.reminder().time_of_day());
  TODO_RETURN_IF_ERROR(violations.ToStatus());
  return Encoded(reminders.Create(caller.context, domain::TaskId{request.task_id()}, input));
}

absl::StatusOr<v1::ListRemindersResponse> ListReminders(service::ReminderService& reminders,
                                                        const Caller& caller,
                                                        const v1::ListRemindersRequest& request) {
  Violations violations;
  CheckCommon(request, violations);
  TODO_RETURN_IF_ERROR(violations.ToStatus());
  TODO_ASSIGN_OR_RETURN(const std::vector<Reminder> found,
                        reminders.List(caller.context.user, domain::TaskId{request.task_id()}));
  v1::ListRemindersResponse response;
  for (const Reminder& reminder : found) *response.add_reminders() = Encode(reminder);
  return response;
}

absl::StatusOr<v1::Reminder> DeleteReminder(service::ReminderService& reminders,
                                            const Caller& caller,
                                            const v1::DeleteReminderRequest& request) {
  Violations violations;
  CheckCommon(request, violations);
  TODO_RETURN_IF_ERROR(violations.ToStatus());
  return Encoded(
      reminders.Delete(caller.context, domain::TaskId{request.task_id()}, request.number()));
}

absl::StatusOr<v1::Reminder> SnoozeReminder(service::ReminderService& reminders,
                                            const Caller& caller,
                                            const v1::SnoozeReminderRequest& request) {
  Violations violations;
  CheckCommon(request, violations);
  service::SnoozeInput input;
  if (request.has_until())
    input.until = DecodeInstant(request.until(), "until", violations, kReminderTime);
  input.duration = NonEmpty(request.duration());
  TODO_RETURN_IF_ERROR(violations.ToStatus());
  return Encoded(
      reminders.Snooze(caller.context, domain::TaskId{request.task_id()}, request.number(), input));
}

}  // namespace

ServiceDefinition MakeReminderMethods(service::ReminderService& reminders) {
  return {.service = v1::Reminder::descriptor()->file()->FindServiceByName("ReminderService"),
          .methods = {Unary("CreateReminder", reminders, CreateReminder),
                      Unary("ListReminders", reminders, ListReminders),
                      Unary("DeleteReminder", reminders, DeleteReminder),
                      Unary("SnoozeReminder", reminders, SnoozeReminder)}};
}

}  // namespace todo::api
