#pragma once

#include <algorithm>

#include "absl/status/status.h"
#include "relay/batch.h"
#include "relay/steady_clock.h"

namespace todo::relay {

/// Whether publishes get through. Logs the begin and end of failures (`relay_publish_failing`,
/// `relay_publish_recovered`), and after many failures in a row that a person has to look: at one
/// shard (`relay_shard_stuck`) or at the bus (`relay_bus_away`). Thread safety: used by one thread.
class BusWatch {
 public:
  BusWatch(SteadyTime now, int failures_until_error)
      : failures_until_error_(failures_until_error), last_success_(now), failing_since_(now) {}

  bool failing() const { return failing_; }
  /// Since when no publish has succeeded, as far as that is known. Meaningful while failing.
  SteadyTime silent_since() const { return std::max(failing_since_, last_success_); }

  void NoteAcknowledged(SteadyTime now) { last_success_ = now; }
  /// A publish of `part` of `shard` failed; `part` has noted it.
  void NoteFailed(int shard, const BatchPart& part, const absl::Status& status, SteadyTime now);
  /// Publishes were failing, and no part fails any more.
  void NoteRecovered();
  /// The failing batches are gone: whether the bus works is not known.
  void Forget() { failing_ = outage_reported_ = false; }
  /// Failures before `now` say nothing about the bus.
  void BeginAnew(SteadyTime now) { failing_since_ = now; }

 private:
  const int failures_until_error_;
  SteadyTime last_success_;
  bool failing_ = false;
  SteadyTime failing_since_;
  bool outage_reported_ = false;
};

}  // namespace todo::relay
