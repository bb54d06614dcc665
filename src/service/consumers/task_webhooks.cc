#include "service/consumers/task_webhooks.h"

#include <set>
#include <variant>

#include "domain/notification/messages.h"
#include "util/status.h"

namespace todo::service {

absl::StatusOr<std::vector<bool>> TaskWebhooks::Concerns(const std::vector<domain::Event>& events) {
  std::vector<bool> concerns(events.size());
  if (!channels_.MayHave(domain::Channel::kWebhook)) return concerns;
  std::set<domain::UserId> users;
  for (const domain::Event& event : events) users.insert(HeaderOf(event).user);
  TODO_ASSIGN_OR_RETURN(const std::set<domain::UserId> listeners, store_.WantTaskEvents(users));
  for (std::size_t i = 0; i < events.size(); ++i)
    concerns[i] = listeners.contains(HeaderOf(events[i]).user);
  return concerns;
}

absl::StatusOr<EventConsumer::Effect> TaskWebhooks::Prepare(const std::vector<domain::Event>&) {
  return Effect([this](ports::InboxTransaction& transaction,
                       const std::vector<domain::Event>& taken) -> absl::Status {
    std::vector<ports::TaskWebhook> webhooks;
    for (const domain::Event& event : taken) {
      const auto& task_event = std::get<domain::TaskEvent>(event);
      webhooks.push_back({.user = task_event.user,
                          .event_id = task_event.id,
                          .kind = domain::WebhookKind(task_event),
                          .body = domain::TaskWebhookBody(task_event),
                          .now = clock_.Now(),
                          .traceparent = task_event.traceparent});
    }
    return transaction.notifications().EnqueueTaskWebhooks(webhooks);
  });
}

}  // namespace todo::service
