#include "api/notification_methods.h"

#include <fmt/format.h>

#include <optional>
#include <string>
#include <vector>

#include "absl/strings/escaping.h"
#include "api/preferences_encoding.h"
#include "api/request_parts.h"
#include "api/webhook_encoding.h"
#include "todo/v1/notification_service.pb.h"
#include "util/status.h"

namespace todo::api {
namespace {

using domain::Uuid;
using service::NotificationSettings;

constexpr int kMaxIds = 500;
constexpr std::size_t kMaxKeyBytes = 200;

v1::Notification EncodeNotification(const ports::Notification& notification) {
  const domain::DueReminder& reminder = notification.reminder;
  v1::Notification encoded;
  encoded.set_id(reminder.id.value());
  encoded.set_task_id(reminder.task_id.value);
  encoded.set_title(reminder.title);
  *encoded.mutable_remind_at() = EncodeInstant(reminder.remind_at);
  if (reminder.due.kind != domain::DueKind::kNone)
    *encoded.mutable_due_date() = EncodeInstant(reminder.due.at);
  encoded.set_due_local(FormatDueLocal(reminder.due));
  encoded.set_late(reminder.late);
  *encoded.mutable_created_at() = EncodeInstant(notification.at);
  if (notification.read_at) *encoded.mutable_read_at() = EncodeInstant(*notification.read_at);
  return encoded;
}

v1::PushSubscription EncodeSubscription(const ports::PushSubscription& subscription) {
  v1::PushSubscription encoded;
  encoded.set_id(subscription.id.value());
  encoded.set_endpoint(subscription.endpoint);
  *encoded.mutable_created_at() = EncodeInstant(subscription.created_at);
  return encoded;
}

/// The bytes of a key in base64url, with or without padding; empty when `text` is not base64url.
/// The use case refuses a key of a wrong length.
std::string DecodeKey(const std::string& text) {
  std::string key;
  if (text.size() > kMaxKeyBytes || !absl::WebSafeBase64Unescape(text, &key)) return "";
  return key;
}

absl::StatusOr<v1::WebhookEndpoint> EncodedEndpoint(
    const absl::StatusOr<service::EndpointWithSecret>& made) {
  if (!made.ok()) return made.status();
  return EncodeEndpoint(*made);
}

// ---- the list of notifications

absl::StatusOr<v1::ListNotificationsResponse> ListNotifications(
    NotificationSettings& settings, const Caller& caller,
    const v1::ListNotificationsRequest& request) {
  Violations violations;
  const int limit = DecodePageSize(request.page_size(), violations);
  TODO_RETURN_IF_ERROR(violations.ToStatus());
  TODO_ASSIGN_OR_RETURN(
      const ports::NotificationPage page,
      settings.List(caller.context.user, request.unread_only(), limit, request.page_token()));
  v1::ListNotificationsResponse response;
  for (const ports::Notification& notification : page.notifications)
    *response.add_notifications() = EncodeNotification(notification);
  response.set_next_page_token(page.next_cursor);
  response.set_unread_count(page.unread_count);
  return response;
}

absl::StatusOr<v1::MarkNotificationsReadResponse> MarkNotificationsRead(
    NotificationSettings& settings, const Caller& caller,
    const v1::MarkNotificationsReadRequest& request) {
  Violations violations;
  std::optional<std::vector<Uuid>> ids;
  if (request.all() != request.ids().empty())
    violations.Add("ids", "must be given, or all = true, but not both");
  if (request.ids_size() > kMaxIds)
    violations.Add("ids", fmt::format("has more than {} ids", kMaxIds));
  if (!request.all() && violations.empty()) {
    ids.emplace();
    for (int i = 0; i < request.ids_size(); ++i)
      ids->push_back(DecodeUuid(request.ids(i), fmt::format("ids[{}]", i), violations));
  }
  TODO_RETURN_IF_ERROR(violations.ToStatus());
  TODO_ASSIGN_OR_RETURN(const int count, settings.MarkRead(caller.context.user, ids));
  v1::MarkNotificationsReadResponse response;
  response.set_marked_count(count);
  return response;
}

// ---- preferences and channels

absl::StatusOr<v1::NotificationPreferences> GetPreferences(NotificationSettings& settings,
                                                           const Caller& caller,
                                                           const v1::GetPreferencesRequest&) {
  TODO_ASSIGN_OR_RETURN(const service::Preferences preferences,
                        settings.GetPreferences(caller.context.user));
  return EncodePreferences(preferences);
}

absl::StatusOr<v1::NotificationPreferences> UpdatePreferences(
    NotificationSettings& settings, const Caller& caller,
    const v1::UpdatePreferencesRequest& request) {
  TODO_ASSIGN_OR_RETURN(const domain::PreferencesPatch patch, DecodePreferences(request));
  TODO_ASSIGN_OR_RETURN(
      const service::Preferences preferences,
      settings.UpdatePreferences(caller.context.user, patch, request.preferences().etag()));
  return EncodePreferences(preferences);
}

absl::StatusOr<v1::Channels> ChannelsOf(NotificationSettings& settings,
                                        const domain::UserId& user) {
  v1::Channels response;
  if (const auto channels = settings.channels(); channels != nullptr) {
    response.set_webhook_available(channels->Has(domain::Channel::kWebhook));
    response.set_email_available(channels->Has(domain::Channel::kEmail));
    response.set_push_available(channels->Has(domain::Channel::kPush));
    response.set_push_public_key(channels->push_public_key);
  }
  TODO_ASSIGN_OR_RETURN(const std::string address, settings.MailAddress(user));
  response.set_email_address(address);
  return response;
}

absl::StatusOr<v1::Channels> GetChannels(NotificationSettings& settings, const Caller& caller,
                                         const v1::GetChannelsRequest&) {
  return ChannelsOf(settings, caller.context.user);
}

absl::StatusOr<v1::Channels> SetEmailAddress(NotificationSettings& settings, const Caller& caller,
                                             const v1::SetEmailAddressRequest& request) {
  TODO_RETURN_IF_ERROR(settings.SetMailAddress(caller.context.user, request.email_address()));
  return ChannelsOf(settings, caller.context.user);
}

// ---- webhooks

absl::StatusOr<v1::WebhookEndpoint> CreateWebhookEndpoint(
    NotificationSettings& settings, const Caller& caller,
    const v1::CreateWebhookEndpointRequest& request) {
  Violations violations;
  CheckRequestId(request.request_id(), violations);
  if (!request.has_endpoint()) violations.Add("endpoint", "must be given, with its url");
  TODO_RETURN_IF_ERROR(violations.ToStatus());
  const v1::WebhookEndpoint& endpoint = request.endpoint();
  return EncodedEndpoint(
      settings.CreateEndpoint(caller.context, {.url = endpoint.url(),
                                               .reminders = endpoint.reminders(),
                                               .task_events = endpoint.task_events()}));
}

absl::StatusOr<v1::WebhookEndpoint> RotateWebhookSecret(
    NotificationSettings& settings, const Caller& caller,
    const v1::RotateWebhookSecretRequest& request) {
  Violations violations;
  CheckRequestId(request.request_id(), violations);
  const Uuid id = DecodeUuid(request.id(), "id", violations);
  TODO_RETURN_IF_ERROR(violations.ToStatus());
  return EncodedEndpoint(settings.RotateSecret(caller.context, id));
}

absl::StatusOr<v1::ListWebhookEndpointsResponse> ListWebhookEndpoints(
    NotificationSettings& settings, const Caller& caller, const v1::ListWebhookEndpointsRequest&) {
  TODO_ASSIGN_OR_RETURN(const auto endpoints, settings.ListEndpoints(caller.context.user));
  v1::ListWebhookEndpointsResponse response;
  for (const ports::WebhookEndpoint& endpoint : endpoints)
    *response.add_endpoints() = EncodeEndpoint(endpoint);
  return response;
}

absl::StatusOr<v1::WebhookEndpoint> UpdateWebhookEndpoint(
    NotificationSettings& settings, const Caller& caller,
    const v1::UpdateWebhookEndpointRequest& request) {
  TODO_ASSIGN_OR_RETURN(const service::EndpointChange change, DecodeEndpointChange(request));
  TODO_ASSIGN_OR_RETURN(const Uuid id, DecodeOnlyUuid(request.endpoint().id(), "endpoint.id"));
  TODO_ASSIGN_OR_RETURN(const ports::WebhookEndpoint endpoint,
                        settings.UpdateEndpoint(caller.context.user, id, change));
  return EncodeEndpoint(endpoint);
}

absl::StatusOr<v1::DeleteWebhookEndpointResponse> DeleteWebhookEndpoint(
    NotificationSettings& settings, const Caller& caller,
    const v1::DeleteWebhookEndpointRequest& request) {
  TODO_ASSIGN_OR_RETURN(const Uuid id, DecodeOnlyUuid(request.id()));
  TODO_RETURN_IF_ERROR(settings.RemoveEndpoint(caller.context.user, id));
  return v1::DeleteWebhookEndpointResponse();
}

absl::StatusOr<v1::TestWebhookEndpointResponse> TestWebhookEndpoint(
    NotificationSettings& settings, const Caller& caller,
    const v1::TestWebhookEndpointRequest& request) {
  TODO_ASSIGN_OR_RETURN(const Uuid id, DecodeOnlyUuid(request.id()));
  TODO_ASSIGN_OR_RETURN(const ports::SendOutcome outcome,
                        settings.TestEndpoint(caller.context.user, id));
  v1::TestWebhookEndpointResponse response;
  response.set_delivered(outcome.kind == ports::SendOutcome::Kind::kDelivered);
  response.set_status_code(outcome.status_code);
  response.set_detail(outcome.detail);
  return response;
}

absl::StatusOr<v1::ListWebhookDeliveriesResponse> ListWebhookDeliveries(
    NotificationSettings& settings, const Caller& caller,
    const v1::ListWebhookDeliveriesRequest& request) {
  Violations violations;
  const Uuid endpoint = DecodeUuid(request.endpoint_id(), "endpoint_id", violations);
  const int limit = DecodePageSize(request.page_size(), violations);
  TODO_RETURN_IF_ERROR(violations.ToStatus());
  TODO_ASSIGN_OR_RETURN(
      const ports::DeliveryPage page,
      settings.ListDeliveries(caller.context.user, endpoint, limit, request.page_token()));
  v1::ListWebhookDeliveriesResponse response;
  for (const ports::LoggedDelivery& delivery : page.deliveries)
    *response.add_deliveries() = EncodeDelivery(delivery);
  response.set_next_page_token(page.next_cursor);
  return response;
}

absl::StatusOr<v1::WebhookDelivery> RedeliverWebhook(NotificationSettings& settings,
                                                     const Caller& caller,
                                                     const v1::RedeliverWebhookRequest& request) {
  TODO_ASSIGN_OR_RETURN(const Uuid id, DecodeOnlyUuid(request.id()));
  TODO_ASSIGN_OR_RETURN(const ports::LoggedDelivery delivery,
                        settings.Redeliver(caller.context.user, id));
  return EncodeDelivery(delivery);
}

// ---- push subscriptions

absl::StatusOr<v1::PushSubscription> AddPushSubscription(
    NotificationSettings& settings, const Caller& caller,
    const v1::AddPushSubscriptionRequest& request) {
  const v1::PushSubscription& added = request.subscription();
  TODO_ASSIGN_OR_RETURN(
      const ports::PushSubscription subscription,
      settings.AddSubscription(caller.context.user, {.endpoint = added.endpoint(),
                                                     .p256dh = DecodeKey(added.p256dh()),
                                                     .auth = DecodeKey(added.auth())}));
  return EncodeSubscription(subscription);
}

absl::StatusOr<v1::ListPushSubscriptionsResponse> ListPushSubscriptions(
    NotificationSettings& settings, const Caller& caller, const v1::ListPushSubscriptionsRequest&) {
  TODO_ASSIGN_OR_RETURN(const auto subscriptions, settings.ListSubscriptions(caller.context.user));
  v1::ListPushSubscriptionsResponse response;
  for (const ports::PushSubscription& subscription : subscriptions)
    *response.add_subscriptions() = EncodeSubscription(subscription);
  return response;
}

absl::StatusOr<v1::RemovePushSubscriptionResponse> RemovePushSubscription(
    NotificationSettings& settings, const Caller& caller,
    const v1::RemovePushSubscriptionRequest& request) {
  TODO_ASSIGN_OR_RETURN(const Uuid id, DecodeOnlyUuid(request.id()));
  TODO_RETURN_IF_ERROR(settings.RemoveSubscription(caller.context.user, id));
  return v1::RemovePushSubscriptionResponse();
}

}  // namespace

ServiceDefinition MakeNotificationMethods(NotificationSettings& settings) {
  return {.service = v1::ListNotificationsRequest::descriptor()->file()->FindServiceByName(
              "NotificationService"),
          .methods = {Unary("ListNotifications", settings, ListNotifications),
                      Unary("MarkNotificationsRead", settings, MarkNotificationsRead),
                      Unary("GetPreferences", settings, GetPreferences),
                      Unary("UpdatePreferences", settings, UpdatePreferences),
                      Unary("GetChannels", settings, GetChannels),
                      Unary("SetEmailAddress", settings, SetEmailAddress),
                      Unary("CreateWebhookEndpoint", settings, CreateWebhookEndpoint),
                      Unary("ListWebhookEndpoints", settings, ListWebhookEndpoints),
                      Unary("UpdateWebhookEndpoint", settings, UpdateWebhookEndpoint),
                      Unary("DeleteWebhookEndpoint", settings, DeleteWebhookEndpoint),
                      Unary("RotateWebhookSecret", settings, RotateWebhookSecret),
                      Unary("TestWebhookEndpoint", settings, TestWebhookEndpoint),
                      Unary("ListWebhookDeliveries", settings, ListWebhookDeliveries),
                      Unary("RedeliverWebhook", settings, RedeliverWebhook),
                      Unary("AddPushSubscription", settings, AddPushSubscription),
                      Unary("ListPushSubscriptions", settings, ListPushSubscriptions),
                      Unary("RemovePushSubscription", settings, RemovePushSubscription)}};
}

}  // namespace todo::api
