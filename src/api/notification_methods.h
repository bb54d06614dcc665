#pragma once

#include "api/method.h"
#include "service/notifications/notification_settings.h"

namespace todo::api {

/// The methods of `todo.v1.NotificationService`. `settings` must outlive the table that is built
/// from them.
ServiceDefinition MakeNotificationMethods(service::NotificationSettings& settings);

}  // namespace todo::api
