#pragma once

#include <map>
#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "domain/event/event.h"
#include "domain/ids.h"

namespace todo::ports {

/// Remembers the events that each process is applying. After a crash they are suspects, for every
/// instance. A dead process is recognised by its successor of the same name, or, if no such
/// successor comes, by any process that starts once the dead one's connections are gone.
/// Thread safety: all methods may be called from many threads at once, Begin with a different slot
/// for each thread. They block on the database, and can answer kUnavailable and the like (see
/// TaskStore).
class CrashLog {
 public:
  virtual ~CrashLog() = default;

  /// To be called once, before events are taken. Counts a crash for the events that dead processes
  /// were applying when they ended without Clear, and answers their number: the former process of
  /// this instance, and other instances without a living process. Each process counts by itself:
  /// the crash counts fully for an event that was alone; for one of several it counts only as the
  /// first crash.
  virtual absl::StatusOr<int> CountCrashes() = 0;

  /// Notes that `consumer` is about to apply `events` (may be empty), in place of what slot `slot`
  /// (>= 0) held before. The note outlives the process, though perhaps not the machine. An event
  /// counts as being applied until the inbox has it or the slot gets other events. Answers the
  /// suspects among `events`, with their number of crashes.
  virtual absl::StatusOr<std::map<domain::EventId, int>> Begin(
      int slot, std::string_view consumer, const std::vector<domain::EventHeader>& events) = 0;

  /// A clean stop: this instance is applying no events.
  virtual absl::Status Clear() = 0;
};

}  // namespace todo::ports
