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

/// Tells users of due reminders: writes the notification, announces it to screens, and enqueues a
/// delivery for each of the user's endpoints, as the user's preferences say. In quiet hours e-mail
/// and push wait until the quiet hours end; webhooks go out at once. Notifications that come late
/// or have waited for the end of quiet hours go out together, in one mail and one push.
/// Thread safety: as EventConsumer.
class ReminderNotifier final : public EventConsumer {
 public:
  /// `updates_topic` is the topic of announcements to screens. All others must outlive the
  /// notifier.
  ReminderNotifier(ports::StateStore& preferences, const ports::Clock& clock, ChannelSet& channels,
                   std::string updates_topic)
      : preferences_(preferences),
        clock_(clock),
        channels_(channels),
        updates_topic_(std::move(updates_topic)) {}

  std::string_view name() const override { return "notifications"; }
  /// Reads the users' preferences. kUnavailable: the state store is away.
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
