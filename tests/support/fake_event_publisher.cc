#include "support/fake_event_publisher.h"

#include <algorithm>
#include <chrono>
#include <utility>

namespace todo::support {
namespace {

constexpr std::chrono::seconds kPatience{20};

}  // namespace

void FakeEventPublisher::Publish(std::string_view topic, std::vector<ports::OutgoingEvent> events,
                                 std::function<void(absl::Status)> done) {
  Pending pending{std::string(topic), std::move(events), std::move(done)};
  {
    auto state = state_.Lock();
    ++state->publish_count;
    if (state->holding) {
      state->pending.push_back(std::move(pending));
      changed_.notify_all();
      return;
    }
  }
  Finish(std::move(pending), absl::OkStatus());
}

void FakeEventPublisher::Hold() { state_.Lock()->holding = true; }

bool FakeEventPublisher::FinishNext(const absl::Status& status, std::string_view topic,
                                    std::string_view key) {
  Pending pending;
  {
    auto state = state_.Lock();
    auto found =
        std::find_if(state->pending.begin(), state->pending.end(), [&](const Pending& candidate) {
          return (topic.empty() || candidate.topic == topic) &&
                 (key.empty() || candidate.events.front().key == key);
        });
    if (found == state->pending.end()) return false;
    pending = std::move(*found);
    state->pending.erase(found);
  }
  Finish(std::move(pending), status);
  return true;
}

void FakeEventPublisher::FinishAll(const absl::Status& status) {
  for (Pending& pending : std::exchange(state_.Lock()->pending, {}))
    Finish(std::move(pending), status);
}

bool FakeEventPublisher::WaitForPending(std::size_t count) {
  auto state = state_.Lock();
  return changed_.wait_for(state.lock(), kPatience, [&] { return state->pending.size() >= count; });
}

bool FakeEventPublisher::WaitForRecords(std::size_t count) {
  auto state = state_.Lock();
  return changed_.wait_for(state.lock(), kPatience, [&] { return state->records.size() >= count; });
}

std::vector<FakeEventPublisher::Pending> FakeEventPublisher::pending() {
  auto state = state_.Lock();
  return {state->pending.begin(), state->pending.end()};
}

std::vector<FakeEventPublisher::Record> FakeEventPublisher::records() {
  return state_.Lock()->records;
}

std::size_t FakeEventPublisher::publish_count() { return state_.Lock()->publish_count; }

void FakeEventPublisher::Finish(Pending pending, const absl::Status& status) {
  if (status.ok()) {
    auto state = state_.Lock();
    for (ports::OutgoingEvent& event : pending.events)
      state->records.push_back({pending.topic, std::move(event)});
    changed_.notify_all();
  }
  pending.done(status);
}

}  // namespace todo::support
