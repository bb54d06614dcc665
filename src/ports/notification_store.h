#pragma once

#include <cstdint>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "domain/ids.h"
#include "domain/notification/endpoint_rules.h"
#include "domain/notification/messages.h"
#include "domain/notification/webhook_secret.h"
#include "domain/time.h"
#include "ports/delivery_store.h"

namespace todo::ports {

/// A notification in its user's list.
struct Notification {
  domain::DueReminder reminder;
  domain::Instant at;
  std::optional<domain::Instant> read_at;
};
struct NotificationPage {
  std::vector<Notification> notifications;  // the newest first
  std::string next_cursor;                  // empty: this is the last page
  std::int64_t unread_count = 0;            // on all pages
};

struct WebhookEndpoint {
  domain::Uuid id;
  std::string url;
  std::string host;  // of the URL
  bool reminders = true;
  bool task_events = false;
  int secret_version = 1;
  /// How many older versions of the secret sign too, and until when. nullopt: none does.
  int previous_count = 1;
  std::optional<domain::Instant> previous_until;
  std::string disabled_reason;  // empty: enabled
  domain::Instant created_at;
};

struct SecretRotation {
  domain::Uuid id;  // of the request
  domain::Instant now;
  domain::Instant previous_until;  // the older secrets sign too until then
};

/// A change of an endpoint. A field that is not set stays as it is.
struct WebhookPatch {
  std::optional<std::string> url;
  std::string host;  // of `url`
  std::optional<bool> reminders;
  std::optional<bool> task_events;
  std::optional<std::string> disabled_reason;
};

struct PushSubscription {
  domain::Uuid id;
  std::string endpoint;  // URL of the push service
  std::string host;      // of the URL
  std::string p256dh;    // raw
  std::string auth;      // raw
  domain::Instant created_at;
};

/// A delivery to a webhook endpoint, as its user sees it.
struct LoggedDelivery {
  domain::Uuid id;
  domain::EventId event_id;
  std::string kind;
  DeliveryState state = DeliveryState::kPending;
  domain::Instant created_at;
  std::optional<domain::Instant> next_attempt_at;  // nullopt: the delivery is not pending
  struct LoggedAttempt {
    domain::Instant at;
    std::string outcome;
    int status_code = 0;
    std::string detail;
    std::chrono::milliseconds took{0};
  };
  std::vector<LoggedAttempt> attempts;  // the oldest first
};
struct DeliveryPage {
  std::vector<LoggedDelivery> deliveries;  // the newest first
  std::string next_cursor;                 // empty: this is the last page
};

/// The notifications of users and the endpoints that notifications are sent to.
/// Thread safety: all methods may be called from many threads at once. All block on the database.
/// Statuses such as kUnavailable are those of TaskStore. kNotFound, from methods with an id: the
/// user has no such thing. kInvalidArgument, from methods with a cursor: it is not the next_cursor
/// of a page. An empty cursor asks for the first page. Precondition: every `limit` is above 0.
class NotificationStore {
 public:
  virtual ~NotificationStore() = default;

  virtual absl::StatusOr<NotificationPage> List(const domain::UserId& user, bool unread_only,
                                                int limit, const std::string& cursor) = 0;
  /// Marks the unread notifications of `ids` as read, or all with nullopt. Answers how many it has
  /// marked.
  virtual absl::StatusOr<int> MarkRead(const domain::UserId& user,
                                       const std::optional<std::vector<domain::Uuid>>& ids,
                                       domain::Instant now) = 0;

  /// Adds an endpoint. A repeated `request_id` gets the first answer again and changes nothing,
  /// also after the endpoint was changed or removed. A call with the id of an existing endpoint
  /// gets that endpoint. kAlreadyExists: the request id or the endpoint was used with another
  /// `fingerprint` of the content. kResourceExhausted: the user has domain::kMaxWebhookEndpoints.
  virtual absl::StatusOr<WebhookEndpoint> AddEndpoint(
      const domain::UserId& user, const WebhookEndpoint& endpoint, const std::string& fingerprint,
      const std::optional<domain::RequestId>& request_id) = 0;
  /// The answer of AddEndpoint if it would add nothing, for a caller that checks the content of new
  /// endpoints only. nullopt: AddEndpoint would add one. kAlreadyExists: as AddEndpoint.
  virtual absl::StatusOr<std::optional<WebhookEndpoint>> FindAdded(
      const domain::UserId& user, const WebhookEndpoint& endpoint, const std::string& fingerprint,
      const std::optional<domain::RequestId>& request_id) = 0;
  virtual absl::StatusOr<std::vector<WebhookEndpoint>> ListEndpoints(
      const domain::UserId& user) = 0;
  virtual absl::StatusOr<WebhookEndpoint> GetEndpoint(const domain::UserId& user,
                                                      const domain::Uuid& id) = 0;
  virtual absl::StatusOr<WebhookEndpoint> UpdateEndpoint(const domain::UserId& user,
                                                         const domain::Uuid& id,
                                                         const WebhookPatch& patch) = 0;
  /// Removes the endpoint, its waiting deliveries and its delivery log.
  virtual absl::Status RemoveEndpoint(const domain::UserId& user, const domain::Uuid& id) = 0;
  /// Makes a new version of the secret. The versions before sign too until
  /// `rotation.previous_until`, at most domain::kMaxPreviousSecrets of them. A repeated rotation
  /// changes nothing, whether it is the last one or an older one.
  virtual absl::StatusOr<WebhookEndpoint> RotateSecret(const domain::UserId& user,
                                                       const domain::Uuid& id,
                                                       const SecretRotation& rotation) = 0;
  /// The users of `users` who have an enabled endpoint for task events.
  virtual absl::StatusOr<std::set<domain::UserId>> WantTaskEvents(
      const std::set<domain::UserId>& users) = 0;

  virtual absl::StatusOr<DeliveryPage> ListDeliveries(const domain::UserId& user,
                                                      const domain::Uuid& endpoint, int limit,
                                                      const std::string& cursor) = 0;
  /// Queues a finished delivery to a webhook endpoint again, with its old id and a new schedule.
  /// Its log keeps the last attempts, at most thirty. kFailedPrecondition: the endpoint is
  /// disabled, or the delivery is pending.
  virtual absl::StatusOr<LoggedDelivery> Redeliver(const domain::UserId& user,
                                                   const domain::Uuid& delivery,
                                                   domain::Instant now) = 0;

  /// Adds a subscription. An existing one with the same endpoint gets the new keys and keeps its
  /// id. Another user's subscription with the same endpoint and keys is removed: the browser has
  /// signed in as this user. kResourceExhausted: the user has domain::kMaxPushSubscriptions.
  virtual absl::StatusOr<PushSubscription> AddSubscription(const domain::UserId& user,
                                                           const PushSubscription& added) = 0;
  virtual absl::StatusOr<std::vector<PushSubscription>> ListSubscriptions(
      const domain::UserId& user) = 0;
  virtual absl::Status RemoveSubscription(const domain::UserId& user, const domain::Uuid& id) = 0;

  /// The user's e-mail address; empty when there is none.
  virtual absl::StatusOr<std::string> MailAddress(const domain::UserId& user) = 0;
  /// An empty `address` removes the user's address and its waiting deliveries.
  virtual absl::Status SetMailAddress(const domain::UserId& user, const std::string& address) = 0;
};

}  // namespace todo::ports
