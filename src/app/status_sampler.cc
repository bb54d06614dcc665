#include "app/status_sampler.h"

#include <utility>

#include "util/log.h"
#include "util/sleep.h"

namespace todo::app {
namespace {

constexpr std::chrono::seconds kInterval{10};

}  // namespace

void StatusSampler::Run(const std::stop_token& stop) {
  while (util::SleepFor(stop, kInterval)) {
    const bool answers = parts_.sidecar_answers();
    *sidecar_answers_.Lock() = answers;
    if (!parts_.takes_events) continue;
    if (health_.IsHealthy()) {
      Sample();
    } else {
      latest_.Lock()->reset();  // no figures are better than outdated ones
    }
  }
}

void StatusSampler::Sample() {
  absl::StatusOr<ports::StoreStatus> status = parts_.status();
  if (!status.ok()) {
    util::Log(util::Severity::kWarning, "status_not_sampled",
              {{"status", status.status().ToString()}});
    latest_.Lock()->reset();
    return;
  }
  deliveries_stopped_ = watch_.Look({.deliveries = parts_.delivery_count(),
                                     .missing = status->missing_events,
                                     .lost = status->lost_events},
                                    std::chrono::steady_clock::now());
  *latest_.Lock() = *std::move(status);
}

}  // namespace todo::app
