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
    const absl::StatusOr<bool> more = store_.ContinueRebuild(clock_.Now());
    if (std::exchange(failed, !more.ok()) != failed && failed) {
      util::Log(util::Severity::kWarning, "usage_rebuild_delayed",
                {{"status", more.status().ToString()}});
    }
    if (!more.value_or(false)) util::SleepFor(stop, kInterval);
  }
}

}  // namespace todo::app
