#pragma once

#include <condition_variable>
#include <mutex>
#include <stop_token>
#include <thread>

#include "service/audit/auditor.h"

namespace todo::app {

/// The thread that runs the audit's rounds, from construction until destruction. `auditor` must
/// outlive it.
class AuditRunner {
 public:
  explicit AuditRunner(service::Auditor& auditor);
  /// Returns when the round that runs is done.
  ~AuditRunner() = default;
  AuditRunner(const AuditRunner&) = delete;
  AuditRunner& operator=(const AuditRunner&) = delete;

 private:
  void Run(const std::stop_token& stop);

  service::Auditor& auditor_;
  std::mutex mutex_;
  std::condition_variable_any sleep_;
  std::jthread thread_;  // last: everything else is there before it starts
};

}  // namespace todo::app
