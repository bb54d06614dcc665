#include "app/runners/audit_runner.h"

#include <chrono>

#include "util/log.h"

namespace todo::app {
namespace {

constexpr std::chrono::seconds kAfterFailure{5};

}  // namespace

AuditRunner::AuditRunner(service::Auditor& auditor)
    : auditor_(auditor), thread_([this](const std::stop_token& stop) { Run(stop); }) {}

void AuditRunner::Run(const std::stop_token& stop) {
  while (!stop.stop_requested()) {
    const auto again = auditor_.RunRound();
    if (!again.ok()) {
      util::Log(util::Severity::kWarning, "audit_failed", {{"status", again.status().ToString()}});
    }
    std::unique_lock lock(mutex_);
    sleep_.wait_for(lock, stop, again.value_or(kAfterFailure), [] { return false; });
  }
}

}  // namespace todo::app
