#pragma once

#include <atomic>
#include <condition_variable>
#include <mutex>
#include <stop_token>
#include <thread>

#include "service/delivery_sender.h"
#include "util/worker_pool.h"

namespace todo::app {

/// Makes the deliveries of one kind of lanes, from construction until destruction: a thread that
/// looks for what is due, and `worker_count` that send. `sender` must outlive it.
class DeliveryRunner {
 public:
  DeliveryRunner(service::DeliverySender& sender, bool patient, int worker_count);
  /// Returns when what is being sent is done, or its sender's timeout has passed.
  ~DeliveryRunner();
  DeliveryRunner(const DeliveryRunner&) = delete;
  DeliveryRunner& operator=(const DeliveryRunner&) = delete;

 private:
  void Run(const std::stop_token& stop);

  service::DeliverySender& sender_;
  const bool patient_;
  std::mutex mutex_;
  std::condition_variable_any changed_;
  int free_;  // workers; guarded by mutex_
  util::WorkerPool workers_;
  std::jthread looker_;  // last: it uses all of the above
};

}  // namespace todo::app
