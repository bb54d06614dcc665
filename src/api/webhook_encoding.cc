#include "api/webhook_encoding.h"

#include <fmt/format.h>

#include <string>

#include "api/request_parts.h"
#include "util/status.h"

namespace todo::api {
namespace {

v1::WebhookDeliveryState EncodeState(ports::DeliveryState state) {
  switch (state) {
    case ports::DeliveryState::kPending: return v1::WEBHOOK_DELIVERY_STATE_PENDING;
    case ports::DeliveryState::kDelivered: return v1::WEBHOOK_DELIVERY_STATE_DELIVERED;
    case ports::DeliveryState::kFailed: return v1::WEBHOOK_DELIVERY_STATE_FAILED;
  }
  return v1::WEBHOOK_DELIVERY_STATE_UNSPECIFIED;
}

}  // namespace

v1::WebhookEndpoint EncodeEndpoint(const ports::WebhookEndpoint& endpoint) {
  v1::WebhookEndpoint encoded;
  encoded.set_id(endpoint.id.value());
  encoded.set_url(endpoint.url);
  encoded.set_reminders(endpoint.reminders);
  encoded.set_task_events(endpoint.task_events);
  encoded.set_enabled(endpoint.disabled_reason.empty());
  encoded.set_disabled_reason(endpoint.disabled_reason);
  if (endpoint.previous_until)
    *encoded.mutable_previous_secret_until() = EncodeInstant(*endpoint.previous_until);
  *encoded.mutable_created_at() = EncodeInstant(endpoint.created_at);
  return encoded;
}

v1::WebhookEndpoint EncodeEndpoint(const service::EndpointWithSecret& made) {
  v1::WebhookEndpoint encoded = EncodeEndpoint(made.endpoint);
  encoded.set_secret(made.secret);
  return encoded;
}

v1::WebhookDelivery EncodeDelivery(const ports::LoggedDelivery& delivery) {
  v1::WebhookDelivery encoded;
  encoded.set_id(delivery.id.value());
  encoded.set_event_id(delivery.event_id.value());
  encoded.set_type(delivery.kind);
  encoded.set_state(EncodeState(delivery.state));
  *encoded.mutable_created_at() = EncodeInstant(delivery.created_at);
  if (delivery.next_attempt_at)
    *encoded.mutable_next_attempt_at() = EncodeInstant(*delivery.next_attempt_at);
  for (const ports::LoggedDelivery::LoggedAttempt& attempt : delivery.attempts) {
    v1::WebhookDelivery::Attempt& one = *encoded.add_attempts();
    *one.mutable_at() = EncodeInstant(attempt.at);
    one.set_outcome(attempt.outcome);
    one.set_status_code(attempt.status_code);
    one.set_detail(attempt.detail);
    one.set_took_ms(attempt.took.count());
  }
  return encoded;
}

absl::StatusOr<service::EndpointChange> DecodeEndpointChange(
    const v1::UpdateWebhookEndpointRequest& request) {
  Violations violations;
  const v1::WebhookEndpoint& endpoint = request.endpoint();
  DecodeUuid(endpoint.id(), "endpoint.id", violations);
  service::EndpointChange change;
  constexpr char kKnown[] = "url, reminders, task_events, enabled";
  if (request.update_mask().paths().empty()) {
    violations.Add("update_mask", fmt::format("must name the fields to change: any of {}", kKnown));
  }
  for (const std::string& path : request.update_mask().paths()) {
    if (path == "url") {
      change.url = endpoint.url();
    } else if (path == "reminders") {
      change.reminders = endpoint.reminders();
    } else if (path == "task_events") {
      change.task_events = endpoint.task_events();
    } else if (path == "enabled") {
      change.enabled = endpoint.enabled();
    } else {
      violations.Add("update_mask", UnknownMaskPath(path, kKnown));
      break;
    }
  }
  TODO_RETURN_IF_ERROR(violations.ToStatus());
  return change;
}

}  // namespace todo::api
