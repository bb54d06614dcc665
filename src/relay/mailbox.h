#pragma once

#include <condition_variable>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <set>
#include <vector>

#include "absl/status/status.h"
#include "relay/steady_clock.h"
#include "util/guarded.h"

namespace todo::relay {

/// The answer to one Publish of the relay.
struct Completion {
  int shard = 0;
  std::uint64_t batch_id = 0;
  std::size_t part = 0;  // index of the batch's part
  absl::Status status;
};

/// Everything that other threads have posted since the last Take.
struct Letters {
  std::set<int> woken;
  std::vector<Completion> completions;
  std::optional<SteadyTime> stop_at;
};

/// The mailbox through which other threads reach the relay's thread. A posted letter ends a Wait.
/// Completions keep the mailbox alive, so they may come after the end of the relay. Thread safety:
/// posting may be done from many threads at once and never blocks; SetHeld, Take and Wait are for
/// the relay's thread.
class Mailbox {
 public:
  /// Shard `shard` has something new. False: the relay does not hold the shard at `now`, and no
  /// letter was posted.
  bool Wake(int shard, SteadyTime now);
  void Complete(Completion completion);
  /// Asks the relay to end, at `deadline` at the latest.
  void Stop(SteadyTime deadline);

  /// Which shards the relay holds, and until when.
  void SetHeld(std::set<int> shards, SteadyTime lease_until);
  Letters Take();
  /// Blocks until there are letters, at most for `limit`.
  void Wait(SteadyTime::duration limit);

 private:
  struct State {
    Letters letters;
    bool posted = false;
    std::set<int> held;
    SteadyTime lease_until;
  };
  void Post(util::Guarded<State>::Handle state);

  util::Guarded<State> state_;
  std::condition_variable something_posted_;
};

}  // namespace todo::relay
