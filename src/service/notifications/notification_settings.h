#pragma once

#include <memory>
#include <optional>
#include <set>
#include <stop_token>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "domain/notification/channel.h"
#include "domain/notification/preferences.h"
#include "ports/clock.h"
#include "ports/notification_senders.h"
#include "ports/notification_store.h"
#include "ports/preferred_zones.h"
#include "ports/state_store.h"
#include "service/notifications/channel_set.h"
#include "service/tasks/task_service.h"
#include "util/guarded.h"

namespace todo::service {

struct Preferences {
  domain::NotificationPreferences values;
  std::string etag;
};

/// A webhook endpoint with the secret that signs its calls.
struct EndpointWithSecret {
  ports::WebhookEndpoint endpoint;
  std::string secret;  // "whsec_…"
};

struct NewEndpoint {
  std::string url;
  bool reminders = true;
  bool task_events = false;
};

struct EndpointChange {
  std::optional<std::string> url;
  std::optional<bool> reminders;
  std::optional<bool> task_events;
  std::optional<bool> enabled;
};

struct NewSubscription {
  std::string endpoint;
  std::string p256dh;  // raw
  std::string auth;    // raw
};

/// The notifications of users, their preferences, and the endpoints that notifications are sent to.
/// Thread safety: all methods may be called from many threads at once. All but channels() block, on
/// the database or on the state store.
///
/// Statuses besides those of ports::NotificationStore, from methods that add or change an endpoint:
/// kInvalidArgument names every violated field; kFailedPrecondition: the channel is not set up on
/// this server; kUnavailable: the channels are not known yet, retry shortly.
class NotificationSettings {
 public:
  struct Ports {  // all must outlive the settings
    ports::NotificationStore& store;
    ports::StateStore& preferences;
    ports::PreferredZones& zones;
    const ports::Clock& clock;
    ports::IdSource& ids;
    ChannelSet& channels;
  };
  explicit NotificationSettings(Ports ports) : ports_(ports) {}

  /// As of ports::NotificationStore, with the clock's time.
  absl::StatusOr<ports::NotificationPage> List(const domain::UserId& user, bool unread_only,
                                               int limit, const std::string& cursor) {
    return ports_.store.List(user, unread_only, limit, cursor);
  }
  absl::StatusOr<int> MarkRead(const domain::UserId& user,
                               const std::optional<std::vector<domain::Uuid>>& ids) {
    return ports_.store.MarkRead(user, ids, ports_.clock.Now());
  }

  /// kUnavailable: the state store does not answer.
  absl::StatusOr<Preferences> GetPreferences(const domain::UserId& user);
  /// Applies `patch`. New tasks get the zone of the answer from now on. `etag` is that of
  /// GetPreferences, or empty for any. kAborted: the preferences have another etag; read them
  /// again. kUnavailable: state store or database do not answer, and the change may or may not be
  /// made.
  absl::StatusOr<Preferences> UpdatePreferences(const domain::UserId& user,
                                                const domain::PreferencesPatch& patch,
                                                const std::string& etag);
  /// Completes the updates that ended between the state store and the database, so that new tasks
  /// get the zone of the preferences. To be called every few seconds; several replicas may do so at
  /// once. The answer is the first failure: the next call tries again. Ends early when a store does
  /// not answer, or `stop` is requested.
  absl::Status RepairZones(const std::stop_token& stop = {});

  /// Null until the channels are known.
  std::shared_ptr<const ChannelSet::Known> channels() { return ports_.channels.Get(); }
  absl::StatusOr<std::string> MailAddress(const domain::UserId& user) {
    return ports_.store.MailAddress(user);
  }
  /// An empty `address` removes the user's address.
  absl::Status SetMailAddress(const domain::UserId& user, const std::string& address);

  absl::StatusOr<std::vector<ports::WebhookEndpoint>> ListEndpoints(const domain::UserId& user) {
    return ports_.store.ListEndpoints(user);
  }
  /// A repeated request id gets the first answer again, also after the endpoint or the operator's
  /// list of hosts has changed.
  absl::StatusOr<EndpointWithSecret> CreateEndpoint(const CallContext& call,
                                                    const NewEndpoint& input);
  absl::StatusOr<ports::WebhookEndpoint> UpdateEndpoint(const domain::UserId& user,
                                                        const domain::Uuid& id,
                                                        const EndpointChange& change);
  absl::Status RemoveEndpoint(const domain::UserId& user, const domain::Uuid& id) {
    return ports_.store.RemoveEndpoint(user, id);
  }
  absl::StatusOr<EndpointWithSecret> RotateSecret(const CallContext& call, const domain::Uuid& id);
  /// Calls the endpoint once and blocks until it has answered. kResourceExhausted: too many tests
  /// are running; retry shortly.
  absl::StatusOr<ports::SendOutcome> TestEndpoint(const domain::UserId& user,
                                                  const domain::Uuid& id);
  absl::StatusOr<ports::DeliveryPage> ListDeliveries(const domain::UserId& user,
                                                     const domain::Uuid& endpoint, int limit,
                                                     const std::string& cursor) {
    return ports_.store.ListDeliveries(user, endpoint, limit, cursor);
  }
  absl::StatusOr<ports::LoggedDelivery> Redeliver(const domain::UserId& user,
                                                  const domain::Uuid& id);
  absl::StatusOr<ports::PushSubscription> AddSubscription(const domain::UserId& user,
                                                          const NewSubscription& input);
  absl::StatusOr<std::vector<ports::PushSubscription>> ListSubscriptions(
      const domain::UserId& user) {
    return ports_.store.ListSubscriptions(user);
  }
  absl::Status RemoveSubscription(const domain::UserId& user, const domain::Uuid& id) {
    return ports_.store.RemoveSubscription(user, id);
  }

 private:
  absl::Status RepairZone(const ports::PreferredZones::Announced& announced);
  /// `known` when it has the channel, or the status of a caller who needs the channel.
  static absl::StatusOr<std::shared_ptr<const ChannelSet::Known>> Need(
      domain::Channel channel, std::shared_ptr<const ChannelSet::Known> known);
  absl::StatusOr<std::shared_ptr<const ChannelSet::Known>> Need(domain::Channel channel) {
    return Need(channel, ports_.channels.Get());
  }

  const Ports ports_;
  util::Guarded<std::set<domain::UserId>> testing_;  // users whose test call is running
};

}  // namespace todo::service
