#include "relay/publish_plan.h"

#include <algorithm>
#include <iterator>
#include <utility>

namespace todo::relay {

void PublishPlan::Add(int shard, const Batch& batch, std::size_t index) {
  const BatchPart& part = batch.parts[index];
  std::vector<ports::OutgoingEvent> run = part.NextRun();
  const Completion completion{
      .shard = shard, .batch_id = batch.id, .part = index, .status = absl::OkStatus()};
  if (part.failures() > 0) {
    full_.push_back({.topic = part.topic(), .events = std::move(run), .completions = {completion}});
    return;
  }
  PlannedPublish& open = open_[part.topic()];
  if (!open.events.empty() && open.events.size() + run.size() > limit_)
    full_.push_back(std::exchange(open, {}));
  open.topic = part.topic();
  std::ranges::move(run, std::back_inserter(open.events));
  open.completions.push_back(completion);
}

std::vector<PlannedPublish> PublishPlan::Take() {
  std::vector<PlannedPublish> all = std::exchange(full_, {});
  for (auto& [topic, open] : std::exchange(open_, {})) all.push_back(std::move(open));
  return all;
}

}  // namespace todo::relay
