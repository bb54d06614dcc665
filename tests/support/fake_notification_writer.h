#pragma once

#include "ports/notification_writer.h"
#include "support/fake_unit_of_work.h"

namespace todo::support {

/// NotificationWriter in memory.
class FakeNotificationWriter final : public ports::NotificationWriter {
 public:
  explicit FakeNotificationWriter(FakeUnitOfWork& unit) : unit_(unit) {}

  absl::Status Remind(const std::vector<ports::ReminderNotice>& notices) override;
  absl::Status EnqueueTaskWebhooks(const std::vector<ports::TaskWebhook>& webhooks) override;

 private:
  FakeUnitOfWork& unit_;
};

}  // namespace todo::support
