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
  std::size_t stream = 0;  // index of the topic
  absl::Status status;
};

/// What other threads have told the relay since it last looked.
struct Letters {
  std::set<int> woken;
  std::vector<Completion> completions;
  std::optional<SteadyTime> stop_at;
};

/// How other threads reach the relay's thread. Whatever they post ends a Wait.
/// Completions keep it alive, so they may come when the relay is long gone.
/// Thread safety: may be used from many threads at once; Take and Wait by the relay's only. Posting
/// never blocks.
class Mailbox {
 public:
  /// Shard `shard` has something new. False, and nothing is noted, when it is not held at `now`.
  bool Wake(int shard, SteadyTime now);
  void Complete(Completion completion);
  /// Asks the relay to end, at `deadline` at the latest.
  void Stop(SteadyTime deadline);

  /// Which shards the relay holds, and until when.
  void SetHeld(std::set<int> shards, SteadyTime lease_until);
  Letters Take();
  /// Until something is posted, at most for `limit`.
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
