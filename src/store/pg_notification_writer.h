#pragma once

#include <vector>

#include "ports/notification_writer.h"
#include "store/unit_of_work.h"

// Inside the room only: the writer of a transaction of PgEventInbox.

namespace todo::store {

/// NotificationWriter on PostgreSQL. The unit of work must outlive it.
class PgNotificationWriter final : public ports::NotificationWriter {
 public:
  explicit PgNotificationWriter(UnitOfWork& unit) : unit_(unit) {}

  absl::Status Remind(const std::vector<ports::ReminderNotice>& notices) override;
  absl::Status EnqueueTaskWebhooks(const std::vector<ports::TaskWebhook>& webhooks) override;

  /// Whether it may have written deliveries.
  bool delivers() const { return delivers_; }

 private:
  UnitOfWork& unit_;
  bool delivers_ = false;
};

}  // namespace todo::store
