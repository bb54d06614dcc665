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
  std::string next_cursor;                  // empty: no further page
  std::int64_t unread_count = 0;            // of all
};

struct WebhookEndpoint {
  domain::Uuid id;
  std::string url;
  std::string host;  // of the URL
  bool reminders = true;
  bool task_events = false;
  int secret_version = 1;
  int previous_count = 1;                         // so many secrets before
  std::optional<domain::Instant> previous_until;  // sign too, so long
  std::string disabled_reason;                    // empty: enabled
  domain::Instant created_at;
};

struct SecretRotation {
  domain::Uuid id;  // of the request
  domain::Instant now;
  domain::Instant previous_until;  // so long the secrets before sign too
};

/// What is not set stays.
struct WebhookPatch {
  std::optional<std::string> url;
  std::string host;  // of `url`
  std::optional<bool> reminders;
  std::optional<bool> task_events;
  std::optional<std::string> disabled_reason;
};

struct PushSubscription {
  domain::Uuid id;
  std::string endpoint;
  std::string host;
  std::string p256dh;  // raw
  std::string auth;    // raw
  domain::Instant created_at;
};

/// A delivery to a webhook endpoint, for its user.
struct LoggedDelivery {
  domain::Uuid id;
  domain::EventId event_id;
  std::string kind;
  DeliveryState state = DeliveryState::kPending;
  domain::Instant created_at;
  std::optional<domain::Instant> next_attempt_at;
  struct LoggedAttempt {
    domain::Instant at;
    std::string outcome;
    int status_code = 0;
    std::string detail;
    std::chrono::milliseconds took{0};
  };
  std::vector<LoggedAttempt> attempts;
};
struct DeliveryPage {
  std::vector<LoggedDelivery> deliveries;  // the newest first
  std::string next_cursor;
};

/// What users see of their notifications, and where they want to be told.
/// Thread safety: all methods may be called from many threads at once; they block on the database,
/// and can answer kUnavailable and the like (see TaskStore). kNotFound, where an id is given: the
/// user has no such thing. kInvalidArgument: a cursor is not one of ours.
class NotificationStore {
 public:
  virtual ~NotificationStore() = default;

  virtual absl::StatusOr<NotificationPage> List(const domain::UserId& user, bool unread_only,
                                                int limit, const std::string& cursor) = 0;
  /// Marks those of `ids` (of all: nullopt) that are not read yet. The answer is how many.
  virtual absl::StatusOr<int> MarkRead(const domain::UserId& user,
                                       const std::optional<std::vector<domain::Uuid>>& ids,
                                       domain::Instant now) = 0;

  /// The same `request_id` again is answered as the first time, with the endpoint that its content
  /// made, and changes nothing, also after the endpoint was changed or removed. An id that is there
  /// all the same answers what is there. kAlreadyExists: either comes with another `fingerprint` of
  /// the content. kResourceExhausted: the user has as many as allowed.
  virtual absl::StatusOr<WebhookEndpoint> AddEndpoint(
      const domain::UserId& user, const WebhookEndpoint& endpoint, const std::string& fingerprint,
      const std::optional<domain::RequestId>& request_id) = 0;
  /// What AddEndpoint answers when it adds nothing, for a caller with doubts about the content that
  /// concern new endpoints only. nullopt: it would add one. kAlreadyExists as there.
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
  /// With all that waits for it and its log.
  virtual absl::Status RemoveEndpoint(const domain::UserId& user, const domain::Uuid& id) = 0;
  /// A new version of the secret. The one before signs too for a while, and so do those that still
  /// do, kMaxPreviousSecrets in all. The same rotation again, the last one or an older one, changes
  /// nothing.
  virtual absl::StatusOr<WebhookEndpoint> RotateSecret(const domain::UserId& user,
                                                       const domain::Uuid& id,
                                                       const SecretRotation& rotation) = 0;
  /// Those of `users` that have an endpoint which wants task events.
  virtual absl::StatusOr<std::set<domain::UserId>> WantTaskEvents(
      const std::set<domain::UserId>& users) = 0;

  virtual absl::StatusOr<DeliveryPage> ListDeliveries(const domain::UserId& user,
                                                      const domain::Uuid& endpoint, int limit,
                                                      const std::string& cursor) = 0;
  /// Queues a delivery to a webhook endpoint again, with its id and a new schedule; its log keeps
  /// the last attempts, thirty at most. kFailedPrecondition: its endpoint is disabled, or it is
  /// pending.
  virtual absl::StatusOr<LoggedDelivery> Redeliver(const domain::UserId& user,
                                                   const domain::Uuid& delivery,
                                                   domain::Instant now) = 0;

  /// Adding an endpoint that is there replaces its keys and keeps its id. Another user who has it
  /// with the same keys loses it: the browser has changed its user. kResourceExhausted: the user
  /// has as many as allowed.
  virtual absl::StatusOr<PushSubscription> AddSubscription(const domain::UserId& user,
                                                           const PushSubscription& added) = 0;
  virtual absl::StatusOr<std::vector<PushSubscription>> ListSubscriptions(
      const domain::UserId& user) = 0;
  virtual absl::Status RemoveSubscription(const domain::UserId& user, const domain::Uuid& id) = 0;

  /// Empty: none.
  virtual absl::StatusOr<std::string> MailAddress(const domain::UserId& user) = 0;
  /// Empty: from now on none.
  virtual absl::Status SetMailAddress(const domain::UserId& user, const std::string& address) = 0;
};

}  // namespace todo::ports
