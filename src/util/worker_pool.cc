#include "util/worker_pool.h"

#include <deque>
#include <optional>
#include <utility>

namespace todo::util {

WorkerPool::WorkerPool(std::size_t thread_count, std::size_t queue_limit, Share share)
    : state_(std::in_place, queue_limit, share) {
  threads_.reserve(thread_count);
  for (std::size_t i = 0; i < thread_count; ++i) threads_.emplace_back([this] { Run(); });
}

WorkerPool::~WorkerPool() {
  {
    auto state = state_.Lock();
    state->closed = true;
  }
  work_.notify_all();
  for (std::thread& thread : threads_) thread.join();
}

bool WorkerPool::TrySubmit(std::string_view key, Task task) {
  {
    auto state = state_.Lock();
    if (state->closed || !state->queue.Push(key, std::move(task))) return false;
  }
  work_.notify_one();
  return true;
}

bool WorkerPool::Shutdown(std::chrono::steady_clock::time_point deadline) {
  std::deque<Task> dropped;  // released without the lock: what they hold may call the pool
  auto state = state_.Lock();
  state->closed = true;
  work_.notify_all();
  const bool done = idle_.wait_until(state.lock(), deadline, [&] {
    return state->queue.size() == 0 && state->queue.running() == 0;
  });
  if (!done) dropped = state->queue.Clear();
  work_.notify_all();
  return done;
}

std::size_t WorkerPool::queued_count() { return state_.Lock()->queue.size(); }

void WorkerPool::Run() {
  auto state = state_.Lock();
  FairQueue<Task>& queue = state->queue;
  for (;;) {
    // A key with its share running may leave tasks that nobody can run yet.
    work_.wait(state.lock(),
               [&] { return queue.CanPop() || (state->closed && queue.size() == 0); });
    std::optional<FairQueue<Task>::Popped> next = queue.Pop();
    if (!next) return;
    if (state->closed && queue.size() == 0) work_.notify_all();  // the others may go home
    state.lock().unlock();
    next->item();
    next->item = nullptr;  // what the task holds is released without the lock
    state.lock().lock();
    queue.Done(next->key);
    if (queue.size() == 0 && queue.running() == 0) idle_.notify_all();
  }
}

}  // namespace todo::util
