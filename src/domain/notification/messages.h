#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "domain/event/event.h"
#include "domain/ids.h"
#include "domain/task/task.h"
#include "domain/time.h"

// The texts of notifications: bodies of webhooks, mails, push messages.

namespace todo::domain {

inline constexpr std::size_t kMaxWebhookBodyBytes = 19'999;
inline constexpr std::size_t kMaxPushPayloadBytes = 3'000;
inline constexpr std::string_view kReminderWebhookKind = "reminder.due";

/// A reminder as its notification shows it.
struct DueReminder {
  EventId id;
  TaskId task_id;
  std::string title;
  Instant remind_at;
  Due due;                // kNone: the task has no due date
  std::string time_zone;  // of the times in the texts; a due day is shown without zone
  bool late = false;

  bool operator==(const DueReminder&) const = default;
};

/// The title that a notification keeps: cut to the length that a task's title may have.
std::string NotificationTitle(std::string_view title);

/// The bodies of webhook calls by Standard Webhooks: type, timestamp, data. None is longer than
/// kMaxWebhookBodyBytes: a body that would be leaves out the task's description, then the whole
/// task.
std::string ReminderWebhookBody(const ReminderEvent& event, bool late);
std::string TaskWebhookBody(const TaskEvent& event);
std::string TestWebhookBody(const Uuid& endpoint, Instant now);
/// The type in the body of a task event, such as "task.completed".
std::string WebhookKind(const TaskEvent& event);

/// The CloudEvent on task-updates that tells screens of a new notification.
std::string NotificationUpdateRecord(const EventHeader& event, Instant now);

struct MailText {
  std::string subject;
  std::string text;
  std::string html;
};
/// One mail about all of `reminders`. Precondition: there is at least one.
MailText ComposeMail(const std::vector<DueReminder>& reminders);
/// One push message about all of `reminders`, at most kMaxPushPayloadBytes: JSON with `title` and
/// `body`, and the ids of task and notification when there is one reminder. Precondition: there is
/// at least one.
std::string ComposePush(const std::vector<DueReminder>& reminders);

}  // namespace todo::domain
