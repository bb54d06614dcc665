#include "service/analytics/usage_counter.h"

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <string>

#include "domain/event/event_writer.h"
#include "domain/task/task.h"
#include "ports/usage_writer.h"
#include "util/fault_point.h"
#include "util/utf8.h"

namespace todo::service {
namespace {

/// The inbox knows the events of this time, so an older one may have been counted before.
constexpr std::chrono::days kInboxKeeps{30};

/// The different tags of a task. Those of other programs may be of any number and length.
std::vector<std::string> CountedTags(const std::vector<std::string>& tags) {
  std::vector<std::string> counted;
  for (const std::string& tag : tags) {
    if (counted.size() == domain::kMaxTags) break;
    const auto length = util::CountCharacters(tag);
    if (!length || *length == 0 || *length > domain::kMaxTagCharacters) continue;
    if (std::ranges::find(counted, tag) == counted.end()) counted.push_back(tag);
  }
  return counted;
}

ports::UsageEvent CountedEvent(const domain::TaskEvent& event) {
  ports::UsageEvent counted{.user = event.user,
                            .event_id = event.id,
                            .is_ours = event.source == domain::kEventSource,
                            .seq = event.task ? event.task->seq : 0,
                            .task_id = event.task_id,
                            .kind = event.kind,
                            .at = event.at};
  if (event.task) {
    const domain::Instant created_at = event.task->created_at;
    // The first instant stands for a task that does not say.
    if (created_at > domain::kMinInstant && created_at <= domain::kMaxInstant)
      counted.created_at = created_at;
    counted.priority = event.task->fields.priority;
    counted.tags = CountedTags(event.task->fields.tags);
  }
  return counted;
}

}  // namespace

absl::Status UsageCounter::Apply(ports::InboxTransaction& transaction,
                                 const std::vector<domain::TaskEvent>& events) {
  std::vector<ports::UsageEvent> counted;
  counted.reserve(events.size());
  for (const domain::TaskEvent& event : events) {
    counted.push_back(CountedEvent(event));
    if (TODO_PLANTED("double-count")) counted.push_back(counted.back());
  }
  return transaction.usage().Count(counted, clock_.Now() - kInboxKeeps);
}

}  // namespace todo::service
