#include "app/runners/zone_runner.h"

#include <chrono>
#include <utility>

#include "util/log.h"
#include "util/sleep.h"

namespace todo::app {
namespace {

constexpr std::chrono::seconds kInterval{5};

}  // namespace

void ZoneRunner::Start() {
  thread_ = std::jthread([this](const std::stop_token& stop) { Run(stop); });
}

void ZoneRunner::Run(const std::stop_token& stop) {
  bool failed = false;
  do {
    const absl::Status status = settings_.RepairZones(stop);
    if (std::exchange(failed, !status.ok()) == failed) continue;
    if (failed) {
      util::Log(util::Severity::kWarning, "zones_not_repaired", {{"status", status.ToString()}});
    } else {
      util::Log(util::Severity::kInfo, "zones_repaired");
    }
  } while (util::SleepFor(stop, kInterval));
}

}  // namespace todo::app
