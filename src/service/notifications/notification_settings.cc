#include "service/notifications/notification_settings.h"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <utility>

#include "domain/notification/endpoint_rules.h"
#include "domain/notification/messages.h"
#include "domain/notification/webhook_secret.h"
#include "service/notifications/delivery_sender.h"
#include "util/digest.h"
#include "util/status.h"

namespace todo::service {
namespace {

using domain::Channel;
using domain::UserId;
using domain::Uuid;
using namespace std::chrono_literals;
using Violations = std::vector<util::FieldViolation>;

constexpr std::chrono::hours kPreviousSecretSigns{24};
/// A test call holds one of the workers that answer all callers.
constexpr std::size_t kMaxTests = 2;
/// The etag of preferences that were never written.
constexpr char kNeverWritten[] = "none";
/// A write of preferences takes less than this, counted from its announcement.
constexpr std::chrono::minutes kMaxWriteTime{1};
constexpr std::size_t kPublicKeyBytes = 65;
constexpr std::size_t kAuthBytes = 16;

/// The host of `url`, an endpoint that a user names for `sender` (null: it is not known yet). A URL
/// that can never work is a violation of `field`.
template <typename Sender>
std::string Host(const std::string& url, const Sender* sender, std::string_view field,
                 Violations& violations) {
  absl::StatusOr<std::string> host = domain::HostOfUrl(url);
  if (host.ok() && sender != nullptr) {
    if (absl::Status status = sender->Check(url); !status.ok()) host = std::move(status);
  }
  if (host.ok()) return *host;
  violations.push_back({std::string(field), std::string(util::FromAbsl(host.status().message()))});
  return "";
}

const ports::WebhookSender* WebhooksOf(const std::shared_ptr<const ChannelSet::Known>& channels) {
  return channels == nullptr ? nullptr : channels->webhooks.get();
}

EndpointWithSecret WithSecret(const ChannelSet::Known& channels, ports::WebhookEndpoint endpoint) {
  std::string secret = domain::FormatWebhookSecret(
      domain::WebhookSecret(channels.webhook_master_key, endpoint.id, endpoint.secret_version));
  return {.endpoint = std::move(endpoint), .secret = std::move(secret)};
}

/// The id of a new endpoint. It is derived from user and request id, so that a repeated request
/// finds the endpoint that the first one has made.
Uuid DerivedId(const CallContext& call, ports::IdSource& ids) {
  if (!call.request_id) return ids.NewId();
  const std::string name = fmt::format("endpoint {} {}", call.request_id->value(), call.user.value);
  return Uuid::FromBytes(util::Sha256(name).substr(0, 16), 8);
}

}  // namespace

absl::StatusOr<std::shared_ptr<const ChannelSet::Known>> NotificationSettings::Need(
    Channel channel, std::shared_ptr<const ChannelSet::Known> known) {
  if (known == nullptr) {
    return util::WithReason(
        absl::UnavailableError("notification channels are still starting: retry shortly"),
        "CHANNELS_NOT_KNOWN");
  }
  if (!known->Has(channel)) {
    return util::WithReason(
        util::MakeStatus(absl::StatusCode::kFailedPrecondition,
                         fmt::format("{} is not set up on this server", ToString(channel))),
        "CHANNEL_OFF");
  }
  return known;
}

absl::StatusOr<Preferences> NotificationSettings::GetPreferences(const UserId& user) {
  const std::string key = domain::PreferencesKey(user);
  auto values = ports_.preferences.Read({key});
  if (!values.ok()) return util::WithReason(values.status(), "STATE_STORE_AWAY");
  const auto found = values->find(key);
  if (found == values->end()) return Preferences{.values = {}, .etag = kNeverWritten};
  TODO_ASSIGN_OR_RETURN(domain::NotificationPreferences preferences,
                        domain::ParsePreferences(found->second.data));
  return Preferences{.values = std::move(preferences), .etag = found->second.etag};
}

absl::StatusOr<Preferences> NotificationSettings::UpdatePreferences(
    const UserId& user, const domain::PreferencesPatch& patch, const std::string& etag) {
  const auto stale = [] {
    return util::WithReason(
        absl::AbortedError("the preferences have changed since: read them again and repeat the "
                           "call with their new etag"),
        "STALE_ETAG");
  };
  constexpr int kAttempts = 5;
  for (int attempt = 1; attempt <= kAttempts; ++attempt) {
    const absl::StatusOr<Preferences> current = GetPreferences(user);
    if (!current.ok()) return current.status();
    if (!etag.empty() && etag != current->etag) return stale();
    domain::NotificationPreferences values = current->values;
    Violations violations;
    domain::Patch(values, patch, "preferences.", violations);
    if (violations.empty()) domain::CheckPreferences(values, "preferences.", violations);
    if (!violations.empty()) return util::InvalidFields(violations);
    values.changed_at = std::max(ports_.clock.Now(), current->values.changed_at + 1us);
    // State store and database are not written in one step: RepairZones completes an update that
    // ends after its announcement. Announced after the reading, so that no older update ends it.
    TODO_RETURN_IF_ERROR(ports_.zones.Announce(user, values.changed_at));
    const absl::Status written =
        ports_.preferences.Write(domain::PreferencesKey(user), domain::FormatPreferences(values),
                                 current->etag == kNeverWritten ? std::string() : current->etag);
    if (written.ok()) {
      TODO_ASSIGN_OR_RETURN(Preferences now, GetPreferences(user));
      TODO_RETURN_IF_ERROR(ports_.zones.Keep(user, now.values.time_zone, now.values.changed_at));
      return now;
    }
    if (!absl::IsAborted(written)) return util::WithReason(written, "STATE_STORE_AWAY");
    if (!etag.empty()) break;
  }
  return stale();
}

absl::Status NotificationSettings::RepairZones(const std::stop_token& stop) {
  constexpr int kMaxUsers = 100;
  TODO_ASSIGN_OR_RETURN(const auto announced, ports_.zones.ListAnnounced(kMaxUsers));
  absl::Status result;
  for (const ports::PreferredZones::Announced& one : announced) {
    if (stop.stop_requested()) break;
    const absl::Status repaired = RepairZone(one);
    // A store that does not answer now would keep the others waiting, too.
    if (absl::IsUnavailable(repaired) || absl::IsDeadlineExceeded(repaired)) return repaired;
    result.Update(repaired);
  }
  return result;
}

absl::Status NotificationSettings::RepairZone(const ports::PreferredZones::Announced& announced) {
  // Before the reading: an update that is still under way then must not be withdrawn.
  const bool over = ports_.clock.Now() - announced.changed_at > kMaxWriteTime;
  TODO_ASSIGN_OR_RETURN(const Preferences preferences, GetPreferences(announced.user));
  const domain::NotificationPreferences& values = preferences.values;
  if (preferences.etag != kNeverWritten) {
    TODO_RETURN_IF_ERROR(ports_.zones.Keep(announced.user, values.time_zone, values.changed_at));
    if (values.changed_at >= announced.changed_at) return absl::OkStatus();
  }
  return over ? ports_.zones.Withdraw(announced) : absl::OkStatus();
}

absl::Status NotificationSettings::SetMailAddress(const UserId& user, const std::string& address) {
  if (address.empty()) return ports_.store.SetMailAddress(user, address);
  if (const absl::Status status = domain::CheckMailAddress(address); !status.ok()) {
    return util::InvalidFields({{"email_address", std::string(util::FromAbsl(status.message()))}});
  }
  TODO_RETURN_IF_ERROR(Need(Channel::kEmail).status());
  return ports_.store.SetMailAddress(user, address);
}

absl::StatusOr<EndpointWithSecret> NotificationSettings::CreateEndpoint(const CallContext& call,
                                                                        const NewEndpoint& input) {
  ports::WebhookEndpoint endpoint;
  endpoint.id = DerivedId(call, ports_.ids);
  endpoint.url = input.url;
  endpoint.reminders = input.reminders;
  endpoint.task_events = input.task_events;
  endpoint.created_at = ports_.clock.Now();
  const auto known = ports_.channels.Get();
  // A repeated call is not checked again: the operator's list may have changed since.
  if (call.request_id) {
    TODO_ASSIGN_OR_RETURN(
        std::optional<ports::WebhookEndpoint> added,
        ports_.store.FindAdded(call.user, endpoint, call.fingerprint, call.request_id));
    if (added) {
      TODO_ASSIGN_OR_RETURN(const auto channels, Need(Channel::kWebhook, known));
      return WithSecret(*channels, *std::move(added));
    }
  }
  Violations violations;
  endpoint.host = Host(input.url, WebhooksOf(known), "endpoint.url", violations);
  if (!input.reminders && !input.task_events) {
    violations.push_back(
        {"endpoint.reminders", "and task_events are both false: nothing would ever be sent"});
  }
  if (!violations.empty()) return util::InvalidFields(violations);
  TODO_ASSIGN_OR_RETURN(const auto channels, Need(Channel::kWebhook, known));
  TODO_ASSIGN_OR_RETURN(
      endpoint, ports_.store.AddEndpoint(call.user, endpoint, call.fingerprint, call.request_id));
  return WithSecret(*channels, std::move(endpoint));
}

absl::StatusOr<ports::WebhookEndpoint> NotificationSettings::UpdateEndpoint(
    const UserId& user, const Uuid& id, const EndpointChange& change) {
  ports::WebhookPatch patch;
  if (change.url) {
    Violations violations;
    const auto known = ports_.channels.Get();
    patch.url = change.url;
    patch.host = Host(*change.url, WebhooksOf(known), "endpoint.url", violations);
    if (!violations.empty()) return util::InvalidFields(violations);
    TODO_RETURN_IF_ERROR(Need(Channel::kWebhook, known).status());
  }
  patch.reminders = change.reminders;
  patch.task_events = change.task_events;
  if (change.enabled) patch.disabled_reason = *change.enabled ? "" : "disabled by its user";
  return ports_.store.UpdateEndpoint(user, id, patch);
}

absl::StatusOr<EndpointWithSecret> NotificationSettings::RotateSecret(const CallContext& call,
                                                                      const Uuid& id) {
  TODO_ASSIGN_OR_RETURN(const auto channels, Need(Channel::kWebhook));
  const domain::Instant now = ports_.clock.Now();
  const ports::SecretRotation rotation{
      .id = call.request_id ? call.request_id->uuid : ports_.ids.NewId(),
      .now = now,
      .previous_until = now + kPreviousSecretSigns};
  TODO_ASSIGN_OR_RETURN(ports::WebhookEndpoint endpoint,
                        ports_.store.RotateSecret(call.user, id, rotation));
  return WithSecret(*channels, std::move(endpoint));
}

absl::StatusOr<ports::SendOutcome> NotificationSettings::TestEndpoint(const UserId& user,
                                                                      const Uuid& id) {
  TODO_ASSIGN_OR_RETURN(const auto channels, Need(Channel::kWebhook));
  TODO_ASSIGN_OR_RETURN(const ports::WebhookEndpoint endpoint, ports_.store.GetEndpoint(user, id));
  {
    auto testing = testing_.Lock();
    if (testing->size() >= kMaxTests || !testing->insert(user).second) {
      return util::WithReason(
          absl::ResourceExhaustedError("too many test calls are running: retry shortly"),
          "TOO_MANY_TESTS");
    }
  }
  const domain::Instant now = ports_.clock.Now();
  ports::LeasedLane call;
  call.lane.user = user;
  call.lane.endpoint = id;
  call.address = endpoint.url;
  call.secret_version = endpoint.secret_version;
  if (endpoint.previous_until && *endpoint.previous_until > now)
    call.previous_secrets = endpoint.previous_count;
  ports::QueuedDelivery& delivery = call.deliveries.emplace_back();
  delivery.id = ports_.ids.NewId();
  delivery.body = domain::TestWebhookBody(id, now);
  const ports::SendOutcome outcome = SendOnce(*channels, call, now);
  testing_.Lock()->erase(user);
  return outcome;
}

absl::StatusOr<ports::LoggedDelivery> NotificationSettings::Redeliver(const UserId& user,
                                                                      const Uuid& id) {
  TODO_RETURN_IF_ERROR(Need(Channel::kWebhook).status());
  return ports_.store.Redeliver(user, id, ports_.clock.Now());
}

absl::StatusOr<ports::PushSubscription> NotificationSettings::AddSubscription(
    const UserId& user, const NewSubscription& input) {
  Violations violations;
  ports::PushSubscription added;
  added.endpoint = input.endpoint;
  const auto channels = ports_.channels.Get();
  added.host = Host(input.endpoint, channels == nullptr ? nullptr : channels->push.get(),
                    "subscription.endpoint", violations);
  if (input.p256dh.size() != kPublicKeyBytes || input.p256dh[0] != '\x04') {
    violations.push_back({"subscription.p256dh",
                          "must be the browser's public key: 65 bytes in base64url, as "
                          "subscription.getKey('p256dh') gives it"});
  }
  if (input.auth.size() != kAuthBytes) {
    violations.push_back({"subscription.auth",
                          "must be the browser's secret: 16 bytes in base64url, as "
                          "subscription.getKey('auth') gives it"});
  }
  if (!violations.empty()) return util::InvalidFields(violations);
  TODO_RETURN_IF_ERROR(Need(Channel::kPush, channels).status());
  added.id = ports_.ids.NewId();
  added.p256dh = input.p256dh;
  added.auth = input.auth;
  added.created_at = ports_.clock.Now();
  return ports_.store.AddSubscription(user, added);
}

}  // namespace todo::service
