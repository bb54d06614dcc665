#pragma once

#include <atomic>
#include <chrono>
#include <cstdint>
#include <functional>
#include <optional>
#include <stop_token>

#include "absl/status/statusor.h"
#include "app/delivery_watch.h"
#include "app/health.h"
#include "ports/service_status.h"
#include "util/guarded.h"

namespace todo::app {

/// Asks the database and the sidecar every ten seconds for the figures of /metrics, so that the
/// page never waits for them, and judges by them whether the sidecar still brings events. Thread
/// safety: Run by one thread; the other methods may be called from any and do not block.
class StatusSampler {
 public:
  struct Parts {
    std::function<bool()> sidecar_answers;                       // may block for seconds
    std::function<absl::StatusOr<ports::StoreStatus>()> status;  // may block
    std::function<std::uint64_t()> delivery_count;  // calls of the sidecar with events so far
    bool takes_events = true;  // else the database is not asked, and the sidecar brings none
    std::chrono::milliseconds patience;  // see DeliveryWatch
  };
  /// `health` must outlive the sampler.
  StatusSampler(const Health& health, Parts parts)
      : health_(health), parts_(std::move(parts)), watch_(parts_.patience) {}

  /// Samples until `stop`; the database only while the service is healthy.
  void Run(const std::stop_token& stop);

  /// The database's last sample. nullopt: there is none, the last one failed, or the service is not
  /// healthy.
  std::optional<ports::StoreStatus> latest() { return *latest_.Lock(); }
  /// Whether the sidecar answered the last time. nullopt: it has not been asked.
  std::optional<bool> sidecar_answers() { return *sidecar_answers_.Lock(); }
  /// Events are missing, and the sidecar has brought none for a while.
  bool deliveries_stopped() const { return deliveries_stopped_; }

 private:
  void Sample();

  const Health& health_;
  const Parts parts_;
  DeliveryWatch watch_;
  std::atomic<bool> deliveries_stopped_ = false;
  util::Guarded<std::optional<ports::StoreStatus>> latest_;
  util::Guarded<std::optional<bool>> sidecar_answers_;
};

}  // namespace todo::app
