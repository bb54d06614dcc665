#include "app/runners/audit_runner.h"

#include <chrono>

#include "util/log.h"
#include "util/sleep.h"

namespace todo::app {
namespace {

constexpr std::chrono::seconds kAfterFailure{5};

}  // namespace

void AuditRunner::Start() {
  thread_ = std::jthread([this](const std::stop_token& stop) { Run(stop); });
}

void AuditRunner::Run(const std::stop_token& stop) {
  while (!stop.stop_requested()) {
    const auto pause = auditor_.RunRound();
    if (!pause.ok()) {
      util::Log(util::Severity::kWarning, "audit_failed", {{"status", pause.status().ToString()}});
    }
    util::SleepFor(stop, pause.value_or(kAfterFailure));
  }
}

}  // namespace todo::app
