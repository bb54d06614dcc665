#pragma once

#include <chrono>
#include <condition_variable>
#include <cstddef>
#include <functional>
#include <memory>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "client/dapr_client.h"
#include "ports/event_publisher.h"
#include "util/guarded.h"

namespace todo::client {

/// Publishes through the sidecar, raw: the value of a record is the payload, byte for byte, and its
/// key is the event's key.
///
/// A Publish becomes one call of the sidecar, or several in a row: a call has a limited size, does
/// not contain an entry id twice, and contains one event only without `bulk`. Each call is sent
/// when the call before it has succeeded.
///
/// Bulk publishing has a stable and an Alpha1 name. If the sidecar answers UNIMPLEMENTED to one,
/// the other is tried and used from then on, so a sidecar may be upgraded or downgraded at any
/// time.
///
/// Thread safety: as its port says; Publish and the destructor must not overlap. Publish does not
/// block, and `done` runs on one of gRPC's threads.
class DaprPublisher final : public ports::EventPublisher {
 public:
  struct Options {
    std::string pubsub_name = "kafka-pubsub";
    bool bulk = true;  // false for buses that do not keep the order in bulk: the in-memory one
    std::chrono::milliseconds timeout{10'000};  // of each call
    std::size_t max_call_bytes =
        1 << 20;  // well below the sidecar's 4 MiB; a larger event is sent alone
  };

  /// `client` must outlive this.
  DaprPublisher(DaprClient& client, Options options);
  /// Cancels the calls in flight and waits until each `done` has been called.
  ~DaprPublisher() override;

  /// `done` gets OK when all events are on the bus. kUnavailable: there is no sidecar, repeat soon.
  /// kDeadlineExceeded: no answer in time. kInternal: the bus did not take all events. kCancelled:
  /// the publisher is being destroyed. Other statuses are the sidecar's own. Without events `done`
  /// gets OK at once, from within this call.
  void Publish(std::string_view topic, std::vector<ports::OutgoingEvent> events,
               std::function<void(absl::Status)> done) override;

 private:
  class Call;
  struct State {
    std::set<Call*> running;     // calls that can be cancelled
    std::size_t open_count = 0;  // Publish calls whose `done` has not returned
    bool closed = false;
    bool use_alpha1 = false;
  };

  DaprClient& client_;
  const Options options_;
  util::Guarded<State> state_;
  std::condition_variable none_open_;
};

}  // namespace todo::client
