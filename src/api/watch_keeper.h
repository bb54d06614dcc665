#pragma once

#include <memory>
#include <utility>

#include "ports/change_feed.h"
#include "util/guarded.h"

namespace todo::api {

/// Keeps the watch of a sink until the client goes, which may be before the watch is there. Thread
/// safety: any thread. Never blocks.
class WatchKeeper {
 public:
  /// To be called once. After End, the watch ends at once.
  void Keep(std::unique_ptr<ports::FeedWatch> watch) {
    auto state = state_.Lock();
    if (!state->ended) std::swap(state->watch, watch);
    state.lock().unlock();  // the watch ends without the lock
  }

  void End() {
    std::unique_ptr<ports::FeedWatch> ended;
    auto state = state_.Lock();
    state->ended = true;
    std::swap(state->watch, ended);
    state.lock().unlock();
  }

 private:
  struct State {
    bool ended = false;
    std::unique_ptr<ports::FeedWatch> watch;
  };
  util::Guarded<State> state_;
};

}  // namespace todo::api
