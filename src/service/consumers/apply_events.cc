#include "service/consumers/apply_events.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <utility>

#include "util/fault_point.h"
#include "util/require.h"
#include "util/status.h"

namespace todo::service {
namespace {

/// Lets a test arm "apply-usage-7" to make every event of that task fail for that consumer, or kill
/// the process.
absl::Status FaultsOf([[maybe_unused]] std::string_view consumer,
                      [[maybe_unused]] const std::vector<domain::Event>& events) {
#ifdef TODO_FAULT_POINTS
  for (const domain::Event& event : events) {
    TODO_RETURN_IF_ERROR(
        TODO_FAULT_POINT(fmt::format("apply-{}-{}", consumer, HeaderOf(event).task_id.value)));
  }
#endif
  return absl::OkStatus();
}

}  // namespace

void EventBatch::Add(domain::Event event, domain::ReceivedEvent received_event) {
  events.push_back(std::move(event));
  headers.push_back(received_event.event);
  received.push_back(std::move(received_event));
}

bool EventBatch::HoldsTwoOfOneId() const {
  std::map<domain::EventId, const domain::EventHeader*> by_id;
  return std::ranges::any_of(headers, [&by_id](const domain::EventHeader& event) {
    const auto [first, is_new] = by_id.emplace(event.id, &event);
    return !is_new && domain::AreDifferent(*first->second, event);
  });
}

absl::StatusOr<Applied> ApplyFromBus(ports::InboxTransaction& transaction,
                                     std::string_view consumer, const EventBatch& batch,
                                     const EventConsumer::Effect& effect) {
  ports::Claimed claimed;
  if (TODO_PLANTED("skip-inbox")) {
    for (const domain::EventHeader& event : batch.headers) claimed.fresh.insert(event.id);
  } else {
    TODO_ASSIGN_OR_RETURN(claimed, transaction.Claim(consumer, batch.received));
  }
  std::vector<domain::Event> taken;
  for (const domain::Event& event : batch.events) {
    // Erasing the id makes the second of two copies in one batch stale.
    if (claimed.fresh.erase(HeaderOf(event).id) > 0) taken.push_back(event);
  }
  Applied applied{.ours = true,
                  .all_done = taken.size() == batch.events.size(),
                  .reused = std::move(claimed.reused),
                  .applied = {}};
  if (taken.empty()) return applied;
  TODO_RETURN_IF_ERROR(TODO_FAULT_POINT("after-inbox"));
  TODO_RETURN_IF_ERROR(FaultsOf(consumer, taken));
  TODO_RETURN_IF_ERROR(effect(transaction, taken));
  for (const domain::Event& event : taken) applied.applied.push_back(HeaderOf(event).at);
  TODO_RETURN_IF_ERROR(TODO_FAULT_POINT("before-effect-commit"));
  return applied;
}

absl::StatusOr<Applied> ApplyFromQueue(ports::InboxTransaction& transaction,
                                       const ports::RetryEntry& entry, const EventBatch& batch,
                                       const EventConsumer::Effect& effect, domain::Instant now) {
  TODO_REQUIRE(batch.events.size() == 1);
  Applied applied;
  TODO_ASSIGN_OR_RETURN(applied.ours, transaction.TakeUp(entry));
  applied.all_done = applied.ours;
  if (!applied.ours) return applied;
  if (batch.headers.front().id != entry.event_id) {
    // The record was unreadable when it was enqueued. Under its own id, the event may have been
    // taken since, or must wait behind other events of its task.
    TODO_ASSIGN_OR_RETURN(ports::Claimed claimed,
                          transaction.Claim(entry.consumer, batch.received));
    applied.reused = std::move(claimed.reused);
    applied.all_done = !claimed.fresh.empty();
  }
  if (applied.all_done) {
    TODO_RETURN_IF_ERROR(FaultsOf(entry.consumer, batch.events));
    TODO_RETURN_IF_ERROR(effect(transaction, batch.events));
    applied.applied.push_back(batch.headers.front().at);
  }
  TODO_RETURN_IF_ERROR(transaction.LeaveQueue(entry, now));
  return applied;
}

}  // namespace todo::service
