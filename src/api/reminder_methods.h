#pragma once

#include "api/method.h"
#include "service/reminders/reminder_service.h"

namespace todo::api {

/// The methods of `todo.v1.ReminderService`. `reminders` must outlive the table that is built from
/// them.
ServiceDefinition MakeReminderMethods(service::ReminderService& reminders);

}  // namespace todo::api
