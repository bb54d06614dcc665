#include "util/worker_pool.h"

#include <deque>
#include <optional>
#include <utility>

namespace todo::util {

thread_local std::optional<WorkerPool::Running> WorkerPool::running_here;

WorkerPool::Aside::Aside()
    : stepped_(running_here && running_here->pool.StepAside(*running_here)) {}

WorkerPool::Aside::~Aside() {
  if (stepped_) running_here->pool.StepBack(*running_here);
}

WorkerPool::WorkerPool(std::size_t running_limit, std::size_t queue_limit, Share share,
                       std::size_t aside_limit)
    : running_limit_(running_limit),
      aside_limit_(aside_limit),
      state_(std::in_place, queue_limit, share) {
  const std::size_t thread_count = running_limit + aside_limit;
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
  const bool done = idle_.wait_until(state.lock(), deadline, [&] { return state->idle(); });
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
    work_.wait(state.lock(), [&] {
      return (queue.CanPop() && queue.running() < running_limit_) ||
             (state->closed && queue.size() == 0);
    });
    std::optional<FairQueue<Task>::Popped> next = queue.Pop();
    if (!next) return;
    if (state->closed && queue.size() == 0) work_.notify_all();  // the others may go home
    state.lock().unlock();
    running_here.emplace(Running{*this, next->key});
    next->item();
    next->item = nullptr;  // what the task holds is released without the lock
    running_here.reset();
    state.lock().lock();
    queue.Done(next->key);
    if (state->idle()) idle_.notify_all();
  }
}

bool WorkerPool::StepAside(Running& task) {
  if (task.is_aside) return false;
  bool may_run = false;
  {
    auto state = state_.Lock();
    if (state->queue.aside() >= aside_limit_ || !state->queue.StepAside(task.key)) return false;
    may_run = state->queue.CanPop();
  }
  task.is_aside = true;
  if (may_run) work_.notify_one();
  return true;
}

void WorkerPool::StepBack(Running& task) {
  task.is_aside = false;
  state_.Lock()->queue.StepBack(task.key);
}

}  // namespace todo::util
