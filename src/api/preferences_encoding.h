#pragma once

#include "absl/status/statusor.h"
#include "domain/notification/notification.h"
#include "service/notifications/notification_settings.h"
#include "todo/v1/notification_service.pb.h"

// Notification preferences, between the domain's types and the messages of the API. All are pure
// functions.

namespace todo::api {

v1::NotificationPreferences EncodePreferences(const service::Preferences& preferences);

/// The change that a request asks for. kInvalidArgument with every violation.
absl::StatusOr<domain::PreferencesPatch> DecodePreferences(
    const v1::UpdatePreferencesRequest& request);

}  // namespace todo::api
