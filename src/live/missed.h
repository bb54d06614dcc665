#pragma once

#include <memory>
#include <vector>

#include "domain/event/event.h"
#include "domain/event/live_change.h"

namespace todo::live {

/// The answer to a read of missed changes; see ports::MissedChanges. Several watches share it.
struct Missed {
  domain::ChangeCursor head;
  bool cursor_known = false;
  bool complete = false;
  std::vector<std::shared_ptr<const domain::LiveChange>> changes;  // without gaps, if complete
};

/// A read of missed changes that a watch wants.
struct MissedWanted {
  domain::ChangeCursor cursor = {};
  bool head_only = false;
  /// The read may turn out to be unnecessary if it waits for a moment.
  bool may_wait = false;
};

}  // namespace todo::live
