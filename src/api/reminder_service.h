#pragma once

#include <memory>

#include "api/gate.h"
#include "service/reminders/reminder_service.h"

namespace todo::api {

/// `todo.v1.ReminderService`: decode, call the use case, encode. Both arguments must outlive the
/// server.
std::unique_ptr<GatedService> MakeReminderService(service::ReminderService& reminders, Gate& gate);

}  // namespace todo::api
