#pragma once

#include "absl/status/statusor.h"
#include "ports/delivery_store.h"
#include "ports/notification_store.h"
#include "service/notifications/notification_settings.h"
#include "todo/v1/notification_service.pb.h"

// Webhook endpoints and their deliveries, between the domain's types and the messages of the API.
// All are pure functions.

namespace todo::api {

/// Without the secret, which only EndpointWithSecret shows.
v1::WebhookEndpoint EncodeEndpoint(const ports::WebhookEndpoint& endpoint);
v1::WebhookEndpoint EncodeEndpoint(const service::EndpointWithSecret& made);
v1::WebhookDelivery EncodeDelivery(const ports::LoggedDelivery& delivery);

/// kInvalidArgument with every violation: the endpoint's id, or a mask that is empty or names an
/// unknown field.
absl::StatusOr<service::EndpointChange> DecodeEndpointChange(
    const v1::UpdateWebhookEndpointRequest& request);

}  // namespace todo::api
