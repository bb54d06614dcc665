#pragma once

#include <map>
#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "domain/event.h"
#include "domain/ids.h"

namespace todo::ports {

/// Remembers which events this process has in its hands, so that after a crash they are known.
/// Thread safety: all methods may be called from many threads at once, Begin with different slots.
/// They block on the database, and answer kUnavailable and the like when it is away.
class CrashLog {
 public:
  virtual ~CrashLog() = default;

  /// To be called once, before events are taken: counts a crash for each event that was in the
  /// hands of this instance when it last ended without Clear. Answers how many those were.
  virtual absl::StatusOr<int> CountCrashes() = 0;

  /// `events` are about to be applied by `consumer`, instead of what slot `slot` (>= 0) held
  /// before. Outlives the process, though perhaps not the machine.
  virtual absl::Status Begin(int slot, std::string_view consumer,
                             const std::vector<domain::EventHeader>& events) = 0;

  /// How often the process died with these events in its hands; those it did not are missing.
  virtual absl::StatusOr<std::map<domain::EventId, int>> Crashes(
      std::string_view consumer, const std::vector<domain::EventHeader>& events) = 0;

  /// A clean stop: nothing is in our hands.
  virtual absl::Status Clear() = 0;
};

}  // namespace todo::ports
