#pragma once

#include <chrono>
#include <condition_variable>
#include <mutex>
#include <stop_token>
#include <thread>

#include "service/notifications/delivery_sender.h"
#include "util/bell.h"
#include "util/worker_pool.h"

namespace todo::app {

/// Makes the deliveries of the lanes of one pace: one thread looks for deliveries that are due, and
/// `worker_count` threads send them. The runner looks when `bell` rings, when the next lane is due,
/// and after `net` at the latest. All paces share the bell. Code that queues deliveries rings it;
/// so do the runners after each attempt, because other lanes of the same user or host may have
/// waited for that attempt, and because its lane may have changed its pace. `sender` and `bell`
/// must outlive the runner. Thread safety: Start and Stop from one thread.
class DeliveryRunner {
 public:
  DeliveryRunner(service::DeliverySender& sender, ports::Pace pace, int worker_count,
                 util::Bell& bell, std::chrono::milliseconds net = std::chrono::seconds(10));
  ~DeliveryRunner() { Stop(); }
  DeliveryRunner(const DeliveryRunner&) = delete;
  DeliveryRunner& operator=(const DeliveryRunner&) = delete;

  /// To be called once.
  void Start();
  /// Waits until each attempt in progress has ended or has reached its sender's timeout.
  void Stop();

 private:
  void Run(const std::stop_token& stop);
  /// Leases a lane and gives it to a worker. False: no lane is due.
  absl::StatusOr<bool> TakeOne();

  service::DeliverySender& sender_;
  const ports::Pace pace_;
  util::Bell& bell_;
  const std::chrono::milliseconds net_;
  std::mutex mutex_;
  std::condition_variable_any freed_;
  int free_;  // number of idle workers; guarded by mutex_
  util::WorkerPool workers_;
  std::jthread looker_;
};

}  // namespace todo::app
