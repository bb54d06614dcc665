#include "support/fake_notification_store.h"

#include <algorithm>
#include <charconv>

#include "support/fake_database_write.h"
#include "util/status.h"

namespace todo::support {
namespace {

using domain::Channel;
using domain::Instant;
using domain::UserId;
using domain::Uuid;
using ports::DeliveryState;
using ports::LoggedDelivery;
using ports::WebhookEndpoint;
using Tables = FakeDatabase::Tables;
using LaneKey = FakeDatabase::LaneKey;

absl::Status NotThere() { return absl::NotFoundError("fake store: there is no such thing"); }

/// The number of elements before a page. The cursor is this number behind a letter.
absl::StatusOr<std::size_t> PositionOf(const std::string& cursor) {
  std::size_t position = 0;
  if (cursor.empty()) return position;
  if (cursor[0] != 'f' ||
      std::from_chars(cursor.data() + 1, cursor.data() + cursor.size(), position).ptr !=
          cursor.data() + cursor.size()) {
    return absl::InvalidArgumentError("fake store: not a cursor of ours");
  }
  return position;
}

/// Cuts `all` to the page.
template <typename Row>
std::string Cut(std::vector<Row>& all, std::size_t position, int limit) {
  all.erase(all.begin(), all.begin() + static_cast<std::ptrdiff_t>(std::min(position, all.size())));
  if (all.size() <= static_cast<std::size_t>(limit)) return "";
  all.resize(static_cast<std::size_t>(limit));
  return "f" + std::to_string(position + static_cast<std::size_t>(limit));
}

std::size_t EndpointCount(const Tables& tables, const UserId& user) {
  return static_cast<std::size_t>(std::ranges::count_if(
      tables.endpoints, [&](const auto& entry) { return entry.first.first == user; }));
}

absl::StatusOr<std::optional<WebhookEndpoint>> FindAddedIn(
    const Tables& tables, const UserId& user, const WebhookEndpoint& endpoint,
    const std::string& fingerprint, const std::optional<domain::RequestId>& request_id) {
  const auto reused = [] { return absl::AlreadyExistsError("fake store: other content"); };
  if (request_id) {
    if (tables.requests.contains({user, *request_id}) ||
        tables.reminder_requests.contains({user, *request_id}))
      return reused();
    const auto first = tables.endpoint_requests.find({user, *request_id});
    if (first != tables.endpoint_requests.end()) {
      if (first->second.fingerprint != fingerprint) return reused();
      WebhookEndpoint answer = endpoint;
      answer.created_at = first->second.at;
      return answer;
    }
  }
  const auto found = tables.endpoints.find({user, endpoint.id});
  if (found == tables.endpoints.end()) return std::nullopt;
  if (found->second.fingerprint != fingerprint) return reused();
  return found->second.endpoint;
}

}  // namespace

absl::StatusOr<ports::NotificationPage> FakeNotificationStore::List(const UserId& user,
                                                                    bool unread_only, int limit,
                                                                    const std::string& cursor) {
  if (absl::Status status = database_.failure(); !status.ok()) return status;
  TODO_ASSIGN_OR_RETURN(const std::size_t position, PositionOf(cursor));
  auto tables = database_.Read();
  ports::NotificationPage page;
  for (const auto& [key, row] : tables->notifications) {
    if (key.first != user || !row.shown) continue;
    const bool unread = !row.notification.read_at;
    page.unread_count += unread ? 1 : 0;
    if (unread || !unread_only) page.notifications.push_back(row.notification);
  }
  std::ranges::sort(page.notifications, [](const auto& a, const auto& b) {
    return std::pair(a.at, a.reminder.id) > std::pair(b.at, b.reminder.id);
  });
  page.next_cursor = Cut(page.notifications, position, limit);
  return page;
}

absl::StatusOr<int> FakeNotificationStore::MarkRead(const UserId& user,
                                                    const std::optional<std::vector<Uuid>>& ids,
                                                    Instant now) {
  return Write<int>(database_, [&](Tables& tables) {
    int count = 0;
    for (auto& [key, row] : tables.notifications) {
      if (key.first != user || !row.shown || row.notification.read_at) continue;
      if (ids && std::ranges::find(*ids, key.second.uuid) == ids->end()) continue;
      row.notification.read_at = now;
      ++count;
    }
    return count;
  });
}

absl::StatusOr<std::optional<WebhookEndpoint>> FakeNotificationStore::FindAdded(
    const UserId& user, const WebhookEndpoint& endpoint, const std::string& fingerprint,
    const std::optional<domain::RequestId>& request_id) {
  return Write<std::optional<WebhookEndpoint>>(database_, [&](Tables& tables) {
    return FindAddedIn(tables, user, endpoint, fingerprint, request_id);
  });
}

absl::StatusOr<WebhookEndpoint> FakeNotificationStore::AddEndpoint(
    const UserId& user, const WebhookEndpoint& endpoint, const std::string& fingerprint,
    const std::optional<domain::RequestId>& request_id) {
  return Write<WebhookEndpoint>(database_, [&](Tables& tables) -> absl::StatusOr<WebhookEndpoint> {
    TODO_ASSIGN_OR_RETURN(std::optional<WebhookEndpoint> added,
                          FindAddedIn(tables, user, endpoint, fingerprint, request_id));
    if (added) return *std::move(added);
    if (EndpointCount(tables, user) >= domain::kMaxWebhookEndpoints)
      return absl::ResourceExhaustedError("fake store: too many");
    tables.endpoints[{user, endpoint.id}] = {
        .endpoint = endpoint, .fingerprint = fingerprint, .rotations = {}};
    if (request_id)
      tables.endpoint_requests[{user, *request_id}] = {fingerprint, endpoint.created_at};
    return endpoint;
  });
}

absl::StatusOr<std::vector<WebhookEndpoint>> FakeNotificationStore::ListEndpoints(
    const UserId& user) {
  if (absl::Status status = database_.failure(); !status.ok()) return status;
  std::vector<WebhookEndpoint> endpoints;
  auto tables = database_.Read();
  for (const auto& [key, row] : tables->endpoints) {
    if (key.first == user) endpoints.push_back(row.endpoint);
  }
  std::ranges::sort(endpoints, {}, [](const auto& e) { return std::pair(e.created_at, e.id); });
  return endpoints;
}

absl::StatusOr<WebhookEndpoint> FakeNotificationStore::GetEndpoint(const UserId& user,
                                                                   const Uuid& id) {
  if (absl::Status status = database_.failure(); !status.ok()) return status;
  auto tables = database_.Read();
  const auto found = tables->endpoints.find({user, id});
  if (found == tables->endpoints.end()) return NotThere();
  return found->second.endpoint;
}

absl::StatusOr<WebhookEndpoint> FakeNotificationStore::UpdateEndpoint(
    const UserId& user, const Uuid& id, const ports::WebhookPatch& patch) {
  return Told(
      Write<WebhookEndpoint>(database_, [&](Tables& tables) -> absl::StatusOr<WebhookEndpoint> {
        const auto found = tables.endpoints.find({user, id});
        if (found == tables.endpoints.end()) return NotThere();
        WebhookEndpoint& endpoint = found->second.endpoint;
        if (patch.url) {
          const auto lane = tables.lanes.find({user, Channel::kWebhook, id});
          if (lane != tables.lanes.end() && *patch.url != endpoint.url) {
            lane->second.host = patch.host;
            lane->second.pace = ports::Pace::kNew;
            lane->second.paused_until = domain::kMinInstant;
            for (const auto& [_, row] : tables.deliveries) {
              if (row.lane == lane->first && row.logged.state == DeliveryState::kPending)
                lane->second.due_at = std::min(lane->second.due_at, row.due_at);
            }
          }
          endpoint.url = *patch.url;
          endpoint.host = patch.host;
        }
        if (patch.reminders) endpoint.reminders = *patch.reminders;
        if (patch.task_events) endpoint.task_events = *patch.task_events;
        if (patch.disabled_reason) endpoint.disabled_reason = *patch.disabled_reason;
        return endpoint;
      }));
}

absl::Status FakeNotificationStore::RemoveEndpoint(const UserId& user, const Uuid& id) {
  return database_.Write([&](Tables& tables) -> absl::Status {
    if (tables.endpoints.erase({user, id}) == 0) return NotThere();
    FakeDatabase::RemoveLane(tables, {user, Channel::kWebhook, id});
    return absl::OkStatus();
  });
}

absl::StatusOr<WebhookEndpoint> FakeNotificationStore::RotateSecret(
    const UserId& user, const Uuid& id, const ports::SecretRotation& rotation) {
  return Write<WebhookEndpoint>(database_, [&](Tables& tables) -> absl::StatusOr<WebhookEndpoint> {
    const auto found = tables.endpoints.find({user, id});
    if (found == tables.endpoints.end()) return NotThere();
    if (found->second.rotations.insert(rotation.id).second) {
      WebhookEndpoint& endpoint = found->second.endpoint;
      ++endpoint.secret_version;
      const bool signs = endpoint.previous_until && *endpoint.previous_until > rotation.now;
      endpoint.previous_count =
          signs ? std::min(endpoint.previous_count + 1, domain::kMaxPreviousSecrets) : 1;
      endpoint.previous_until = rotation.previous_until;
    }
    return found->second.endpoint;
  });
}

absl::StatusOr<std::set<UserId>> FakeNotificationStore::WantTaskEvents(
    const std::set<UserId>& users) {
  if (absl::Status status = database_.failure(); !status.ok()) return status;
  std::set<UserId> found;
  auto tables = database_.Read();
  for (const auto& [key, row] : tables->endpoints) {
    if (users.contains(key.first) && row.endpoint.task_events &&
        row.endpoint.disabled_reason.empty())
      found.insert(key.first);
  }
  return found;
}

absl::StatusOr<ports::DeliveryPage> FakeNotificationStore::ListDeliveries(
    const UserId& user, const Uuid& endpoint, int limit, const std::string& cursor) {
  if (absl::Status status = database_.failure(); !status.ok()) return status;
  TODO_ASSIGN_OR_RETURN(const std::size_t position, PositionOf(cursor));
  auto tables = database_.Read();
  if (!tables->endpoints.contains({user, endpoint})) return NotThere();
  ports::DeliveryPage page;
  for (const auto& [id, row] : tables->deliveries) {
    if (row.lane == LaneKey{user, Channel::kWebhook, endpoint}) {
      page.deliveries.push_back(row.logged);
      if (row.logged.state == DeliveryState::kPending)
        page.deliveries.back().next_attempt_at = row.due_at;
    }
  }
  std::ranges::sort(page.deliveries, [](const auto& a, const auto& b) {
    return std::pair(a.created_at, a.id) > std::pair(b.created_at, b.id);
  });
  page.next_cursor = Cut(page.deliveries, position, limit);
  return page;
}

absl::StatusOr<LoggedDelivery> FakeNotificationStore::Redeliver(const UserId& user,
                                                                const Uuid& delivery, Instant now) {
  return Told(
      Write<LoggedDelivery>(database_, [&](Tables& tables) -> absl::StatusOr<LoggedDelivery> {
        const auto found = tables.deliveries.find(delivery);
        if (found == tables.deliveries.end() || found->second.lane.user != user ||
            found->second.lane.channel != Channel::kWebhook)
          return NotThere();
        FakeDatabase::DeliveryRow& row = found->second;
        if (!tables.endpoints.at({user, row.lane.endpoint}).endpoint.disabled_reason.empty())
          return absl::FailedPreconditionError("fake store: disabled");
        if (row.logged.state == DeliveryState::kPending)
          return absl::FailedPreconditionError("fake store: pending");
        auto& attempts = row.logged.attempts;
        if (attempts.size() > 20) attempts.erase(attempts.begin(), attempts.end() - 20);
        row.logged.state = DeliveryState::kPending;
        row.failures = 0;
        row.due_at = row.queued_at = now;
        FakeDatabase::LaneRow& lane = tables.lanes[row.lane];
        lane.due_at = std::min(lane.due_at, std::max(now, lane.paused_until));
        LoggedDelivery answer = row.logged;
        answer.next_attempt_at = now;
        return answer;
      }));
}

absl::StatusOr<ports::PushSubscription> FakeNotificationStore::AddSubscription(
    const UserId& user, const ports::PushSubscription& added) {
  return Write<ports::PushSubscription>(
      database_, [&](Tables& tables) -> absl::StatusOr<ports::PushSubscription> {
        std::erase_if(tables.subscriptions, [&](const auto& entry) {
          const ports::PushSubscription& other = entry.second;
          return entry.first.first != user && other.endpoint == added.endpoint &&
                 other.p256dh == added.p256dh && other.auth == added.auth;
        });
        int count = 0;
        for (auto& [key, subscription] : tables.subscriptions) {
          if (key.first != user) continue;
          ++count;
          if (subscription.endpoint != added.endpoint) continue;
          subscription.p256dh = added.p256dh;
          subscription.auth = added.auth;
          return subscription;
        }
        if (count >= domain::kMaxPushSubscriptions)
          return absl::ResourceExhaustedError("fake store: too many");
        return tables.subscriptions[{user, added.id}] = added;
      });
}

absl::StatusOr<std::vector<ports::PushSubscription>> FakeNotificationStore::ListSubscriptions(
    const UserId& user) {
  if (absl::Status status = database_.failure(); !status.ok()) return status;
  std::vector<ports::PushSubscription> subscriptions;
  auto tables = database_.Read();
  for (const auto& [key, subscription] : tables->subscriptions) {
    if (key.first == user) subscriptions.push_back(subscription);
  }
  return subscriptions;
}

absl::Status FakeNotificationStore::RemoveSubscription(const UserId& user, const Uuid& id) {
  return database_.Write([&](Tables& tables) -> absl::Status {
    if (tables.subscriptions.erase({user, id}) == 0) return NotThere();
    FakeDatabase::RemoveLane(tables, {user, Channel::kPush, id});
    return absl::OkStatus();
  });
}

absl::StatusOr<std::string> FakeNotificationStore::MailAddress(const UserId& user) {
  if (absl::Status status = database_.failure(); !status.ok()) return status;
  auto tables = database_.Read();
  const auto found = tables->mail_addresses.find(user);
  return found == tables->mail_addresses.end() ? std::string() : found->second;
}

absl::Status FakeNotificationStore::SetMailAddress(const UserId& user, const std::string& address) {
  return database_.Write([&](Tables& tables) {
    if (address.empty()) {
      tables.mail_addresses.erase(user);
      FakeDatabase::RemoveLane(tables, {user, Channel::kEmail, {}});
    } else {
      tables.mail_addresses[user] = address;
    }
    return absl::OkStatus();
  });
}

// ---- deliveries

}  // namespace todo::support
