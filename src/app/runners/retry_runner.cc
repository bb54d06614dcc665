#include "app/runners/retry_runner.h"

#include <algorithm>
#include <chrono>
#include <optional>

#include "util/require.h"

namespace todo::app {
namespace {

using std::chrono::milliseconds;
using std::chrono::steady_clock;

constexpr int kAtOnce = 20;  // retries in one look
/// While one thread is busy, the others look for retries that become due.
constexpr milliseconds kBesideOthers{1'000};
constexpr milliseconds kAfterFailure{500};

}  // namespace

RetryRunner::RetryRunner(service::EventProcessor& processor, const ports::Clock& clock,
                         int thread_count, milliseconds net)
    : processor_(processor), clock_(clock), thread_count_(thread_count), net_(net) {
  TODO_REQUIRE(thread_count > 0);
}

void RetryRunner::Start() {
  for (int i = 0; i < thread_count_; ++i) {
    threads_.emplace_back([this](const std::stop_token& stop) { Run(stop); });
  }
}

void RetryRunner::Stop() {
  for (std::jthread& thread : threads_) thread.request_stop();
  threads_.clear();
}

void RetryRunner::Wake(domain::Instant due) {
  const SteadyTime when = When(due);
  {
    const std::lock_guard lock(mutex_);
    if (when >= next_due_) return;
    next_due_ = when;
    ++changes_;
  }
  changed_.notify_all();
}

void RetryRunner::Run(const std::stop_token& stop) {
  std::unique_lock lock(mutex_);
  const auto note = [&](int looking, SteadyTime due) {
    looking_ += looking;
    next_due_ = due;
    ++changes_;
    changed_.notify_all();
  };
  while (!stop.stop_requested()) {
    note(1, SteadyTime::max());
    lock.unlock();
    const auto next = processor_.RunDueRetries(kAtOnce);
    SteadyTime due = SteadyTime::max();
    if (!next.ok()) due = steady_clock::now() + kAfterFailure;
    if (next.ok() && *next) due = When(**next);
    lock.lock();
    note(-1, std::min(next_due_, due));
    const SteadyTime looked = steady_clock::now();
    while (!stop.stop_requested()) {
      const SteadyTime until = std::min(next_due_, looked + (looking_ > 0 ? kBesideOthers : net_));
      if (until <= steady_clock::now()) break;
      changed_.wait_until(lock, stop, until, [&, seen = changes_] { return changes_ != seen; });
    }
  }
}

RetryRunner::SteadyTime RetryRunner::When(domain::Instant due) const {
  const auto left =
      std::clamp<domain::Instant::duration>(due - clock_.Now(), milliseconds(0), net_);
  return steady_clock::now() + left;
}

}  // namespace todo::app
