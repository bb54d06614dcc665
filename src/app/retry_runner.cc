#include "app/retry_runner.h"

#include <algorithm>
#include <chrono>

#include "util/log.h"

namespace todo::app {
namespace {

using std::chrono::milliseconds;

constexpr int kAtOnce = 20;
// Other replicas park too, and may die: their entries are found by looking.
constexpr milliseconds kPoll{1'000};
constexpr milliseconds kAfterFailure{500};

}  // namespace

RetryRunner::RetryRunner(service::EventProcessor& processor, const ports::Clock& clock,
                         int thread_count)
    : processor_(processor), clock_(clock) {
  for (int i = 0; i < thread_count; ++i) {
    threads_.emplace_back([this](const std::stop_token& stop) { Run(stop); });
  }
}

RetryRunner::~RetryRunner() {
  for (std::jthread& thread : threads_) thread.request_stop();
}

void RetryRunner::Wake(domain::Instant due) {
  {
    const std::lock_guard lock(mutex_);
    next_due_ = std::min(next_due_, due);
  }
  wake_.notify_all();
}

void RetryRunner::Run(const std::stop_token& stop) {
  while (!stop.stop_requested()) {
    {
      const std::lock_guard lock(mutex_);
      next_due_ = domain::kMaxInstant;
    }
    const auto next = processor_.RunDueRetries(kAtOnce);
    const domain::Instant now = clock_.Now();
    domain::Instant come_again = now + kPoll;
    if (!next.ok()) {
      come_again = now + kAfterFailure;
    } else if (*next) {
      come_again = std::min(come_again, **next);
    }
    std::unique_lock lock(mutex_);
    // Never early: the deadline is recomputed until the clock really says so.
    while (!stop.stop_requested()) {
      const auto left = std::min(come_again, next_due_) - clock_.Now();
      if (left <= left.zero()) break;
      wake_.wait_for(lock, stop, left, [&, seen = next_due_] { return next_due_ < seen; });
    }
  }
}

}  // namespace todo::app
