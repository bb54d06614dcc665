#pragma once

#include <chrono>
#include <condition_variable>
#include <cstddef>
#include <functional>
#include <optional>
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
///
/// The number of running tasks is a limit on what they use, such as database connections. A task
/// that waits and uses nothing of that meanwhile steps aside (Aside), and another one runs.
class WorkerPool {
 public:
  using Task = std::function<void()>;

  /// Gives the place of the calling thread's task to another task of its pool, as long as it lives.
  /// It does nothing outside of a pool, within another one, or when as many tasks are aside as may
  /// be. Then the task has its place again at once, so that for a moment more tasks may run than
  /// the limit says; no new one begins meanwhile.
  class Aside {
   public:
    Aside();
    ~Aside();
    Aside(const Aside&) = delete;
    Aside& operator=(const Aside&) = delete;

   private:
    const bool stepped_;
  };

  /// `running_limit` tasks run at a time and `aside_limit` more are aside, a thread for each.
  /// `queue_limit` tasks may wait; those that run do not count. `share` is the part of one key.
  WorkerPool(std::size_t running_limit, std::size_t queue_limit, Share share = {},
             std::size_t aside_limit = 0);
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
    bool idle() const { return queue.size() + queue.running() + queue.aside() == 0; }
    FairQueue<Task> queue;
    bool closed = false;
  };
  /// What the calling thread runs.
  struct Running {
    WorkerPool& pool;
    const std::string& key;
    bool is_aside = false;
  };
  static thread_local std::optional<Running> running_here;

  void Run();
  bool StepAside(Running& task);
  void StepBack(Running& task);

  const std::size_t running_limit_;
  const std::size_t aside_limit_;

  Guarded<State> state_;
  std::condition_variable work_;  // something may run, or closed
  std::condition_variable idle_;  // nothing queued, nothing running and nothing aside
  std::vector<std::thread> threads_;
};

}  // namespace todo::util
