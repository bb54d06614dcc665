#pragma once

#include <chrono>
#include <condition_variable>
#include <cstddef>
#include <functional>
#include <string>
#include <string_view>
#include <thread>
#include <utility>
#include <vector>

#include "util/fair_queue.h"
#include "util/guarded.h"

namespace todo::util {

/// Threads that may block, fed by a bounded queue: gRPC's threads, which must not block, hand their
/// work over to a pool. Tasks may belong to keys (users), which take turns and have a share of
/// threads and queue each; see FairQueue. Thread safety: all methods may be called from any thread
/// outside the pool; TrySubmit also from a task.
class WorkerPool {
 public:
  using Task = std::function<void()>;

  /// `queue_limit` tasks may wait; those that run do not count. `share` is the part of one key.
  WorkerPool(std::size_t thread_count, std::size_t queue_limit, Share share = {});
  /// Shuts down as Shutdown does, without a deadline.
  ~WorkerPool();
  WorkerPool(const WorkerPool&) = delete;
  WorkerPool& operator=(const WorkerPool&) = delete;

  /// True: `task` will run on a thread of the pool. False, at once: the queue is full or the pool
  /// shuts down. Never blocks. A task must not throw.
  [[nodiscard]] bool TrySubmit(Task task) { return TrySubmit({}, std::move(task)); }
  /// The same for a task that belongs to `key`. False also: the key has its share of the queue.
  [[nodiscard]] bool TrySubmit(std::string_view key, Task task);

  /// Refuses new tasks and waits until the accepted ones are done, at most until `deadline`; tasks
  /// that have not begun by then are dropped. True: all tasks were done. The destructor, not this
  /// method, joins the threads.
  bool Shutdown(std::chrono::steady_clock::time_point deadline);

  /// Tasks that wait for a thread.
  std::size_t queued_count();

 private:
  struct State {
    State(std::size_t queue_limit, Share share) : queue(queue_limit, share) {}
    FairQueue<Task> queue;
    bool closed = false;
  };
  void Run();

  Guarded<State> state_;
  std::condition_variable work_;  // something may run, or closed
  std::condition_variable idle_;  // nothing queued and nothing running
  std::vector<std::thread> threads_;
};

}  // namespace todo::util
