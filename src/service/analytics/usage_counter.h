#pragma once

#include <string_view>
#include <vector>

#include "ports/clock.h"
#include "service/consumers/task_event_consumer.h"

namespace todo::service {

/// Counts every task event for usage (UsageService). Thread safety: as EventConsumer.
class UsageCounter final : public TaskEventConsumer {
 public:
  /// `clock` must outlive it.
  explicit UsageCounter(const ports::Clock& clock) : clock_(clock) {}

  std::string_view name() const override { return "usage"; }
  /// Nothing can be counted of a record that cannot be read, and the dead letter of another
  /// consumer tells of it.
  bool picks_events() const override { return true; }
  absl::Status Apply(ports::InboxTransaction& transaction,
                     const std::vector<domain::TaskEvent>& events) override;

 private:
  const ports::Clock& clock_;
};

}  // namespace todo::service
