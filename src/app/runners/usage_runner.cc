#include "app/runners/usage_runner.h"

#include <chrono>
#include <utility>

#include "util/log.h"
#include "util/sleep.h"

namespace todo::app {
namespace {

constexpr std::chrono::seconds kInterval{2};

}  // namespace

void UsageRunner::Start() {
  thread_ = std::jthread([this](const std::stop_token& stop) { Run(stop); });
}

void UsageRunner::Run(const std::stop_token& stop) {
  bool failed = false;
  while (!stop.stop_requested()) {
    const absl::StatusOr<bool> rebuilt = store_.ContinueRebuild(clock_.Now());
    const absl::StatusOr<bool> packed = store_.Pack(clock_.Now());
    const absl::Status& status = rebuilt.ok() ? packed.status() : rebuilt.status();
    if (std::exchange(failed, !status.ok()) != failed && failed) {
      util::Log(util::Severity::kWarning, "usage_upkeep_delayed", {{"status", status.ToString()}});
    }
    if (!rebuilt.value_or(false) && !packed.value_or(false)) util::SleepFor(stop, kInterval);
  }
}

}  // namespace todo::app
