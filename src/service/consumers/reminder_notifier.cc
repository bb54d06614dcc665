#include "service/consumers/reminder_notifier.h"

#include <algorithm>
#include <map>
#include <set>
#include <variant>

#include "domain/event/event_writer.h"
#include "domain/notification/messages.h"
#include "domain/notification/schedule.h"
#include "util/status.h"

namespace todo::service {

using domain::NotificationPreferences;
using domain::ReminderEvent;
using domain::UserId;

absl::StatusOr<EventConsumer::Effect> ReminderNotifier::Prepare(
    const std::vector<domain::Event>& events) {
  std::set<UserId> users;
  for (const domain::Event& event : events) users.insert(HeaderOf(event).user);
  std::vector<std::string> keys;
  for (const UserId& user : users) keys.push_back(domain::PreferencesKey(user));
  TODO_ASSIGN_OR_RETURN(const auto values, preferences_.Read(keys));
  std::map<UserId, NotificationPreferences> preferences;
  for (const UserId& user : users) {
    const auto value = values.find(domain::PreferencesKey(user));
    if (value == values.end()) continue;  // the defaults apply
    TODO_ASSIGN_OR_RETURN(preferences[user], domain::ParsePreferences(value->second.data));
  }
  return Effect([this, preferences = std::move(preferences)](
                    ports::InboxTransaction& transaction,
                    const std::vector<domain::Event>& taken) -> absl::Status {
    std::vector<ports::ReminderNotice> notices;
    for (const domain::Event& event : taken) {
      const auto& reminder = std::get<ReminderEvent>(event);
      const auto own = preferences.find(reminder.user);
      notices.push_back(
          NoticeOf(reminder, own == preferences.end() ? NotificationPreferences() : own->second));
    }
    return transaction.notifications().Remind(notices);
  });
}

ports::ReminderNotice ReminderNotifier::NoticeOf(const ReminderEvent& event,
                                                 const NotificationPreferences& preferences) {
  using domain::Channel;
  ports::ReminderNotice notice;
  notice.user = event.user;
  notice.now = clock_.Now();
  const bool late = domain::IsLate(event, notice.now);
  notice.reminder = {.id = event.id,
                     .task_id = event.task_id,
                     .title = domain::NotificationTitle(event.title),
                     .remind_at = event.at,
                     .due = event.due,
                     .time_zone = preferences.time_zone,
                     .late = late};
  notice.in_app = preferences.in_app;
  notice.webhook = preferences.webhook && channels_.MayHave(Channel::kWebhook);
  notice.email = preferences.email && channels_.MayHave(Channel::kEmail);
  notice.push = preferences.push && channels_.MayHave(Channel::kPush);
  notice.webhook_body = domain::ReminderWebhookBody(event, late);

  notice.disturb_at = domain::DisturbAt(preferences, notice.now);
  const bool waits = notice.disturb_at > notice.now;
  notice.grouped = late || waits;
  if (late && !waits) notice.disturb_at = notice.now + domain::kGroupingTime;

  notice.topic = updates_topic_;
  notice.update_id = domain::UpdateIdOf(event.id).uuid;
  notice.update = domain::NotificationUpdateRecord(event, notice.now);
  notice.traceparent = event.traceparent;
  return notice;
}

}  // namespace todo::service
