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

/// Makes the deliveries of the lanes of one pace, from construction until destruction: a thread
/// that looks for what is due, and `worker_count` that send. It looks when `bell` rings, when the
/// next lane has its turn, and after `net` at the latest. The runners of all paces share the bell,
/// which whoever queues deliveries rings, and they themselves after each attempt: what it was may
/// have kept others of its user or host waiting, and its lane may have another pace now. `sender`
/// and `bell` must outlive it.
class DeliveryRunner {
 public:
  DeliveryRunner(service::DeliverySender& sender, ports::Pace pace, int worker_count,
                 util::Bell& bell, std::chrono::milliseconds net = std::chrono::seconds(10));
  /// Returns when what is being sent is done, or its sender's timeout has passed.
  ~DeliveryRunner();
  DeliveryRunner(const DeliveryRunner&) = delete;
  DeliveryRunner& operator=(const DeliveryRunner&) = delete;

 private:
  void Run(const std::stop_token& stop);
  /// Takes a lane and hands it to a worker. False: there is nothing to take, or it cannot be taken.
  absl::StatusOr<bool> TakeOne();

  service::DeliverySender& sender_;
  const ports::Pace pace_;
  util::Bell& bell_;
  const std::chrono::milliseconds net_;
  std::mutex mutex_;
  std::condition_variable_any freed_;
  int free_;  // workers; guarded by mutex_
  util::WorkerPool workers_;
  std::jthread looker_;  // last: it uses all of the above
};

}  // namespace todo::app
