#include "api/notification_service.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <functional>
#include <set>
#include <utility>
#include <vector>

#include "absl/strings/escaping.h"
#include "api/encoding.h"
#include "domain/task/task.h"
#include "todo/v1/notification_service.pb.h"
#include "util/status.h"
#include "util/utf8.h"

namespace todo::api {
namespace {

namespace v1 = ::todo::v1;
using domain::Uuid;
using service::NotificationSettings;
using util::FieldViolation;
using Violations = std::vector<FieldViolation>;

constexpr int kMaxPageSize = 500;
constexpr int kDefaultPageSize = 50;
constexpr int kMaxIds = 500;

// ---- encoding

google::protobuf::Timestamp Encode(domain::Instant at) {
  google::protobuf::Timestamp timestamp;
  const auto seconds = std::chrono::floor<std::chrono::seconds>(at);
  timestamp.set_seconds(seconds.time_since_epoch().count());
  timestamp.set_nanos(static_cast<std::int32_t>(std::chrono::nanoseconds(at - seconds).count()));
  return timestamp;
}

v1::Notification Encode(const ports::Notification& notification) {
  const domain::DueReminder& reminder = notification.reminder;
  v1::Notification encoded;
  encoded.set_id(reminder.id.value());
  encoded.set_task_id(reminder.task_id.value);
  encoded.set_title(reminder.title);
  *encoded.mutable_remind_at() = Encode(reminder.remind_at);
  if (reminder.due.kind != domain::DueKind::kNone)
    *encoded.mutable_due_date() = Encode(reminder.due.at);
  encoded.set_due_local(FormatDueLocal(reminder.due));
  encoded.set_late(reminder.late);
  *encoded.mutable_created_at() = Encode(notification.at);
  if (notification.read_at) *encoded.mutable_read_at() = Encode(*notification.read_at);
  return encoded;
}

v1::NotificationPreferences Encode(const service::Preferences& preferences) {
  const domain::NotificationPreferences& values = preferences.values;
  v1::NotificationPreferences encoded;
  encoded.set_in_app(values.in_app);
  encoded.set_webhook(values.webhook);
  encoded.set_email(values.email);
  encoded.set_push(values.push);
  if (values.quiet_hours) {
    v1::QuietHours& quiet = *encoded.mutable_quiet_hours();
    quiet.set_start(domain::FormatTimeOfDay(values.quiet_hours->start));
    quiet.set_end(domain::FormatTimeOfDay(values.quiet_hours->end));
    quiet.set_time_zone(values.quiet_hours->time_zone);
  }
  encoded.set_time_zone(values.time_zone);
  encoded.set_etag(preferences.etag);
  return encoded;
}

v1::WebhookEndpoint Encode(const ports::WebhookEndpoint& endpoint) {
  v1::WebhookEndpoint encoded;
  encoded.set_id(endpoint.id.value());
  encoded.set_url(endpoint.url);
  encoded.set_reminders(endpoint.reminders);
  encoded.set_task_events(endpoint.task_events);
  encoded.set_enabled(endpoint.disabled_reason.empty());
  encoded.set_disabled_reason(endpoint.disabled_reason);
  if (endpoint.previous_until)
    *encoded.mutable_previous_secret_until() = Encode(*endpoint.previous_until);
  *encoded.mutable_created_at() = Encode(endpoint.created_at);
  return encoded;
}

v1::WebhookEndpoint Encode(const service::EndpointWithSecret& made) {
  v1::WebhookEndpoint encoded = Encode(made.endpoint);
  encoded.set_secret(made.secret);
  return encoded;
}

v1::WebhookDeliveryState Encode(ports::DeliveryState state) {
  switch (state) {
    case ports::DeliveryState::kPending: return v1::WEBHOOK_DELIVERY_STATE_PENDING;
    case ports::DeliveryState::kDelivered: return v1::WEBHOOK_DELIVERY_STATE_DELIVERED;
    case ports::DeliveryState::kFailed: return v1::WEBHOOK_DELIVERY_STATE_FAILED;
  }
  return v1::WEBHOOK_DELIVERY_STATE_UNSPECIFIED;
}

v1::WebhookDelivery Encode(const ports::LoggedDelivery& delivery) {
  v1::WebhookDelivery encoded;
  encoded.set_id(delivery.id.value());
  encoded.set_event_id(delivery.event_id.value());
  encoded.set_type(delivery.kind);
  encoded.set_state(Encode(delivery.state));
  *encoded.mutable_created_at() = Encode(delivery.created_at);
  if (delivery.next_attempt_at)
    *encoded.mutable_next_attempt_at() = Encode(*delivery.next_attempt_at);
  for (const ports::LoggedDelivery::LoggedAttempt& attempt : delivery.attempts) {
    v1::WebhookDelivery::Attempt& one = *encoded.add_attempts();
    *one.mutable_at() = Encode(attempt.at);
    one.set_outcome(attempt.outcome);
    one.set_status_code(attempt.status_code);
    one.set_detail(attempt.detail);
    one.set_took_ms(attempt.took.count());
  }
  return encoded;
}

v1::PushSubscription Encode(const ports::PushSubscription& subscription) {
  v1::PushSubscription encoded;
  encoded.set_id(subscription.id.value());
  encoded.set_endpoint(subscription.endpoint);
  *encoded.mutable_created_at() = Encode(subscription.created_at);
  return encoded;
}

// ---- decoding

Uuid DecodeId(const std::string& text, std::string_view field, Violations& violations) {
  const std::optional<Uuid> id = Uuid::Parse(text);
  if (!id) violations.push_back({std::string(field), "must be an id of this service: a UUID"});
  return id.value_or(Uuid());
}

absl::StatusOr<Uuid> DecodeOnlyId(const std::string& text, std::string_view field = "id") {
  Violations violations;
  const Uuid id = DecodeId(text, field, violations);
  if (!violations.empty()) return util::InvalidFields(violations);
  return id;
}

void CheckRequestId(const std::string& request_id, Violations& violations) {
  if (!request_id.empty() && !Uuid::Parse(request_id)) {
    violations.push_back(
        {"request_id", "must be a UUID such as 7d444840-9dc0-41d1-b245-5ffdce74fad2, or empty"});
  }
}

int DecodePageSize(std::int32_t size, Violations& violations) {
  if (size < 0 || size > kMaxPageSize) {
    violations.push_back(
        {"page_size", fmt::format("is {}; it must be 1 to {}, or 0 for the default of {}", size,
                                  kMaxPageSize, kDefaultPageSize)});
  }
  return size == 0 ? kDefaultPageSize : size;
}

void CheckText(const std::string& text, std::string_view field, Violations& violations) {
  if (!util::CountCharacters(text))
    violations.push_back({std::string(field), "must be valid UTF-8 without NUL characters"});
}

/// Which fields an UpdatePreferences is about. Without a mask those that the message holds: what a
/// call does not name stays as it is.
class PreferencesMask {
 public:
  PreferencesMask(const v1::UpdatePreferencesRequest& request, Violations& violations)
      : by_presence_(request.update_mask().paths().empty()) {
    for (const std::string& path : request.update_mask().paths()) {
      const bool known = std::ranges::find(kPaths, path) != std::end(kPaths);
      if (known) paths_.insert(path);
      if (path == "*") paths_.insert(std::begin(kPaths), std::end(kPaths));
      if (known || path == "*") continue;
      violations.push_back(
          {"update_mask", UnknownMaskPath(path, fmt::format("{}, or \"*\" for all of them",
                                                            fmt::join(kPaths, ", ")))});
      break;
    }
  }
  bool Names(const char* path, bool is_present) const {
    return by_presence_ ? is_present : paths_.contains(path);
  }
  /// Whether the field as a whole takes the place of what is stored.
  bool Replaces(const char* path) const { return paths_.contains(path); }

 private:
  static constexpr std::string_view kPaths[] = {"in_app",
                                                "webhook",
                                                "email",
                                                "push",
                                                "time_zone",
                                                "quiet_hours",
                                                "quiet_hours.start",
                                                "quiet_hours.end",
                                                "quiet_hours.time_zone"};
  const bool by_presence_;
  std::set<std::string, std::less<>> paths_;
};

domain::PreferencesPatch DecodePreferences(const v1::UpdatePreferencesRequest& request,
                                           Violations& violations) {
  const v1::NotificationPreferences& preferences = request.preferences();
  const PreferencesMask mask(request, violations);
  domain::PreferencesPatch patch;
  if (mask.Names("in_app", preferences.has_in_app())) patch.in_app = preferences.in_app();
  if (mask.Names("webhook", preferences.has_webhook())) patch.webhook = preferences.webhook();
  if (mask.Names("email", preferences.has_email())) patch.email = preferences.email();
  if (mask.Names("push", preferences.has_push())) patch.push = preferences.push();
  if (mask.Names("time_zone", preferences.has_time_zone())) {
    CheckText(preferences.time_zone(), "preferences.time_zone", violations);
    patch.time_zone = preferences.time_zone().empty() ? "UTC" : preferences.time_zone();
  }

  const v1::QuietHours& quiet = preferences.quiet_hours();
  patch.no_quiet_hours = mask.Replaces("quiet_hours");
  const bool whole = patch.no_quiet_hours && preferences.has_quiet_hours();
  const auto names = [&](const char* path, bool is_present) {
    return patch.no_quiet_hours ? whole : mask.Names(path, is_present);
  };
  const auto time = [&](const std::string& text, std::string_view field) {
    const auto parsed = domain::ParseTimeOfDay(text);
    if (!parsed.ok()) {
      violations.push_back({fmt::format("preferences.quiet_hours.{}", field),
                            "must be a time of day from 00:00 to 23:59, such as 22:00"});
    }
    return parsed.value_or(std::chrono::seconds(0));
  };
  domain::PreferencesPatch::Quiet change;
  if (names("quiet_hours.start", quiet.has_start())) change.start = time(quiet.start(), "start");
  if (names("quiet_hours.end", quiet.has_end())) change.end = time(quiet.end(), "end");
  if (names("quiet_hours.time_zone", quiet.has_time_zone())) {
    CheckText(quiet.time_zone(), "preferences.quiet_hours.time_zone", violations);
    change.time_zone = quiet.time_zone();
  }
  if (whole || change.start || change.end || change.time_zone) patch.quiet_hours = change;
  return patch;
}

/// base64url with or without padding; empty when it is something else.
std::string DecodeKey(const std::string& text) {
  std::string key;
  if (text.size() > 200 || !absl::WebSafeBase64Unescape(text, &key)) return "";
  return key;
}

absl::StatusOr<service::EndpointChange> DecodeChange(
    const v1::UpdateWebhookEndpointRequest& request) {
  Violations violations;
  const v1::WebhookEndpoint& endpoint = request.endpoint();
  DecodeId(endpoint.id(), "endpoint.id", violations);
  service::EndpointChange change;
  constexpr char kKnown[] = "url, reminders, task_events, enabled";
  if (request.update_mask().paths().empty()) {
    violations.push_back(
        {"update_mask", fmt::format("must name what to change: any of {}", kKnown)});
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
      violations.push_back({"update_mask", UnknownMaskPath(path, kKnown)});
      break;
    }
  }
  if (!violations.empty()) return util::InvalidFields(violations);
  return change;
}

service::CallContext CallOf(std::string_view method, const Caller& caller,
                            const google::protobuf::Message& request) {
  return ContextOf(method, request, caller.identity.user, caller.traceparent);
}

template <typename Value>
auto Encoded(const absl::StatusOr<Value>& value) -> absl::StatusOr<decltype(Encode(*value))> {
  if (!value.ok()) return value.status();
  return Encode(*value);
}

// ---- the methods

absl::StatusOr<v1::ListNotificationsResponse> ListNotifications(
    NotificationSettings& settings, const domain::UserId& user,
    const v1::ListNotificationsRequest& request) {
  Violations violations;
  const int limit = DecodePageSize(request.page_size(), violations);
  if (!violations.empty()) return util::InvalidFields(violations);
  TODO_ASSIGN_OR_RETURN(
      const ports::NotificationPage page,
      settings.List(user, request.unread_only(), limit, request.page_token()));
  v1::ListNotificationsResponse response;
  for (const ports::Notification& notification : page.notifications)
    *response.add_notifications() = Encode(notification);
  response.set_next_page_token(page.next_cursor);
  response.set_unread_count(page.unread_count);
  return response;
}

absl::StatusOr<v1::MarkNotificationsReadResponse> MarkRead(
    NotificationSettings& settings, const domain::UserId& user,
    const v1::MarkNotificationsReadRequest& request) {
  Violations violations;
  std::optional<std::vector<Uuid>> ids;
  if (request.all() != request.ids().empty())
    violations.push_back({"ids", "give ids, or all = true, and not both"});
  if (request.ids_size() > kMaxIds)
    violations.push_back({"ids", fmt::format("has more than {} ids", kMaxIds)});
  if (!request.all() && violations.empty()) {
    ids.emplace();
    for (int i = 0; i < request.ids_size(); ++i)
      ids->push_back(DecodeId(request.ids(i), fmt::format("ids[{}]", i), violations));
  }
  if (!violations.empty()) return util::InvalidFields(violations);
  TODO_ASSIGN_OR_RETURN(const int count, settings.MarkRead(user, ids));
  v1::MarkNotificationsReadResponse response;
  response.set_marked_count(count);
  return response;
}

absl::StatusOr<v1::NotificationPreferences> UpdatePreferences(
    NotificationSettings& settings, const domain::UserId& user,
    const v1::UpdatePreferencesRequest& request) {
  Violations violations;
  if (!request.has_preferences())
    violations.push_back({"preferences", "must be given, with what is to change"});
  const domain::PreferencesPatch patch = DecodePreferences(request, violations);
  CheckText(request.preferences().etag(), "preferences.etag", violations);
  if (!violations.empty()) return util::InvalidFields(violations);
  return Encoded(settings.UpdatePreferences(user, patch, request.preferences().etag()));
}

absl::StatusOr<v1::Channels> GetChannels(NotificationSettings& settings,
                                         const domain::UserId& user) {
  v1::Channels channels;
  if (const auto known = settings.channels(); known != nullptr) {
    channels.set_webhook_available(known->Has(domain::Channel::kWebhook));
    channels.set_email_available(known->Has(domain::Channel::kEmail));
    channels.set_push_available(known->Has(domain::Channel::kPush));
    channels.set_push_public_key(known->push_public_key);
  }
  TODO_ASSIGN_OR_RETURN(const std::string address, settings.MailAddress(user));
  channels.set_email_address(address);
  return channels;
}

absl::StatusOr<v1::WebhookEndpoint> CreateEndpoint(
    NotificationSettings& settings, const Caller& caller,
    const v1::CreateWebhookEndpointRequest& request) {
  Violations violations;
  CheckRequestId(request.request_id(), violations);
  if (!request.has_endpoint()) violations.push_back({"endpoint", "must be given, with its url"});
  if (!violations.empty()) return util::InvalidFields(violations);
  const v1::WebhookEndpoint& endpoint = request.endpoint();
  return Encoded(settings.CreateEndpoint(CallOf("CreateWebhookEndpoint", caller, request),
                                         {.url = endpoint.url(),
                                          .reminders = endpoint.reminders(),
                                          .task_events = endpoint.task_events()}));
}

absl::StatusOr<v1::WebhookEndpoint> RotateSecret(NotificationSettings& settings,
                                                 const Caller& caller,
                                                 const v1::RotateWebhookSecretRequest& request) {
  Violations violations;
  CheckRequestId(request.request_id(), violations);
  const Uuid id = DecodeId(request.id(), "id", violations);
  if (!violations.empty()) return util::InvalidFields(violations);
  return Encoded(settings.RotateSecret(CallOf("RotateWebhookSecret", caller, request), id));
}

absl::StatusOr<v1::ListWebhookDeliveriesResponse> ListDeliveries(
    NotificationSettings& settings, const domain::UserId& user,
    const v1::ListWebhookDeliveriesRequest& request) {
  Violations violations;
  const Uuid endpoint = DecodeId(request.endpoint_id(), "endpoint_id", violations);
  const int limit = DecodePageSize(request.page_size(), violations);
  if (!violations.empty()) return util::InvalidFields(violations);
  TODO_ASSIGN_OR_RETURN(
      const ports::DeliveryPage page,
      settings.ListDeliveries(user, endpoint, limit, request.page_token()));
  v1::ListWebhookDeliveriesResponse response;
  for (const ports::LoggedDelivery& delivery : page.deliveries)
    *response.add_deliveries() = Encode(delivery);
  response.set_next_page_token(page.next_cursor);
  return response;
}

}  // namespace

std::unique_ptr<GatedService> MakeNotificationService(NotificationSettings& settings, Gate& gate) {
  std::vector<UnaryMethod> methods;
  // `handle(user, request)`, for the calls that need to know nothing else of their caller.
  const auto add = [&methods]<typename Request, typename Response>(const char* name, auto handle) {
    methods.push_back(Unary<Request, Response>(
        name, [handle](const Caller& caller, const Request& request) -> absl::StatusOr<Response> {
          return handle(caller.identity.user, request);
        }));
  };
  using domain::UserId;
  add.operator()<v1::ListNotificationsRequest, v1::ListNotificationsResponse>(
      "ListNotifications",
      [&settings](const UserId& user, const v1::ListNotificationsRequest& request) {
        return ListNotifications(settings, user, request);
      });
  add.operator()<v1::MarkNotificationsReadRequest, v1::MarkNotificationsReadResponse>(
      "MarkNotificationsRead",
      [&settings](const UserId& user, const v1::MarkNotificationsReadRequest& request) {
        return MarkRead(settings, user, request);
      });
  add.operator()<v1::GetPreferencesRequest, v1::NotificationPreferences>(
      "GetPreferences", [&settings](const UserId& user, const v1::GetPreferencesRequest&) {
        return Encoded(settings.GetPreferences(user));
      });
  add.operator()<v1::UpdatePreferencesRequest, v1::NotificationPreferences>(
      "UpdatePreferences",
      [&settings](const UserId& user, const v1::UpdatePreferencesRequest& request) {
        return UpdatePreferences(settings, user, request);
      });
  add.operator()<v1::GetChannelsRequest, v1::Channels>(
      "GetChannels", [&settings](const UserId& user, const v1::GetChannelsRequest&) {
        return GetChannels(settings, user);
      });
  add.operator()<v1::SetEmailAddressRequest, v1::Channels>(
      "SetEmailAddress",
      [&settings](const UserId& user,
                  const v1::SetEmailAddressRequest& request) -> absl::StatusOr<v1::Channels> {
        TODO_RETURN_IF_ERROR(settings.SetMailAddress(user, request.email_address()));
        return GetChannels(settings, user);
      });
  methods.push_back(Unary<v1::CreateWebhookEndpointRequest, v1::WebhookEndpoint>(
      "CreateWebhookEndpoint",
      [&settings](const Caller& caller, const v1::CreateWebhookEndpointRequest& request) {
        return CreateEndpoint(settings, caller, request);
      }));
  add.operator()<v1::ListWebhookEndpointsRequest, v1::ListWebhookEndpointsResponse>(
      "ListWebhookEndpoints",
      [&settings](const UserId& user, const v1::ListWebhookEndpointsRequest&)
          -> absl::StatusOr<v1::ListWebhookEndpointsResponse> {
        TODO_ASSIGN_OR_RETURN(const auto endpoints, settings.ListEndpoints(user));
        v1::ListWebhookEndpointsResponse response;
        for (const ports::WebhookEndpoint& endpoint : endpoints)
          *response.add_endpoints() = Encode(endpoint);
        return response;
      });
  add.operator()<v1::UpdateWebhookEndpointRequest, v1::WebhookEndpoint>(
      "UpdateWebhookEndpoint",
      [&settings](const UserId& user, const v1::UpdateWebhookEndpointRequest& request)
          -> absl::StatusOr<v1::WebhookEndpoint> {
        TODO_ASSIGN_OR_RETURN(const service::EndpointChange change, DecodeChange(request));
        TODO_ASSIGN_OR_RETURN(const Uuid id, DecodeOnlyId(request.endpoint().id(), "endpoint.id"));
        return Encoded(settings.UpdateEndpoint(user, id, change));
      });
  add.operator()<v1::DeleteWebhookEndpointRequest, v1::DeleteWebhookEndpointResponse>(
      "DeleteWebhookEndpoint",
      [&settings](const UserId& user, const v1::DeleteWebhookEndpointRequest& request)
          -> absl::StatusOr<v1::DeleteWebhookEndpointResponse> {
        TODO_ASSIGN_OR_RETURN(const Uuid id, DecodeOnlyId(request.id()));
        TODO_RETURN_IF_ERROR(settings.RemoveEndpoint(user, id));
        return v1::DeleteWebhookEndpointResponse();
      });
  methods.push_back(Unary<v1::RotateWebhookSecretRequest, v1::WebhookEndpoint>(
      "RotateWebhookSecret",
      [&settings](const Caller& caller, const v1::RotateWebhookSecretRequest& request) {
        return RotateSecret(settings, caller, request);
      }));
  add.operator()<v1::TestWebhookEndpointRequest, v1::TestWebhookEndpointResponse>(
      "TestWebhookEndpoint",
      [&settings](const UserId& user, const v1::TestWebhookEndpointRequest& request)
          -> absl::StatusOr<v1::TestWebhookEndpointResponse> {
        TODO_ASSIGN_OR_RETURN(const Uuid id, DecodeOnlyId(request.id()));
        TODO_ASSIGN_OR_RETURN(const ports::SendOutcome outcome, settings.TestEndpoint(user, id));
        v1::TestWebhookEndpointResponse response;
        response.set_delivered(outcome.kind == ports::SendOutcome::Kind::kDelivered);
        response.set_status_code(outcome.status_code);
        response.set_detail(outcome.detail);
        return response;
      });
  add.operator()<v1::ListWebhookDeliveriesRequest, v1::ListWebhookDeliveriesResponse>(
      "ListWebhookDeliveries",
      [&settings](const UserId& user, const v1::ListWebhookDeliveriesRequest& request) {
        return ListDeliveries(settings, user, request);
      });
  add.operator()<v1::RedeliverWebhookRequest, v1::WebhookDelivery>(
      "RedeliverWebhook",
      [&settings](const UserId& user, const v1::RedeliverWebhookRequest& request)
          -> absl::StatusOr<v1::WebhookDelivery> {
        TODO_ASSIGN_OR_RETURN(const Uuid id, DecodeOnlyId(request.id()));
        return Encoded(settings.Redeliver(user, id));
      });
  add.operator()<v1::AddPushSubscriptionRequest, v1::PushSubscription>(
      "AddPushSubscription",
      [&settings](const UserId& user, const v1::AddPushSubscriptionRequest& request) {
        const v1::PushSubscription& added = request.subscription();
        return Encoded(settings.AddSubscription(user, {.endpoint = added.endpoint(),
                                                       .p256dh = DecodeKey(added.p256dh()),
                                                       .auth = DecodeKey(added.auth())}));
      });
  add.operator()<v1::ListPushSubscriptionsRequest, v1::ListPushSubscriptionsResponse>(
      "ListPushSubscriptions",
      [&settings](const UserId& user, const v1::ListPushSubscriptionsRequest&)
          -> absl::StatusOr<v1::ListPushSubscriptionsResponse> {
        TODO_ASSIGN_OR_RETURN(const auto subscriptions, settings.ListSubscriptions(user));
        v1::ListPushSubscriptionsResponse response;
        for (const ports::PushSubscription& subscription : subscriptions)
          *response.add_subscriptions() = Encode(subscription);
        return response;
      });
  add.operator()<v1::RemovePushSubscriptionRequest, v1::RemovePushSubscriptionResponse>(
      "RemovePushSubscription",
      [&settings](const UserId& user, const v1::RemovePushSubscriptionRequest& request)
          -> absl::StatusOr<v1::RemovePushSubscriptionResponse> {
        TODO_ASSIGN_OR_RETURN(const Uuid id, DecodeOnlyId(request.id()));
        TODO_RETURN_IF_ERROR(settings.RemoveSubscription(user, id));
        return v1::RemovePushSubscriptionResponse();
      });
  const auto* service =
      v1::ListNotificationsRequest::descriptor()->file()->FindServiceByName("NotificationService");
  return std::make_unique<GatedService>(*service, std::move(methods), gate);
}

}  // namespace todo::api
