#pragma once

#include <string>
#include <vector>

#include "absl/status/status.h"
#include "domain/ids.h"
#include "domain/notification/messages.h"
#include "domain/time.h"

namespace todo::ports {

/// A notification about a due reminder, and the channels that it goes out on.
struct ReminderNotice {
  domain::UserId user;
  domain::DueReminder reminder;
  domain::Instant now;
  bool in_app = true;  // shown in the user's list and announced on `topic`
  bool webhook = true;
  bool email = true;
  bool push = true;
  std::string webhook_body;
  domain::Instant disturb_at;  // when e-mail and push are due
  bool grouped = false;        // e-mail and push may go out together with others
  std::string topic;
  domain::Uuid update_id;        // of `update`
  std::string update;            // the CloudEvent for `topic`
  std::string traceparent = {};  // W3C, of the event; its deliveries are a part of that trace
};

/// A task event for webhook endpoints.
struct TaskWebhook {
  domain::UserId user;
  domain::EventId event_id;
  std::string kind;  // "task.completed"
  std::string body;
  domain::Instant now;
  std::string traceparent = {};  // as ReminderNotice's
};

/// Writes notifications and their deliveries, inside a transaction of the inbox.
/// Thread safety: as InboxTransaction. All methods block on the database; statuses as
/// EventInbox::Transact.
class NotificationWriter {
 public:
  virtual ~NotificationWriter() = default;

  /// Writes each notification, its announcement, and one delivery for each of the user's endpoints
  /// of the channels given. A notification that exists already stays as it is.
  virtual absl::Status Remind(const std::vector<ReminderNotice>& notices) = 0;

  /// Writes one delivery of each of `webhooks` for each enabled endpoint of its user that wants
  /// task events.
  virtual absl::Status EnqueueTaskWebhooks(const std::vector<TaskWebhook>& webhooks) = 0;
};

}  // namespace todo::ports
