#pragma once

#include <atomic>
#include <string>
#include <string_view>

#include "absl/status/status.h"
#include "util/log.h"

namespace todo::live {

/// Logs the begin and the end of a row of failures, once each. Thread safety: may be used from many
/// threads at once.
class OutageLog {
 public:
  void Note(const absl::Status& status, std::string_view attempt) {
    if (status.ok() == !failing_.load(std::memory_order_relaxed)) return;
    if (failing_.exchange(!status.ok()) == !status.ok()) return;
    if (status.ok()) {
      util::Log(util::Severity::kInfo, "live_reads_recovered");
    } else {
      util::Log(util::Severity::kWarning, "live_reads_failing",
                {{"attempt", attempt}, {"error", status.ToString()}});
    }
  }

 private:
  std::atomic<bool> failing_ = false;
};

}  // namespace todo::live
