#include "app/runners/usage_runner.h"

#include <chrono>
#include <utility>

#include "util/log.h"
#include "util/sleep.h"

namespace todo::app {
namespace {

// How long it waits after it found nothing to do: an idle replica asks the database little.
constexpr std::chrono::seconds kInterval{5};
constexpr std::chrono::seconds kPackInterval{30};

}  // namespace

void UsageRunner::Start() {
  thread_ = std::jthread([this](const std::stop_token& stop) { Run(stop); });
}

void UsageRunner::Run(const std::stop_token& stop) {
  using Clock = std::chrono::steady_clock;
  bool failed = false;
  Clock::time_point next_pack = Clock::now();
  while (!stop.stop_requested()) {
    const absl::StatusOr<bool> rebuilt = store_.ContinueRebuild(clock_.Now());
    absl::StatusOr<bool> packed = false;
    if (Clock::now() >= next_pack) {
      packed = store_.Pack(clock_.Now());
      if (!packed.value_or(false)) next_pack = Clock::now() + kPackInterval;
    }
    const absl::Status& status = rebuilt.ok() ? packed.status() : rebuilt.status();
    if (std::exchange(failed, !status.ok()) != failed && failed) {
      util::Log(util::Severity::kWarning, "usage_upkeep_delayed", {{"status", status.ToString()}});
    }
    if (!rebuilt.value_or(false) && !packed.value_or(false)) util::SleepFor(stop, kInterval);
  }
}

}  // namespace todo::app
