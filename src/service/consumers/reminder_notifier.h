#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "domain/notification/preferences.h"
#include "ports/clock.h"
#include "ports/state_store.h"
#include "service/consumers/event_consumer.h"
#include "service/notifications/channel_set.h"

namespace todo::service {

/// Tells users of the reminders that are due: writes the notification, announces it to screens, and
/// queues a delivery for each of the user's targets, as the user prefers. In quiet hours e-mail and
/// push wait for their end; webhooks do not: machines do not sleep. Reminders that come late, or
/// waited for the end of quiet hours, go out together in one mail and one push.
class ReminderNotifier final : public EventConsumer {
 public:
  /// All but the topic, which is where screens hear of it, must outlive the notifier.
  ReminderNotifier(ports::StateStore& preferences, const ports::Clock& clock, ChannelSet& channels,
                   std::string updates_topic)
      : preferences_(preferences),
        clock_(clock),
        channels_(channels),
        updates_topic_(std::move(updates_topic)) {}

  std::string_view name() const override { return "notifications"; }
  /// Reads the users' preferences. kUnavailable: the state store is away, and the events wait.
  absl::StatusOr<Effect> Prepare(const std::vector<domain::Event>& events) override;

 private:
  ports::ReminderNotice NoticeOf(const domain::ReminderEvent& event,
                                 const domain::NotificationPreferences& preferences);

  ports::StateStore& preferences_;
  const ports::Clock& clock_;
  ChannelSet& channels_;
  const std::string updates_topic_;
};

}  // namespace todo::service
