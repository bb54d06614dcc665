#include "relay/bus_watch.h"

#include <utility>

#include "util/log.h"

namespace todo::relay {

using util::Severity;

void BusWatch::NoteFailed(int shard, const BatchPart& part, const absl::Status& status,
                          SteadyTime now) {
  if (!std::exchange(failing_, true)) {
    failing_since_ = now;
    util::Log(Severity::kWarning, "relay_publish_failing",
              {{"shard", shard}, {"topic", part.topic()}, {"error", status.ToString()}});
  }
  if (part.failures() % failures_until_error_ != 0) return;
  // If other events get through, the cause is this part; otherwise it is the bus, which is reported
  // once.
  const bool only_this = last_success_ > part.failing_since();
  if (!only_this && std::exchange(outage_reported_, true)) return;
  util::Log(Severity::kError, only_this ? "relay_shard_stuck" : "relay_bus_away",
            {{"shard", shard},
             {"topic", part.topic()},
             {"event_id", part.next_event_id()},
             {"events", part.run()},
             {"attempts", part.failures()},
             {"error", status.ToString()}});
}

void BusWatch::NoteRecovered() {
  Forget();
  util::Log(Severity::kInfo, "relay_publish_recovered");
}

}  // namespace todo::relay
