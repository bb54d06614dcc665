#pragma once

#include <string_view>
#include <vector>

#include "ports/clock.h"
#include "ports/notification_store.h"
#include "service/consumers/event_consumer.h"
#include "service/notifications/channel_set.h"

namespace todo::service {

/// Enqueues deliveries of task events to the webhook endpoints that want them. Events of users
/// without such an endpoint are not claimed, so they cost no more than one query for a batch.
/// Thread safety: as EventConsumer.
class TaskWebhooks final : public EventConsumer {
 public:
  /// All must outlive it.
  TaskWebhooks(ports::NotificationStore& store, const ports::Clock& clock, ChannelSet& channels)
      : store_(store), clock_(clock), channels_(channels) {}

  std::string_view name() const override { return "webhooks"; }
  bool picks_events() const override { return true; }
  absl::StatusOr<std::vector<bool>> Concerns(const std::vector<domain::Event>& events) override;
  absl::StatusOr<Effect> Prepare(const std::vector<domain::Event>& events) override;

 private:
  ports::NotificationStore& store_;
  const ports::Clock& clock_;
  ChannelSet& channels_;
};

}  // namespace todo::service
