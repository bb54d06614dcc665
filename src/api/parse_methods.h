#pragma once

#include "api/method.h"
#include "ports/clock.h"
#include "service/notifications/notification_settings.h"

namespace todo::api {

/// ParseTask: the fields of a task from a line of text, read with the preferences of the caller.
/// The arguments must outlive the table with it.
MethodDefinition ParseTaskMethod(service::NotificationSettings& settings,
                                 const ports::Clock& clock);

}  // namespace todo::api
