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

/// Threads that may block, fed by a bounded queue, so that threads which may not (gRPC's) hand work
/// over. Thread safety: all methods may be called from any thread but the pool's own (TrySubmit
/// also from those).
class WorkerPool {
 public:
  using Task = std::function<void()>;

  /// `queue_limit`: tasks that may wait besides those that run.
  WorkerPool(std::size_t thread_count, std::size_t queue_limit);
  /// Shuts down as Shutdown does, without a deadline.
  ~WorkerPool();
  WorkerPool(const WorkerPool&) = delete;
  WorkerPool& operator=(const WorkerPool&) = delete;

  /// Runs `task` soon, or answers false at once when the queue is full or the pool shuts down.
  /// Never blocks. Tasks must not throw.
  [[nodiscard]] bool TrySubmit(Task task);

  /// Refuses new tasks and waits until those accepted are done, at most until `deadline`; then the
  /// waiting ones are dropped. True: all were done. Does not join the threads: the destructor does.
  bool Shutdown(std::chrono::steady_clock::time_point deadline);

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
