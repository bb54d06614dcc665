#include "relay/batch.h"

#include <map>
#include <string>

#include "domain/event/event.h"
#include "domain/event/event_writer.h"
#include "util/fault_point.h"
#include "util/require.h"
#include "util/trace_context.h"

namespace todo::relay {
namespace {

constexpr int kFailuresUntilSuspicion = 3;

}  // namespace

std::vector<ports::OutgoingEvent> BatchPart::NextRun() const {
  const auto first = events_.begin() + static_cast<std::ptrdiff_t>(acknowledged_);
  return {first, first + static_cast<std::ptrdiff_t>(NextCount())};
}

void BatchPart::NoteSent() {
  TODO_REQUIRE(waits());
  in_flight_ = NextCount();
}

void BatchPart::NoteAcknowledged() {
  acknowledged_ += std::exchange(in_flight_, 0);
  if (acknowledged_ < suspect_end_) {
    run_ = std::max<std::size_t>(1, (suspect_end_ - acknowledged_) / 2);
    return;
  }
  suspect_end_ = 0;
  run_ = events_.size();
  failures_ = 0;
  backoff_.Reset();
}

void BatchPart::NoteFailed(SteadyTime now, bool event_to_blame) {
  const std::size_t count = std::exchange(in_flight_, 0);
  if (++failures_ == 1) failing_since_ = now;
  retry_at_ = now + backoff_.Next();
  if (failures_ >= kFailuresUntilSuspicion && event_to_blame) {
    suspect_end_ = acknowledged_ + count;
    run_ = std::max<std::size_t>(1, count / 2);
  }
}

bool Batch::done() const { return std::ranges::all_of(parts, &BatchPart::done); }

bool Batch::is_fresh() const {
  return std::ranges::all_of(parts, [](const BatchPart& part) { return part.failures() == 0; });
}

Batch MakeBatch(std::uint64_t id, ports::OutboxBatch content, const ChangeTopics& topics,
                const util::Backoff& backoff) {
  std::map<std::string, std::vector<ports::OutgoingEvent>> by_topic;
  const auto add = [&by_topic](const std::string& topic, const std::string& key,
                               const std::string& event_id, std::string payload,
                               const util::TraceContext& cause) {
    by_topic[topic].push_back(
        {.key = key, .entry_id = event_id, .payload = std::move(payload), .cause = cause});
  };
  for (const domain::Change& change : content.changes) {
    const std::string& user = change.user.value;
    const std::string event_id = change.event_id.value();
    const util::TraceContext cause = util::ParseTraceContext(change.traceparent);
    add(topics.task_events, user, event_id, domain::TaskEventRecord(change), cause);
    add(topics.task_updates, user, event_id, domain::TaskUpdateRecord(change), cause);
  }
  for (ports::OutboxMessage& message : content.messages) {
    const util::TraceContext cause =
        util::ParseTraceContext(domain::TraceparentIn(message.payload));
    add(message.topic, message.key, message.id.value(), std::move(message.payload), cause);
  }

  Batch batch{.id = id,
              .next = std::move(content.next),
              .count = content.changes.size() + content.messages.size(),
              .parts = {}};
  for (auto& [topic, events] : by_topic) {
    if (TODO_PLANTED("swap-order")) std::reverse(events.begin(), events.end());
    batch.parts.emplace_back(topic, std::move(events), backoff);
  }
  return batch;
}

}  // namespace todo::relay
