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

/// Publishes through the sidecar, raw: a record's value is the payload byte for byte, its key is
/// the event's key.
/// A Publish is one call of the sidecar, or several, each sent when the one before has succeeded:
/// more bytes than the sidecar takes at once are cut into pieces, an entry id that repeats starts a
/// new one, and without `bulk` each event goes alone.
/// The stable name of bulk publishing is tried first; a sidecar that answers UNIMPLEMENTED is asked
/// by the Alpha1 name, and the name that worked last is used until it too is UNIMPLEMENTED (so an
/// exchanged sidecar is no trouble in either direction).
/// Thread safety: as its port says; Publish and the destructor must not overlap. Publish does not
/// block, and `done` runs on a thread of gRPC's.
class DaprPublisher final : public ports::EventPublisher {
 public:
  struct Options {
    std::string pubsub_name = "kafka-pubsub";
    bool bulk = true;  // false for buses that do not keep the order in bulk: the in-memory one
    std::chrono::milliseconds timeout{10'000};  // of each call
    std::size_t max_call_bytes =
        1 << 20;  // well below the sidecar's 4 MiB; a larger event goes alone
  };

  /// `client` must outlive this.
  DaprPublisher(DaprClient& client, Options options);
  /// Cancels what is in flight and waits until each `done` has been called.
  ~DaprPublisher() override;

  /// `done` gets: OK. kUnavailable: no sidecar, repeat soon. kDeadlineExceeded: no answer in time.
  /// kInternal: the sidecar could not hand over all events. kCancelled: the publisher is being
  /// destroyed. Others as the sidecar answers. No events: OK at once, from within this call.
  void Publish(std::string_view topic, std::vector<ports::OutgoingEvent> events,
               std::function<void(absl::Status)> done) override;

 private:
  class Call;
  struct State {
    std::set<Call*> running;     // those that can be cancelled
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
