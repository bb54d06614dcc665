#pragma once

#include <memory>

#include "api/gate.h"
#include "service/notifications/notification_settings.h"

namespace todo::api {

/// `todo.v1.NotificationService`. Both arguments must outlive the server.
std::unique_ptr<GatedService> MakeNotificationService(service::NotificationSettings& settings,
                                                      Gate& gate);

}  // namespace todo::api
