#pragma once

#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <mutex>
#include <stop_token>
#include <thread>

#include "service/delivery_sender.h"
#include "util/worker_pool.h"

namespace todo::app {

/// Makes the deliveries of the lanes of one pace, from construction until destruction: a thread
/// that looks for what is due, and `worker_count` that send. It looks again when one of them is
/// done, and after `poll`: nobody announces what is due. `sender` must outlive it.
class DeliveryRunner {
 public:
  DeliveryRunner(service::DeliverySender& sender, ports::Pace pace, int worker_count,
                 std::chrono::milliseconds poll = std::chrono::milliseconds(250));
  /// Returns when what is being sent is done, or its sender's timeout has passed.
  ~DeliveryRunner();
  DeliveryRunner(const DeliveryRunner&) = delete;
  DeliveryRunner& operator=(const DeliveryRunner&) = delete;

 private:
  void Run(const std::stop_token& stop);

  service::DeliverySender& sender_;
  const ports::Pace pace_;
  const std::chrono::milliseconds poll_;
  std::mutex mutex_;
  std::condition_variable_any changed_;
  int free_;                // workers; guarded by mutex_, as the next
  std::uint64_t done_ = 0;  // attempts
  util::WorkerPool workers_;
  std::jthread looker_;  // last: it uses all of the above
};

}  // namespace todo::app
