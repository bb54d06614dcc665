#pragma once

#include <functional>
#include <utility>

#include "ports/notification_store.h"
#include "store/connection_pool.h"

namespace todo::store {

/// NotificationStore on PostgreSQL. The pool must outlive it. `on_delivery` is called when lanes
/// may have become due, after the commit, from the calling thread; it must not block. Thread
/// safety: as the port says; each call holds one connection while it runs. The methods of webhook
/// endpoints are in pg_webhook_endpoints.cc, those of the delivery log in pg_delivery_log.cc, those
/// of push subscriptions and e-mail addresses in pg_push_subscriptions.cc.
class PgNotificationStore final : public ports::NotificationStore {
 public:
  explicit PgNotificationStore(ConnectionPool& pool, std::function<void()> on_delivery = {})
      : pool_(pool), on_delivery_(std::move(on_delivery)) {}

  absl::StatusOr<ports::NotificationPage> List(const domain::UserId& user, bool unread_only,
                                               int limit, const std::string& cursor) override;
  absl::StatusOr<int> MarkRead(const domain::UserId& user,
                               const std::optional<std::vector<domain::Uuid>>& ids,
                               domain::Instant now) override;
  absl::StatusOr<ports::WebhookEndpoint> AddEndpoint(
      const domain::UserId& user, const ports::WebhookEndpoint& endpoint,
      const std::string& fingerprint, const std::optional<domain::RequestId>& request_id) override;
  absl::StatusOr<std::optional<ports::WebhookEndpoint>> FindAdded(
      const domain::UserId& user, const ports::WebhookEndpoint& endpoint,
      const std::string& fingerprint, const std::optional<domain::RequestId>& request_id) override;
  absl::StatusOr<std::vector<ports::WebhookEndpoint>> ListEndpoints(
      const domain::UserId& user) override;
  absl::StatusOr<ports::WebhookEndpoint> GetEndpoint(const domain::UserId& user,
                                                     const domain::Uuid& id) override;
  absl::StatusOr<ports::WebhookEndpoint> UpdateEndpoint(const domain::UserId& user,
                                                        const domain::Uuid& id,
                                                        const ports::WebhookPatch& patch) override;
  absl::Status RemoveEndpoint(const domain::UserId& user, const domain::Uuid& id) override;
  absl::StatusOr<ports::WebhookEndpoint> RotateSecret(
      const domain::UserId& user, const domain::Uuid& id,
      const ports::SecretRotation& rotation) override;
  absl::StatusOr<std::set<domain::UserId>> WantTaskEvents(
      const std::set<domain::UserId>& users) override;
  absl::StatusOr<ports::DeliveryPage> ListDeliveries(const domain::UserId& user,
                                                     const domain::Uuid& endpoint, int limit,
                                                     const std::string& cursor) override;
  absl::StatusOr<ports::LoggedDelivery> Redeliver(const domain::UserId& user,
                                                  const domain::Uuid& delivery,
                                                  domain::Instant now) override;
  absl::StatusOr<ports::PushSubscription> AddSubscription(
      const domain::UserId& user, const ports::PushSubscription& added) override;
  absl::StatusOr<std::vector<ports::PushSubscription>> ListSubscriptions(
      const domain::UserId& user) override;
  absl::Status RemoveSubscription(const domain::UserId& user, const domain::Uuid& id) override;
  absl::StatusOr<std::string> MailAddress(const domain::UserId& user) override;
  absl::Status SetMailAddress(const domain::UserId& user, const std::string& address) override;

 private:
  /// Calls on_delivery_ unless `status` says that nothing was committed.
  void TellOf(const absl::Status& status) {
    // When the outcome is unknown a lane may be due; a look in vain does no harm.
    if ((status.ok() || absl::IsUnknown(status)) && on_delivery_) on_delivery_();
  }

  ConnectionPool& pool_;
  const std::function<void()> on_delivery_;
};

}  // namespace todo::store
