#pragma once

#include <memory>
#include <optional>
#include <set>
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

/// An endpoint with the secret that signs its calls.
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

/// What users do with their notifications and with the ways on which they are told.
/// Thread safety: all methods may be called from many threads at once. All block.
///
/// Statuses besides those of ports::NotificationStore: kInvalidArgument with every violated field;
/// kFailedPrecondition when this server does not have the way at all; kUnavailable while it is not
/// known which it has.
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

  ports::NotificationStore& store() { return ports_.store; }
  absl::StatusOr<int> MarkRead(const domain::UserId& user,
                               const std::optional<std::vector<domain::Uuid>>& ids);

  /// The zone that is answered is the one that new tasks get from now on.
  absl::StatusOr<Preferences> GetPreferences(const domain::UserId& user);
  /// Changes what `patch` names. kAborted: `etag` (of GetPreferences; empty: whatever is there) is
  /// not the current one.
  absl::StatusOr<Preferences> UpdatePreferences(const domain::UserId& user,
                                                const domain::PreferencesPatch& patch,
                                                const std::string& etag);

  /// Null while it is not known.
  std::shared_ptr<const ChannelSet::Known> channels() { return ports_.channels.Get(); }
  absl::Status SetMailAddress(const domain::UserId& user, const std::string& address);

  /// The same request id again is answered as the first time, whatever became of the endpoint and
  /// of what may be called.
  absl::StatusOr<EndpointWithSecret> CreateEndpoint(const CallContext& call,
                                                    const NewEndpoint& input);
  absl::StatusOr<ports::WebhookEndpoint> UpdateEndpoint(const domain::UserId& user,
                                                        const domain::Uuid& id,
                                                        const EndpointChange& change);
  absl::StatusOr<EndpointWithSecret> RotateSecret(const CallContext& call, const domain::Uuid& id);
  /// Blocks on the target. kResourceExhausted: too many tests are running.
  absl::StatusOr<ports::SendOutcome> TestEndpoint(const domain::UserId& user,
                                                  const domain::Uuid& id);
  absl::StatusOr<ports::LoggedDelivery> Redeliver(const domain::UserId& user,
                                                  const domain::Uuid& id);
  absl::StatusOr<ports::PushSubscription> AddSubscription(const domain::UserId& user,
                                                          const NewSubscription& input);

 private:
  absl::StatusOr<Preferences> ReadPreferences(const domain::UserId& user);
  /// `known`, when it has the channel.
  static absl::StatusOr<std::shared_ptr<const ChannelSet::Known>> Need(
      domain::Channel channel, std::shared_ptr<const ChannelSet::Known> known);
  absl::StatusOr<std::shared_ptr<const ChannelSet::Known>> Need(domain::Channel channel) {
    return Need(channel, ports_.channels.Get());
  }

  const Ports ports_;
  util::Guarded<std::set<domain::UserId>> testing_;
};

}  // namespace todo::service
