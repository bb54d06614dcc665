#pragma once

#include <condition_variable>
#include <cstddef>
#include <deque>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "ports/event_publisher.h"
#include "util/guarded.h"

namespace todo::support {

/// A bus in memory. It takes every event at once or, after Hold, keeps each publish until the test
/// ends it. The destructor drops publishes that were never ended, without calling `done`.
/// Thread safety: may be used from many threads at once. `done` runs on the thread that ends the
/// publish.
class FakeEventPublisher final : public ports::EventPublisher {
 public:
  struct Record {
    std::string topic;
    ports::OutgoingEvent event;
  };
  struct Pending {
    std::string topic;
    std::vector<ports::OutgoingEvent> events;
    std::function<void(absl::Status)> done;
  };

  void Publish(std::string_view topic, std::vector<ports::OutgoingEvent> events,
               std::function<void(absl::Status)> done) override;

  void Hold();
  /// Takes the oldest pending publish to `topic` (any: empty) that starts with `key` (any: empty)
  /// out and ends it with `status`; OK puts its events on the topic. False: there is none.
  bool FinishNext(const absl::Status& status, std::string_view topic = {},
                  std::string_view key = {});
  /// Ends all that are pending now, oldest first.
  void FinishAll(const absl::Status& status);

  /// Waits until `count` publishes are pending; false when they are not within a generous time.
  bool WaitForPending(std::size_t count);
  /// Waits until `count` events are on all topics together.
  bool WaitForRecords(std::size_t count);

  std::vector<Pending> pending();  // a copy, oldest first
  std::vector<Record> records();   // in the order in which the bus took them
  std::size_t publish_count();     // calls of Publish

 private:
  struct State {
    bool holding = false;
    std::size_t publish_count = 0;
    std::deque<Pending> pending;
    std::vector<Record> records;
  };
  void Finish(Pending pending, const absl::Status& status);

  util::Guarded<State> state_;
  std::condition_variable changed_;
};

}  // namespace todo::support
