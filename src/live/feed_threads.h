#pragma once

#include <chrono>
#include <cstddef>
#include <functional>

#include "domain/ids.h"
#include "live/workplace.h"
#include "util/alarms.h"
#include "util/worker_pool.h"

namespace todo::live {

/// A pool of threads, and a thread for alarms.
class FeedThreads final : public Workplace {
 public:
  /// `queue_limit` tasks may wait. When there are more, or when one user has most of the queue, a
  /// task is tried again a little later.
  FeedThreads(std::size_t threads, std::size_t queue_limit);

  void Run(const domain::UserId& user, std::function<void()> task) override;
  void RunAfter(std::chrono::milliseconds delay, const domain::UserId& user,
                std::function<void()> task) override;
  util::Alarm CallAfter(std::chrono::milliseconds delay, std::function<void()> callback) override;

  /// Drops the tasks that have not begun and waits for the others. Nothing runs after it. To be
  /// called once, before the owner of the tasks ends.
  void Stop();

 private:
  util::Alarms alarms_;
  util::WorkerPool workers_;
};

}  // namespace todo::live
