#include "app/runners/zone_runner.h"

#include <chrono>

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
  do {
    const absl::Status status = settings_.RepairZones();
    if (!status.ok())
      util::Log(util::Severity::kWarning, "zones_not_repaired", {{"status", status.ToString()}});
  } while (util::SleepFor(stop, kInterval));
}

}  // namespace todo::app
