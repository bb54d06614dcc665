#pragma once

#include <variant>
#include <vector>

#include "absl/status/status.h"
#include "domain/event/event.h"
#include "ports/event_inbox.h"
#include "service/consumers/event_consumer.h"

namespace todo::service {

/// Takes effect when tasks change, and needs nothing but the transaction for that.
class TaskEventConsumer : public EventConsumer {
 public:
  /// The effect of `events`, with the contract of EventConsumer::Effect.
  virtual absl::Status Apply(ports::InboxTransaction& transaction,
                             const std::vector<domain::TaskEvent>& events) = 0;

  absl::StatusOr<Effect> Prepare(const std::vector<domain::Event>&) final {
    return Effect([this](ports::InboxTransaction& transaction,
                         const std::vector<domain::Event>& taken) -> absl::Status {
      std::vector<domain::TaskEvent> events;
      events.reserve(taken.size());
      for (const domain::Event& event : taken) events.push_back(std::get<domain::TaskEvent>(event));
      return Apply(transaction, events);
    });
  }
};

}  // namespace todo::service
