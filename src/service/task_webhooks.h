#pragma once

#include <string_view>
#include <vector>

#include "ports/clock.h"
#include "ports/notification_store.h"
#include "service/event_consumer.h"
#include "service/outlets.h"

namespace todo::service {

/// Queues task events for the webhook endpoints whose users want them. Events of other users are
/// not even claimed: they cost one query for a batch.
class TaskWebhooks final : public EventConsumer {
 public:
  /// All must outlive this.
  TaskWebhooks(ports::NotificationStore& store, const ports::Clock& clock, Outlets& outlets)
      : store_(store), clock_(clock), outlets_(outlets) {}

  std::string_view name() const override { return "webhooks"; }
  bool picks_events() const override { return true; }
  absl::StatusOr<std::vector<bool>> Concerns(const std::vector<domain::Event>& events) override;
  absl::StatusOr<Effect> Prepare(const std::vector<domain::Event>& events) override;

 private:
  ports::NotificationStore& store_;
  const ports::Clock& clock_;
  Outlets& outlets_;
};

}  // namespace todo::service
