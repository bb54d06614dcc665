#pragma once

#include <chrono>
#include <condition_variable>
#include <cstddef>
#include <deque>
#include <functional>
#include <string>
#include <thread>
#include <vector>

#include "util/guarded.h"

namespace todo::util {

/// Threads that may block, fed by a bounded queue: gRPC's threads, which must not block, hand their
/// work over to a pool. Thread safety: all methods may be called from any thread outside the pool;
/// TrySubmit also from a task.
class WorkerPool {
 public:
  using Task = std::function<void()>;

  /// `queue_limit` tasks may wait; those that run do not count.
  WorkerPool(std::size_t thread_count, std::size_t queue_limit);
  /// Shuts down as Shutdown does, without a deadline.
  ~WorkerPool();
  WorkerPool(const WorkerPool&) = delete;
  WorkerPool& operator=(const WorkerPool&) = delete;

  /// True: `task` will run on a thread of the pool. False, at once: the queue is full or the pool
  /// shuts down. Never blocks. A task must not throw.
  [[nodiscard]] bool TrySubmit(Task task);

  /// Refuses new tasks and waits until the accepted ones are done, at most until `deadline`; tasks
  /// that have not begun by then are dropped. True: all tasks were done. The destructor, not this
  /// method, joins the threads.
  bool Shutdown(std::chrono::steady_clock::time_point deadline);

  /// Tasks that wait for a thread.
  std::size_t queued_count();

 private:
  struct State {
    std::deque<Task> queue;
    std::size_t running = 0;
    bool closed = false;
  };
  void Run();

  const std::size_t queue_limit_;
  Guarded<State> state_;
  std::condition_variable work_;  // something was queued, or closed
  std::condition_variable idle_;  // nothing queued and nothing running
  std::vector<std::thread> threads_;
};

}  // namespace todo::util
