#include "support/fake_notification_writer.h"

namespace todo::support {

absl::Status FakeNotificationWriter::Remind(const std::vector<ports::ReminderNotice>& notices) {
  if (!unit_.status.ok()) return unit_.status;
  for (const ports::ReminderNotice& notice : notices) {
    FakeDatabase::Remind(unit_.tables, notice);
    unit_.shards.insert(FakeDatabase::ShardOf(notice.user));
    unit_.delivers = unit_.delivers || notice.webhook || notice.email || notice.push;
  }
  return absl::OkStatus();
}

absl::Status FakeNotificationWriter::EnqueueTaskWebhooks(
    const std::vector<ports::TaskWebhook>& webhooks) {
  if (!unit_.status.ok()) return unit_.status;
  for (const ports::TaskWebhook& webhook : webhooks)
    FakeDatabase::EnqueueTaskWebhook(unit_.tables, webhook);
  unit_.delivers = unit_.delivers || !webhooks.empty();
  return absl::OkStatus();
}

}  // namespace todo::support
