#include "app/delivery_watch.h"

#include <utility>

#include "util/log.h"

namespace todo::app {

bool DeliveryWatch::Look(const Seen& seen, Clock::time_point now) {
  const bool came = std::exchange(last_count_, seen.deliveries) != seen.deliveries;
  const bool nothing_missing = seen.missing == 0 && seen.lost <= lost_then_;
  if (came || nothing_missing || !last_news_) {
    last_news_ = now;
    lost_then_ = seen.lost;
  }
  const auto silent = now - *last_news_;
  if (std::exchange(stopped_, silent >= patience_) == stopped_) return stopped_;
  if (stopped_) {
    util::Log(util::Severity::kError, "deliveries_stopped",
              {{"missing_events", seen.missing},
               {"lost_events", seen.lost},
               {"silent_ms", std::chrono::duration_cast<std::chrono::milliseconds>(silent).count()},
               {"advice",
                "see the sidecar's log for the cause; the sidecar repeats a call above the "
                "message limit for ever: raise --record-limit to the limit of the broker, then "
                "restart service and sidecar"}});
  } else {
    util::Log(util::Severity::kInfo, "deliveries_resumed");
  }
  return stopped_;
}

}  // namespace todo::app
