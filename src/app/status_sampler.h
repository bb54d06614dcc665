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

/// Asks the database every ten seconds for the figures of /metrics, so that the page never waits
/// for the database, and judges by them whether the sidecar still brings events.
/// Thread safety: Run by one thread; the other methods may be called from any and do not block.
class StatusSampler {
 public:
  struct Parts {
    std::function<absl::StatusOr<ports::StoreStatus>()> status;  // may block
    std::function<std::uint64_t()> delivery_count;  // calls of the sidecar with events so far
    std::chrono::milliseconds patience;             // see DeliveryWatch
  };
  /// `health` must outlive the sampler.
  StatusSampler(const Health& health, Parts parts)
      : health_(health), parts_(std::move(parts)), watch_(parts_.patience) {}

  /// Samples while the service is healthy, until `stop`.
  void Run(const std::stop_token& stop);

  /// The last sample. nullopt: there is none, or the last one failed.
  std::optional<ports::StoreStatus> latest() { return *latest_.Lock(); }
  /// Events are missing, and the sidecar has brought none for a while.
  bool deliveries_stopped() const { return deliveries_stopped_; }

 private:
  void Sample();

  const Health& health_;
  const Parts parts_;
  DeliveryWatch watch_;
  std::atomic<bool> deliveries_stopped_ = false;
  util::Guarded<std::optional<ports::StoreStatus>> latest_;
};

}  // namespace todo::app
