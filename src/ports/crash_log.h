#pragma once

#include <map>
#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "domain/event/event.h"
#include "domain/ids.h"

namespace todo::ports {

/// Remembers which events this process has in its hands, so that after a crash they are known.
/// Those are suspects, for every instance. Thread safety: all methods may be called from many
/// threads at once, Begin with different slots. They block on the database, and answer kUnavailable
/// and the like when it is away.
class CrashLog {
 public:
  virtual ~CrashLog() = default;

  /// To be called once, before events are taken: notes what was in the hands of this instance when
  /// it last ended without Clear, and answers how many events those were. A crash counts for an
  /// event that nothing else was in hand with; for others it counts if it is their first.
  virtual absl::StatusOr<int> CountCrashes() = 0;

  /// `events` (may be none) are about to be applied by `consumer`, instead of what slot `slot` (>=
  /// 0) held before. Outlives the process, though perhaps not the machine. What became of them in
  /// the inbox is not in hand any more; the rest is until the slot gets something else. Answers the
  /// suspects among them, with the crashes that count.
  virtual absl::StatusOr<std::map<domain::EventId, int>> Begin(
      int slot, std::string_view consumer, const std::vector<domain::EventHeader>& events) = 0;

  /// A clean stop: nothing is in our hands.
  virtual absl::Status Clear() = 0;
};

}  // namespace todo::ports
