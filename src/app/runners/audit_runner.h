#pragma once

#include <stop_token>
#include <thread>

#include "service/audit/auditor.h"

namespace todo::app {

/// Runs the audit's rounds in a thread of its own. `auditor` must outlive it.
/// Thread safety: Start and Stop from one thread.
class AuditRunner {
 public:
  explicit AuditRunner(service::Auditor& auditor) : auditor_(auditor) {}
  AuditRunner(const AuditRunner&) = delete;
  AuditRunner& operator=(const AuditRunner&) = delete;

  /// To be called once.
  void Start();
  /// Waits until the current round is done; the destructor does so too.
  void Stop() { thread_ = {}; }

 private:
  void Run(const std::stop_token& stop);

  service::Auditor& auditor_;
  std::jthread thread_;
};

}  // namespace todo::app
