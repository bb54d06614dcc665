#include "util/worker_pool.h"

#include <utility>

namespace todo::util {

WorkerPool::WorkerPool(std::size_t thread_count, std::size_t queue_limit)
    : queue_limit_(queue_limit) {
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

bool WorkerPool::TrySubmit(Task task) {
  {
    auto state = state_.Lock();
    if (state->closed || state->queue.size() >= queue_limit_) return false;
    state->queue.push_back(std::move(task));
  }
  work_.notify_one();
  return true;
}

bool WorkerPool::Shutdown(std::chrono::steady_clock::time_point deadline) {
  std::deque<Task> dropped;  // released without the lock: what they hold may call the pool
  auto state = state_.Lock();
  state->closed = true;
  work_.notify_all();
  const bool done = idle_.wait_until(state.lock(), deadline,
                                     [&] { return state->queue.empty() && state->running == 0; });
  if (!done) dropped.swap(state->queue);
  return done;
}

std::size_t WorkerPool::queued_count() { return state_.Lock()->queue.size(); }

void WorkerPool::Run() {
  auto state = state_.Lock();
  for (;;) {
    work_.wait(state.lock(), [&] { return state->closed || !state->queue.empty(); });
    if (state->queue.empty()) return;
    {
      Task task = std::move(state->queue.front());
      state->queue.pop_front();
      ++state->running;
      state.lock().unlock();
      task();
    }  // what the task holds is released without the lock
    state.lock().lock();
    --state->running;
    if (state->queue.empty() && state->running == 0) idle_.notify_all();
  }
}

}  // namespace todo::util
